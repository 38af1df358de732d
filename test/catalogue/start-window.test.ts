import { HandoverError, type HandoverConnection } from "@handover/core";
import type { Bot } from "@handover/runtime";
import { createTestVendor } from "@handover/testkit";
import { describe, expect, it } from "vitest";
import { createManualClock } from "../runtime/support/manual-clock.ts";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import { scriptDesks } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import { changedProvider } from "./support/changed-provider.ts";

const open = useWorld();

const address = { endpoint: "web", conversation: "c" };

describeOnStores("the start of a handover", (store) => {
  /** A world; on PostgreSQL two instances take messages and webhooks in turn. */
  const openInstances: typeof open = async (options) => {
    const world = await open({ store, ...options });
    if (store === "postgres") await world.another();
    return world;
  };

  /** A desk whose answer to the start is held back until the test lets it go. */
  function heldStart(change: (connection: HandoverConnection) => HandoverConnection["start"]) {
    const [made, answered] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const provider = changedProvider((connection) => ({
      async start(request, call) {
        const started = await change(connection)(request, call);
        made.resolve(undefined);
        await answered.promise;
        return started;
      },
    }));
    return { provider, made: made.promise, letGo: () => answered.resolve(undefined) };
  }

  it.each([
    ["knows its address beforehand", (connection: HandoverConnection): HandoverConnection["start"] => connection.start.bind(connection)],
    [
      "learns its address with the answer",
      (connection: HandoverConnection): HandoverConnection["start"] =>
        async (request, call) => {
          const started = await connection.start(request, { ...call, checkpoint: () => Promise.resolve() });
          return { ...started, references: started.references.slice(0, 1) };
        },
    ],
  ])(
    "should keep what comes before the answer to the start, and show it in order after it, when the provider %s [F041]",
    async (_what, change) => {
      const start = heldStart(change);
      const world = await openInstances({ runtime: { providers: [start.provider] } });
      const { backend } = world.vendor;
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await start.made;
      const [ticket] = backend.conversations();
      await backend.agentAccepts(ticket!.id);
      for (const text of ["one", "two"]) await backend.agentSays(ticket!.id, text);
      await backend.settle();
      expect(chat.statuses()).toEqual(["requested"]);
      start.letGo();
      await chat.until("the second line", ({ text }) => text === "two");
      const seen = chat
        .visible()
        .map((entry) => entry.status ?? entry.event ?? entry.text)
        .filter((what) => what !== "queue-updated");
      expect(seen).toEqual(["agent", "one moment", "requested", "queued", "agent-joined", "active", "one", "two"]);
      expect(world.log.filter(({ level }) => level !== "debug" && level !== "info")).toEqual([]);
    },
  );

  it("should park what stays unknown, answer it with 200, and forget it with one line in the log [F041]", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ desk: {} });
    const world = await openInstances({ runtime: { ...desks.runtime, clock }, timing: { parkMs: 60_000 } });
    const count = (result: string) =>
      world.runtimes
        .flatMap((runtime) => runtime.metrics())
        .filter(({ name, labels }) => name === "handover_deliveries_total" && labels["result"] === result)
        .reduce((sum, { value }) => sum + value, 0);
    for (const id of ["1", "2", "3"]) {
      const body = JSON.stringify([{ id, references: ["ticket:of-somebody-else"], payload: { events: [] } }]);
      const request = new Request("http://127.0.0.1/handover/scripted/desk/x", { method: "POST", body });
      expect((await world.runtimes.at(Number(id) % world.runtimes.length)!.handleWebhook("desk", request)).status).toBe(200);
    }
    expect(count("parked")).toBe(3);
    const forgotten = () => world.log.filter(({ message }) => message.includes("nobody here knows"));
    await clock.advance(59_000);
    expect(forgotten()).toEqual([]);
    await expect.poll(async () => (await clock.advance(5_000), count("expired"))).toBe(3);
    await clock.advance(120_000);
    expect(forgotten()).toMatchObject([{ level: "info", fields: { count: 3 } }]);
    expect(world.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });

  it("should make one conversation at the desk of ten requests at once, and give all of them the same handover [F042]", async () => {
    const world = await openInstances();
    const chat = world.record("c");
    const requests = Array.from({ length: 10 }, (_, index) =>
      world.runtimes[index % world.runtimes.length]!.requestHandover(address).then(({ handover }) => handover),
    );
    const handovers = new Set(await Promise.all(requests));
    const queued = await chat.untilStatus("queued");
    expect([...handovers]).toEqual([queued.handover]);
    await world.runtimes.at(-1)!.endHandover(address);
    await chat.untilStatus("ended");
    expect(world.vendor.backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    expect(world.vendor.backend.calls.filter(({ method, path }) => method === "POST" && path === "/conversations")).toHaveLength(1);
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
  });

  it.each([{ hasNext: false }, { hasNext: true }])(
    "should promise nobody while the desk answers 503 until its time is up; is there a next desk: $hasNext [F039]",
    async ({ hasNext }) => {
      const night = await createTestVendor();
      const texts = { accepted: "somebody is coming", failed: "it did not work" };
      const world = await openInstances({
        others: { night },
        timing: { startTimeoutMs: 300 },
        handover: { texts, connections: hasNext ? ["desk", "night"] : ["desk"] },
      });
      world.vendor.backend.setFaults({ failRate: 1, status: 503 });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      await world.say("c", "2", "hello?");
      const last = await chat.untilStatus(hasNext ? "queued" : "ended");
      const said = chat.visible().map((entry) => entry.text);
      expect(world.vendor.backend.calls.length).toBeGreaterThan(2);
      expect(world.vendor.backend.conversations()).toEqual([]);
      if (hasNext) {
        expect(last.text).toBe("somebody is coming");
        await night.backend.waitFor(([one]) => one?.messages.at(-1)?.text === "hello?");
        expect(chat.statuses()).toEqual(["requested", "queued"]);
        expect(said.filter((text) => text === "somebody is coming")).toHaveLength(1);
        return;
      }
      expect(last).toMatchObject({ reason: "failed", text: "it did not work" });
      expect(said).not.toContain("somebody is coming");
      expect(night.backend.conversations()).toEqual([]);
      await world.say("c", "3", "bot?");
      await chat.until("the bot", ({ text }) => text === "echo bot?");
      expect(chat.statuses()).toEqual(["requested", "ended/failed"]);
    },
  );
});

