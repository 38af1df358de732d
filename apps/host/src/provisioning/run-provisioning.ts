import { randomBytes } from "node:crypto";
import {
  HandoverError,
  parseConfig,
  type HandoverProvider,
  type Json,
  type Logger,
  type MemoryScope,
  type ProviderContext,
  type ProvisioningCall,
} from "@handover/core";
import { readWebhookSecret, type Store } from "@handover/runtime";
import type { HostConfiguration } from "../configuration/host-configuration.ts";
import { provisionedScope } from "./overlays.ts";

const scope = "host:provisioning";
const lockMs = 600_000;

interface ProvisioningRequest {
  readonly connection: string;
  readonly provider: HandoverProvider & Required<Pick<HandoverProvider, "provisioning">>;
  readonly input: unknown;
  readonly store: Store;
  readonly configuration: HostConfiguration;
  readonly logger: Logger;
}

/** A run that has begun; the next one goes on with its id and progress. */
interface Run {
  readonly id: string;
  readonly progress?: Json;
}

/**
 * Runs a provider's provisioning under a lock and keeps progress and result in the store.
 * @throws HandoverError `PROVISIONING_RUNS`, and what the provider says
 */
export async function runProvisioning(request: ProvisioningRequest): Promise<{ settings: readonly string[]; notes: readonly string[] }> {
  const { connection, provider, store } = request;
  const unlock = await lock(store, connection);
  try {
    const run = ((await store.readMemory(scope, `${connection}:run`)) as Run | undefined) ?? { id: randomId() };
    await store.writeMemory(scope, `${connection}:run`, { ...run });
    const made = await provider.provisioning.run(request.input, await createContext(request), createCall(request, run));
    checkResult(request, made.settings);
    await store.writeMemory(provisionedScope, connection, made.settings);
    await store.writeMemory(scope, `${connection}:run`, undefined);
    return { settings: Object.keys(made.settings), notes: made.notes };
  } finally {
    await unlock();
  }
}

/** The file wins over what was made, so both together have to be settings. */
function checkResult({ connection, provider, configuration }: ProvisioningRequest, made: Readonly<Record<string, Json>>): void {
  const inFile = configuration.connections.find(({ name }) => name === connection)?.settings as
    Readonly<Record<string, unknown>> | undefined;
  parseConfig(provider.settings, { ...made, ...inFile }, `The settings of "${connection}" after provisioning`);
}

/** A lock of a process that died runs out. */
async function lock(store: Store, connection: string): Promise<() => Promise<void>> {
  const key = `${connection}:lock`;
  const mine = { owner: randomId(), untilMs: Date.now() + lockMs };
  const holder = (await store.claimMemory(scope, key, mine)) as typeof mine;
  if (holder.owner !== mine.owner && holder.untilMs > Date.now()) {
    const message = `Another provisioning of "${connection}" runs. Wait for it, at most ${lockMs / 60_000} minutes.`;
    throw new HandoverError({ code: "PROVISIONING_RUNS", message, isRetryable: true });
  }
  if (holder.owner !== mine.owner) await store.writeMemory(scope, key, mine);
  return () => store.writeMemory(scope, key, undefined);
}

function createCall({ store, connection, logger }: ProvisioningRequest, run: Run): ProvisioningCall {
  const deadlineMs = Date.now() + lockMs;
  return {
    signal: AbortSignal.timeout(lockMs),
    deadlineMs,
    idempotencyKey: run.id,
    attempt: 1,
    logger,
    tracer: { span: (_name, _attributes, step) => step() },
    readAttachment: async () => {
      throw new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: "Provisioning has no attachments." });
    },
    ...(run.progress === undefined ? {} : { resume: run.progress }),
    checkpoint: (progress) => store.writeMemory(scope, `${connection}:run`, { id: run.id, progress }),
  };
}

async function createContext({ connection, provider, store, configuration, logger }: ProvisioningRequest): Promise<ProviderContext> {
  const { publicUrl } = configuration;
  const configured = configuration.connections.find(({ name }) => name === connection)?.webhookSecrets?.[0];
  const secret = configured ?? (await readWebhookSecret(store, connection));
  const values = new Map<string, Json>();
  return {
    connection,
    clock: { now: Date.now },
    random: { bytes: (count) => new Uint8Array(randomBytes(count)), number: () => randomBytes(4).readUInt32BE() / 2 ** 32 },
    logger,
    ...(publicUrl === undefined ? {} : { webhookUrl: `${publicUrl}/handover/${provider.name}/${connection}/${secret}` }),
    cache: { get: (key) => values.get(key), set: (key, value) => void values.set(key, value), delete: (key) => void values.delete(key) },
    memory: { account: memoryScope(store, connection, "account"), user: (user) => memoryScope(store, connection, `user:${user}`) },
  };
}

function memoryScope(store: Store, connection: string, name: string): MemoryScope {
  const inStore = `${scope}:${connection}:${name}`;
  return {
    get: (key) => store.readMemory(inStore, key),
    set: (key, value) => store.writeMemory(inStore, key, value),
    delete: (key) => store.writeMemory(inStore, key, undefined),
  };
}

function randomId(): string {
  return randomBytes(16).toString("base64url");
}
