import { describe, expect, it } from "vitest";
import type { Bot, BotTurn } from "@handover/runtime";
import { useWorld } from "./support/use-world.ts";
import type { World, WorldOptions } from "./support/world.ts";
import type { Recorder } from "./support/recorder.ts";

const open = useWorld();

async function openQueued(options: WorldOptions = {}): Promise<{ opened: World; chat: Recorder; ticket: string }> {
  const world = await open(options);
  const chat = world.record("c");
  await world.say("c", "start", "agent");
  await chat.untilStatus("queued");
  const [ticket] = await world.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
  return { opened: world, chat, ticket: ticket!.id };
}

const address = { endpoint: "web", conversation: "c" };

/** Asks for a person once more in the same conversation. @returns the ticket at the desk */
const openAgain = (opened: World, chat: Recorder) => async (time: number) => {
  await opened.say("c", `start ${time}`, "agent");
  await chat.untilStatus("queued", time);
  const all = await opened.vendor.backend.waitFor((some) => some.length === time);
  return all[time - 1]!.id;
};
const web = (world: World) => world.vendor.backend;

describe("states of a handover", () => {
  it("should be active with the first message of an agent, not with an assignment [F053 runtime]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentIsAssigned(ticket);
    await chat.until("the join notice", (entry) => entry.event === "agent-joined");
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
  });

  it("should not be ended by an agent who leaves, and go active again with the next one [F058 setting off]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentAccepts(ticket);
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await web(opened).agentLeaves(ticket);
    await chat.untilStatus("queued", 2);
    await web(opened).agentAccepts(ticket);
    await web(opened).agentSays(ticket, "me again");
    await chat.untilStatus("active", 2);
    await web(opened).agentCloses(ticket);
    await chat.untilStatus("ended");
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "queued", "active", "ended/completed"]);
  });

  it("should survive a transfer [F057 transfer]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentAccepts(ticket);
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await web(opened).agentTransfers(ticket);
    await chat.until("the notice", (entry) => entry.event === "transferred");
    await chat.untilStatus("queued", 2);
    expect(chat.statuses().some((status) => status.startsWith("ended"))).toBe(false);
  });

  it("should hold back what the bot says once people have the conversation [F052]", async () => {
    let release: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => (release = resolve));
    const asked: string[] = [];
    let isAsked: () => void = () => undefined;
    const firstTurn = new Promise<void>((resolve) => (isAsked = resolve));
    const slowBot: Bot = {
      async answer({ message, event }) {
        asked.push(message?.text ?? event?.type ?? "");
        isAsked();
        if (message?.text === "slow") await isHeld;
        return { messages: [{ text: `bot: ${message?.text ?? ""}` }] };
      },
    };
    const world = await open({ bot: slowBot });
    const chat = world.record("c");
    await world.say("c", "1", "slow");
    await firstTurn;
    await world.runtime.requestHandover(address);
    await chat.untilStatus("queued");
    await world.say("c", "2", "for the agent");
    release();
    await world.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await chat.until("the bot's return", (entry) => entry.text === "bot: ");
    expect(asked).toEqual(["slow", "ended"]);
    expect(chat.lines()).toEqual(["user: slow", "user: for the agent", "bot: bot: "]);
    expect(world.vendor.backend.conversations()[0]!.messages.map((message) => message.text)).toEqual(["slow", "for the agent"]);
    expect(chat.entries.some((entry) => entry.kind === "hidden")).toBe(true);
  });

  it("should show the agent's last words before the end although the end came first [F033 runtime]", async () => {
    const { opened, chat, ticket } = await openQueued({ vendor: { eventNumbers: "sparse" } });
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    web(opened).setFaults({ reorderWebhooks: true });
    await web(opened).agentSays(ticket, "last words");
    await web(opened).agentCloses(ticket);
    await chat.untilStatus("ended");
    const texts = chat.visible().map((entry) => entry.text ?? entry.status);
    expect(texts.indexOf("last words")).toBeLessThan(texts.indexOf("The conversation with our team is over."));
  });

  it("should find the end when the vendor's end never arrives [F074 runtime]", async () => {
    const { opened, chat, ticket } = await openQueued({ timing: { catchUpIntervalMs: 300 }, vendor: { eventNumbers: "sparse" } });
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    web(opened).setFaults({ dropWebhookRate: 1 });
    await web(opened).agentCloses(ticket);
    const end = await chat.untilStatus("ended");
    expect(end.reason).toBe("completed");
  });

  it("should let the user leave, queued and active, and close the desk's side [F070, F075 cancel, F080 reasons]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await opened.runtime.endHandover(address);
    const cancelled = await chat.untilStatus("ended");
    expect(cancelled).toMatchObject({ reason: "cancelled", cause: { actor: "user" } });
    expect(web(opened).conversations()[0]!.status).toBe("closed");
    await opened.say("c", "again", "agent");
    await chat.untilStatus("queued", 2);
    const second = web(opened).conversations()[1]!.id;
    expect(second).not.toBe(ticket);
    await web(opened).agentSays(second, "hello");
    await chat.untilStatus("active");
    await opened.runtime.endHandover(address);
    const left = await chat.until("the second end", (entry) => entry.reason === "completed");
    expect(left.cause).toMatchObject({ actor: "user" });
    expect(
      web(opened)
        .conversations()
        .map((one) => one.status),
    ).toEqual(["closed", "closed"]);
  });

  it("should stay ending until the vendor has closed, and tell the user once [F064]", async () => {
    const { opened, chat } = await openQueued();
    web(opened).setFaults({ failRate: 1, status: 503, times: 4 });
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended");
    expect(web(opened).conversations()[0]!.status).toBe("closed");
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
  });

  it("should give the second transcript only what came after the first handover [F023, F055 same provider]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await opened.say("c", "to-desk", "for the first agent");
    await web(opened).waitFor(([first]) => first?.messages.at(-1)?.text === "for the first agent");
    await web(opened).agentCloses(ticket);
    await chat.until("the bot", (entry) => entry.text === "back: completed");
    await opened.say("c", "between", "between");
    await chat.until("the answer", (entry) => entry.text === "echo between");
    await opened.say("c", "second", "agent again");
    await web(opened).waitFor(([, second]) => second?.messages.length === 5);
    expect(
      web(opened)
        .conversations()[1]!
        .messages.map((message) => message.text),
    ).toEqual(["back: completed", "between", "echo between", "agent again", "one moment"]);
  });

  it("should give the bot what the desk never got, and tell the user [F010 failed start, F073]", async () => {
    const turns: BotTurn[] = [];
    const bot: Bot = {
      async answer(turn) {
        turns.push(turn);
        return turn.message?.text === "agent" ? { handover: {} } : {};
      },
    };
    const world = await open({ bot, timing: { startTimeoutMs: 500 } });
    web(world).setFaults({ failRate: 1, status: 503 });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("requested");
    for (const id of ["2", "3"]) await world.say("c", id, `missed ${id}`);
    await chat.untilStatus("ended");
    await expect.poll(() => turns.length).toBe(2);
    expect(turns[1]!.event).toMatchObject({ type: "ended", reason: "failed" });
    expect(turns[1]!.event!.undelivered!.map((message) => message.text)).toEqual(["missed 2", "missed 3"]);
    const failed = chat.visible().filter((entry) => entry.event === "message-failed");
    const aboutTexts = failed.map((notice) => chat.visible().find((entry) => entry.seq === notice.about)?.text);
    expect(aboutTexts).toEqual(["missed 2", "missed 3"]);
  });

  it("should end again what the desk opens again, and show nothing of it [F077, F078 runtime]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await web(opened).agentCloses(ticket);
    await chat.untilStatus("ended");
    await web(opened).agentReopens(ticket);
    await web(opened).agentSays(ticket, "are you still there?");
    await web(opened).waitFor(([first]) => first?.status === "closed");
    await opened.say("c", "next", "hi bot");
    await chat.until("the bot", (entry) => entry.text === "echo hi bot");
    expect(chat.lines()).not.toContain("agent: are you still there?");
    expect(chat.statuses().filter((status) => status.startsWith("ended"))).toHaveLength(1);
  });

  it("should never show a private note, and mark what automations say as system [F119 runtime, F152 runtime]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentWritesNote(ticket, "difficult customer");
    await web(opened).systemSays(ticket, "our office hours are 9 to 5");
    await chat.until("the automation", (entry) => entry.author?.role === "system");
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    expect(JSON.stringify(chat.entries)).not.toContain("difficult customer");
  });

  it("should refuse an endpoint without people and tell a bot that asks for them [F170 no handover configured]", async () => {
    const world = await open({ runtime: { endpoints: [{ token: "web", bot: { answer: async () => ({ handover: {} }) } }] } });
    await expect(world.runtime.requestHandover(address)).rejects.toMatchObject({ code: "HANDOVER_NOT_CONFIGURED" });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const refusal = await chat.untilStatus("ended");
    expect(refusal).toMatchObject({ reason: "unavailable", cause: { code: "HANDOVER_NOT_CONFIGURED" } });
  });

  it("should call an end completed once somebody had answered, also while the user waits for the next agent", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await web(opened).agentTransfers(ticket);
    await chat.untilStatus("queued", 2);
    await opened.runtime.endHandover(address);
    expect(await chat.untilStatus("ended")).toMatchObject({ reason: "completed", cause: { actor: "user" } });
  });

  it("should answer an end without a handover with NO_HANDOVER", async () => {
    const world = await open();
    await expect(world.runtime.endHandover(address)).rejects.toMatchObject({ code: "NO_HANDOVER" });
  });

  it("should go on after a restart in every state, with nothing lost and nothing twice [F158 three states]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentSays(ticket, "before");
    await chat.untilStatus("active");
    await opened.stopRuntime();
    for (const text of ["missed 1", "missed 2", "missed 3"]) await web(opened).agentSays(ticket, text);
    await web(opened).settle();
    await opened.restart();
    const after = opened.record("c");
    await after.until("the third line", (entry) => entry.text === "missed 3");
    expect(after.lines().slice(-4)).toEqual(["agent: before", "agent: missed 1", "agent: missed 2", "agent: missed 3"]);
    await opened.say("c", "back", "I am here");
    await web(opened).waitFor(([first]) => first?.messages.at(-1)?.text === "I am here");
  });

  it("should write no warning and no error on the happy path: also when the user leaves, says nothing, or the desk is late [F125]", async () => {
    const { opened, chat, ticket } = await openQueued();
    await web(opened).agentSays(ticket, "hello");
    await opened.say("c", "2", "hi");
    await web(opened).waitFor(([first]) => first?.messages.at(-1)?.text === "hi");
    await web(opened).agentCloses(ticket);
    await chat.untilStatus("ended");
    const translated = () =>
      opened.runtime
        .metrics()
        .filter(({ name, labels }) => name === "handover_deliveries_total" && labels["result"] === "translated")
        .reduce((sum, { value }) => sum + value, 0);
    // What the desk says after the end, and twice.
    const before = translated();
    web(opened).setFaults({ duplicateWebhookRate: 1 });
    await web(opened).agentWritesNote(ticket, "a late note");
    await web(opened).agentIsAssigned(ticket);
    await expect.poll(translated, { timeout: 10_000 }).toBeGreaterThan(before);
    // The user goes away while people are there, and ends it; then once more while waiting.
    const again = openAgain(opened, chat);
    const second = await again(2);
    await web(opened).agentSays(second, "hello again");
    await chat.untilStatus("active", 2);
    await opened.runtime.setPresence({ ...address, isPresent: false });
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended", 2);
    web(opened).people.say(second, "too late");
    await again(3);
    await opened.runtime.endHandover(address);
    await chat.untilStatus("ended", 3);
    await expect
      .poll(
        () =>
          web(opened)
            .conversations()
            .map(({ status }) => status),
        { timeout: 10_000 },
      )
      .toEqual(["closed", "closed", "closed"]);
    await web(opened).settle();
    await opened.stopRuntime();
    // Nobody says anything any more.
    const idle = await openQueued({ handover: { userIdleTimeoutMs: 200 } });
    await web(idle.opened).agentSays(idle.ticket, "are you there?");
    expect(await idle.chat.untilStatus("ended")).toMatchObject({ reason: "abandoned" });
    await idle.opened.stopRuntime();
    expect([...opened.log, ...idle.opened.log].filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  });
});
