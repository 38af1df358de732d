import { RuntimeError } from "./errors.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { WaitingCounts } from "./store/budget.ts";
import type { NewDelivery } from "./store/records.ts";
import type { ReceiveResult } from "./store/store.ts";
import { setNewest } from "./support/set-newest.ts";

/**
 * Knows roughly how much waits to be dealt with, and refuses more than the limits allow. What was taken is added up in memory;
 * the store is asked only when that may be too much, and not for every message.
 */
export interface Backlog {
  /** Stores a message of a user. @throws RuntimeError `OVERLOADED` when nothing is to be stored now */
  takeMessage<Result>(run: () => Promise<Result>): Promise<Result>;
  /** How many user messages of one conversation wait. */
  countMessages(key: string): Promise<number>;
  /**
   * Stores the deliveries of one request, without those that no handover is known for when there are too many of these.
   * @returns `full` when nothing of the request can be taken now
   */
  takeDeliveries(
    deliveries: readonly NewDelivery[],
    run: (deliveries: readonly NewDelivery[]) => Promise<ReceiveResult>,
  ): Promise<(ReceiveResult & { readonly flooded: number }) | "full">;
}

/** At a limit the store is asked again after so long: by then something may have been dealt with. */
const refreshMs = 1_000;
/** Conversations whose inboxes are watched; a busy one is soon among them again. */
const watchedConversations = 1_000;
/** Deliveries that wait for a start under way are younger than this, and are not given up for newer ones. */
const youngMs = 60_000;

type Kind = "messages" | "deliveries";

