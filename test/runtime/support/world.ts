import type { Logger } from "@handover/core";
import {
  createHandoverRuntime,
  type Bot,
  type EndpointOptions,
  type HandoverRuntime,
  type HandoverRuntimeOptions,
  type Store,
  type Timing,
} from "@handover/runtime";
import { createTestVendor, type TestVendor, type TestVendorOptions } from "@handover/testkit";
import { record, type Recorder } from "./recorder.ts";
import { startWebhookServer } from "./webhook-server.ts";
import { createWorldStore, makeMortal, type MortalStore, type StoreName } from "./world-store.ts";

/** Short times, so that what takes a minute in production takes a moment here. */
export const quickTiming: Partial<Timing> = {
  retryFirstMs: 10,
  retryMaximumMs: 200,
  reorderWindowMs: 60,
  echoWaitMs: 20,
  callTimeoutMs: 3_000,
  startDoubtMs: 500,
  pollMs: 50,
};

/** A log line, for tests that look at what was written. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A runtime on a store of its own with a test vendor behind it. Where several run, messages and webhooks go to them in turn. */
export interface World {
  readonly vendor: TestVendor;
  /** The runtime that has run longest; another one after `restart`. */
  readonly runtime: HandoverRuntime;
  /** Those that run, the oldest first. */
  readonly runtimes: readonly HandoverRuntime[];
  readonly log: LogLine[];
  say(conversation: string, id: string, text: string): Promise<{ readonly seq: number }>;
  record(conversation: string, through?: HandoverRuntime): Recorder;
  /** Starts one more runtime on the same store: another instance on PostgreSQL; on SQLite only when none runs. */
  another(): Promise<HandoverRuntime>;
  /** Resolves when nobody has waited for the store for a moment: before a manual clock goes on. */
  quiet(): Promise<void>;
  /**
   * Ends a runtime as `kill -9` ends a process: nothing more of it reaches the store, no claim is given back. A call that is
   * on its way to the vendor arrives. Default: `runtime`. Not for a store that the test brought itself.
   */
  kill(runtime?: HandoverRuntime): Promise<void>;
  /** Stops `runtime` and starts another one on the same store. */
  restart(): Promise<void>;
  /** Default: `runtime`. */
  stopRuntime(runtime?: HandoverRuntime): Promise<void>;
  close(): Promise<void>;
}

/** How a world is made. */
export interface WorldOptions {
  /** Default: `sqlite`. */
  readonly store?: StoreName;
  readonly vendor?: TestVendorOptions;
  /** More vendors by connection name; the first one is called `desk`. */
  readonly others?: Readonly<Record<string, TestVendor>>;
  /** Default: `echoBot`. */
  readonly bot?: Bot;
  /** `false`: the bot lives elsewhere, as an integrator's own would. */
  readonly hasBot?: boolean;
  readonly handover?: Partial<EndpointOptions["handover"]>;
  readonly timing?: Partial<Timing>;
  readonly runtime?: Partial<HandoverRuntimeOptions>;
  /** Stands between each runtime and its store: for one that is slow or fails. */
  readonly wrapStore?: (store: Store) => Store;
}

/** A bot that asks for a person on "agent" and otherwise repeats what it heard. */
export const echoBot: Bot = {
  name: "Echo",
  async answer({ message, event }) {
    if (event) return { messages: [{ text: `back: ${event.reason ?? event.type}` }] };
    const text = message?.text ?? "";
    return /\bagent\b/.test(text) ? { handover: {}, messages: [{ text: "one moment" }] } : { messages: [{ text: `echo ${text}` }] };
  },
};

const quietTurns = 20;

/** A runtime of a world, and the store that it alone uses. */
interface Instance {
  readonly runtime: HandoverRuntime;
  readonly mortal?: MortalStore;
}

