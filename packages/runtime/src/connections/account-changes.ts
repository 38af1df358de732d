import { HandoverError, type Json, type Reference } from "@handover/core";
import { transact } from "../conversation/transact.ts";
import { changeAttempt, createDraft, draftCommit } from "../handover/draft.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { AttemptRecord, HandoverRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode } from "../support/describe-error.ts";
import { createSleeper } from "../support/sleeper.ts";
import { randomId } from "../support/system-random.ts";
import { callVendor } from "./call-vendor.ts";
import type { Connection } from "./connection-registry.ts";

/**
 * Asks accounts which of their conversations changed, where a connection can say so: then only these are compared, and not every
 * open handover. Of several instances one asks at a time; what it learns is written into the handovers.
 */
export interface AccountChanges {
  start(): void;
  stop(): void;
  /**
   * Whether a handover has to be compared: `each` as its own timer says, `named` because it changed, `none` because it did not.
   * `unknown`: the account has not been asked since this process began; `key` is nudged when it has.
   */
  needOf(attempt: AttemptRecord, key?: string): "each" | "named" | "none" | "unknown";
}

/** The vendor's clock is not ours, and its lists may lag: this long before the last question is asked about again. */
const overlapMs = 60_000;
/** So many failures in a row, and every handover is compared by itself until the question works again. */
const patientTries = 3;
const namedAtOnce = 20;
const memoryScope = "runtime:changes";
/** How much more often than handovers are compared accounts are asked: one call for all of them. */
const questionsPerInterval = 4;

interface Account {
  readonly connection: Connection;
  readonly accountKey: string;
  readonly waiting: Set<string>;
  mode: "unknown" | "known" | "each";
  failures: number;
}

