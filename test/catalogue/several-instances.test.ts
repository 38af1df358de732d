import { isWake, ProviderApiError, type HandoverEvent, type Translation } from "@handover/core";
import { createHandoverRuntime, type HandoverRuntime, type Store, type VisibleEntry } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { startPostgres } from "../../packages/store-postgres/test/support/postgres.ts";
import { administer, newTestSchema } from "../../packages/store-postgres/test/support/use-postgres.ts";
import { createManualClock } from "../runtime/support/manual-clock.ts";
import { describeOnPostgres, describeOnStores } from "../runtime/support/on-stores.ts";
import { record } from "../runtime/support/recorder.ts";
import { scriptDesks } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import { createWorldStore } from "../runtime/support/world-store.ts";
import { echoBot, quickTiming } from "../runtime/support/world.ts";
import { makeBreakable } from "./support/breakable-store.ts";

const open = useWorld();

const address = { endpoint: "web", conversation: "c" };
const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);

describeOnPostgres("instances that come and go", () => {
  it("should need nothing that another one has in memory: each step of a handover is taken by another process than the one before [F155]", async () => {
    const world = await open({ store: "postgres" });
    await world.another();
    const { backend } = world.vendor;
    /** The oldest one goes, a new one comes; whoever is left has seen at most the step before. */
    const step = async (what: string, act: () => unknown, fits: (entry: VisibleEntry) => boolean): Promise<void> => {
      await world.restart();
      await act();
      await Promise.all(world.runtimes.map((runtime) => world.record("c", runtime).until(what, fits)));
    };
    const ticket = () => backend.conversations()[0]!.id;
    await step(
      "the bot",
      () => world.say("c", "1", "hello"),
      ({ text }) => text === "echo hello",
    );
    await step(
      "the queue",
      () => world.say("c", "2", "agent"),
      ({ status }) => status === "queued",
    );
    await step(
      "the agent",
      () => backend.agentSays(ticket(), "good day"),
      ({ text }) => text === "good day",
    );
    await step(
      "the user",
      () => world.say("c", "3", "my question"),
      ({ text }) => text === "my question",
    );
    await backend.waitFor(([one]) => one?.messages.at(-1)?.text === "my question");
    await step(
      "the transfer",
      () => backend.agentTransfers(ticket()),
      ({ event }) => event === "transferred",
    );
    await step(
      "the second agent",
      () => backend.agentSays(ticket(), "I took over"),
      ({ text }) => text === "I took over",
    );
    const asked = await Promise.all(world.runtimes.map((runtime) => runtime.requestHandover(address)));
    expect(new Set(asked.map(({ handover }) => handover)).size).toBe(1);
    await step(
      "the end",
      () => world.runtimes.at(-1)!.endHandover(address),
      ({ text }) => text === "back: completed",
    );
    await step(
      "the bot again",
      () => world.say("c", "4", "bye"),
      ({ text }) => text === "echo bye",
    );

    const both = world.runtimes.map((runtime) => world.record("c", runtime));
    for (const chat of both) await chat.until("the last word", ({ text }) => text === "echo bye");
    expect(both[0]!.entries).toEqual(both[1]!.entries);
    expect(both[0]!.statuses()).toEqual(["requested", "queued", "active", "queued", "active", "ended/completed"]);
    expect(both[0]!.lines().filter((line) => line.startsWith("agent"))).toEqual(["agent: good day", "agent: I took over"]);
    expect(backend.conversations()).toMatchObject([{ status: "closed" }]);
    const said = backend
      .conversations()[0]!
      .messages.filter(({ author }) => author !== "agent")
      .map(({ text }) => text);
    expect(said).toEqual(["hello", "echo hello", "agent", "one moment", "my question"]);
  });

  it("should show a user whose instance is killed everything on the next one: what the other took meanwhile, once and within a second [F156 runtime part]", async () => {
    const world = await open({ store: "postgres", timing: { callTimeoutMs: 300, leaseMs: 900 } });
    const { backend } = world.vendor;
    await world.another();
    await world.runtime.requestHandover(address);
    await world.record("c").untilStatus("queued");
    const worksOnIt = (runtime: HandoverRuntime) => runtime.metrics().find(({ name }) => name === "handover_workers")?.value === 1;
    // The user is at the instance that works on the conversation: the worst one to lose.
    const home = world.runtimes.find(worksOnIt)!;
    const other = world.runtimes.find((runtime) => runtime !== home)!;
    expect(worksOnIt(other)).toBe(false);
    const chat = world.record("c", home);
    const ticket = backend.conversations()[0]!.id;
    const [url] = other.connections().map(({ webhookUrl }) => webhookUrl);
    expect(url).toBe(home.connections()[0]?.webhookUrl);
    const texts = numbered("line", 20);
    for (const text of texts.slice(0, 10)) {
      const saidAtMs = performance.now();
      await backend.agentSays(ticket, text);
      await chat.until(text, (entry) => entry.text === text);
      expect(performance.now() - saidAtMs).toBeLessThan(1_000);
    }
    const killed = world.kill(home);
    for (const text of texts.slice(10)) await backend.agentSays(ticket, text);
    await killed;
    const before = [...chat.entries];
    const reading = new AbortController();
    onTestFinished(() => reading.abort());
    const after = [];
    for await (const entry of other.follow({ ...address, after: before.at(-1)?.seq ?? 0, signal: reading.signal })) {
      after.push(entry);
      if (entry.kind === "message" && entry.text === texts.at(-1)) break;
    }
    const all = [...before, ...after];
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    expect(all.flatMap((entry) => (entry.kind === "message" ? [entry.text] : []))).toEqual(texts);
  });

  it("should give back what it was just taking when it stops, so that the next instance need not wait [F158 part: rolling restart]", async () => {
    const schema = await newTestSchema();
    const [asked, answered] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const inner = await schema.open();
    const slow: Store = new Proxy(inner, {
      get(target, name) {
        if (name !== "claim") return Reflect.get(target, name, target) as unknown;
        return async (request: Parameters<Store["claim"]>[0]) => {
          const claimed = await target.claim(request);
          if (claimed.length === 0) return claimed;
          asked.resolve(undefined);
          await answered.promise;
          return claimed;
        };
      },
    });
    const runtime = await createHandoverRuntime({ ...scriptDesks({ desk: {} }).runtime, store: slow });
    await runtime.start();
    await runtime.receiveMessage({ ...address, message: { id: "1", text: "hello" } });
    await asked.promise;
    const stopped = runtime.stop();
    answered.resolve(undefined);
    await stopped;
    const next = await schema.open();
    expect(await next.claim({ owner: "next", leaseMs: 1_000, nowMs: Date.now(), limit: 10 })).toHaveLength(1);
  });
});

