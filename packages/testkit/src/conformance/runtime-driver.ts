import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bot, Entry, HandoverRuntime, Store, VisibleEntry } from "@handover/runtime";
import { createHandoverRuntime } from "@handover/runtime";
import type { ConformanceBackend, ConformanceConversation } from "./conformance-backend.ts";
import { createLineLogger } from "./driver-context.ts";
import { startGateway, type Gateway } from "./gateway.ts";
import { startLoopbackServer, type LoopbackRequest } from "./loopback-server.ts";
import type { ConformanceOptions } from "./suite.ts";

/** A real runtime on a store in a temporary folder, with the provider and its contact centre. */
export interface RuntimeDriver {
  readonly runtime: HandoverRuntime;
  readonly backend: ConformanceBackend;
  readonly gateway: Gateway;
  /** The webhooks that came, for sending them again. */
  readonly webhooks: LoopbackRequest[];
  /** What was pushed to the channel so far. */
  readonly pushed: Entry[];
  /** What the bot says as soon as somebody answers; nothing by default. */
  botText: string | undefined;
  /** While true, webhooks are answered 200 and lost. */
  isLosingWebhooks: boolean;
  sendAgain(webhook: LoopbackRequest): Promise<number>;
  /** Writes as the user of the one conversation. */
  write(id: string, text: string): Promise<void>;
  /** What the user sees so far. */
  entries(): Promise<readonly VisibleEntry[]>;
  /** Texts of one side, as the user sees them. */
  texts(role: "user" | "bot" | "agent" | "system"): Promise<readonly string[]>;
  /** The one conversation at the desk. */
  desk(): Promise<ConformanceConversation>;
  /** Waits until something holds, at most ten seconds; `describe` says what was hoped for. */
  until(describe: string, isSo: () => Promise<boolean>): Promise<void>;
  /** Asks for an agent and waits until the desk has the conversation. */
  openHandover(): Promise<string>;
  /** Stops the runtime as a deployment does, and starts another one on the same data. */
  restart(whileDown: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

const address = { endpoint: "conformance", conversation: "conversation of the suite" };
const webhookSecret = "conformance-webhook-secret-0123456789";
const limitMs = 10_000;
const pauseMs = 10;

/** Times for tests: as in production, but faster. */
const timing = {
  retryFirstMs: 10,
  retryMaximumMs: 200,
  reorderWindowMs: 50,
  echoWaitMs: 100,
  catchUpIntervalMs: 150,
  pollMs: 50,
  startDoubtMs: 500,
};

/** Starts a runtime on an emptied contact centre. */
export async function openRuntimeDriver(
  options: ConformanceOptions & { readonly createStore: StoreFactory },
  ownTiming: { readonly reorderWindowMs?: number } = {},
): Promise<RuntimeDriver> {
  const { backend, provider } = options;
  const folder = await mkdtemp(join(tmpdir(), "handover-conformance-"));
  const lines: string[] = [];
  await backend.reset();
  const gateway = await startGateway();
  const webhooks: LoopbackRequest[] = [];
  const pushed: Entry[] = [];
  const server = await startLoopbackServer(async (request, response) => {
    webhooks.push(request);
    if (driver.isLosingWebhooks) return void response.writeHead(200).end();
    const answer = await handle(request);
    response.writeHead(answer.status).end(await answer.text());
  });

  const handle = (request: LoopbackRequest): Promise<Response> => {
    const { host: _host, connection: _connection, "content-length": _length, ...headers } = request.headers;
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const body = hasBody ? { body: new Uint8Array(request.body) } : {};
    return driver.runtime.handleWebhook("desk", new Request(server.origin + request.url, { method: request.method, headers, ...body }));
  };
  const bot: Bot = {
    events: ["active"],
    answer: async ({ event }) => (event && driver.botText !== undefined ? { messages: [{ text: driver.botText }] } : {}),
  };
  const createRuntime = async (): Promise<HandoverRuntime> => {
    const runtime = await createHandoverRuntime({
      store: options.createStore({ path: join(folder, "handover.db") }),
      providers: [provider],
      connections: {
        desk: { provider: provider.name, settings: options.settings, options: options.options ?? {}, webhookSecrets: [webhookSecret] },
      },
      endpoints: [{ token: address.endpoint, bot, handover: { connections: ["desk"] } }],
      publicUrl: server.origin,
      dispatcher: gateway.dispatcher,
      timing: { ...timing, ...ownTiming },
      logger: createLineLogger(lines),
    });
    runtime.onEntry(async (entry) => void pushed.push(entry));
    await runtime.start();
    return runtime;
  };

  const driver: Mutable<RuntimeDriver> = {
    runtime: await createRuntime(),
    backend,
    gateway,
    webhooks,
    pushed,
    botText: undefined,
    isLosingWebhooks: false,
    sendAgain: async (webhook) => (await handle(webhook)).status,
    async write(id, text) {
      await driver.runtime.receiveMessage({ ...address, message: { id, text } });
    },
    entries: () => readEntries(driver.runtime),
    texts: async (role) => (await driver.entries()).flatMap((entry) => (entry.author?.role === role ? (entry.text ?? []) : [])),
    async desk() {
      const conversations = await backend.conversations();
      const [conversation] = conversations;
      if (!conversation || conversations.length > 1) throw new Error(`The desk has ${conversations.length} conversations instead of one.`);
      return conversation;
    },
    until: (describe, isSo) =>
      waitUntil(describe, isSo, async () => JSON.stringify([await driver.entries(), await backend.conversations(), lines])),
    async openHandover() {
      await driver.write("question", "I need help.");
      await driver.runtime.requestHandover(address);
      await driver.until("the handover is queued", async () => (await statuses(driver)).includes("queued"));
      return (await driver.desk()).id;
    },
    async restart(whileDown) {
      await driver.runtime.stop();
      await whileDown();
      driver.runtime = await createRuntime();
    },
    async close() {
      gateway.setFaults(undefined);
      await backend.settle();
      await driver.runtime.stop();
      await server.close();
      await gateway.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const webhookUrl = driver.runtime.connections()[0]?.webhookUrl;
  if (webhookUrl) await backend.setWebhookUrl(webhookUrl);
  return driver;
}

/** Makes a store that keeps its data at a path: `createSqliteStore` is one. */
export type StoreFactory = (options: { readonly path: string }) => Store;

/** Ends the handover of the suite's conversation as its user. */
export async function endByUser(driver: RuntimeDriver): Promise<void> {
  await driver.runtime.endHandover({ ...address, actor: "user" });
}

/** The statuses that the user was shown, in order. */
export async function statuses(driver: Pick<RuntimeDriver, "entries">): Promise<string[]> {
  return (await driver.entries()).flatMap(({ status }) => status ?? []);
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** Everything that is in the log: the stream is cut off when nothing more comes at once. */
async function readEntries(runtime: HandoverRuntime): Promise<VisibleEntry[]> {
  const entries: VisibleEntry[] = [];
  const controller = new AbortController();
  const stream = runtime.follow({ ...address, signal: controller.signal })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([stream.next(), pause(pauseMs).then(() => undefined)]);
    if (!next || next.done) break;
    if (isVisible(next.value)) entries.push(next.value);
  }
  controller.abort();
  return entries;
}

function isVisible(entry: Entry): entry is VisibleEntry {
  return entry.kind !== "hidden";
}

async function waitUntil(describe: string, isSo: () => Promise<boolean>, explain: () => Promise<string>): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`Not so after ${limitMs} ms: ${describe}. ${await explain()}`);
    await pause(pauseMs);
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