/** @param compareEach makes all open handovers of an account be compared, a few at a time */
export function createAccountChanges(context: RuntimeContext, compareEach: (accountKey: string) => void): AccountChanges {
  const { store, clock, timing } = context;
  const accounts = new Map<string, Account>();
  const intervalMs = timing.catchUpIntervalMs / questionsPerInterval;
  const sleeper = createSleeper(clock);
  let isRunning = false;
  let startedAtMs = 0;

  const isStopped = (): boolean => !isRunning;

  function settle(account: Account, mode: "known" | "each"): void {
    if (mode === "each" && account.mode !== "each") compareEach(account.accountKey);
    account.mode = mode;
    const keys = [...account.waiting];
    account.waiting.clear();
    for (const key of keys) context.nudge(key);
  }

  async function keepAsking(account: Account): Promise<void> {
    while (!isStopped()) {
      const pauseMs = await askInTurn(account);
      if (!isStopped()) await sleeper.sleep(pauseMs);
    }
  }

  /** @returns how long to wait before the next question */
  async function askInTurn(account: Account): Promise<number> {
    try {
      // At the start somebody else may ask at the same time; an answer that is older than this process does not do.
      const claimedForMs = account.mode === "unknown" ? timing.pollMs : intervalMs * 0.9;
      if (!(await claimQuestion(account, claimedForMs))) return await hearOfOthers(account);
      await ask(account);
      account.failures = 0;
      settle(account, "known");
      return intervalMs;
    } catch (error) {
      if (isStopped()) return 0;
      account.failures += 1;
      context.logger.warn("A contact centre could not be asked what changed.", {
        connection: account.connection.name,
        code: errorCode(error),
      });
      const isHopeless = HandoverError.isInstance(error) && !error.isRetryable && error.effect !== "connection";
      if (account.mode !== "each" && (isHopeless || account.failures >= patientTries)) settle(account, "each");
      return Math.max(pauseAfter(account.failures, timing, context.random, error), Math.min(intervalMs, timing.retryFirstMs * 10));
    }
  }

  /** A bucket with one question in it: whoever gets it asks. */
  async function claimQuestion({ accountKey }: Account, perMs: number): Promise<boolean> {
    const request = { capacity: 1, refillPerMs: 1 / perMs, wants: [{ calls: 1, keep: 0 }] };
    const { granted } = await store.takeBudget(`changes:${accountKey}`, request);
    return granted[0] === 1;
  }

  async function hearOfOthers(account: Account): Promise<number> {
    const askedAtMs = await readAskedAt(account);
    const isFresh = askedAtMs !== undefined && askedAtMs >= startedAtMs;
    const isForgotten = isFresh && askedAtMs < clock.now() - questionsPerInterval * Math.max(intervalMs, timing.callTimeoutMs);
    if (isFresh && account.mode !== "known") settle(account, "known");
    else if (isForgotten && account.mode === "known") settle(account, "each");
    return account.mode === "unknown" ? Math.min(timing.pollMs, intervalMs) : intervalMs;
  }

  async function readAskedAt({ accountKey }: Account): Promise<number | undefined> {
    const value = (await store.readMemory(memoryScope, accountKey)) as { readonly askedAtMs?: number } | undefined;
    return value?.askedAtMs;
  }

  async function ask(account: Account): Promise<void> {
    const { connection, accountKey } = account;
    await connection.gate.untilCallable("findChanged", "end");
    if (isStopped()) return;
    const askedAtMs = clock.now();
    const sinceMs = ((await readAskedAt(account)) ?? (await oldestOpen(accountKey)) ?? askedAtMs) - overlapMs;
    const references = await callVendor(
      context,
      { connection, method: "findChanged", priority: "end", idempotencyKey: randomId(context.random) },
      async (call, handle) => (await handle.findChanged?.(sinceMs, call)) ?? [],
    );
    await nameAll(accountKey, references);
    // Only now: whoever comes after a crash asks about the same time again.
    await store.writeMemory(memoryScope, accountKey, { askedAtMs } satisfies Json);
  }

  async function nameAll(accountKey: string, references: readonly Reference[]): Promise<void> {
    const left = [...new Set(references)];
    const nameSome = async (): Promise<void> => {
      for (let reference = left.pop(); reference !== undefined; reference = left.pop()) await name(accountKey, reference);
    };
    await Promise.all(Array.from({ length: Math.min(namedAtOnce, left.length) }, nameSome));
  }

  async function name(accountKey: string, reference: Reference): Promise<void> {
    const found = await store.findHandover(accountKey, [reference]);
    if (!found || !isToName(found, accountKey)) return;
    await transact(context, { key: found.conversation }, async (view) => {
      const handover = view.handover?.id === found.id ? view.handover : undefined;
      if (!handover?.attempt.catchUp || !isToName(handover, accountKey)) return { result: undefined };
      const draft = createDraft(handover, clock.now(), view.conversation?.lastSeq ?? 0);
      changeAttempt(draft, { catchUp: { ...handover.attempt.catchUp, isNamed: true } });
      return { result: undefined, commit: draftCommit(draft) };
    });
    context.nudge(found.conversation);
  }

  /** For the first question of all. */
  async function oldestOpen(accountKey: string): Promise<number | undefined> {
    let oldestMs: number | undefined;
    for (let after: string | undefined; ;) {
      const page = await store.listOpenHandovers({ ...(after === undefined ? {} : { after }), limit: 200 });
      for (const { attempt, createdAtMs } of page) {
        if (attempt.accountKey === accountKey && createdAtMs < (oldestMs ?? Infinity)) oldestMs = createdAtMs;
      }
      after = page.at(-1)?.id;
      if (after === undefined || page.length < 200) return oldestMs;
    }
  }

  return {
    start() {
      isRunning = true;
      startedAtMs = clock.now();
      for (const name of context.connections.names) {
        const connection = context.connections.get(name);
        const { accountKey, findChanged, catchUp } = connection.handle;
        if (!findChanged || !catchUp || accounts.has(accountKey)) continue;
        const account: Account = { connection, accountKey, waiting: new Set(), mode: "unknown", failures: 0 };
        accounts.set(accountKey, account);
        void keepAsking(account);
      }
    },
    stop() {
      isRunning = false;
      sleeper.wakeAll();
    },
    needOf({ accountKey, catchUp }, key) {
      const account = accounts.get(accountKey);
      if (!account || account.mode === "each") return "each";
      if (account.mode === "known") return catchUp?.isNamed ? "named" : "none";
      if (key !== undefined) account.waiting.add(key);
      return "unknown";
    },
  };
}

/** A handover that runs and can be compared, and is not about to be. */
function isToName({ attempt, status }: HandoverRecord, accountKey: string): boolean {
  const isOpen = attempt.phase === "started" && status !== "ending" && status !== "ended";
  return isOpen && attempt.accountKey === accountKey && attempt.catchUp !== undefined && attempt.catchUp.isNamed !== true;
}
