import { HandoverError, type CaughtUp, type VendorDelivery } from "@handover/core";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnPostgres } from "./support/on-stores.ts";
import { scriptDesks, ticketOf, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

/** A desk that remembers what was said there, also what no webhook told. */
function rememberingDesk(script: DeskScript = {}) {
  const events: { readonly reference: string; readonly delivery: VendorDelivery; readonly atMs: number }[] = [];
  const compared: string[] = [];
  const questions: number[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  let now = (): number => Date.now();
  const desks = scriptDesks({
    desk: {
      async catchUp(handover): Promise<CaughtUp> {
        compared.push(handover.conversation);
        underWay += 1;
        mostAtOnce = Math.max(mostAtOnce, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        const own = events.filter(({ reference }) => handover.references.includes(reference));
        return { deliveries: own.map(({ delivery }) => delivery), cursor: null, hasMore: false };
      },
      async findChanged(sinceMs) {
        questions.push(sinceMs);
        return [...new Set(events.filter(({ atMs }) => atMs >= sinceMs).map(({ reference }) => reference))];
      },
      ...script,
    },
  });
  const tickets = new Map<string, string>();
  return {
    desks,
    compared,
    questions,
    tickets,
    useClock: (clock: () => number) => void (now = clock),
    get mostAtOnce() {
      return mostAtOnce;
    },
    /** An agent says something, and no webhook tells. */
    sayUnheard(conversation: string, text: string) {
      const reference = tickets.get(conversation) ?? "";
      const message = {
        id: `${conversation}-${text}`,
        author: { role: "agent" as const, name: "Ann" },
        text,
        sentAt: new Date(now()).toISOString(),
      };
      const payload = { events: [{ type: "message-received", message }] };
      events.push({
        reference,
        atMs: now(),
        delivery: { id: `message:${message.id}`, references: [reference], payload: payload },
      });
    },
  };
}

type Desk = ReturnType<typeof rememberingDesk>;

async function startAll(world: Awaited<ReturnType<typeof open>>, desk: Desk, names: readonly string[], isQueued?: () => Promise<void>) {
  for (const name of names) {
    await world.say(name, "0", "agent");
    const recorder = world.record(name);
    if (isQueued) await expect.poll(async () => (await isQueued(), recorder.statuses()), { interval: 1 }).toContain("queued");
    else await recorder.untilStatus("queued");
    desk.tickets.set(name, ticketOf(desk.desks.started["desk"]!));
  }
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);

describe("an account that says what changed", () => {
  it("should be asked once after downtime, and only what changed is compared [F007 findChanged]", async () => {
    const desk = rememberingDesk();
    const world = await open({ runtime: desk.desks.runtime });
    await startAll(world, desk, names(30));
    await expect.poll(() => desk.questions.length).toBeGreaterThan(0);
    await world.stopRuntime();
    desk.sayUnheard("c7", "while you were away");
    desk.compared.length = 0;
    desk.questions.length = 0;
    const stoppedAtMs = Date.now();
    await world.another();
    const chat = world.record("c7");
    await chat.until("what was missed", ({ text }) => text === "while you were away");
    // The others are released too: what a webhook tells now is shown although nobody compared.
    await world.say("c3", "1", "still here");
    await expect.poll(() => desk.desks.count("desk.send still here")).toBe(1);
    expect(desk.compared).toEqual(["c7"]);
    expect(desk.questions).toHaveLength(1);
    // With an overlap: clocks differ, and lists lag.
    expect(desk.questions[0]).toBeLessThanOrEqual(stoppedAtMs - 60_000);
  });

  it("should find a lost webhook on its timer without comparing anybody else, and ask from the last question on [F001 findChanged]", async () => {
    const clock = createManualClock();
    const desk = rememberingDesk();
    desk.useClock(clock.now);
    const world = await open({ runtime: { ...desk.desks.runtime, clock }, timing: { catchUpIntervalMs: 60_000, pollMs: 1_000 } });
    await startAll(world, desk, names(5), () => clock.advance(50));
    await clock.advance(300_000);
    const asked = desk.questions.length;
    desk.compared.length = 0;
    desk.sayUnheard("c2", "lost");
    const chat = world.record("c2");
    await expect.poll(async () => (await clock.advance(1_000), chat.lines()), { interval: 1 }).toContain("agent: lost");
    expect(new Set(desk.compared)).toEqual(new Set(["c2"]));
    await clock.advance(300_000);
    // A quarter of a minute each, whatever the number of handovers.
    expect(desk.questions.length - asked).toBeLessThanOrEqual(27);
    expect(desk.questions.at(-1)).toBeGreaterThan(clock.now() - 60_000 - 32_000);
    expect(chat.lines().filter((line) => line === "agent: lost")).toHaveLength(1);
    expect(desk.compared.length).toBeLessThanOrEqual(5);
  });

  it("should show what webhooks brought as soon as the account was asked, without a comparison", async () => {
    const clock = createManualClock();
    let answer: (references: readonly string[]) => void = () => undefined;
    const desk = rememberingDesk();
    const world = await open({ runtime: { ...desk.desks.runtime, clock } });
    await startAll(world, desk, ["a"], () => clock.advance(50));
    await world.stopRuntime();
    const slow = rememberingDesk({ findChanged: () => new Promise((resolve) => (answer = resolve)) });
    Object.assign(slow.desks.started, desk.desks.started);
    desk.desks.runtime.providers[0]!.connect = slow.desks.runtime.providers[0]!.connect;
    await world.another();
    const chat = world.record("a");
    const events = [
      {
        type: "message-received" as const,
        vendorMessageId: "1",
        message: { id: "1", author: { role: "agent" as const }, text: "now", sentAt: new Date(0).toISOString() },
      },
    ];
    await slow.desks.deliver(world.runtime, "desk", { events });
    await clock.advance(1_000);
    expect(chat.lines()).not.toContain("agent: now");
    answer([]);
    await expect.poll(async () => (await clock.advance(10), chat.lines())).toContain("agent: now");
    expect(slow.compared).toEqual([]);
  });

  it("should compare every handover by itself when the account cannot say it", async () => {
    const desk = rememberingDesk({
      findChanged: () => Promise.reject(new HandoverError({ code: "UNSUPPORTED", message: "Not in this version." })),
    });
    const world = await open({ runtime: desk.desks.runtime });
    await startAll(world, desk, names(3));
    await world.stopRuntime();
    for (const name of names(3)) desk.sayUnheard(name, `missed in ${name}`);
    await world.another();
    for (const name of names(3)) await world.record(name).until("what was missed", ({ text }) => text === `missed in ${name}`);
    expect(new Set(desk.compared)).toEqual(new Set(names(3)));
  });

  it("should compare what was named before a crash after it", async () => {
    const desk = rememberingDesk();
    const hanging = { isHanging: false };
    const world = await open({
      runtime: desk.desks.runtime,
      wrapStore: (store) =>
        new Proxy(store, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name, target);
            if (typeof value !== "function") return value;
            return (...given: unknown[]): unknown => {
              // It dies between naming and the comparison.
              if (hanging.isHanging && name === "readInbox") return new Promise(() => undefined);
              return (value as (...all: unknown[]) => unknown).apply(target, given);
            };
          },
        }),
    });
    await startAll(world, desk, names(2));
    await world.stopRuntime();
    desk.sayUnheard("c1", "missed");
    hanging.isHanging = true;
    await world.another();
    await expect.poll(() => desk.questions.length).toBeGreaterThanOrEqual(2);
    await world.kill();
    hanging.isHanging = false;
    expect(desk.compared.filter((name) => name === "c1")).toEqual([]);
    await world.another();
    await world.record("c1").until("what was missed", ({ text }) => text === "missed");
  });
});

