import type { HandoverProvider, Logger } from "@handover/core";
import {
  createHandoverRuntime,
  type Bot,
  type Commit,
  type CommitResult,
  type EndpointOptions,
  type HandoverRuntime,
  type Store,
  type Timing,
} from "@handover/runtime";
import { createDice, type Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** One process with a runtime in it. It can be killed: then nothing of it ever happens again. */
export interface ModelProcess {
  readonly name: string;
  readonly runtime: HandoverRuntime;
  /** Its start has returned, and it was not told to stop. */
  readonly isReady: boolean;
  isFrozen: boolean;
  stop(): Promise<void>;
}

/** What a process is made of. */
export interface ProcessParts {
  readonly name: string;
  readonly stage: Stage;
  readonly story: Story;
  /** The store on which it runs, opened by it. */
  readonly store: Store;
  readonly losesHints: boolean;
  readonly provider: HandoverProvider;
  readonly vendors: readonly string[];
  readonly endpoint: EndpointOptions;
  readonly bot: Bot | undefined;
  /** Sees every commit with its result, in the moment in which it is made. */
  onCommit(process: string, commit: Commit, result: CommitResult): void;
  /** Sees under which name the process claims. */
  onClaim(owner: string, process: string): void;
  /** Sees what was pushed. */
  onPush(process: string, seq: number): Promise<void>;
  /** Who writes now, for the hints: set while a process writes. */
  readonly writer: { name: string };
}

/** Short times, so that less has to happen until things are settled; in the proportions of production. */
export const modelTiming = {
  startTimeoutMs: 15_000,
  startDoubtMs: 4_000,
  callTimeoutMs: 5_000,
  messageRetryMs: 20_000,
  connectionRetryMs: 60_000,
  retryFirstMs: 100,
  retryMaximumMs: 8_000,
  reorderWindowMs: 300,
  echoWaitMs: 500,
  catchUpIntervalMs: 20_000,
  parkMs: 120_000,
  botTimeoutMs: 4_000,
  botRetryMs: 20_000,
  leaseMs: 10_000,
  pollMs: 2_000,
  typingExpiryMs: 10_000,
  typingThrottleMs: 3_000,
  stallMs: 30_000,
} satisfies Partial<Timing>;

const writing = new Set<string>(["commit", "receive", "note", "claim", "renew", "release", "expireParked", "writeMemory", "claimMemory"]);
const direct = new Set<string>(["open", "close", "publish", "subscribe", "isShared"]);

/** Begins a process; it is ready once its start has run. */
export async function beginProcess(parts: ProcessParts): Promise<ModelProcess> {
  const { name, stage, story } = parts;
  const tellLog = (level: keyof Logger) => (message: string) => story.tell(name, () => `[${level}] ${message}`);
  const logger: Logger = { debug: () => undefined, info: tellLog("info"), warn: tellLog("warn"), error: tellLog("error") };
  const dice = createDice(Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 7));
  const runtime = await createHandoverRuntime({
    store: stagedStore(parts),
    providers: [parts.provider],
    connections: Object.fromEntries(
      parts.vendors.map((vendor) => [vendor, { provider: "model", settings: { vendor }, webhookSecrets: ["0123456789abcdef"] }]),
    ),
    endpoints: [parts.endpoint],
    ...(parts.bot ? { bot: parts.bot } : {}),
    clock: { now: stage.now, after: (delayMs, callback) => stage.after(name, delayMs, callback) },
    random: { number: dice, bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(dice() * 256)) },
    timing: modelTiming,
    logger,
  });
  runtime.onEntry((entry) => parts.onPush(name, entry.seq));
  let isReady = false;
  let isStopping = false;
  void runtime.start().then(() => {
    isReady = true;
    story.tell(name, () => "is ready");
  });
  return {
    name,
    runtime,
    isFrozen: false,
    get isReady() {
      return isReady && !isStopping;
    },
    stop() {
      isStopping = true;
      return runtime.stop();
    },
  };
}

/** Every call of the store waits for its turn; a write has a second turn for its answer, so that a crash fits in between. */
function stagedStore({ name, stage, story, store, losesHints, writer, onCommit, onClaim }: ProcessParts): Store {
  const staged = <Result>(isWrite: boolean, what: string, call: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      stage.add(name, isWrite ? "write" : "read", () => {
        writer.name = name;
        const result = call();
        writer.name = "";
        const settle = () => void result.then(resolve, reject);
        if (!isWrite) return settle();
        result.catch((error: unknown) => story.tell(name, () => `${what} failed: ${String(error)}`));
        stage.add(name, "written", settle);
      });
    });

  async function commitAndLook(given: Commit): Promise<CommitResult> {
    const result = await store.commit(given);
    onCommit(name, given, result);
    return result;
  }

  function watch(listener: (conversation: string) => void): () => void {
    const pending = new Set<string>();
    return store.watch((key) => {
      if (pending.has(key) || (losesHints && writer.name !== name)) return;
      pending.add(key);
      stage.add(name, "hint", () => {
        pending.delete(key);
        listener(key);
      });
    });
  }

  return new Proxy(store, {
    get(target, property) {
      const method = String(property) as keyof Store;
      if (method === "watch") return watch;
      if (method === "publish") return () => undefined;
      const value: unknown = Reflect.get(target, property);
      if (direct.has(method) || typeof value !== "function") return value;
      const original = value as (...given: unknown[]) => Promise<unknown>;
      if (method === "commit") return (given: Commit) => staged(true, "commit", () => commitAndLook(given));
      if (method === "claim") {
        return (request: Parameters<Store["claim"]>[0]) => {
          onClaim(request.owner, name);
          return staged(true, "claim", () => store.claim(request));
        };
      }
      return (...given: unknown[]) => staged(writing.has(method), method, () => original(...given));
    },
  });
}