describe("a store that is gone, full of connections or read-only [F162]", () => {
  describeOnPostgres("its connections", () => {
    it("should go on without a restart when the database is stopped and started, and take nothing meanwhile [F162 runtime part: PostgreSQL]", async () => {
      const found = await startPostgres();
      if ("missing" in found) throw new Error(found.missing);
      const { server } = found;
      onTestFinished(() => server.close());
      const desks = scriptDesks({ desk: {} });
      const runtime = await createHandoverRuntime({
        ...desks.runtime,
        store: createPostgresStore({ connectionString: server.connectionString }),
        timing: quickTiming,
      });
      await runtime.start();
      onTestFinished(() => runtime.stop());
      await runtime.requestHandover(address);
      await expect.poll(() => desks.count("desk.start")).toBe(1);
      await expect.poll(() => runtime.metrics().find(({ name }) => name === "handover_started_total")?.value).toBe(1);
      await server.stop();
      await expect(desks.deliver(runtime, "desk", { events: [{ type: "queued" }] })).rejects.toThrow("503");
      const message = { ...address, message: { id: "1", text: "anybody?" } };
      await expect(runtime.receiveMessage(message)).rejects.toMatchObject({ code: "STORE_FAILED", isRetryable: true });
      await server.start();
      await expect
        .poll(
          () =>
            runtime.receiveMessage(message).then(
              () => true,
              () => false,
            ),
          { timeout: 10_000 },
        )
        .toBe(true);
      await expect.poll(() => desks.count("desk.send anybody?"), { timeout: 10_000 }).toBe(1);
      await desks.deliver(runtime, "desk", { events: [{ type: "agent-joined", agent: { id: "a" }, hasAccepted: true }] });
      const chat = record(runtime, address);
      await chat.untilStatus("active");
      chat.stop();
      expect(desks.count("desk.start")).toBe(1);
    }, 30_000);

    it("should hold as many connections after 1000 sessions as after the first [F162 part: connection count over 1000 sessions]", async () => {
      const { connectionString, schema } = await newTestSchema();
      const count = async () => {
        const sessions = "SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1";
        const [row] = await administer<{ count: number }>(connectionString, sessions, [schema]);
        return row?.count;
      };
      const store = createPostgresStore({ connectionString: `${connectionString}?application_name=${schema}`, schema, poolSize: 4 });
      const desks = scriptDesks({ desk: {} }, { bot: echoBot });
      const runtime = await createHandoverRuntime({ ...desks.runtime, store });
      await runtime.start();
      onTestFinished(() => runtime.stop());
      const session = async (conversation: string): Promise<void> => {
        const stop = runtime.watchTyping({ endpoint: "web", conversation }, () => undefined);
        await runtime.receiveMessage({ endpoint: "web", conversation, message: { id: "1", text: "hello" } });
        stop();
      };
      const sessions = (from: number, to: number) =>
        Promise.all(
          Array.from({ length: 20 }, async (_, lane) => {
            for (let number = from + lane; number < to; number += 20) await session(`c${number}`);
          }),
        );
      await sessions(0, 40);
      const before = await count();
      await sessions(40, 1_000);
      const turns = () => runtime.metrics().find(({ name }) => name === "handover_bot_turns_total")?.value;
      await expect.poll(turns, { timeout: 20_000 }).toBe(1_000);
      expect(before).toBe(5);
      expect(await count()).toBe(before);
    }, 40_000);

    it("should find out when it starts that the database takes no writes [F162 part: read-only at boot]", async () => {
      const { connectionString, schema, open: openStore } = await newTestSchema();
      await (await openStore()).close();
      const readOnly = `${connectionString}?options=-c%20default_transaction_read_only%3Don`;
      const desks = scriptDesks({ desk: {} });
      const runtime = await createHandoverRuntime({ ...desks.runtime, store: createPostgresStore({ connectionString: readOnly, schema }) });
      await expect(runtime.start()).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
    });
  });

  describeOnStores("a store that is gone for 30 s", (store) => {
    it("should have webhooks answered with 503, acknowledge nothing, and go on by itself when it is back [F162 runtime part]", async () => {
      const clock = createManualClock();
      const place = await createWorldStore(store);
      onTestFinished(() => place.remove());
      const breakable = makeBreakable(place.create(clock));
      const desks = scriptDesks({ desk: {} });
      const world = await open({ runtime: { ...desks.runtime, store: breakable.store, clock } });
      await world.say("c", "1", "agent");
      const before = world.record("c");
      await expect.poll(async () => (await clock.advance(50), before.statuses()), { interval: 2 }).toContain("queued");
      before.stop();
      breakable.breakDown();
      const message = { id: "m1", author: { role: "agent" as const, id: "a" }, text: "hello", sentAt: new Date(clock.now()).toISOString() };
      const delivery = { id: "d1" };
      const said = { events: [{ type: "message-received" as const, message }] };
      for (let second = 0; second < 30; second += 1) {
        if (second % 10 === 0) await expect(desks.deliver(world.runtime, "desk", said, delivery)).rejects.toThrow("503");
        if (second % 10 === 5) await expect(world.say("c", "2", "are you there?")).rejects.toMatchObject({ isRetryable: true });
        for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await clock.advance(1_000);
      }
      breakable.recover();
      const { seq } = await world.say("c", "2", "are you there?");
      await desks.deliver(world.runtime, "desk", said, delivery);
      const chat = world.record("c");
      await expect.poll(async () => (await clock.advance(500), chat.lines()), { interval: 2, timeout: 8_000 }).toContain("agent: hello");
      await expect
        .poll(async () => (await clock.advance(500), desks.count("desk.send are you there?")), { interval: 2, timeout: 8_000 })
        .toBe(1);
      expect(chat.lines().filter((line) => line === "agent: hello")).toHaveLength(1);
      expect(
        chat
          .visible()
          .filter(({ id }) => id === "2")
          .map((entry) => entry.seq),
      ).toEqual([seq]);
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    });
  });
});

