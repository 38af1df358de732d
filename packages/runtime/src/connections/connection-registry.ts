import {
  InvalidConfigError,
  parseConfig,
  ProviderNotRegisteredError,
  didYouMean,
  type Call,
  type ConfigIssue,
  type HandoverConnection,
  type HandoverProvider,
  type Json,
} from "@handover/core";
import { RuntimeError } from "../errors.ts";
import type { ConnectionOptions, HandoverRuntimeOptions } from "../options.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { AccountGate } from "./account-gate.ts";
import { findRateLimitProblem, openAccountGates, type AccountGates } from "./account-gates.ts";
import { createCache, createMemory } from "./memory.ts";
import { readWebhookSecret } from "./webhook-secrets.ts";

/** A configured connection of the runtime. */
export interface Connection {
  readonly name: string;
  readonly provider: HandoverProvider;
  readonly options: Readonly<Record<string, Json>>;
  /** The provider's connection. @throws RuntimeError `NOT_RUNNING` before the start */
  readonly handle: HandoverConnection;
  readonly gate: AccountGate;
  /** The secrets that its webhook URL may end in. */
  readonly secrets: readonly string[];
  readonly webhookUrl?: string;
  /** Runs the provider's `prepare` once. */
  prepare(call: Call): Promise<void>;
}

/** All connections by name. */
export interface ConnectionRegistry {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws RuntimeError `CONNECTION_NOT_FOUND` */
  get(name: string): Connection;
  /** Makes the secrets and the provider's connections. Called once, when the store is open. */
  open(context: RuntimeContext): Promise<void>;
  close(): Promise<void>;
}

interface CheckedConnection {
  readonly name: string;
  readonly provider: HandoverProvider;
  readonly settings: unknown;
  readonly configured: ConnectionOptions;
}

interface OpenConnection {
  readonly handle: HandoverConnection;
  readonly secrets: readonly string[];
  readonly webhookUrl?: string;
}

/**
 * Checks every connection's provider and settings.
 * @throws InvalidConfigError with the problems of all connections
 */
export function createConnectionRegistry(options: HandoverRuntimeOptions): ConnectionRegistry {
  const checked = checkConnections(options);
  const open = new Map<string, OpenConnection>();
  let gates: AccountGates | undefined;
  const gateOf = (accountKey: string) => gates?.get(accountKey);
  const connections = new Map(checked.map((item) => [item.name, toConnection(item, open, gateOf)]));
  return {
    names: [...connections.keys()],
    has: (name) => connections.has(name),
    get(name) {
      const connection = connections.get(name);
      if (connection) return connection;
      throw new RuntimeError(
        "CONNECTION_NOT_FOUND",
        `There is no connection "${name}". Configured: ${[...connections.keys()].join(", ") || "none"}.`,
      );
    },
    async open(context) {
      for (const item of checked) open.set(item.name, await openConnection(context, item));
      const limited = checked.flatMap(({ name, configured }) => {
        const handle = open.get(name)?.handle;
        return handle ? [{ handle, configured: configured.rateLimit }] : [];
      });
      gates = openAccountGates(context, limited);
    },
    async close() {
      gates?.close();
      const closing = [...open.values()].map(async ({ handle }) => handle.close?.());
      await Promise.allSettled(closing);
      open.clear();
    },
  };
}

function checkConnections(options: HandoverRuntimeOptions): CheckedConnection[] {
  const issues: ConfigIssue[] = [];
  const checked: CheckedConnection[] = [];
  const names = options.providers.map((provider) => provider.name);
  for (const [name, configured] of Object.entries(options.connections)) {
    try {
      const provider = options.providers.find((candidate) => candidate.name === configured.provider);
      if (!provider) throw notRegistered(configured.provider, names);
      const subject = `The settings of connection "${name}" (${provider.name})`;
      checked.push({ name, provider, configured, settings: parseConfig(provider.settings, configured.settings, subject) });
      if ((configured.webhookSecrets?.length ?? 0) > 2)
        issues.push({ path: ["connections", name, "webhookSecrets"], message: "holds at most two secrets" });
      if (configured.webhookSecrets?.some((secret) => !/^[A-Za-z0-9_-]{16,128}$/.test(secret)))
        issues.push({
          path: ["connections", name, "webhookSecrets"],
          message: "each secret needs 16 to 128 letters, digits, dashes or underscores",
        });
      const problem = configured.rateLimit && findRateLimitProblem(configured.rateLimit);
      if (problem) issues.push({ path: ["connections", name, "rateLimit"], message: problem });
    } catch (error) {
      issues.push(...toIssues(name, error));
    }
  }
  if (issues.length > 0) throw new InvalidConfigError({ subject: "The runtime's connections", issues });
  return checked;
}

