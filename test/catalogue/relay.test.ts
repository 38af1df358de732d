import { afterEach, describe, expect, it } from "vitest";
import { ProviderApiError, type MessagePart } from "@handover/core";
import type { Bot, BotMessage, Entry, PartRecord } from "@handover/runtime";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import { record, type Recorder } from "../runtime/support/recorder.ts";
import { echoBot, openWorld, type World, type WorldOptions } from "../runtime/support/world.ts";
import { createWorldStore } from "../runtime/support/world-store.ts";
import { changedProvider } from "./support/changed-provider.ts";

const cleanups: (() => Promise<void>)[] = [];
let world: World | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function open(options: WorldOptions = {}): Promise<World> {
  world = await openWorld(options);
  return world;
}

async function handOver(opened: World, conversation = "c"): Promise<{ readonly chat: Recorder; readonly ticket: string }> {
  const chat = opened.record(conversation);
  await opened.say(conversation, "ask", "agent please");
  const { handover } = await chat.untilStatus("queued");
  const [found] = await opened.vendor.backend.waitFor((all) => all.some((one) => one.messages.some(({ text }) => text === "agent please")));
  expect(handover).toBeDefined();
  const mine = opened.vendor.backend.conversations().find((one) => one.messages.some(({ text }) => text === "agent please")) ?? found;
  return { chat, ticket: mine!.id };
}

const deskLines = (opened: World, index = 0) =>
  opened.vendor.backend.conversations()[index]?.messages.map(({ author, text }) => `${author}: ${text}`) ?? [];
const metric = (opened: World, name: string, labels: Readonly<Record<string, string>> = {}) =>
  opened.runtime
    .metrics()
    .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, one) => sum + one.value, 0);

describeOnStores("a message of several parts", (name) => {
  it("should repeat the part that failed and no other, each with a vendor id of its own, and see the request in a mixed reply [F009]", async () => {
    const tries: string[] = [];
    const provider = changedProvider((connection) => ({
      async sendMessage(handover, part: MessagePart, call) {
        const { text } = part.data as { readonly text: string };
        tries.push(text[0] ?? "");
        if (text.startsWith("b") && tries.filter((letter) => letter === "b").length < 3) {
          throw new ProviderApiError({ message: "The desk is busy.", status: 503, isRetryable: true, outcome: "not-applied" });
        }
        return (await connection.sendMessage?.(handover, part, call)) ?? {};
      },
    }));
    const bot: Bot = {
      answer: async ({ message }) => ({
        messages: [{ text: "One moment." }, { text: "Meanwhile?", choices: [{ id: "y", title: "Yes" }] }],
        ...(message ? { handover: {} } : {}),
      }),
    };
    const place = await createWorldStore(name);
    cleanups.push(place.remove);
    const store = place.create();
    const opened = await open({ bot, runtime: { providers: [provider], store } });
    const { chat } = await handOver(opened);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.length === 3);

    const long = ["a", "b", "c"].map((letter) => letter.repeat(900)).join("\n");
    const { seq } = await opened.say("c", "long", long);
    await opened.say("c", "next", "d, the one after it");
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "d, the one after it");
    expect(tries.join("")).toBe("abbbcd");
    const sent = opened.vendor.backend.conversations()[0]!.messages.slice(3, 6);
    expect(sent.map(({ text }) => text[0])).toEqual(["a", "b", "c"]);
    const { handover = "" } = await chat.untilStatus("queued");
    const parts: readonly PartRecord[] = await store.readParts(handover, 1, seq);
    expect(parts.map(({ status, calls }) => `${status} ${calls}`)).toEqual(["sent 1", "sent 3", "sent 1"]);
    const vendorIds = opened.vendor.backend.conversation(opened.vendor.backend.conversations()[0]!.id).messages.map(({ id }) => id);
    expect(parts.map(({ vendorMessageId }) => vendorMessageId)).toEqual(vendorIds.slice(3, 6));
  });
});

