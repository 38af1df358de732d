import { describe, expect, test } from "vitest";
import type { Bench } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

const faultsPath = "/control/live-agent/faults";

async function postsOf(bench: Bench, count: number, path = "/conversations/1/messages"): Promise<number[]> {
  const statuses: number[] = [];
  for (let index = 0; index < count; index += 1) statuses.push((await bench.api("POST", path, { content: `m${index}` })).status);
  return statuses;
}

const contentsOf = (bench: Bench): unknown[] =>
  bench.receiver.received.filter((webhook) => webhook.body.event === "message_created").map((webhook) => webhook.body.content as unknown);

/** A conversation whose opening is told, and nothing else. */
async function startQuietly(): Promise<Bench> {
  const bench = await startBench();
  await bench.converse();
  await bench.liveAgent.webhooksIdle();
  bench.receiver.received.length = 0;
  return bench;
}

describe("faults of calls", () => {
  test.each([
    [401, '{"error":"Invalid Access Token"}'],
    [404, '{"error":"Resource could not be found"}'],
    [422, '{"error":"Validation failed"}'],
    [429, "Retry later\n"],
    [500, "<!DOCTYPE html>"],
    [503, "<!DOCTYPE html>"],
  ])("should answer %i in the product's shape before anything is done, without Retry-After", async (status, start) => {
    const bench = await startQuietly();
    expect((await bench.http("PUT", faultsPath, { failRate: 1, status })).json).toEqual({ failRate: 1, status });
    const answer = await bench.api("POST", "/conversations/1/messages", { content: "x" });
    expect(answer.status).toBe(status);
    expect(answer.text.startsWith(start)).toBe(true);
    expect(answer.headers.has("retry-after")).toBe(false);
    expect(bench.liveAgent.conversation("1").messages).toEqual([]);
    await bench.http("PUT", faultsPath, {});
    expect(await postsOf(bench, 1)).toEqual([200]);
  });

  test("should fail with 500 when no status is named, and only so many times", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ failRate: 1, times: 2 });
    expect(await postsOf(bench, 3)).toEqual([500, 500, 200]);
  });

  test("should say when to come back, and answer as what stands before the product, when told to", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ failRate: 1, status: 429, retryAfterSeconds: 7 });
    const limited = await bench.api("GET", "/inboxes");
    expect([limited.headers.get("retry-after"), limited.text]).toEqual(["7", "Retry later\n"]);
    bench.liveAgent.setFaults({ failRate: 1, status: 422, errorBody: "validation" });
    expect((await bench.api("GET", "/inboxes")).json).toMatchObject({ message: expect.any(String) as string, attributes: ["name"] });
    bench.liveAgent.setFaults({ failRate: 1, status: 500, errorBody: "rails" });
    expect((await bench.api("GET", "/inboxes")).json).toMatchObject({ status: 500, error: expect.any(String) as string });
    bench.liveAgent.setFaults({ failRate: 1, status: 401, errorBody: "empty" });
    expect((await bench.api("GET", "/inboxes")).text).toBe("");
    bench.liveAgent.setFaults({ failRate: 1, status: 401, errorBody: "html" });
    expect((await bench.api("GET", "/inboxes")).text).toMatch(/^<!DOCTYPE html>/);
  });

  test("should hit only the named call", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ failRate: 1, status: 503, only: "POST /conversations" });
    expect((await bench.api("POST", "/conversations", { source_id: "session-abc" })).status).toBe(503);
    expect(await postsOf(bench, 1)).toEqual([200]);
    expect((await bench.api("GET", "/conversations")).status).toBe(200);
    bench.liveAgent.setFaults({ failRate: 1, status: 503, only: "POST /messages" });
    expect(await postsOf(bench, 1)).toEqual([503]);
    bench.liveAgent.setFaults({ failRate: 1, status: 503, only: "GET /conversations/*" });
    expect((await bench.api("GET", "/conversations/1")).status).toBe(503);
    expect((await bench.api("GET", "/conversations")).status).toBe(200);
    bench.liveAgent.setFaults({ failRate: 1, status: 503, only: "* /inboxes" });
    expect((await bench.api("GET", "/inboxes")).status).toBe(503);
  });

  test("should fall the same way with the same seed, in the share that was asked for", async () => {
    const bench = await startQuietly();
    const runs: number[][] = [];
    for (const seed of [7, 7, 8]) {
      bench.liveAgent.setFaults({ failRate: 0.5, status: 503, seed });
      runs.push(await postsOf(bench, 40));
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(runs[2]);
    const failed = runs[0]!.filter((status) => status === 503).length;
    expect(failed).toBeGreaterThan(8);
    expect(failed).toBeLessThan(32);
  });

  test("should carry the call out and lose its answer", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ loseAnswerRate: 1, only: "POST /messages", times: 1 });
    await expect(bench.api("POST", "/conversations/1/messages", { content: "lost?" })).rejects.toThrow();
    expect(bench.liveAgent.conversation("1").messages).toEqual([expect.objectContaining({ text: "lost?" })]);
    expect(bench.liveAgent.requests().at(-1)).toMatchObject({ isAnswerLost: true });
    expect(bench.liveAgent.requests().at(-1)).not.toHaveProperty("status");
    await bench.liveAgent.webhooksIdle();
    expect(contentsOf(bench)).toEqual(["lost?"]);
    expect(await postsOf(bench, 1)).toEqual([200]);
  });

  test("should wait before anything is done", async () => {
    const clock = createManualClock();
    const bench = await startBench({}, clock);
    await bench.converse();
    await bench.liveAgent.webhooksIdle();
    bench.liveAgent.setFaults({ latencyMs: 700 });
    const arrived = untilTimerIsSet(clock);
    const answer = bench.api("POST", "/conversations/1/messages", { content: "slow" });
    expect(await arrived).toBe(700);
    clock.advance(699);
    expect(bench.liveAgent.conversation("1").messages).toEqual([]);
    clock.advance(1);
    expect((await answer).status).toBe(200);
  });
});

