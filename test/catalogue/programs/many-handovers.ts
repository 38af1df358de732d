import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHandoverRuntime, type Bot } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import { createOpenCount } from "../../support/count-open.ts";
import { createManualClock } from "../../runtime/support/manual-clock.ts";
import stubProvider from "../support/stub-provider.ts";

// Lets many handovers run from start to end and prints what is left of them as JSON. Needs --expose-gc.

const [warmUp = 0, measured = 0] = process.argv.slice(2).map(Number);
const secret = "a-secret-for-the-heap";
const collect = (globalThis as { gc?: () => void }).gc;
if (!collect) throw new Error("Start it with --expose-gc.");

const lateEventsMs = 300;

const open = createOpenCount();
const clock = createManualClock();
const countingClock = open.clock(clock, (delayMs) => {
  // Only the wait for late events is a matter of time here: whoever begins it makes the time go on.
  if (delayMs > 0 && delayMs <= lateEventsMs) void clock.advance(lateEventsMs);
});

const bot: Bot = { answer: async ({ message }) => (message?.text === "agent" ? { handover: {} } : { messages: [{ text: "back" }] }) };
const folder = await mkdtemp(join(tmpdir(), "handover-heap-"));
const runtime = await createHandoverRuntime({
  store: open.store(createSqliteStore({ path: join(folder, "handover.db") })),
  providers: [stubProvider],
  connections: { stub: { provider: "stub", settings: {}, webhookSecrets: [secret] } },
  endpoints: [{ token: "web", bot, handover: { connections: ["stub"] } }],
  publicUrl: "http://127.0.0.1:1",
  clock: countingClock,
});
await runtime.start();

const webhook = (body: object) =>
  runtime.handleWebhook(
    "stub",
    new Request(`http://127.0.0.1:1/handover/stub/stub/${secret}`, { method: "POST", body: JSON.stringify([body]) }),
  );

/** One conversation as it happens every day; somebody reads along until the bot is back. */
async function oneHandover(conversation: string): Promise<void> {
  const address = { endpoint: "web", conversation };
  const reading = new AbortController();
  const stopTyping = runtime.watchTyping(address, () => undefined);
  await runtime.receiveMessage({ ...address, message: { id: "1", text: "agent" } });
  for await (const entry of runtime.follow({ ...address, signal: reading.signal })) {
    if (entry.kind === "hidden") continue;
    if (entry.status === "queued") await webhook({ conversation, position: 1, text: "hello" });
    if (entry.status === "active") await runtime.receiveMessage({ ...address, message: { id: "2", text: "thank you" } });
    if (entry.kind === "message" && entry.author?.role === "agent") await webhook({ conversation, position: 2, isEnd: true });
    if (entry.text === "back") reading.abort();
  }
  stopTyping();
}

async function run(from: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => from + index);
  const worker = async (): Promise<void> => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) await oneHandover(`c${number}`);
  };
  await Promise.all(Array.from({ length: 20 }, worker));
}

const workers = () => runtime.metrics().find(({ name }) => name === "handover_workers")?.value;

/** Everybody has let go: what is counted then is what stays. */
async function rest() {
  while (workers() !== 0) await clock.advance(500);
  collect?.();
  await new Promise((resolve) => setImmediate(resolve));
  collect?.();
  return {
    heap: process.memoryUsage().heapUsed,
    ...open.counts,
    processTimers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
  };
}

const atStart = await rest();
await run(0, warmUp);
const before = await rest();
await run(warmUp, measured);
const after = await rest();
const ended = runtime.metrics().find(({ name }) => name === "handover_ended_total")?.value;
await runtime.stop();
const stopped = { ...open.counts };
await rm(folder, { recursive: true, force: true });
console.log(JSON.stringify({ atStart, before, after, stopped, ended }));
