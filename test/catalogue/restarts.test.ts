import { expect, it } from "vitest";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import type { Recorder } from "../runtime/support/recorder.ts";
import { record } from "../runtime/support/recorder.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import { agentSays, createStuckDesk } from "./support/handovers-in-all-states.ts";
import { runThrough, type KillPoint, type Outcome } from "./support/kill-points.ts";

const open = useWorld();

const atTheDesk = ["hello", "echo hello", "agent", "one moment", "first", "second"];

function check({ entries, tickets, marked }: Outcome, where: string): void {
  expect(
    entries.map(({ seq }) => seq),
    where,
  ).toEqual(entries.map((_, index) => index + 1));
  const lines = (role: string) =>
    entries.filter((entry) => entry.kind === "message" && entry.author?.role === role).map(({ text }) => text);
  expect(lines("user"), where).toEqual(["hello", "agent", "first", "second", "bye"]);
  expect(lines("agent"), where).toEqual(["answer one", "answer two"]);
  expect(lines("bot"), where).toEqual(["echo hello", "one moment", "back: completed", "echo bye"]);
  const statuses = entries.filter(({ kind }) => kind === "handover").map(({ status, reason }) => reason ?? status);
  expect(statuses, where).toEqual(["requested", "queued", "active", "completed"]);
  expect(
    entries.filter(({ event }) => event === "message-failed"),
    where,
  ).toEqual([]);
  expect(
    tickets.map(({ status }) => status),
    where,
  ).toEqual(["closed"]);
  const said = [...tickets[0]!.said];
  // What stands there twice in a row is marked.
  for (const text of marked) {
    const at = said.indexOf(text);
    if (said[at + 1] === text) said.splice(at, 1);
  }
  expect(said, where).toEqual(atTheDesk);
}

