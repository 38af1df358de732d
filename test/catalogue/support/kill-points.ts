import {
  createHandoverRuntime,
  type Commit,
  type HandoverRuntime,
  type NewDelivery,
  type Store,
  type StoredEntry,
} from "@handover/runtime";
import { createTestVendor, type TestVendor, type TestVendorOptions } from "@handover/testkit";
import { expect } from "vitest";
import { startWebhookServer } from "../../runtime/support/webhook-server.ts";
import { createWorldStore, makeMortal, type StoreName } from "../../runtime/support/world-store.ts";
import { echoBot, quickTiming } from "../../runtime/support/world.ts";

/** Where a process dies: at one of its writes, counted from 1, when it is done or before. */
export interface KillPoint {
  readonly write: number;
  readonly isDone: boolean;
}

/** What everybody has at the end of a handover whose process died once. */
export interface Outcome {
  /** Writes until the process died, or in all. */
  readonly writes: number;
  readonly entries: readonly StoredEntry[];
  readonly tickets: readonly { readonly status: string; readonly said: readonly string[] }[];
  /** Texts of parts that are marked as perhaps there twice. */
  readonly marked: readonly string[];
}

/** A store of a process that dies at a point; the process hears nothing of it. */
function dieAt(inner: Store, point: KillPoint | undefined) {
  const { promise: died, resolve } = Promise.withResolvers<"died">();
  const mortal = makeMortal(inner);
  const seen = { writes: 0 };
  const dying = async <Result>(write: () => Promise<Result>): Promise<Result> => {
    seen.writes += 1;
    if (seen.writes !== point?.write) return write();
    if (point.isDone) await write();
    await mortal.kill();
    resolve("died");
    return new Promise<never>(() => undefined);
  };
  const store = new Proxy(mortal.store, {
    get(target, name) {
      if (name === "commit") return (commit: Commit) => dying(() => target.commit(commit));
      if (name === "receive") return (deliveries: readonly NewDelivery[]) => dying(() => target.receive(deliveries));
      return Reflect.get(target, name, target) as unknown;
    },
  });
  return { store, died, seen };
}

const key = "web/c";
const timing = { ...quickTiming, callTimeoutMs: 700, leaseMs: 1_500, echoWaitMs: 10, reorderWindowMs: 20, startDoubtMs: 1_000, pollMs: 20 };

/** Runs a handover from the first word to the bot's return, through the death of the process and with the one after it. */
export async function runThrough(name: StoreName, point: KillPoint | undefined, options: TestVendorOptions = {}): Promise<Outcome> {
  const vendor = await createTestVendor(options);
  const place = await createWorldStore(name);
  const first = dieAt(place.create(), point);
  let store = first.store;
  let runtime: HandoverRuntime | undefined;
  const server = await startWebhookServer(async (request) => {
    const body = await request.text();
    const repeated = new Request(request.url, { method: "POST", headers: request.headers, body });
    const gone = new Response(null, { status: 503 });
    return runtime ? Promise.race([runtime.handleWebhook("desk", repeated), first.died.then(() => gone)]) : gone;
  });

  async function boot(): Promise<void> {
    const booting = await createHandoverRuntime({
      store,
      providers: [vendor.provider],
      connections: { desk: { provider: vendor.provider.name, settings: vendor.settings } },
      endpoints: [{ token: "web", bot: echoBot, handover: { connections: ["desk"] } }],
      publicUrl: server.url,
      timing,
    });
    await booting.start();
    runtime = booting;
  }

  await boot();
  vendor.backend.setWebhookUrl(runtime!.connections()[0]?.webhookUrl);
  const reborn = first.died.then(async () => {
    runtime = undefined;
    store = place.create();
    await boot();
  });

  const read = async (): Promise<readonly StoredEntry[]> => {
    const answer = runtime ? await Promise.race([store.readEntries(key, { after: 0, limit: 200 }), first.died]) : "died";
    if (answer !== "died") return answer;
    await reborn;
    return store.readEntries(key, { after: 0, limit: 200 });
  };
  /** Whoever gets no answer says it again. */
  const say = async (id: string, text: string): Promise<void> => {
    const message = { endpoint: "web", conversation: "c", message: { id, text } };
    const answer = runtime ? await Promise.race([runtime.receiveMessage(message), first.died]) : "died";
    if (answer !== "died") return;
    await reborn;
    await runtime?.receiveMessage(message);
  };

  try {
    await converse(vendor, say, read);
    if (point) await reborn;
    return { writes: first.seen.writes, entries: await read(), tickets: ticketsOf(vendor), marked: await markedTexts(store, await read()) };
  } catch (error) {
    const facts = {
      point,
      writes: first.seen.writes,
      entries: await read(),
      tickets: ticketsOf(vendor),
      calls: vendor.backend.calls.map(({ method, path }) => `${method} ${path}`),
    };
    throw new Error(`It did not go on: ${JSON.stringify(facts)}`, { cause: error });
  } finally {
    await runtime?.stop();
    await server.close();
    await vendor.close();
    await place.remove();
  }
}

/** Both sides speak before, in and after the handover. */
async function converse(
  { backend }: TestVendor,
  say: (id: string, text: string) => Promise<void>,
  read: () => Promise<readonly StoredEntry[]>,
): Promise<void> {
  const until = (what: (entries: readonly StoredEntry[]) => boolean) =>
    expect.poll(async () => what(await read()), { interval: 5, timeout: 10_000 }).toBe(true);
  const shows = (text: string) => until((entries) => entries.some((entry) => entry.text === text));
  const arrives = (text: string) =>
    backend.waitFor(([one]) => one?.messages.some((line) => line.text === text) ?? false, { timeoutMs: 10_000 });
  await say("1", "hello");
  await shows("echo hello");
  await say("2", "agent");
  await say("3", "first");
  await arrives("first");
  const ticket = backend.conversations()[0]!.id;
  await backend.agentAccepts(ticket);
  await backend.agentSays(ticket, "answer one");
  await say("4", "second");
  await backend.agentSays(ticket, "answer two");
  await shows("answer two");
  await arrives("second");
  await backend.agentCloses(ticket);
  await shows("back: completed");
  await say("5", "bye");
  await shows("echo bye");
}

function ticketsOf({ backend }: TestVendor): Outcome["tickets"] {
  return backend.conversations().map(({ status, messages }) => ({
    status,
    said: messages.filter(({ author }) => author !== "agent").map(({ text }) => text),
  }));
}

/** Parts that may be at the desk twice, as the store says. */
async function markedTexts(store: Store, entries: readonly StoredEntry[]): Promise<string[]> {
  const handover = entries.find((entry) => entry.handover !== undefined)?.handover ?? "";
  const parts = await Promise.all(entries.map(({ seq }) => store.readParts(handover, 1, seq)));
  return parts
    .flat()
    .filter(({ isPossiblyDuplicated }) => isPossiblyDuplicated)
    .map(({ part }) => part.message.text ?? "");
}
