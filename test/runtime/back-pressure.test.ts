import { HandoverError } from "@handover/core";
import type { HandoverRuntime, Limits } from "@handover/runtime";
import { expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { StoreName } from "./support/world-store.ts";

const open = useWorld();

/** A desk that takes no messages until it is told to, and whose webhooks can be held up. */
async function openFull(store: StoreName, limits: Partial<Limits>) {
  const state = { isDown: true };
  const sent: string[] = [];
  const desks = scriptDesks({
    desk: {
      async sendMessage(handover, part) {
        if (state.isDown) throw new HandoverError({ code: "DOWN", message: "Down.", effect: "connection", isRetryable: true });
        sent.push(`${handover.conversation} ${part.message.text ?? ""}`);
        return {};
      },
    },
  });
  const world = await open({ store, runtime: { ...desks.runtime, limits } });
  return { world, desks, state, sent };
}

const metric = (runtime: HandoverRuntime, name: string, labels: Record<string, string> = {}): number =>
  runtime
    .metrics()
    .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);

/** How it was answered. */
async function post(
  runtime: HandoverRuntime,
  deliveries: readonly object[],
): Promise<{ status: number; code?: string; retryAfter: string | null }> {
  const url = "http://127.0.0.1/handover/scripted/desk/x";
  const response = await runtime.handleWebhook("desk", new Request(url, { method: "POST", body: JSON.stringify(deliveries) }));
  const text = await response.text();
  const code = text === "" ? undefined : (JSON.parse(text) as { code: string }).code;
  return { status: response.status, ...(code === undefined ? {} : { code }), retryAfter: response.headers.get("retry-after") };
}

const nothing = { payload: { events: [] } };

