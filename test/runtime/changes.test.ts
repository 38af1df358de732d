import { HandoverError, type HandoverChange, type User } from "@handover/core";
import { createTestVendor } from "@handover/testkit";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

/** A desk that can be told, and that a test can make refuse. */
function toldDesk() {
  const told: { readonly change: HandoverChange; readonly key: string; readonly user: User | undefined }[] = [];
  const failures: Error[] = [];
  const state = { isDown: false };
  const desks = scriptDesks({
    desk: {
      async updateHandover(handover, change, { idempotencyKey }) {
        told.push({ change, key: idempotencyKey, user: handover.user });
        const failure = failures.shift();
        if (failure) throw failure;
        if (state.isDown) throw new HandoverError({ code: "NOT_NOW", message: "Not now.", isRetryable: true, outcome: "not-applied" });
      },
    },
  });
  return { desks, told, failures, state };
}

const failed = (world: { readonly runtime: { metrics(): readonly { readonly name: string; readonly value: number }[] } }) =>
  world.runtime.metrics().find(({ name }) => name === "handover_changes_failed_total")?.value ?? 0;
const ada: User = { id: "u1", name: "Ada" };

describeOnStores("a user whose data change while a handover runs", (store) => {
  it("should be told to the desk once per change, in order, over a restart and beside the messages", async () => {
    const { desks, told, state } = toldDesk();
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    let lastId = 0;
    const say = (text: string, user: User) => {
      lastId += 1;
      return world.runtime.receiveMessage({ endpoint: "web", conversation: "c", message: { id: String(lastId), text }, user });
    };
    await say("agent", ada);
    await chat.untilStatus("queued");
    await say("one", ada);
    await expect.poll(() => desks.count("desk.send one"), { timeout: 15_000 }).toBe(1);
    expect(told).toEqual([]);
    await say("two", { ...ada, email: "ada@example.com" });
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(1);
    await say("three", { email: "ada@example.com", name: "Ada", id: "u1" });
    await expect.poll(() => desks.count("desk.send three"), { timeout: 15_000 }).toBe(1);
    state.isDown = true;
    await say("four", { ...ada, name: "Ada Lovelace" });
    // It is refused for now; messages do not wait for that.
    await expect.poll(() => desks.count("desk.send four"), { timeout: 15_000 }).toBe(1);
    await expect.poll(() => told.length, { timeout: 15_000 }).toBeGreaterThan(2);
    await world.stopRuntime();
    const refused = told.length;
    state.isDown = false;
    await world.another();
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(refused + 1);
    await say("five", { ...ada, name: "Ada L." });
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(refused + 2);
    // A repeat is known as one.
    const once = [...new Map(told.map((one) => [one.key, one])).values()];
    expect(once.map(({ change }) => change)).toEqual([
      { user: { ...ada, email: "ada@example.com" } },
      { user: { ...ada, name: "Ada Lovelace" } },
      { user: { ...ada, name: "Ada L." } },
    ]);
    expect(told.at(-2)?.key).toBe(told[1]!.key);
    expect(once.map(({ user }) => user?.name)).toEqual(["Ada", "Ada", "Ada Lovelace"]);
    expect(failed(world)).toBe(0);
  });

  it("should be given up, counted and forgotten when the desk refuses it, and hold up nothing", async () => {
    const { desks, told, failures } = toldDesk();
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    const say = (id: string, name: string) =>
      world.runtime.receiveMessage({ endpoint: "web", conversation: "c", message: { id, text: id }, user: { ...ada, name } });
    await say("agent", "Ada");
    await chat.untilStatus("queued");
    failures.push(new HandoverError({ code: "INVALID_NAME", message: "Invalid." }));
    await say("one", "Ada 1");
    await expect.poll(() => failed(world), { timeout: 15_000 }).toBe(1);
    await say("two", "Ada 2");
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(2);
    await expect.poll(() => desks.count("desk.send two"), { timeout: 15_000 }).toBe(1);
    expect(told.map(({ change }) => change.user?.name)).toEqual(["Ada 1", "Ada 2"]);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });
});