/** Runs through many deaths, some at a time. */
async function runAll(points: readonly KillPoint[], run: (point: KillPoint) => Promise<void>): Promise<void> {
  const left = [...points];
  const worker = async (): Promise<void> => {
    for (let point = left.shift(); point; point = left.shift()) await run(point);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

describeOnStores("a process that dies", (store) => {
  it("should lose, repeat and reorder nothing, wherever in a handover it dies: before and after each write [F157]", async () => {
    const calm = await runThrough(store, undefined);
    check(calm, "without a death");
    expect(calm.writes).toBeGreaterThan(20);
    const writes = Array.from({ length: calm.writes }, (_, index) => index + 1).filter((write) => store === "sqlite" || write % 4 === 1);
    const points = writes.flatMap((write) => [false, true].map((isDone) => ({ write, isDone })));
    await runAll(points, async (point) =>
      check(await runThrough(store, point), `${point.isDone ? "after" : "before"} write ${point.write}`),
    );
  }, 90_000);

  it("should repeat at most what it marks when the desk cannot be asked for a message [F157 part: a desk without read-back]", async () => {
    const silent = { abilities: { findSentMessage: false } };
    const calm = await runThrough(store, undefined, silent);
    const some = Array.from({ length: calm.writes }, (_, index) => index + 1).filter((write) => write % (store === "sqlite" ? 3 : 6) === 2);
    await runAll(
      some.map((write) => ({ write, isDone: false })),
      async (point) => check(await runThrough(store, point, silent), `before write ${point.write}`),
    );
  }, 60_000);
});

/** A handover in each state, four times; the ones with a time limit come last. */
const limited = ["detached", "timed", "silent", "left", "unanswered"] as const;
const kinds = ["requested", "doubtful", "queued", "active", "sending", "unclear", "ending", "waking", ...limited] as const;
const ends: Readonly<Record<string, string>> = {
  timed: "timed-out",
  ending: "cancelled",
  silent: "cancelled",
  left: "abandoned",
  unanswered: "timed-out",
};
const talking = ["requested", "doubtful", "queued", "active", "sending", "unclear", "waking"];

describeOnStores("a restart", (store) => {
  it("should go on with 52 open handovers in all states, time limits of vendor, desk, bot and endpoint included [F158]", async () => {
    const timeLimitMs = 3_000;
    let timersSet = 0;
    const desk = createStuckDesk({ timeLimitMs, onTimerSet: () => void (timersSet += 1) });
    // What is stuck stays so: nobody loses patience before the restart.
    const timing = { startTimeoutMs: 30_000, startDoubtMs: 30_000, callTimeoutMs: 10_000, retryMaximumMs: 100 };
    const world = await open({ store, hasBot: false, runtime: desk.runtime, timing });
    const all = kinds.flatMap((kind) => Array.from({ length: 4 }, (_, index) => ({ kind, conversation: `${kind}-${index}` })));
    expect(all).toHaveLength(52);
    const endpointOf = (kind: string) => (limited.some((one) => one === kind) ? kind : "web");
    const addressOf = ({ kind, conversation }: (typeof all)[number]) => ({ endpoint: endpointOf(kind), conversation });
    const chats = new Map<string, Recorder>();
    const follow = () => {
      for (const chat of chats.values()) chat.stop();
      for (const one of all) chats.set(one.conversation, record(world.runtime, addressOf(one)));
    };
    const chatOf = ({ conversation }: { readonly conversation: string }) => chats.get(conversation)!;
    const each = (wanted: readonly string[], act: (one: (typeof all)[number]) => Promise<unknown>) =>
      Promise.all(all.filter(({ kind }) => wanted.includes(kind)).map(act));
    const says = (one: (typeof all)[number], text: string) =>
      world.runtime.receiveMessage({ ...addressOf(one), message: { id: text, text } });

    follow();
    await each(kinds, async (one) => {
      if (endpointOf(one.kind) === "web") await world.runtime.requestHandover(addressOf(one));
    });
    await each(["queued", "active", "sending", "unclear", "ending", "waking"], (one) => chatOf(one).untilStatus("queued"));
    await each(["active", "waking"], (one) => desk.deliver(world.runtime, one.conversation, agentSays("hello")));
    await each(["active", "waking"], (one) => chatOf(one).untilStatus("active"));
    await each(["requested", "doubtful", "sending", "unclear"], (one) => says(one, "before"));
    await each(["ending"], (one) => world.runtime.endHandover(addressOf(one)));
    await each(["unclear"], (one) => expect.poll(() => desk.count(`send ${one.conversation} before`)).toBe(1));
    await each(["doubtful"], (one) => expect.poll(() => desk.count(`start ${one.conversation}`)).toBe(1));
    await each(["waking"], (one) => desk.deliver(world.runtime, one.conversation, { events: [], wakeAt: Date.now() + timeLimitMs }));
    const begins = (one: (typeof all)[number]) =>
      one.kind === "silent" ? says(one, "a person") : world.runtime.requestHandover(addressOf(one));
    await each(["left", "unanswered"], begins);
    await each(["left", "unanswered"], (one) => chatOf(one).untilStatus("queued"));
    await each(["unanswered"], (one) => says(one, "anybody there?"));
    await each(["timed", "detached", "silent"], begins);
    await each(["timed", "detached", "silent"], (one) => chatOf(one).untilStatus("queued"));
    await each(["left", "unanswered"], (one) => desk.deliver(world.runtime, one.conversation, agentSays("hello")));
    await each(["left", "unanswered"], (one) => chatOf(one).untilStatus("active"));
    await each(["unanswered"], (one) => says(one, "and now?"));
    await expect.poll(() => timersSet, { timeout: 10_000 }).toBe(4);
    const open50 = all.map((one) => chatOf(one).statuses().at(-1));
    expect(open50.filter((status) => status?.startsWith("ended"))).toEqual([]);

    await world.restart();
    desk.letGo();
    follow();
    await each(talking, async (one) => {
      const chat = chatOf(one);
      await chat.untilStatus("queued");
      await says(one, "after");
      await desk.deliver(world.runtime, one.conversation, agentSays("I am here"));
      await chat.until("the agent", ({ text }) => text === "I am here");
      await expect.poll(() => desk.count(`send ${one.conversation} after`), { timeout: 10_000 }).toBe(1);
      if (one.kind === "waking") await chat.until("the vendor's timer", ({ text }) => text === "woken up");
      await world.runtime.endHandover(addressOf(one));
    });
    await each(kinds, (one) => chatOf(one).untilStatus("ended"));
    for (const one of all) {
      const end = ends[one.kind] ?? "completed";
      const served = [...talking, "left", "unanswered"].includes(one.kind) ? ["active"] : [];
      const warned = chatOf(one)
        .lines()
        .filter((line) => line === "bot: timer went off");
      expect(warned, one.conversation).toHaveLength(one.kind === "silent" ? 1 : 0);
      expect(chatOf(one).statuses(), one.conversation).toEqual(["requested", "queued", ...served, `ended/${end}`]);
      expect(desk.count(`start ${one.conversation}`), one.conversation).toBe(1);
      expect(desk.count(`end ${one.conversation}`), one.conversation).toBe(1);
      expect(desk.count(`send ${one.conversation} before`), one.conversation).toBe(
        ["requested", "doubtful", "sending", "unclear"].includes(one.kind) ? 1 : 0,
      );
    }
    for (const chat of chats.values()) chat.stop();
  }, 60_000);
});
