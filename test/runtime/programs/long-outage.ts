import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HandoverError } from "@handover/core";
import { createHandoverRuntime } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import { createOpenCount } from "../../support/count-open.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { scriptDesks, ticketOf } from "../support/scripted-desks.ts";

// A vendor is down for an hour while users write on and on; then it is back. Prints what that took as JSON. Needs --expose-gc.

const [conversations = 0, minutes = 0] = process.argv.slice(2).map(Number);
const collect = (globalThis as { gc?: () => void }).gc;
if (!collect) throw new Error("Start it with --expose-gc.");

const open = createOpenCount();
const clock = createManualClock();
const countingClock = open.clock(clock);

const vendor = { isDown: false, calls: 0, underWay: 0, atOnce: [] as number[] };
const tickets = new Map<string, string>();
const sent = new Map<string, string[]>();

/** The vendor takes a moment for each call. */
async function call<Result>(result: Result): Promise<Result> {
  vendor.calls += 1;
  vendor.underWay += 1;
  vendor.atOnce.push(vendor.underWay);
  try {
    await new Promise((resolve) => setImmediate(resolve));
    if (vendor.isDown) throw new HandoverError({ code: "DOWN", message: "Down.", effect: "connection", isRetryable: true });
    return result;
  } finally {
    vendor.underWay -= 1;
  }
}

const desks = scriptDesks({
  desk: {
    async start(request) {
      const reference = ticketOf(request);
      tickets.set(request.conversation, reference);
      const transcriptThrough = request.transcript.at(-1)?.seq ?? 0;
      return call({ references: [reference], state: {}, transcriptThrough, relay: "both" as const });
    },
    async sendMessage(handover, part) {
      await call(undefined);
      const own = sent.get(handover.conversation) ?? [];
      sent.set(handover.conversation, [...own, part.message.text ?? ""]);
      return {};
    },
    catchUp: () => call({ deliveries: [], cursor: null, hasMore: false }),
  },
});
const folder = await mkdtemp(join(tmpdir(), "handover-outage-"));
const limits = { waitingMessages: 20, waitingMessagesInAll: conversations * 15 };
const runtime = await createHandoverRuntime({
  ...desks.runtime,
  store: open.store(createSqliteStore({ path: join(folder, "handover.db"), clock: countingClock })),
  clock: countingClock,
  limits,
  timing: { connectionRetryMs: 2 * 60 * 60_000 },
});
await runtime.start();

const names = Array.from({ length: conversations }, (_, index) => `c${index}`);
const workers = () => runtime.metrics().find(({ name }) => name === "handover_workers")?.value ?? 0;
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
const write = (conversation: string, id: string, text: string) =>
  runtime.receiveMessage({ endpoint: "web", conversation, message: { id, text } });

async function until(isDone: () => boolean, stepMs: number): Promise<void> {
  for (let step = 0; step < 50_000 && !isDone(); step += 1) await clock.advance(stepMs);
  if (!isDone()) throw new Error("It did not come to an end.");
}

async function rest() {
  await settle();
  collect?.();
  await settle();
  collect?.();
  return { heap: process.memoryUsage().heapUsed, ...open.counts, workers: workers() };
}

await Promise.all(names.map((name) => write(name, "start", "agent")));
await until(() => tickets.size === conversations && workers() === 0, 500);
const atRest = await rest();

const accepted = new Map<string, string[]>(names.map((name) => [name, []]));
const refused: Record<string, number> = {};
vendor.isDown = true;
vendor.calls = 0;
/** A line of numbers for each ten minutes. */
const samples: Awaited<ReturnType<typeof rest>>[] = [];
for (let minute = 0; minute < minutes; minute += 1) {
  // Some write twice as much as the others: one limit stops them, another one everybody.
  const writers = [...names, ...names.filter((_, index) => index % 3 === 0)];
  const written = writers.map(async (name, index) => {
    const text = `line ${minute}${index < names.length ? "" : " more"}`;
    await write(name, text, text).then(
      () => accepted.get(name)?.push(text),
      (error: unknown) => {
        const code = HandoverError.isInstance(error) ? error.code : "UNEXPECTED";
        refused[code] = (refused[code] ?? 0) + 1;
      },
    );
  });
  await Promise.all(written);
  await clock.advance(60_000);
  if (minute % 10 === 9) samples.push(await rest());
}
const callsWhileDown = vendor.calls;

vendor.isDown = false;
vendor.atOnce.length = 0;
const events = 5_000;
const answers: number[] = [];
let next = 0;

/** What the vendor has stored meanwhile comes at once. */
async function deliver(): Promise<void> {
  for (let event = next++; event < events; event = next++) {
    const name = names[event % names.length] ?? "";
    const position = Math.floor(event / names.length);
    const text = `answer ${position}`;
    const message = { id: `${event}`, author: { role: "agent", name: "Ann" }, text, sentAt: new Date(clock.now()).toISOString() };
    const payload = { events: [{ type: "message-received", message }] };
    const order = { group: "messages", position };
    const body = JSON.stringify([{ id: `e${event}`, references: [tickets.get(name)], order, payload }]);
    const startedAt = performance.now();
    const url = "http://127.0.0.1/handover/scripted/desk/x";
    const { status } = await runtime.handleWebhook("desk", new Request(url, { method: "POST", body }));
    if (status !== 200) throw new Error(`A webhook was answered with ${status}.`);
    answers.push(performance.now() - startedAt);
  }
}

const waiting = [...accepted.values()].reduce((sum, texts) => sum + texts.length, 0);
const delivered = () => [...sent.values()].reduce((sum, texts) => sum + texts.length, 0);
const translated = () =>
  runtime.metrics().find(({ name, labels }) => name === "handover_deliveries_total" && labels["result"] === "translated")?.value ?? 0;
let mostWorkers = 0;
const delivering = Promise.all(Array.from({ length: 20 }, deliver));
await until(() => ((mostWorkers = Math.max(mostWorkers, workers())), delivered() >= waiting && translated() >= events), 100);
await delivering;
await until(() => workers() === 0, 500);
const afterwards = await rest();

let disordered = 0;
for (const name of names) {
  if (JSON.stringify(sent.get(name) ?? []) !== JSON.stringify(accepted.get(name))) disordered += 1;
  const seen: string[] = [];
  const reading = new AbortController();
  const wanted = Math.floor((events - 1 - names.indexOf(name)) / names.length) + 1;
  for await (const entry of runtime.follow({ endpoint: "web", conversation: name, signal: reading.signal })) {
    if (entry.kind === "message" && entry.author?.role === "agent") seen.push(entry.text ?? "");
    if (seen.length === wanted) reading.abort();
  }
  if (seen.some((text, index) => text !== `answer ${index}`)) disordered += 1;
}
await runtime.stop();
const stopped = { ...open.counts };
await rm(folder, { recursive: true, force: true });
answers.sort((left, right) => left - right);
console.log(
  JSON.stringify({
    atRest,
    samples,
    afterwards,
    stopped,
    refused,
    waiting,
    callsWhileDown,
    mostWorkers,
    mostAtOnce: Math.max(...vendor.atOnce),
    atOnce: vendor.atOnce.slice(0, 50),
    disordered,
    answers: { slowest: answers.at(-1), percentile99: answers[Math.floor(answers.length * 0.99)] },
  }),
);
