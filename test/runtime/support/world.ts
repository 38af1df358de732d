import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "@handover/core";
import {
  createHandoverRuntime,
  type Bot,
  type EndpointOptions,
  type HandoverRuntime,
  type HandoverRuntimeOptions,
  type Timing,
} from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";
import { createTestVendor, type TestVendor, type TestVendorOptions } from "@handover/testkit";
import { record, type Recorder } from "./recorder.ts";
import { startWebhookServer } from "./webhook-server.ts";

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

/** A runtime on SQLite with a test vendor behind it. */
export interface World {
  readonly vendor: TestVendor;
  /** The runtime that runs now; another one after `restart`. */
  readonly runtime: HandoverRuntime;
  readonly log: LogLine[];
  say(conversation: string, id: string, text: string): Promise<{ readonly seq: number }>;
  record(conversation: string): Recorder;
  /** Stops the runtime and starts another one on the same store. */
  restart(): Promise<void>;
  stopRuntime(): Promise<void>;
  close(): Promise<void>;
}

/** How a world is made. */
export interface WorldOptions {
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

/** Opens a world; close it when the test is over. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "handover-world-"));
  const vendor = await createTestVendor(options.vendor);
  const log: LogLine[] = [];
  const write =
    (level: keyof Logger) =>
    (message: string, fields: object = {}) =>
      void log.push({ level, message, fields: { ...fields } });
  const logger: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const recorders: Recorder[] = [];
  let runtime: HandoverRuntime;
  const server = await startWebhookServer((request) => {
    const [, , , connection = ""] = new URL(request.url).pathname.split("/");
    return runtime.handleWebhook(connection, request);
  });
  const vendors: Record<string, TestVendor> = { desk: vendor, ...options.others };

  async function start(): Promise<void> {
    runtime = await createHandoverRuntime({
      store: createSqliteStore({ path: join(folder, "handover.db"), ...(options.runtime?.clock ? { clock: options.runtime.clock } : {}) }),
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
      timing: { ...quickTiming, ...options.timing },
    });
    await runtime.start();
    for (const { name, webhookUrl } of runtime.connections()) if (webhookUrl) vendors[name]?.backend.setWebhookUrl(webhookUrl);
  }

  await start();
  return {
    vendor,
    get runtime() {
      return runtime;
    },
    log,
    say: (conversation, id, text) => runtime.receiveMessage({ endpoint: "web", conversation, message: { id, text } }),
    record(conversation) {
      const recorder = record(runtime, { endpoint: "web", conversation });
      recorders.push(recorder);
      return recorder;
    },
    async restart() {
      await runtime.stop();
      await start();
    },
    stopRuntime: () => runtime.stop(),
    async close() {
      for (const recorder of recorders) recorder.stop();
      await runtime.stop();
      await server.close();
      for (const { close } of Object.values(vendors)) await close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
