// The host under chaos: the real runtime, stores, providers and routes, put together by hand so that store, providers, bot and
// push channel can be observed. It loads everything, says "warm", and starts when its standard input says so: a host that was
// killed is back in no time. It ends with its input, however that ended.
import { readFile } from "node:fs/promises";
import { flushCompileCache } from "node:module";
import { createInterface } from "node:readline";
import { createHttpBot, loadConfiguration } from "@handover/host";
import { createHandoverRuntime, type Bot, type HandoverRuntime, type Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { createSqliteStore } from "@handover/store-sqlite";
import { createConsoleLogger } from "../../../apps/host/src/logger.ts";
import { createServer } from "../../../apps/host/src/server/server.ts";
import type { Aim } from "./aim.ts";
import type { HostPlan } from "./host-plan.ts";
import { createKiller } from "./killer.ts";
import { observeProvider } from "./observed-provider.ts";
import { observeStore } from "./observed-store.ts";
import { createObserver } from "./observer.ts";
import { openStatusPage } from "./status-page.ts";

const plan = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as HostPlan;
const observer = createObserver(openStatusPage(plan.statusFile), createKiller());
const logger = createConsoleLogger((line) => void process.stderr.write(`${line}\n`));
const configuration = await loadConfiguration(plan.configurationFile, { environment: {}, readOverlays: async () => ({}) });
const store = observeStore(openStore(), observer);
const bot = observeBot(createHttpBot({ url: plan.botUrl, secret: plan.botSecret }));
const runtime = await createRuntime();
const server = await createServer({ configuration, runtime, logger, streamTimes: { commentEveryMs: 500, slowReaderMs: 10_000 } });

function openStore(): Store {
  if (plan.store.kind === "sqlite") return createSqliteStore({ path: plan.store.path, logger });
  return createPostgresStore({ connectionString: plan.store.connectionString, schema: plan.store.schema, poolSize: 6, logger });
}

function createRuntime(): Promise<HandoverRuntime> {
  return createHandoverRuntime({
    store,
    logger,
    providers: configuration.providers.map((provider) => observeProvider(provider, observer)),
    connections: Object.fromEntries(configuration.connections.map(({ name, origins: _origins, ...connection }) => [name, connection])),
    endpoints: [{ token: plan.endpoint, bot, handover: { connections: configuration.connections.map(({ name }) => name) } }],
    publicUrl: plan.publicUrl,
    timing: plan.timing,
  });
}

function observeBot(inner: Bot): Bot {
  return {
    ...inner,
    answer: (turn, call) =>
      observer.call("bot", `${turn.endpoint}/${encodeURIComponent(turn.conversation)}`, "bot", () => inner.answer(turn, call)),
  };
}

runtime.onEntry(async (entry) =>
  observer.call("push", `${entry.endpoint}/${encodeURIComponent(entry.conversation)}`, "push", async () => {
    const response = await fetch(plan.pushUrl, {
      method: "POST",
      body: JSON.stringify({ conversation: entry.conversation, seq: entry.seq }),
      signal: AbortSignal.timeout(2_000),
    });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`The push channel answered ${response.status}.`);
  }),
);

async function start(aim: Aim | undefined): Promise<void> {
  await runtime.start();
  await server.listen({ host: "127.0.0.1", port: plan.port });
  observer.take(aim);
  process.stdout.write("ready\n");
}

async function stop(): Promise<void> {
  await server.close();
  await runtime.stop();
  process.exit(0);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

process.on("SIGTERM", () => void stop().catch(fail));
createInterface({ input: process.stdin })
  .on("line", (line) => void start((JSON.parse(line) as { aim?: Aim }).aim).catch(fail))
  .on("close", () => process.exit(0));
// A process that is killed would not leave it to the next one.
flushCompileCache();
process.stdout.write("warm\n");