describe("an account that cannot say what changed", () => {
  it("should compare a few at a time after downtime, users' messages first, and release each as it is compared", async () => {
    const clock = createManualClock();
    const order: string[] = [];
    const letGo: (() => void)[] = [];
    let isHolding = true;
    const desk = rememberingDesk({
      findChanged: undefined,
      async sendMessage(_handover, part) {
        order.push(part.message.text ?? "");
        return {};
      },
    });
    const world = await open({ runtime: { ...desk.desks.runtime, clock, limits: { comparisonsPerAccount: 3 } } });
    await startAll(world, desk, names(40), () => clock.advance(50));
    await world.stopRuntime();
    for (const name of names(40)) desk.sayUnheard(name, `missed in ${name}`);
    const held = rememberingDesk({
      findChanged: undefined,
      async catchUp(handover) {
        order.push(`compare ${handover.conversation}`);
        if (isHolding) await new Promise<void>((resolve) => letGo.push(resolve));
        return { deliveries: [], cursor: null, hasMore: false };
      },
      async sendMessage(_handover, part) {
        order.push(part.message.text ?? "");
        return {};
      },
    });
    desk.desks.runtime.providers[0]!.connect = held.desks.runtime.providers[0]!.connect;
    await world.another();
    const settle = async () => {
      for (let turn = 0; turn < 20; turn += 1) await clock.advance(10);
    };
    await expect.poll(async () => (await settle(), order.length)).toBe(3);
    await settle();
    expect(order).toHaveLength(3);
    // Comparisons hang: users' messages go out all the same.
    await world.say("c30", "1", "hello?");
    await expect.poll(async () => (await settle(), order)).toContain("hello?");
    // A webhook for a conversation far behind brings it forward.
    const chat = world.record("c35");
    const reference = desk.tickets.get("c35") ?? "";
    const said = {
      events: [
        {
          type: "message-received" as const,
          vendorMessageId: "w",
          message: { id: "w", author: { role: "agent" as const }, text: "now", sentAt: new Date(0).toISOString() },
        },
      ],
    };
    Object.assign(held.desks.started, desk.desks.started);
    await held.desks.deliver(world.runtime, "desk", said, { references: [reference] });
    await expect.poll(async () => (await settle(), order)).toContain("compare c35");
    expect(order.filter((line) => line.startsWith("compare ")).length).toBeLessThanOrEqual(4);
    expect(chat.lines()).not.toContain("agent: now");
    letGo.splice(0).forEach((resolve) => resolve());
    await expect.poll(async () => (await settle(), chat.lines())).toContain("agent: now");
    isHolding = false;
    await expect
      .poll(
        async () => (
          letGo.splice(0).forEach((resolve) => resolve()),
          await settle(),
          new Set(order.filter((line) => line.startsWith("compare"))).size
        ),
        { timeout: 15_000 },
      )
      .toBe(40);
  });
});

