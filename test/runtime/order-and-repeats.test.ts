import { describe, expect, it } from "vitest";
import { useWorld } from "./support/use-world.ts";
import type { World, WorldOptions } from "./support/world.ts";
import type { Recorder } from "./support/recorder.ts";

const open = useWorld();

/** A world with a handover that is queued, and the id of its ticket. */
async function openQueued(options: WorldOptions = {}): Promise<{ opened: World; chat: Recorder; ticket: string }> {
  const world = await open(options);
  const chat = world.record("c");
  await world.say("c", "start", "agent");
  await chat.untilStatus("queued");
  const [ticket] = await world.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
  return { opened: world, chat, ticket: ticket!.id };
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);
const agentLines = (chat: Recorder) =>
  chat
    .lines()
    .filter((line) => line.startsWith("agent: "))
    .map((line) => line.slice(7));
const deskLines = (opened: World) =>
  opened.vendor.backend
    .conversations()[0]!
    .messages.filter((message) => message.author === "user")
    .map((message) => message.text)
    .slice(1);

describe("order and repeats", () => {
  it("should relay fifty quick messages in order, whatever the vendor's latency [F030 one direction, one instance]", async () => {
    const { opened } = await openQueued();
    opened.vendor.backend.setFaults({ latencyMs: 3 });
    const texts = numbered(50);
    const answers = await Promise.all(texts.map((text, index) => opened.say("c", `m${index}`, text)));
    const inLogOrder = texts.map((text, index) => ({ text, seq: answers[index]!.seq })).sort((left, right) => left.seq - right.seq);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.length === 52);
    expect(deskLines(opened)).toEqual(inLogOrder.map((line) => line.text));
  });

  it("should show the agent's lines in the vendor's order when webhooks come in another [F031 without a hole]", async () => {
    const { opened, chat, ticket } = await openQueued({ vendor: { eventNumbers: "sparse" } });
    opened.vendor.backend.setFaults({ reorderWebhooks: true });
    for (const text of numbered(6)) await opened.vendor.backend.agentSays(ticket, text);
    await chat.until("the last line", () => agentLines(chat).length === 6);
    expect(agentLines(chat)).toEqual(numbered(6));
  });

  it("should ask the vendor for what is missing from a dense order [F031 hole, F001 dense order]", async () => {
    const { opened, chat, ticket } = await openQueued({ timing: { catchUpIntervalMs: 600_000 } });
    await opened.vendor.backend.agentSays(ticket, "line 1");
    await chat.until("the first line", () => agentLines(chat).length === 1);
    opened.vendor.backend.setFaults({ dropWebhookRate: 1, times: 1 });
    for (const text of ["line 2", "line 3"]) await opened.vendor.backend.agentSays(ticket, text);
    await chat.until("the last line", () => agentLines(chat).length === 3);
    expect(agentLines(chat)).toEqual(numbered(3));
  });

  it("should find a lost webhook on the slow timer, once and marked as late [F001 runtime]", async () => {
    const { opened, chat, ticket } = await openQueued({ timing: { catchUpIntervalMs: 400 }, vendor: { eventNumbers: "sparse" } });
    opened.vendor.backend.setFaults({ dropWebhookRate: 1, times: 1 });
    await opened.vendor.backend.agentSays(ticket, "lost");
    const healed = await chat.until("the lost line", (entry) => entry.text === "lost");
    expect(healed.isLate).toBe(true);
    await opened.vendor.backend.agentSays(ticket, "next");
    await chat.until("the next line", (entry) => entry.text === "next");
    expect(agentLines(chat)).toEqual(["lost", "next"]);
  });

  it("should show a vendor event once however often it is delivered [F017 one instance, F027]", async () => {
    const { opened, chat, ticket } = await openQueued();
    opened.vendor.backend.setFaults({ duplicateWebhookRate: 1 });
    await opened.vendor.backend.agentAccepts(ticket);
    for (const text of ["ok", "ok", "ok"]) await opened.vendor.backend.agentSays(ticket, text);
    await opened.vendor.backend.agentCloses(ticket);
    await chat.untilStatus("ended");
    expect(agentLines(chat)).toEqual(["ok", "ok", "ok"]);
    expect(chat.visible().filter((entry) => entry.event === "agent-joined")).toHaveLength(1);
    expect(chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
  });

  it("should relay a client's message once however often it is sent, and tell conversations with the same ids apart [F026 server]", async () => {
    const { opened } = await openQueued();
    const other = opened.record("d");
    await opened.say("d", "start", "agent");
    await other.untilStatus("queued");
    const answers = await Promise.all([
      opened.say("c", "same", "hello"),
      opened.say("c", "same", "hello"),
      opened.say("d", "same", "hello"),
    ]);
    expect(answers[0]).toEqual(answers[1]);
    expect(await opened.say("c", "same", "another text")).toEqual(answers[0]);
    await opened.vendor.backend.waitFor((list) => list.length === 2 && list.every((one) => one.messages.length === 3));
    expect(opened.vendor.backend.conversations().map((one) => one.messages.at(-1)?.text)).toEqual(["hello", "hello"]);
  });

  it("should send a message once whose answer was lost, because the vendor can be asked [F022 test vendor]", async () => {
    const { opened } = await openQueued();
    opened.vendor.backend.setFaults({ loseAnswerRate: 0.5, seed: 3 });
    for (const text of numbered(20)) await opened.say("c", text, text);
    await opened.vendor.backend.waitFor(([first]) => (first?.messages.length ?? 0) >= 22);
    opened.vendor.backend.setFaults({});
    await opened.say("c", "last", "last");
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "last");
    expect(deskLines(opened)).toEqual([...numbered(20), "last"]);
  });

  it("should hold back what follows while a message is tried again [F004, F032]", async () => {
    const { opened } = await openQueued();
    opened.vendor.backend.setFaults({ failRate: 1, status: 503, times: 2, only: "POST /conversations/:/messages" });
    for (const text of numbered(3)) await opened.say("c", text, text);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.length === 5);
    expect(deskLines(opened)).toEqual(numbered(3));
  });

  it("should survive 503 and lost answers on a third of the calls, with webhooks doubled, reordered and dropped", async () => {
    const { opened, chat, ticket } = await openQueued({ vendor: { eventNumbers: "sparse" }, timing: { catchUpIntervalMs: 300 } });
    opened.vendor.backend.setFaults({
      failRate: 0.2,
      status: 503,
      loseAnswerRate: 0.15,
      duplicateWebhookRate: 0.2,
      dropWebhookRate: 0.2,
      seed: 11,
    });
    const texts = numbered(25);
    for (const text of texts) {
      await opened.say("c", text, text);
      await opened.vendor.backend.agentSays(ticket, text);
    }
    await chat.until("all agent lines", () => agentLines(chat).length >= 25);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.filter((message) => message.author === "user").length === 26, {
      timeoutMs: 15_000,
    });
    expect(deskLines(opened)).toEqual(texts);
    expect(agentLines(chat).toSorted()).toEqual(texts.toSorted());
    const onTime = chat.visible().filter((entry) => entry.author?.role === "agent" && entry.kind === "message" && !entry.isLate);
    const order = onTime.map((entry) => texts.indexOf(entry.text ?? ""));
    expect(order).toEqual(order.toSorted((left, right) => left - right));
  });
});