describe("a call that never comes back", () => {
  it("should be cut by its deadline, also where a provider does not listen, and hold up nobody else [F013 frozen vendor call]", async () => {
    let frozen = 0;
    const provider = changedProvider((connection) => ({
      async sendMessage(handover, part, call) {
        if (part.message.text === "freeze" && frozen < 1) {
          frozen += 1;
          return new Promise<never>(() => undefined);
        }
        return (await connection.sendMessage?.(handover, part, call)) ?? {};
      },
    }));
    const opened = await open({ runtime: { providers: [provider] }, timing: { callTimeoutMs: 600 } });
    const { chat, ticket } = await handOver(opened);
    await opened.say("c", "1", "freeze");
    await opened.say("c", "2", "behind it");
    await expect.poll(() => frozen, { interval: 5 }).toBe(1);
    // The other direction and other conversations go on while it hangs.
    await opened.vendor.backend.agentSays(ticket, "still there?");
    await chat.until("the agent", ({ text }) => text === "still there?");
    await opened.say("other", "1", "hello");
    await opened.record("other").until("the bot", ({ text }) => text === "echo hello");
    expect(deskLines(opened).filter((line) => line.endsWith("behind it"))).toEqual([]);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "behind it");
    expect(deskLines(opened).filter((line) => line.startsWith("user"))).toEqual(["user: agent please", "user: freeze", "user: behind it"]);
  });
});