describeOnPostgres("an account of several instances that says what changed", () => {
  it("should be asked by a process that begins, however short ago the one before it has asked [F007 findChanged]", async () => {
    const desk = rememberingDesk();
    const timing = { callTimeoutMs: 1_000, leaseMs: 1_500 };
    const world = await open({ store: "postgres", runtime: desk.desks.runtime, timing });
    await startAll(world, desk, ["c"]);
    await expect.poll(() => desk.questions.length).toBe(1);
    await world.kill();
    desk.sayUnheard("c", "while nobody was there");
    await world.another();
    await world.record("c").until("what was missed", ({ text }) => text === "while nobody was there");
    expect(desk.questions).toHaveLength(2);
  });

  it("should be asked by one of them at a time, and what it named is compared by whoever has the conversation [F155 part: findChanged]", async () => {
    const desk = rememberingDesk();
    const world = await open({ store: "postgres", runtime: desk.desks.runtime, timing: { catchUpIntervalMs: 4_000 } });
    await world.another();
    await world.another();
    await startAll(world, desk, names(4));
    const [asked, atMs] = [desk.questions.length, Date.now()];
    for (const name of names(4)) desk.sayUnheard(name, `missed in ${name}`);
    for (const name of names(4)) await world.record(name).until("what was missed", ({ text }) => text === `missed in ${name}`);
    await expect.poll(() => Date.now() - atMs, { timeout: 10_000 }).toBeGreaterThan(5_000);
    // Once a second, not three times.
    expect(desk.questions.length - asked).toBeLessThanOrEqual(1 + (Date.now() - atMs) / 900);
    for (const name of names(4))
      expect(
        world
          .record(name)
          .lines()
          .filter((line) => line === `agent: missed in ${name}`).length,
      ).toBeLessThanOrEqual(1);
  }, 30_000);
});