/** Opens a world; close it when the test is over. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const place = await createWorldStore(options.store ?? "sqlite");
  const vendor = await createTestVendor(options.vendor);
  const { log, logger } = createLog();
  const recorders: Recorder[] = [];
  const vendors: Record<string, TestVendor> = { desk: vendor, ...options.others };
  const running: Instance[] = [];
  let last: HandoverRuntime | undefined;
  let turn = 0;
  const orLast = (runtime: HandoverRuntime | undefined) => {
    const found = runtime ?? last;
    if (found) return found;
    throw new Error("No runtime runs.");
  };
  const oldest = () => orLast(running[0]?.runtime);
  const inTurn = () => orLast(running[turn++ % running.length]?.runtime);
  const server = await startWebhookServer((request) => {
    const [, , , connection = ""] = new URL(request.url).pathname.split("/");
    const isAnybodyThere = running.length > 0 || last !== undefined;
    return isAnybodyThere ? inTurn().handleWebhook(connection, request) : Promise.resolve(new Response(null, { status: 502 }));
  });

  async function another(): Promise<HandoverRuntime> {
    const mortal = options.runtime?.store ? undefined : makeMortal(place.create(options.runtime?.clock));
    const store = mortal?.store ?? options.runtime?.store;
    if (!store) throw new Error("A world has a store.");
    const runtime = await createHandoverRuntime({
      providers: [vendor.provider],
      connections: Object.fromEntries(
        Object.entries(vendors).map(([name, { settings }]) => [name, { provider: vendor.provider.name, settings }]),
      ),
      endpoints: [
        {
          token: "web",
          ...(options.hasBot === false ? {} : { bot: options.bot ?? echoBot }),
          handover: { connections: Object.keys(vendors), ...options.handover },
        },
      ],
      publicUrl: server.url,
      logger,
      ...options.runtime,
      store: options.wrapStore?.(store) ?? store,
      timing: { ...quickTiming, ...options.timing },
    });
    last = runtime;
    await runtime.start();
    running.push({ runtime, ...(mortal ? { mortal } : {}) });
    for (const { name, webhookUrl } of runtime.connections()) if (webhookUrl) vendors[name]?.backend.setWebhookUrl(webhookUrl);
    return runtime;
  }

  /** Takes it out first: what comes in meanwhile goes to the others. */
  function takeOut(runtime: HandoverRuntime): Instance | undefined {
    const index = running.findIndex((instance) => instance.runtime === runtime);
    return index < 0 ? undefined : running.splice(index, 1)[0];
  }

  async function stopRuntime(runtime = oldest()): Promise<void> {
    takeOut(runtime);
    await runtime.stop();
  }

  await another();
  return {
    vendor,
    get runtime() {
      return oldest();
    },
    get runtimes() {
      return running.map(({ runtime }) => runtime);
    },
    log,
    say: (conversation, id, text) => inTurn().receiveMessage({ endpoint: "web", conversation, message: { id, text } }),
    record(conversation, through = oldest()) {
      const recorder = record(through, { endpoint: "web", conversation });
      recorders.push(recorder);
      return recorder;
    },
    another,
    async quiet() {
      for (let turns = 0; turns < quietTurns; turns += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        if (running.some(({ mortal }) => (mortal?.callCount ?? 0) > 0)) turns = 0;
      }
    },
    async kill(runtime = oldest()) {
      const killed = takeOut(runtime);
      if (!killed?.mortal) throw new Error("Only a runtime that runs, on a store of the world, can be killed.");
      if (running.length === 0) last = undefined;
      await killed.mortal.kill();
    },
    async restart() {
      await stopRuntime();
      await another();
    },
    stopRuntime,
    async close() {
      for (const recorder of recorders) recorder.stop();
      await Promise.all(running.splice(0).map(({ runtime }) => runtime.stop()));
      await server.close();
      for (const { close } of Object.values(vendors)) await close();
      await place.remove();
    },
  };
}

function createLog(): { readonly log: LogLine[]; readonly logger: Logger } {
  const log: LogLine[] = [];
  const write =
    (level: keyof Logger) =>
    (message: string, fields: object = {}) =>
      void log.push({ level, message, fields: { ...fields } });
  return { log, logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") } };
}