describeOnStores("a provider that is broken in three ways", (store) => {
  it("should cost the handovers that it is broken for and nothing else: no other one, no process, nothing unhandled [F160]", async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", listen);
    onTestFinished(() => void process.off("unhandledRejection", listen));
    const refusal = new ProviderApiError({ message: "The desk does not know the inbox.", status: 422, effect: "handover" });
    const sent: string[] = [];
    const desks = scriptDesks({
      desk: {
        async start({ conversation }) {
          if (conversation === "start") throw refusal;
          return { references: [`ticket:${conversation}`], state: {}, transcriptThrough: 0, relay: "both" };
        },
        async sendMessage({ conversation }, part) {
          if (conversation === "sending") throw refusal;
          sent.push(`${conversation}: ${part.message.text ?? ""}`);
          return { vendorMessageId: `v-${conversation}` };
        },
        translate({ conversation }, delivery) {
          if (conversation === "mapping") throw new TypeError("Cannot read properties of undefined");
          return isWake(delivery) ? { events: [] } : (delivery.payload as unknown as Translation);
        },
      },
    });
    const world = await open({ store, hasBot: false, runtime: desks.runtime });
    if (store === "postgres") await world.another();
    const says = async (conversation: string, events: readonly HandoverEvent[]) => {
      const body = JSON.stringify([{ references: [`ticket:${conversation}`], payload: { events } }]);
      const request = new Request("http://127.0.0.1/handover/scripted/desk/x", { method: "POST", body });
      expect((await world.runtime.handleWebhook("desk", request)).status).toBe(200);
    };
    const broken = ["mapping", "start", "sending"];
    const names = [...broken, "good", "acknowledged twice"];
    const chats = new Map(names.map((name) => [name, world.record(name)]));
    for (const conversation of names) await world.runtime.requestHandover({ endpoint: "web", conversation });
    for (const name of names) if (name !== "start") await chats.get(name)!.untilStatus("queued");
    for (const name of names) await world.say(name, "1", `from ${name}`);
    const echo: HandoverEvent = { type: "message-echoed", vendorMessageId: "v-acknowledged twice" };
    const read: HandoverEvent = { type: "delivery-changed", target: { vendorMessageIds: ["v-acknowledged twice"] }, status: "read" };
    await expect.poll(() => sent).toContain("acknowledged twice: from acknowledged twice");
    for (const event of [echo, echo, read, read]) await says("acknowledged twice", [event]);
    const message = { id: "m", author: { role: "agent" as const, id: "a" }, text: "hello", sentAt: new Date().toISOString() };
    for (const name of names) if (name !== "start") await says(name, [{ type: "message-received", message }]);
    for (const name of broken) {
      const end = await chats.get(name)!.untilStatus("ended");
      expect(end).toMatchObject({ reason: "failed", text: "We could not reach our team. Please try again later." });
    }
    for (const name of ["good", "acknowledged twice"]) {
      const chat = chats.get(name)!;
      await chat.until("the agent", ({ text }) => text === "hello");
      await world.say(name, "2", "thanks");
      await expect.poll(() => sent.filter((line) => line.startsWith(name))).toEqual([`${name}: from ${name}`, `${name}: thanks`]);
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
      expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});