describe("a desk that is not ready right after it was started", () => {
  it("should get the first message after some tries, and later ones in order, when it refuses all for 1.5 s [F044 runtime part]", async () => {
    const clock = createManualClock();
    let startedAtMs = Infinity;
    const arrived: { readonly text: string; readonly atMs: number }[] = [];
    let refused = 0;
    const desks = scriptDesks({
      desk: {
        async start(request) {
          startedAtMs = clock.now();
          return { references: [`ticket:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" };
        },
        async sendMessage(_handover, part) {
          const atMs = clock.now() - startedAtMs;
          if (atMs < 1_500) {
            refused += 1;
            throw new HandoverError({ code: "NOT_YET", message: "Not usable yet.", isRetryable: true });
          }
          arrived.push({ text: part.message.text ?? "", atMs });
          return {};
        },
      },
    });
    const world = await open({ runtime: { ...desks.runtime, clock }, timing: { retryFirstMs: 100, retryMaximumMs: 30_000 } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    for (const id of ["2", "3"]) await world.say("c", id, `line ${id}`);
    await expect.poll(async () => (await clock.advance(50), arrived.length), { interval: 2, timeout: 8_000 }).toBe(4);
    expect(arrived.map(({ text }) => text)).toEqual(["agent", "one moment", "line 2", "line 3"]);
    expect(arrived[0]!.atMs).toBeGreaterThanOrEqual(1_500);
    expect(arrived[0]!.atMs).toBeLessThan(5_000);
    // The pauses grow: 100, 200, 400, 800 ms and less.
    expect(refused).toBeGreaterThan(2);
    expect(refused).toBeLessThan(10);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
  });
});

describe("what is said when the desk has accepted", () => {
  const bot: Bot = { answer: async ({ message }) => (message ? { handover: {} } : {}) };

  it.each([
    { accepted: "somebody is coming", shown: "somebody is coming" },
    { accepted: "", shown: undefined },
  ])(
    "should be there exactly when it is set, without a stray button: '$accepted' [F047 part: accepted text]",
    async ({ accepted, shown }) => {
      const world = await open({ bot, handover: { texts: { accepted } } });
      const chat = world.record("c");
      await world.say("c", "1", "agent");
      const queued = await chat.untilStatus("queued");
      expect(queued.text).toBe(shown);
      expect(chat.visible().some(({ choices, cards }) => choices !== undefined || cards !== undefined)).toBe(false);
      expect(chat.statuses()).toEqual(["requested", "queued"]);
      expect(world.vendor.backend.conversations()).toHaveLength(1);
    },
  );
});
