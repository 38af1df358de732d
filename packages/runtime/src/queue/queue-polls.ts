import { HandoverError, type Handover, type QueueStatus } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import { readView, transact } from "../conversation/transact.ts";
import { endpointOf } from "../endpoints.ts";
import { createDraft, draftCommit } from "../handover/draft.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { HandoverRecord } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorCode, errorSummary } from "../support/describe-error.ts";
import { createSleeper } from "../support/sleeper.ts";
import { randomId } from "../support/system-random.ts";
import { applyPoll } from "./apply-poll.ts";
import { isInQueue, nextPollAtMs } from "./poll-times.ts";

/**
 * Asks connections about the queues of those who wait there: many at once, one call at a time, and only with calls that nobody else
 * needs. Holds nothing that a crash could lose: who is due is written in the handovers.
 */
export interface QueuePolls {
  /** Asks about a handover with the next call. The answer, or when to ask again, is written into it. */
  ask(handover: HandoverRecord): void;
  stop(): void;
}

/** Those who become due together are waited for so long, and at most for a part of the shortest interval. */
const collectMs = 200;
const handoversPerCall = 50;
const writesAtOnce = 20;
/** A handover that its vendor refuses to speak about is left alone for so long. */
const refusedMs = 10 * 60 * 1000;

/** A handover and its conversation. */
type Asked = readonly [id: string, key: string];

/** Those who wait for an answer of one connection. */
interface Round {
  readonly connection: string;
  /** Conversations by handover. */
  readonly waiting: Map<string, string>;
  /** Handovers that are asked about, or will be with the next calls. */
  readonly asked: Set<string>;
  /** Halves of a call that was refused for what one of them is. */
  readonly halves: (readonly Asked[])[];
  failures: number;
  isRunning: boolean;
}

/** Rounds of this process. */
export function createQueuePolls(context: RuntimeContext): QueuePolls {
  const rounds = new Map<string, Round>();
  const sleeper = createSleeper(context.clock);
  let hasStopped = false;
  const isStopped = (): boolean => hasStopped;

  function roundOf(connection: string): Round {
    const known = rounds.get(connection);
    if (known) return known;
    const round: Round = { connection, waiting: new Map(), asked: new Set(), halves: [], failures: 0, isRunning: false };
    rounds.set(connection, round);
    return round;
  }

  async function keepAsking(round: Round): Promise<void> {
    round.isRunning = true;
    try {
      while (round.waiting.size + round.halves.length > 0 && !isStopped()) {
        if (round.halves.length === 0) await sleeper.sleep(Math.min(collectMs, context.timing.queueUpdateMinimumMs / 10));
        if (!isStopped()) await context.connections.get(round.connection).gate.untilCallable("getQueueStatuses");
        if (!isStopped()) await askSome(context, round);
      }
    } catch (error) {
      // The handovers are due as before, and ask again.
      if (!isStopped()) context.logger.error(`Queues could not be asked about: ${errorSummary(error)}`, { connection: round.connection });
      round.waiting.clear();
      round.halves.length = 0;
      round.asked.clear();
    } finally {
      round.isRunning = false;
    }
  }

  return {
    ask({ id, conversation, attempt }) {
      const round = roundOf(attempt.connection);
      if (isStopped() || round.asked.has(id)) return;
      round.waiting.set(id, conversation);
      if (!round.isRunning) void keepAsking(round);
    },
    stop() {
      hasStopped = true;
      sleeper.wakeAll();
    },
  };
}

/** One call, for those who have waited longest. */
async function askSome(context: RuntimeContext, round: Round): Promise<void> {
  const batch = round.halves.shift() ?? takeWaiting(round);
  const views = await readViews(context, round, batch);
  const answer = views.length === 0 ? noAnswer : await callOnce(context, round, views);
  if (answer === "refused" && views.length > 1) {
    const middle = Math.ceil(batch.length / 2);
    round.halves.push(batch.slice(0, middle), batch.slice(middle));
    return;
  }
  const left = [...batch];
  const given = answer === "refused" ? { ...noAnswer, pauseMs: refusedMs } : answer;
  const writeSome = async (): Promise<void> => {
    for (let next = left.pop(); next; next = left.pop()) await write(context, round, next, given);
  };
  await Promise.all(Array.from({ length: Math.min(writesAtOnce, left.length) }, writeSome));
  for (const [id] of batch) round.asked.delete(id);
}

function takeWaiting({ waiting, asked }: Round): readonly Asked[] {
  const batch = [...waiting].slice(0, handoversPerCall);
  for (const [id] of batch) {
    waiting.delete(id);
    asked.add(id);
  }
  return batch;
}

/** Whoever was answered or has left meanwhile is not asked about. */
async function readViews(context: RuntimeContext, { connection: name }: Round, batch: readonly Asked[]): Promise<Handover[]> {
  const connection = context.connections.get(name);
  const views = await Promise.all(
    batch.map(async ([id, key]): Promise<Handover[]> => {
      const { conversation, handover } = await readView(context, key);
      if (!conversation || handover?.id !== id || !isDue(context, handover, name)) return [];
      try {
        return [toProviderHandover(conversation, handover, handover.attempt, connection)];
      } catch {
        // A state that cannot be read is somebody else's matter; nobody asks about it again soon.
        return [];
      }
    }),
  );
  return views.flat();
}

function isDue({ clock }: RuntimeContext, handover: HandoverRecord, connection: string): boolean {
  const dueAtMs = nextPollAtMs(handover);
  return isInQueue(handover) && handover.attempt.connection === connection && dueAtMs !== undefined && dueAtMs <= clock.now();
}

interface Answer {
  readonly statuses: ReadonlyMap<string, QueueStatus>;
  /** Nobody asks again before that. */
  readonly pauseMs: number;
}

const noAnswer: Answer = { statuses: new Map(), pauseMs: 0 };

/** @returns `refused` when one of them is such that nobody is answered, however often they are asked for together */
async function callOnce(context: RuntimeContext, round: Round, views: readonly Handover[]): Promise<Answer | "refused"> {
  const connection = context.connections.get(round.connection);
  try {
    const statuses = await callVendor(
      context,
      { connection, method: "getQueueStatuses", idempotencyKey: randomId(context.random), isBeside: true },
      async (call, handle) => (await handle.getQueueStatuses?.(views, call)) ?? noAnswer.statuses,
    );
    round.failures = 0;
    return statuses instanceof Map ? { statuses, pauseMs: 0 } : noAnswer;
  } catch (error) {
    context.logger.debug("A contact centre could not be asked about its queue.", { connection: round.connection, code: errorCode(error) });
    if (HandoverError.isInstance(error) && error.effect !== "connection" && !error.isRetryable) return "refused";
    round.failures += 1;
    return { ...noAnswer, pauseMs: pauseAfter(round.failures, context.timing, context.random, error) };
  }
}

async function write(context: RuntimeContext, round: Round, [id, key]: Asked, answer: Answer): Promise<void> {
  await transact(context, { key }, ({ conversation, handover }) => {
    if (!conversation || handover?.id !== id || !isDue(context, handover, round.connection)) return { result: undefined };
    const draft = createDraft(handover, context.clock.now(), conversation.lastSeq);
    const { texts } = endpointOf(context.endpoints, conversation.endpoint);
    applyPoll(draft, answer.statuses.get(id), { texts, timing: context.timing, pauseMs: answer.pauseMs });
    return { result: undefined, commit: draftCommit(draft) };
  });
}