/** A backlog of this process; where instances share a store, each of them goes by its own estimate. */
export function createBacklog(context: RuntimeContext): Backlog {
  const { store, clock, limits } = context;
  let counted: WaitingCounts | undefined;
  let countedAtMs = -Infinity;
  let counting: Promise<void> | undefined;
  /** On their way into the store: counted there or not. */
  const pending = { messages: 0, deliveries: 0 };
  /** Stored since then. */
  const added = { messages: 0, deliveries: 0, parked: 0 };
  const addedParked = new Map<string, number>();
  /** Deliveries taken for a conversation since its inbox was counted last. */
  const inboxes = new Map<string, number>();
  const full = new Map<string, { readonly countedAtMs: number }>();

  const bots = (): string[] => [...context.endpoints.values()].flatMap(({ token, bot }) => (bot ? [token] : []));
  const parkedOf = (accountKey: string): number => (counted?.parked[accountKey] ?? 0) + (addedParked.get(accountKey) ?? 0);

  const allParked = (): number => Object.values(counted?.parked ?? {}).reduce((sum, count) => sum + count, 0) + added.parked;
  const waiting = (kind: Kind): number => (counted?.[kind] ?? 0) + added[kind] + pending[kind];

  function recount(): Promise<void> {
    counting ??= (async () => {
      const before = { ...added };
      const parkedBefore = new Map(addedParked);
      counted = await store.countWaiting({ bots: bots() });
      countedAtMs = clock.now();
      for (const kind of ["messages", "deliveries", "parked"] as const) added[kind] -= before[kind];
      for (const [account, count] of parkedBefore) {
        const left = (addedParked.get(account) ?? 0) - count;
        if (left > 0) addedParked.set(account, left);
        else addedParked.delete(account);
      }
    })().finally(() => (counting = undefined));
    return counting;
  }

  /** Takes room if there is some. The store is asked at first, when there seems to be none, and now and then on the way there. */
  async function takeRoom(kind: Kind, by: number, limit: number): Promise<boolean> {
    const mayBeTooMuch = waiting(kind) + by > limit || added[kind] > limit / 10;
    if (!counted || (mayBeTooMuch && clock.now() - countedAtMs >= refreshMs)) await recount();
    const hasRoom = waiting(kind) + by <= limit;
    if (hasRoom) pending[kind] += by;
    return hasRoom;
  }

  async function storePending<Result>(kind: Kind, by: number, run: () => Promise<Result>): Promise<Result> {
    try {
      const result = await run();
      added[kind] += by;
      return result;
    } finally {
      pending[kind] -= by;
    }
  }

  async function mayPark(accountKey: string): Promise<boolean> {
    const fits = (): boolean => allParked() < limits.parkedDeliveriesInAll && parkedOf(accountKey) < limits.parkedDeliveries;
    if (!counted) await recount();
    if (fits()) return true;
    if (clock.now() - countedAtMs < refreshMs) return false;
    // The oldest go first: what a start under way waits for is young.
    for (let ageMs = context.timing.parkMs / 2; ; ageMs /= 2) {
      await recount();
      if (fits() || ageMs < Math.min(youngMs, context.timing.parkMs / 2)) return fits();
      const expired = await store.expireParked(clock.now() - ageMs);
      for (const { connection } of expired) context.metrics.count("handover_deliveries_total", { connection, result: "expired" });
    }
  }

  /** True when the inbox of a conversation was full a moment ago, and still is. */
  async function isFull(key: string): Promise<boolean> {
    const known = full.get(key);
    if (!known || clock.now() - known.countedAtMs < refreshMs) return known !== undefined;
    return countInbox(key);
  }

  async function countInbox(key: string): Promise<boolean> {
    const { deliveries } = await store.countWaiting({ conversation: key, bots: [] });
    inboxes.set(key, deliveries);
    if (deliveries < limits.inboxDeliveries) full.delete(key);
    else full.set(key, { countedAtMs: clock.now() });
    return full.has(key);
  }

  /** @returns the conversation that a delivery is for, if any is known */
  async function conversationOf({ accountKey, references }: NewDelivery): Promise<string | undefined> {
    return (await store.findHandover(accountKey, references))?.conversation;
  }

  function watch(key: string, by: number): number {
    const count = (inboxes.get(key) ?? 0) + by;
    setNewest(inboxes, key, count, watchedConversations);
    return count;
  }

  /** @returns what there is room for */
  async function sift(deliveries: readonly NewDelivery[]): Promise<readonly NewDelivery[] | "full"> {
    const [first] = deliveries;
    if (!first) return deliveries;
    const canPark = await mayPark(first.accountKey);
    if (canPark && full.size === 0) return deliveries;
    const targets = await Promise.all(deliveries.map(conversationOf));
    for (const key of new Set(targets)) if (key !== undefined && (await isFull(key))) return "full";
    return canPark ? deliveries : deliveries.filter((_delivery, index) => targets[index] !== undefined);
  }

  async function received(deliveries: readonly NewDelivery[], { conversations, parked }: ReceiveResult): Promise<void> {
    added.parked += parked;
    const [first] = deliveries;
    if (first && parked > 0) addedParked.set(first.accountKey, (addedParked.get(first.accountKey) ?? 0) + parked);
    for (const key of conversations) if (watch(key, deliveries.length) >= limits.inboxDeliveries) await countInbox(key);
  }

  return {
    async takeMessage(run) {
      if (await takeRoom("messages", 1, limits.waitingMessagesInAll)) return storePending("messages", 1, run);
      context.metrics.count("handover_messages_refused_total", { code: "OVERLOADED" });
      throw new RuntimeError(
        "OVERLOADED",
        `More than ${limits.waitingMessagesInAll} messages of all conversations wait for contact centres and bots. Send it again later. If this stays, find out which of them does not answer.`,
        { isRetryable: true },
      );
    },
    countMessages: async (key) => (await store.countWaiting({ conversation: key, bots: bots() })).messages,
    async takeDeliveries(deliveries, run) {
      const admitted = await sift(deliveries);
      if (admitted === "full" || !(await takeRoom("deliveries", admitted.length, limits.inboxDeliveriesInAll))) return "full";
      const result = await storePending("deliveries", admitted.length, () => run(admitted));
      await received(admitted, result);
      return { ...result, flooded: deliveries.length - admitted.length };
    },
  };
}