describe("faults of webhooks", () => {
  test("should send each twice", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ duplicateWebhookRate: 1 });
    bench.liveAgent.note("1", { text: "a" });
    await bench.liveAgent.webhooksIdle();
    expect(contentsOf(bench)).toEqual(["a", "a"]);
  });

  test("should drop them, so many times", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ dropWebhookRate: 1, times: 1 });
    bench.liveAgent.note("1", { text: "a" });
    bench.liveAgent.note("1", { text: "b" });
    await bench.liveAgent.webhooksIdle();
    expect(contentsOf(bench)).toEqual(["b"]);
    expect(
      bench.liveAgent
        .webhooks()
        .slice(-2)
        .map((attempt) => attempt.outcome),
    ).toEqual(["dropped", "delivered"]);
    expect((await bench.api("GET", "/conversations/1/messages")).json.payload[0]!.status).toBe("sent");
  });

  test("should send newest first", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ reorderWebhooks: true });
    for (const text of ["a", "b", "c"]) bench.liveAgent.note("1", { text });
    await bench.liveAgent.webhooksIdle();
    expect(contentsOf(bench)).toEqual(["c", "b", "a"]);
  });

  test("should delay them and keep their order", async () => {
    const clock = createManualClock();
    const bench = await startBench({}, clock);
    const id = String(await bench.converse());
    await bench.liveAgent.webhooksIdle();
    bench.liveAgent.setFaults({ delayWebhooksMs: 1000 });
    const waiting = untilTimerIsSet(clock);
    for (const text of ["a", "b"]) bench.liveAgent.note(id, { text });
    expect(await waiting).toBe(1000);
    clock.advance(999);
    expect(contentsOf(bench)).toEqual([]);
    clock.advance(1);
    await bench.liveAgent.webhooksIdle();
    expect(contentsOf(bench)).toEqual(["a", "b"]);
  });

  test("should decide about a webhook when it comes up, not when it is sent", async () => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ dropWebhookRate: 1 });
    bench.liveAgent.note("1", { text: "a" });
    bench.liveAgent.setFaults({});
    await bench.liveAgent.webhooksIdle();
    expect(contentsOf(bench)).toEqual([]);
  });
});

describe("setting faults", () => {
  test("should replace the whole set and accept every field", async () => {
    const { http } = await startBench();
    const all = {
      latencyMs: 0,
      failRate: 0,
      status: 503,
      retryAfterSeconds: 0,
      errorBody: "empty",
      loseAnswerRate: 0,
      duplicateWebhookRate: 0,
      reorderWebhooks: false,
      dropWebhookRate: 0,
      delayWebhooksMs: 0,
      rotateKeys: true,
      only: "POST /conversations",
      times: 3,
      seed: 1,
    };
    expect((await http("PUT", faultsPath, all)).json).toEqual(all);
    expect((await http("PUT", faultsPath, {})).json).toEqual({});
  });

  test.each([
    { failRate: 2 },
    { failRate: "1" },
    { status: 200 },
    { errorBody: "gateway" },
    { retryAfterSeconds: "soon" },
    { latencyMs: -1 },
    { only: "conversations" },
    { times: 0 },
    { seed: 0.5 },
    { reorderWebhooks: 1 },
    { dropRate: 1 },
    [],
    "x",
  ])("should refuse %j and keep what was set", async (faults) => {
    const bench = await startQuietly();
    bench.liveAgent.setFaults({ failRate: 1, status: 503 });
    const answer = await bench.http("PUT", faultsPath, JSON.stringify(faults));
    expect([answer.status, answer.json.code]).toEqual([400, "BAD_INPUT"]);
    expect(await postsOf(bench, 1)).toEqual([503]);
  });
});

/** Resolves with the time for which the simulator next waits for the clock. */
function untilTimerIsSet(clock: ReturnType<typeof createManualClock>): Promise<number> {
  const { setTimer } = clock;
  return new Promise((resolve) => {
    clock.setTimer = (callback, delayMs) => {
      clock.setTimer = setTimer;
      const cancel = setTimer(callback, delayMs);
      resolve(delayMs);
      return cancel;
    };
  });
}