describeOnStores("limits on what waits", (store) => {
  it("should refuse more messages of one conversation than may wait, say so, and take them again when some are out", async () => {
    const { world, state, sent } = await openFull(store, { waitingMessages: 5 });
    await world.say("c", "0", "agent");
    await world.record("c").untilStatus("queued");
    for (let index = 1; index <= 5; index += 1) await world.say("c", String(index), `line ${index}`);
    await expect(world.say("c", "6", "line 6")).rejects.toMatchObject({ code: "TOO_MANY_WAITING", isRetryable: true });
    // A repeat of one that was taken is none too many.
    expect(await world.say("c", "5", "line 5")).toEqual(await world.say("c", "5", "line 5"));
    await world.say("d", "1", "others are not concerned");
    state.isDown = false;
    await expect.poll(() => sent.length, { timeout: 10_000 }).toBe(5);
    await world.say("c", "6", "line 6");
    await expect.poll(() => sent.at(-1)).toBe("c line 6");
    expect(metric(world.runtime, "handover_messages_refused_total", { code: "TOO_MANY_WAITING" })).toBe(1);
  });

  it("should refuse messages when too many of all conversations wait, with the cure, and go on when they are out", async () => {
    const { world, state, sent } = await openFull(store, { waitingMessagesInAll: 12 });
    const names = ["a", "b", "c"];
    for (const name of names) await world.say(name, "0", "agent");
    for (const name of names) await world.record(name).untilStatus("queued");
    const refused: string[] = [];
    for (let index = 1; index <= 8; index += 1)
      for (const name of names)
        await world.say(name, String(index), `line ${index}`).catch((error: unknown) => {
          expect(error).toMatchObject({ code: "OVERLOADED", isRetryable: true });
          expect((error as Error).message).toMatch(/later.*find out which/i);
          refused.push(`${name} ${index}`);
        });
    // Estimates count a message that was just dealt with until the store is asked again: never too many, at times one less.
    expect(24 - refused.length).toBeLessThanOrEqual(12);
    expect(24 - refused.length).toBeGreaterThanOrEqual(9);
    state.isDown = false;
    await expect.poll(() => sent.length, { timeout: 10_000 }).toBe(24 - refused.length);
    await expect
      .poll(
        () =>
          world.say("a", "9", "line 9").then(
            () => true,
            () => false,
          ),
        { timeout: 5_000 },
      )
      .toBe(true);
    await expect.poll(() => sent.at(-1)).toBe("a line 9");
  });

  it("should not count messages as waiting that nobody is going to read: the bot lives elsewhere", async () => {
    const desks = scriptDesks({ desk: {} }, { bot: undefined as never });
    const [first] = desks.runtime.endpoints;
    const { bot: _bot, ...endpoint } = first!;
    const limits = { waitingMessagesInAll: 3, waitingMessages: 3 };
    const world = await open({ store, runtime: { ...desks.runtime, endpoints: [endpoint], limits } });
    for (let index = 0; index < 3; index += 1) await world.say("c", String(index), "hello");
    await expect
      .poll(
        () =>
          world.say("c", "9", "hello").then(
            () => true,
            () => false,
          ),
        { timeout: 5_000 },
      )
      .toBe(true);
  });

  it("should answer 503 with Retry-After when a conversation's inbox is full, keep what it has, and go on when there is room [F165 limits]", async () => {
    let letStart: () => void = () => undefined;
    const isStarting = new Promise<void>((resolve) => (letStart = resolve));
    const desks = scriptDesks({
      desk: {
        async start(request, call) {
          await call.checkpoint({ references: [`ticket:${request.conversation}`] });
          if (request.conversation === "c") await isStarting;
          return { references: [`ticket:${request.conversation}`], state: {}, transcriptThrough: 99, relay: "both" };
        },
      },
    });
    const world = await open({ store, runtime: { ...desks.runtime, limits: { inboxDeliveries: 10 } }, timing: { callTimeoutMs: 20_000 } });
    await world.say("c", "0", "agent");
    await world.say("d", "0", "agent");
    await world.record("d").untilStatus("queued");
    await expect.poll(() => desks.started["desk"]?.conversation).toBeDefined();
    await expect.poll(() => desks.count("desk.start")).toBe(2);
    const text = (index: number) => ({
      id: `m${index}`,
      references: ["ticket:c"],
      payload: { events: [{ type: "message-received", message: said(String(index)) }] },
    });
    const answers = [];
    for (let index = 0; index < 14; index += 1) answers.push(await post(world.runtime, [text(index)]));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 14 }, (_, index) => (index < 10 ? 200 : 503)));
    expect(answers.at(-1)).toEqual({ status: 503, code: "INBOX_FULL", retryAfter: "1" });
    expect((await post(world.runtime, [{ ...nothing, id: "d1", references: ["ticket:d"] }])).status).toBe(200);
    letStart();
    const chat = world.record("c");
    await chat.until("what was taken", ({ text: shown }) => shown === "9");
    for (let index = 10; index < 14; index += 1)
      await expect.poll(async () => (await post(world.runtime, [text(index)])).status, { timeout: 5_000 }).toBe(200);
    await chat.until("what was refused first", ({ text: shown }) => shown === "13");
    expect(chat.lines().filter((line) => line.startsWith("agent: "))).toEqual(Array.from({ length: 14 }, (_, index) => `agent: ${index}`));
  });

  it("should answer 503 when all inboxes together are full", async () => {
    const desks = scriptDesks({ desk: {} });
    const world = await open({ store, runtime: { ...desks.runtime, limits: { inboxDeliveriesInAll: 4 } } });
    const many = Array.from({ length: 5 }, (_, index) => ({ ...nothing, id: `m${index}`, references: ["nobody"] }));
    expect(await post(world.runtime, many)).toEqual({ status: 503, code: "INBOX_FULL", retryAfter: "1" });
    expect(metric(world.runtime, "handover_webhooks_total", { result: "INBOX_FULL" })).toBe(1);
    expect((await post(world.runtime, many.slice(0, 4))).status).toBe(200);
  });

  it("should let the oldest go of what nobody here knows, to keep what may belong to a start under way [F041 flood]", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ desk: {} });
    const limits = { parkedDeliveries: 20 };
    const world = await open({ store, runtime: { ...desks.runtime, clock, limits } });
    for (let index = 0; index < 20; index += 1) await post(world.runtime, [{ ...nothing, id: `old${index}`, references: ["stranger"] }]);
    await clock.advance(200_000);
    for (let index = 0; index < 20; index += 1) await post(world.runtime, [{ ...nothing, id: `new${index}`, references: ["stranger"] }]);
    const counts = ["parked", "flooded", "expired"].map((result) => metric(world.runtime, "handover_deliveries_total", { result }));
    expect(counts).toEqual([40, 0, 20]);
  });

  it("should bound what is kept of conversations that nobody here knows, answer it all the same, and still take what is known [F041 flood]", async () => {
    const desks = scriptDesks({ desk: {} });
    const world = await open({ store, runtime: { ...desks.runtime, limits: { parkedDeliveries: 20, parkedDeliveriesInAll: 30 } } });
    await world.say("c", "0", "agent");
    await world.record("c").untilStatus("queued");
    for (let index = 0; index < 100; index += 1) {
      expect((await post(world.runtime, [{ ...nothing, id: `x${index}`, references: [`stranger:${index}`] }])).status).toBe(200);
    }
    const parked = metric(world.runtime, "handover_deliveries_total", { result: "parked" });
    expect(parked).toBeGreaterThanOrEqual(20);
    expect(parked).toBeLessThanOrEqual(21);
    expect(metric(world.runtime, "handover_deliveries_total", { result: "flooded" })).toBe(100 - parked);
    await desks.deliver(world.runtime, "desk", { events: [{ type: "message-received", message: said("known") }] });
    await world.record("c").until("what is known", ({ text }) => text === "known");
  });
});

function said(text: string) {
  return { id: `said ${text}`, author: { role: "agent" as const, name: "Ann" }, text, sentAt: "2026-01-01T00:00:00.000Z" };
}