describe("a user who changes again before the desk was told", () => {
  it("should be told as another change, so that no desk takes it for a repeat of the former", async () => {
    const { desks, told, failures } = toldDesk();
    const clock = createManualClock();
    const world = await open({ runtime: { ...desks.runtime, clock } });
    const chat = world.record("c");
    const say = (id: string, name: string) =>
      world.runtime.receiveMessage({ endpoint: "web", conversation: "c", message: { id, text: id }, user: { ...ada, name } });
    await say("agent", "Ada");
    await chat.untilStatus("queued");
    failures.push(new HandoverError({ code: "NO_ANSWER", message: "Lost.", isRetryable: true, outcome: "unknown" }));
    await say("one", "Ada 1");
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(1);
    await world.quiet();
    await say("two", "Ada 2");
    await expect.poll(async () => (await clock.advance(100), told.length), { timeout: 15_000 }).toBe(2);
    expect(told.map(({ change }) => change.user?.name)).toEqual(["Ada 1", "Ada 2"]);
    expect(told[0]!.key).not.toBe(told[1]!.key);
    for (const { key } of told) expect(key).toMatch(/^[A-Za-z0-9_-]{1,36}$/);
  });
});

describe("a desk that lets nobody change its users", () => {
  it("should get messages all the same", async () => {
    const { desks, told, failures } = toldDesk();
    // The time stands still: a pause would never be over.
    const world = await open({ runtime: { ...desks.runtime, clock: createManualClock() } });
    const chat = world.record("c");
    const say = (id: string, name: string) =>
      world.runtime.receiveMessage({ endpoint: "web", conversation: "c", message: { id, text: id }, user: { ...ada, name } });
    await say("agent", "Ada");
    await chat.untilStatus("queued");
    failures.push(new HandoverError({ code: "FORBIDDEN", message: "Not allowed.", effect: "connection", outcome: "not-applied" }));
    await say("one", "Ada 1");
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(1);
    await world.quiet();
    await say("two", "Ada 1");
    await expect.poll(() => desks.count("desk.send two"), { timeout: 15_000 }).toBe(1);
  });
});

describe("other options for a handover that runs", () => {
  it("should be told to the desk once, laid over those it has, and be checked", async () => {
    const world = await open({ handover: { options: { queue: "support", skills: ["german"] } } });
    const chat = world.record("c");
    const request = (options?: Readonly<Record<string, string>>, user?: User) =>
      world.runtime.requestHandover({ endpoint: "web", conversation: "c", ...(options ? { options } : {}), ...(user ? { user } : {}) });
    const { handover } = await request({ priority: "low" });
    await chat.untilStatus("queued");
    const [ticket] = await world.vendor.backend.waitFor(([first]) => first !== undefined);
    const changes = () => world.vendor.backend.conversation(ticket!.id).signals.changes;
    expect(await request()).toEqual({ handover });
    expect(await request({ priority: "low" })).toEqual({ handover });
    expect(await request({ priority: "high" })).toEqual({ handover });
    await expect.poll(changes, { timeout: 15_000 }).toHaveLength(1);
    await expect(request({ colour: "blue" })).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    expect(await request({ priority: "high" }, ada)).toEqual({ handover });
    await expect.poll(changes, { timeout: 15_000 }).toHaveLength(2);
    expect(changes()).toEqual([{ queue: "support", skills: ["german"], priority: "high" }, { customer: ada }]);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should go to the next connection with its start, and to a desk that cannot be told not at all", async () => {
    const night = await createTestVendor();
    const world = await open({ vendor: { abilities: { updateHandover: false } }, others: { night }, hasBot: false });
    const chat = world.record("c");
    const request = (priority: string) => world.runtime.requestHandover({ endpoint: "web", conversation: "c", options: { priority } });
    await request("low");
    await chat.untilStatus("queued");
    const [ticket] = await world.vendor.backend.waitFor(([first]) => first !== undefined);
    await request("high");
    await world.say("c", "1", "hello");
    await world.vendor.backend.waitFor(([first]) => first?.messages.length === 1);
    expect(world.vendor.backend.conversation(ticket!.id).signals.changes).toEqual([]);
    world.vendor.backend.people.close(ticket!.id, "system", "refused");
    const [second] = await night.backend.waitFor(([first]) => first?.messages.length === 1);
    expect(night.backend.conversation(second!.id)).toMatchObject({ routing: { priority: "high" }, signals: { changes: [] } });
  });
});