describe("what is relayed", () => {
  it("should be every source, over a channel that is pushed to and one that asks; one that can do neither is refused at the start [F015]", async () => {
    const bot: Bot = {
      name: "Bo",
      events: ["queued", "active", "ended"],
      async answer({ message, event }) {
        if (event) return { messages: [{ text: `bot: ${event.type}` }] };
        return message?.text === "agent please" ? { messages: [{ text: "bot: one moment" }], handover: {} } : {};
      },
    };
    const pushed: Entry[] = [];
    const handover = { connections: ["desk"] };
    const endpoints = [
      { token: "web", bot, handover },
      { token: "voice", bot, handover, channel: "answers-only" as const },
    ];
    const opened = await open({ runtime: { endpoints } });
    opened.runtime.onEntry(async (entry) => {
      if (entry.endpoint === "web") pushed.push(entry);
    });
    const { chat, ticket } = await handOver(opened);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "bot: queued");
    await opened.vendor.backend.agentSays(ticket, "hello from the desk");
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "bot: active");
    await opened.say("c", "2", "hello from the user");
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "hello from the user");
    expect(deskLines(opened)).toEqual([
      "user: agent please",
      "bot: bot: one moment",
      "bot: bot: queued",
      "agent: hello from the desk",
      "bot: bot: active",
      "user: hello from the user",
    ]);
    const lines = chat.lines();
    expect(lines).toEqual(deskLines(opened));
    await expect.poll(() => pushed.length).toBe(chat.entries.length);
    expect(pushed.map(({ seq }) => seq)).toEqual(chat.entries.map(({ seq }) => seq));
    // A poll channel: it asks for what came after the last one it has, and is gone in between.
    const last = chat.entries.at(-3)!.seq;
    const poll = record(opened.runtime, { endpoint: "web", conversation: "c" });
    await poll.until("the newest", ({ text }) => text === "hello from the user");
    poll.stop();
    expect(poll.entries.filter(({ seq }) => seq > last)).toEqual(chat.entries.slice(-2));
    // A channel that can only answer: nobody is asked for, and the user is told.
    const voice = { endpoint: "voice", conversation: "c" };
    await expect(opened.runtime.requestHandover(voice)).rejects.toMatchObject({ code: "CHANNEL_UNSUPPORTED" });
    await opened.runtime.receiveMessage({ ...voice, message: { id: "1", text: "agent please" } });
    const told = record(opened.runtime, voice);
    const refused = await told.until("the refusal", ({ kind }) => kind === "handover");
    told.stop();
    expect(refused).toMatchObject({ status: "ended", reason: "unavailable", cause: { code: "CHANNEL_UNSUPPORTED" } });
    expect(refused.text).toBe("Nobody is available right now.");
    expect(opened.vendor.backend.conversations()).toHaveLength(1);
  });

  it("should not be what the desk cannot show: the user is told of which message, and the next one arrives [F135 part: from the user]", async () => {
    const provider = changedProvider((connection) => ({
      planMessage: (handover, message) => (message.attachments ? [] : (connection.planMessage?.(handover, message) ?? [{ message }])),
    }));
    const opened = await open({ runtime: { providers: [provider] } });
    const { chat } = await handOver(opened);
    const address = { endpoint: "web", conversation: "c" };
    const { id } = await opened.runtime.putAttachment({ ...address, name: "a.vcf", type: "text/vcard", content: Buffer.from("bytes") });
    const { seq } = await opened.runtime.receiveMessage({ ...address, message: { id: "file", attachments: [id] } });
    await opened.say("c", "next", "the next one");
    const notice = await chat.until("the notice", ({ event }) => event === "message-failed");
    expect(notice).toMatchObject({
      about: seq,
      text: "This message could not be delivered.",
      cause: { actor: "system", code: "UNSUPPORTED_MESSAGE" },
    });
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "the next one");
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toHaveLength(1);
  });

  it("should not be an empty message, whichever side writes it, also with data only or null; it is counted, and nothing fails [F130]", async () => {
    // What the desk says so comes out of its provider without anything to show.
    const strange: Readonly<Record<string, object>> = { NULL: { text: null }, DATA: { text: undefined, attachments: [], data: { a: 1 } } };
    const provider = changedProvider((connection) => ({
      translate(handover, delivery) {
        const translation = connection.translate?.(handover, delivery) ?? { events: [] };
        const events = translation.events.map((event) =>
          event.type === "message-received" ? { ...event, message: { ...event.message, ...strange[event.message.text ?? ""] } } : event,
        );
        return { ...translation, events };
      },
    }));
    const nothing = [{ text: "" }, { text: " \n" }, { data: { a: 1 } }, { text: null }, null];
    const bot: Bot = {
      events: ["active"],
      async answer({ message, event }) {
        if (event) return { messages: [...nothing, { text: "not empty, says the bot" }] as BotMessage[] };
        return message?.text === "agent please" ? { handover: {}, messages: [...nothing, { text: "one moment" }] as BotMessage[] } : {};
      },
    };
    const opened = await open({ bot, runtime: { providers: [provider] } });
    const { chat, ticket } = await handOver(opened);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
    for (const text of ["NULL", "DATA"]) opened.vendor.backend.people.say(ticket, text);
    for (const text of ["", "   ", "\n\t\u00a0"]) {
      await expect(opened.say("c", `empty ${text}`, text)).rejects.toMatchObject({ code: "MESSAGE_EMPTY" });
      opened.vendor.backend.people.say(ticket, text);
    }
    for (const content of [{ text: null }, { data: { a: 1 } }, { attachments: [] }]) {
      const message = { id: "nothing", ...content } as unknown as { id: string; text: string };
      await expect(opened.runtime.receiveMessage({ endpoint: "web", conversation: "c", message })).rejects.toMatchObject({
        code: "MESSAGE_EMPTY",
      });
    }
    opened.vendor.backend.people.say(ticket, "not empty");
    await chat.until("the agent", ({ text }) => text === "not empty");
    await opened.say("c", "full", "not empty either");
    await opened.vendor.backend.waitFor(([first]) => first?.messages.at(-1)?.text === "not empty either");
    expect(chat.lines().filter((line) => line.startsWith("agent"))).toEqual(["agent: not empty"]);
    expect(deskLines(opened).filter((line) => line.startsWith("user"))).toEqual(["user: agent please", "user: not empty either"]);
    const ofBot = ["bot: one moment", "bot: not empty, says the bot"];
    expect(chat.lines().filter((line) => line.startsWith("bot"))).toEqual(ofBot);
    expect(deskLines(opened).filter((line) => line.startsWith("bot"))).toEqual(ofBot);
    expect(metric(opened, "handover_journal_total", { what: "empty-message", connection: "desk" })).toBe(5);
    expect(metric(opened, "handover_journal_total", { what: "empty-message", connection: "" })).toBe(2 * nothing.length);
    expect(metric(opened, "handover_messages_refused_total", { code: "MESSAGE_EMPTY" })).toBe(6);
    expect(opened.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});

describeOnStores("for whom a message is", (store) => {
  it("should decide who gets it, in every state and in the next transcript; what steers a handover is for nobody [F122]", async () => {
    const destinations = { BOTH: undefined, USER: "user-only", AGENT: "agent-only" } as const;
    const heard: string[] = [];
    const say = (when: string): BotMessage[] =>
      Object.entries(destinations).map(([mark, destination]) => ({ text: `${mark} ${when}`, ...(destination ? { destination } : {}) }));
    const bot: Bot = {
      events: ["queued", "active", "ended"],
      async answer({ message, event }) {
        heard.push(JSON.stringify(message ?? event));
        if (event) return { messages: say(event.type) };
        return { messages: say("bot"), ...(message?.text === "agent please" ? { handover: {} } : {}) };
      },
    };
    const opened = await open({ store, bot, handover: { texts: { cancelButton: "CANCEL BUTTON" }, cancelWords: ["CANCEL WORD"] } });
    const { backend } = opened.vendor;
    const address = { endpoint: "web", conversation: "c" };
    const { chat, ticket } = await handOver(opened);
    const until = (text: string) => chat.until(text, (entry) => entry.text === text);
    await until("USER queued");
    await backend.agentWritesNote(ticket, "NOTE while queued");
    await backend.agentSays(ticket, "hello");
    await until("USER active");
    await backend.waitFor(([one]) => one?.messages.some(({ text }) => text === "AGENT active") ?? false);
    await backend.agentWritesNote(ticket, "NOTE while active");
    // A text of the channel that is an event of the desk.
    await opened.say("c", "event", "__test_vendor_escalation_failed__");
    await chat.untilStatus("ended");
    await until("USER ended");
    // Taken back with the button, then with a word; each request gets what was said before.
    for (const [time, way] of [
      [2, "button"],
      [3, "word"],
    ] as const) {
      await opened.say("c", `ask ${time}`, "agent please");
      await chat.untilStatus("queued", time);
      const { seq } = chat.visible().findLast(({ status }) => status === "queued")!;
      await backend.waitFor((all) => all.length === time && all[time - 1]!.messages.some(({ text }) => text === "AGENT queued"));
      if (way === "word") await opened.say("c", "word", "cancel word");
      else await opened.runtime.receiveMessage({ ...address, message: { id: "button", answer: { seq, choice: "cancel" } } });
      await chat.untilStatus("ended", time);
      await expect.poll(() => chat.visible().filter(({ text }) => text === "USER ended").length, { timeout: 10_000 }).toBe(time);
    }
    await opened.say("c", "ask 4", "agent please");
    await backend.waitFor((all) => all[3]?.messages.some(({ text }) => text === "AGENT queued") ?? false);
    const desk = JSON.stringify(backend.conversations().map(({ messages }) => messages));
    const user = JSON.stringify(chat.entries);
    for (const when of ["bot", "queued", "active"]) expect(desk.includes(`AGENT ${when}`) && desk.includes(`BOTH ${when}`)).toBe(true);
    for (const when of ["bot", "queued", "active", "ended"])
      expect(user.includes(`USER ${when}`) && user.includes(`BOTH ${when}`)).toBe(true);
    expect(desk).not.toMatch(/USER [a-z]|CANCEL|cancel word|__test_vendor/);
    expect(user).not.toMatch(/AGENT [a-z]|NOTE|__test_vendor/);
    expect(heard.join()).not.toMatch(/note while|cancel (button|word)|__test_vendor/i);
  }, 30_000);
});

describe("who may read what", () => {
  it("should keep notes among agents and withheld bot output where they belong, in every status and in the next transcript [F122 desk notes and withheld bot output]", async () => {
    let release: () => void = () => undefined;
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    const heard: string[] = [];
    const bot: Bot = {
      async answer(turn, call) {
        heard.push(JSON.stringify(turn));
        if (turn.message?.text === "slow") {
          await isReleased;
          return { messages: [{ text: "WITHHELD" }] };
        }
        return echoBot.answer(turn, call);
      },
    };
    const opened = await open({ bot });
    const chat = opened.record("c");
    const { backend } = opened.vendor;
    await opened.say("c", "slow", "slow");
    await expect.poll(() => heard.length).toBe(1);
    await opened.runtime.requestHandover({ endpoint: "web", conversation: "c" });
    await chat.untilStatus("queued");
    const first = backend.conversations()[0]!.id;
    release();
    await backend.agentWritesNote(first, "NOTE while queued");
    await backend.agentSays(first, "hello");
    await chat.untilStatus("active");
    await backend.agentWritesNote(first, "NOTE while active");
    await backend.agentCloses(first);
    await backend.agentWritesNote(first, "NOTE after the end");
    await chat.untilStatus("ended");
    const { chat: again } = await handOver(opened);
    await backend.waitFor((all) => all.length === 2 && (all[1]?.messages.length ?? 0) >= 3);
    await again.untilStatus("queued", 2);
    for (const mark of ["WITHHELD", "NOTE"]) {
      expect(JSON.stringify(chat.entries)).not.toContain(mark);
      expect(heard.join()).not.toContain(mark);
      expect(JSON.stringify(backend.conversations()[1])).not.toContain(mark);
    }
    expect(JSON.stringify(backend.conversations()[0])).not.toContain("WITHHELD");
    expect(chat.entries.filter(({ kind }) => kind === "hidden").length).toBeGreaterThanOrEqual(3);
  });
});

describe("signs and numbers", () => {
  it("should not wake the bot, unless it wants to know of the queue [F137 typing, receipts and the queue]", async () => {
    const turns: string[] = [];
    const bot = (events: Bot["events"]): Bot => ({
      ...(events ? { events } : {}),
      async answer({ message, event }) {
        turns.push(event?.type ?? message?.text ?? "");
        return message?.text === "agent please" ? { handover: {} } : {};
      },
    });
    for (const [events, expected] of [
      [undefined, ["agent please"]],
      [["queued"], ["agent please", "queued"]],
    ] as const) {
      turns.length = 0;
      const opened = await openWorld({ bot: bot(events) });
      world = opened;
      const { chat, ticket } = await handOver(opened);
      opened.vendor.backend.setQueue({ position: 3, estimatedWaitSeconds: 60 });
      await opened.runtime.setTyping({ endpoint: "web", conversation: "c", isTyping: true });
      opened.vendor.backend.people.type(ticket, true);
      opened.vendor.backend.people.type(ticket, false);
      opened.vendor.backend.people.read(ticket);
      await opened.vendor.backend.agentIsAssigned(ticket);
      await opened.vendor.backend.agentSays(ticket, "the last thing");
      await chat.until("the last thing", ({ text }) => text === "the last thing");
      expect(opened.vendor.backend.conversation(ticket).signals.typing).toEqual([true]);
      await expect.poll(() => turns.length).toBe(expected.length);
      expect(turns).toEqual(expected);
      await opened.close();
      world = undefined;
    }
  });

  it("should be counted once, after they have happened, whatever comes twice [F128]", async () => {
    const opened = await open({ bot: echoBot, handover: { texts: {} } });
    const { backend } = opened.vendor;
    backend.setFaults({ duplicateWebhookRate: 1 });
    await backend.setAgentsOnline(0);
    const refused = opened.record("refused");
    await opened.say("refused", "1", "agent");
    await refused.untilStatus("ended");
    await backend.setAgentsOnline(2);
    const cancelled = opened.record("cancelled");
    await opened.say("cancelled", "1", "agent");
    await opened.say("cancelled", "1", "agent");
    await cancelled.untilStatus("queued");
    await opened.runtime.endHandover({ endpoint: "web", conversation: "cancelled" });
    await cancelled.untilStatus("ended");
    const { chat, ticket } = await handOver(opened, "completed");
    await backend.agentSays(ticket, "hello");
    await chat.untilStatus("active");
    await backend.agentCloses(ticket);
    await chat.untilStatus("ended");
    await backend.settle();
    expect({
      requested: metric(opened, "handover_requested_total"),
      started: metric(opened, "handover_started_total"),
      unavailable: metric(opened, "handover_ended_total", { reason: "unavailable" }),
      cancelled: metric(opened, "handover_ended_total", { reason: "cancelled" }),
      completed: metric(opened, "handover_ended_total", { reason: "completed" }),
      ended: metric(opened, "handover_ended_total"),
    }).toEqual({ requested: 3, started: 2, unavailable: 1, cancelled: 1, completed: 1, ended: 3 });
    expect(metric(opened, "handover_deliveries_total", { result: "repeated" })).toBeGreaterThan(0);
  });

  it("should be in the unit of their names, absent when unknown, and shown when they are 0 [F142]", async () => {
    const reported = [
      { position: 0, estimatedWaitMs: 0 },
      { position: 2, estimatedWaitMs: 90_000 },
    ];
    const provider = changedProvider((connection) => ({
      translate(handover, delivery) {
        const { data } = ("payload" in delivery ? delivery.payload : {}) as { data?: { message?: { text: string } } };
        const queue = reported[Number(/^numbers (\d)$/.exec(data?.message?.text ?? "")?.[1])];
        return queue ? { events: [{ type: "queue-updated", queue }] } : (connection.translate?.(handover, delivery) ?? { events: [] });
      },
    }));
    const opened = await open({ runtime: { providers: [provider] } });
    const { backend } = opened.vendor;
    const { chat, ticket } = await handOver(opened);
    for (const text of ["numbers 0", "numbers 1"]) backend.people.automate(ticket, text);
    await chat.until("the second", ({ queue }) => queue?.position === 2);
    expect(
      chat.visible().flatMap(({ event, queue }) => (event === "queue-updated" && queue?.estimatedWaitMs !== undefined ? [queue] : [])),
    ).toEqual(reported);

    // What the vendor says when it knows nothing; the last row proves that the numbers come through at all.
    const answers = [-1, -2, null, Number.NaN, 5].map((number) => ({ position: number, estimatedWaitSeconds: number }));
    for (const [index, answer] of answers.entries()) {
      backend.setQueue(answer as { position: number; estimatedWaitSeconds: number });
      const other = opened.record(`queue ${index}`);
      await opened.say(`queue ${index}`, "1", "agent");
      const all = await backend.waitFor((some) => some.length === index + 2 && (some.at(-1)?.messages.length ?? 0) === 2);
      await backend.agentSays(all.at(-1)!.id, "here I am");
      await other.until("the agent", ({ text }) => text === "here I am");
      const shown = other.visible().flatMap(({ queue }) => (queue ? [queue] : []));
      if (answer.position === 5) expect(shown).toMatchObject([{ position: 5, estimatedWaitMs: 5_000 }]);
      else
        for (const queue of shown) expect(Object.keys(queue)).not.toEqual(expect.arrayContaining([expect.stringMatching(/position|Wait/)]));
    }
  });
});