function notRegistered(provider: string, registered: readonly string[]): ProviderNotRegisteredError {
  const suggestion = didYouMean(provider, registered);
  return new ProviderNotRegisteredError({ provider, registered, ...(suggestion ? { suggestion } : {}) });
}

function toIssues(name: string, error: unknown): ConfigIssue[] {
  if (InvalidConfigError.isInstance(error)) {
    return error.issues.map((issue) => ({ ...issue, path: ["connections", name, "settings", ...issue.path] }));
  }
  if (ProviderNotRegisteredError.isInstance(error)) return [{ path: ["connections", name, "provider"], message: error.message }];
  throw error;
}

function toConnection(
  item: CheckedConnection,
  open: ReadonlyMap<string, OpenConnection>,
  gateOf: (accountKey: string) => AccountGate | undefined,
): Connection {
  let prepared: Promise<void> | undefined;
  const opened = () => {
    const found = open.get(item.name);
    if (found) return found;
    throw new RuntimeError("NOT_RUNNING", "The runtime is not running: call start() first.");
  };
  return {
    name: item.name,
    provider: item.provider,
    options: item.configured.options ?? {},
    get handle() {
      return opened().handle;
    },
    get gate() {
      return gateOf(opened().handle.accountKey) as AccountGate;
    },
    get secrets() {
      return opened().secrets;
    },
    get webhookUrl() {
      return open.get(item.name)?.webhookUrl;
    },
    prepare(call) {
      if (prepared) return prepared;
      const mine = (opened().handle.prepare?.(call) ?? Promise.resolve()).catch((error: unknown) => {
        forget();
        throw error;
      });
      const forget = () => {
        if (prepared === mine) prepared = undefined;
        call.signal.removeEventListener("abort", forget);
      };
      // One that hangs is begun anew by whoever comes after the deadline of this call.
      call.signal.addEventListener("abort", forget, { once: true });
      void mine.then(
        () => call.signal.removeEventListener("abort", forget),
        () => undefined,
      );
      prepared = mine;
      return mine;
    },
  } as Connection;
}

async function openConnection(context: RuntimeContext, item: CheckedConnection): Promise<OpenConnection> {
  const { name, provider, configured } = item;
  const secrets = configured.webhookSecrets?.length
    ? configured.webhookSecrets
    : [await readWebhookSecret(context.store, name, context.random)];
  const base = context.publicUrl?.replace(/\/+$/, "");
  const webhookUrl = base === undefined ? undefined : `${base}/handover/${provider.name}/${encodeURIComponent(name)}/${secrets[0] ?? ""}`;
  const handle = provider.connect(item.settings, {
    connection: name,
    clock: context.clock,
    random: context.random,
    logger: context.logger,
    cache: createCache(context.clock),
    memory: lazyMemory(context, () => handle.accountKey),
    ...(context.dispatcher ? { dispatcher: context.dispatcher } : {}),
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
  });
  const takesWebhooks = handle.receiveWebhook !== undefined;
  return { handle, secrets, ...(webhookUrl !== undefined && takesWebhooks ? { webhookUrl } : {}) };
}

/** The account is known only once `connect` has returned; the memory is not used before. */
function lazyMemory(context: RuntimeContext, accountKey: () => string) {
  const memory = () => createMemory(context.store, accountKey());
  return {
    account: {
      get: (key: string) => memory().account.get(key),
      set: (key: string, value: Json) => memory().account.set(key, value),
      delete: (key: string) => memory().account.delete(key),
    },
    user: (userKey: string) => memory().user(userKey),
  };
}
