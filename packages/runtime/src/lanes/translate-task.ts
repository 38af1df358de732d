import {
  isWake,
  packState,
  StateIncompatibleError,
  type Reference,
  type Translation,
  type VendorDelivery,
  type Wake,
} from "@handover/core";
import type { Connection } from "../connections/connection-registry.ts";
import { LeaseLostError } from "../conversation/transact.ts";
import { endpointOf } from "../endpoints.ts";
import { applyLateProfile } from "../agents/late-profile.ts";
import { nameAgents, type NamelessAgents } from "../agents/name-agents.ts";
import { applyEvents, type EventSurroundings } from "../handover/apply-events.ts";
import { changeAttempt, note, remember, type Draft } from "../handover/draft.ts";
import { beginEnding } from "../handover/ending.ts";
import { createEventLookups } from "../handover/event-lookups.ts";
import { fallBack } from "../handover/give-way.ts";
import { toProviderHandover } from "../handover/provider-view.ts";
import { redactEvents } from "../redaction/redact-events.ts";
import type { AttemptRecord, ConversationRecord, InboxRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import { omit } from "../support/omit.ts";
import { changeHandover, type Extras } from "./change-handover.ts";
import { again, idle, type LaneScope, type StepResult } from "./lane.ts";

/** Translates one delivery of the inbox and commits what it means together with its consumption. */
export async function translateDelivery(scope: LaneScope, row: InboxRecord, isOutOfOrder: boolean): Promise<void> {
  const { context } = scope;
  const outcome: Outcome = { result: "translated" };
  await withNames(scope, row.handover, row.connection, async (draft, conversation, nameless) => {
    const consume = { consume: [row.number] };
    outcome.result = belongsTo(draft.handover.attempt, row) ? "translated" : "dropped";
    if (outcome.result === "dropped") {
      note(draft, "delivery-of-former-attempt");
      return consume;
    }
    if (row.order) release(draft, row.order);
    const isLate = isOutOfOrder || row.isHealed === true;
    const timing = { isLate, isOvertaken: isOutOfOrder };
    const extras = await translateInto(scope, draft, conversation, { delivery: toDelivery(row), timing, nameless, outcome });
    return extras && { ...consume, ...extras };
  });
  context.metrics.count("handover_deliveries_total", { connection: row.connection, result: outcome.result });
  countIgnored(scope, row.connection, outcome);
}

/** What a delivery came to, when it was worked out for the last time. */
interface Outcome {
  result: "translated" | "dropped";
  /** The provider's word for why it means nothing. */
  ignored?: string | undefined;
}

function countIgnored({ context }: LaneScope, connection: string, { ignored }: Outcome): void {
  if (ignored) context.metrics.count("handover_deliveries_ignored_total", { connection, why: ignored });
}

/** Lets the provider's own timer go off. */
export async function translateWake(scope: LaneScope, handoverId: string, wake: Wake): Promise<void> {
  const connection = (await scope.context.store.readHandover(handoverId))?.attempt.connection ?? "";
  await withNames(scope, handoverId, connection, async (draft, conversation, nameless) => {
    if (draft.handover.attempt.wakeAtMs !== wake.atMs) return undefined;
    draft.handover = { ...draft.handover, attempt: omit(draft.handover.attempt, "wakeAtMs") };
    return translateInto(scope, draft, conversation, { delivery: wake, timing: { isLate: false, isOvertaken: false }, nameless });
  });
}

type Change = (draft: Draft, conversation: ConversationRecord, nameless: NamelessAgents) => Promise<Extras | undefined>;

/**
 * Changes a handover by what its vendor says. When that speaks of agents by id alone it changes nothing at first: the vendor is
 * asked who they are, and it is worked out again with what is known then.
 */
async function withNames(scope: LaneScope, handoverId: string, connection: string, change: Change): Promise<void> {
  const { context, key } = scope;
  const nameless: NamelessAgents = { wanted: new Set(), isAsked: false };
  const run = () => changeHandover(scope, handoverId, (draft, conversation) => change(draft, conversation, nameless));
  await run();
  if (nameless.wanted.size === 0) return;
  await context.agentProfiles.learn(context.connections.get(connection), nameless.wanted, (agent) => {
    void applyLateProfile(context, { key, handover: handoverId, agent });
  });
  nameless.isAsked = true;
  await run();
}

/** What is translated, and how. */
interface Translated {
  readonly delivery: VendorDelivery | Wake;
  readonly timing: Pick<EventSurroundings, "isLate" | "isOvertaken">;
  readonly nameless: NamelessAgents;
  readonly outcome?: Outcome;
}

/** @returns nothing when it has to be known first who the agents are */
async function translateInto(
  scope: LaneScope,
  draft: Draft,
  conversation: ConversationRecord,
  { delivery, timing, nameless, outcome }: Translated,
): Promise<Extras | undefined> {
  const { context } = scope;
  const connection = context.connections.get(draft.handover.attempt.connection);
  const translation = translate(scope, draft, conversation, connection, delivery);
  if (!translation) return {};
  if (outcome) outcome.ignored = translation.ignored;
  const { number } = draft.handover.attempt;
  const named = withAgentNames(scope, draft, connection, translation, nameless);
  if (!named) return undefined;
  const refusedText = endpointOf(context.endpoints, conversation.endpoint).texts.messageFailed;
  const events = await redactEvents({ context, key: scope.key, draft, refusedText }, named.events);
  await apply(scope, draft, conversation, { connection, translation: { ...named, events }, timing, isTimer: isWake(delivery) });
  return draft.handover.attempt.number === number ? addReferences(draft, translation.references) : {};
}

/** A translation that makes no sense counts as one that was not made; a store that fails is another matter. */
async function apply(
  scope: LaneScope,
  draft: Draft,
  conversation: ConversationRecord,
  given: {
    readonly connection: Connection;
    readonly translation: Translation;
    readonly timing: Pick<EventSurroundings, "isLate" | "isOvertaken">;
    readonly isTimer: boolean;
  },
): Promise<void> {
  const { context } = scope;
  const { connection, translation } = given;
  const endpoint = endpointOf(context.endpoints, conversation.endpoint);
  const goBack = remember(draft);
  const storeErrors: unknown[] = [];
  try {
    keepState(draft, connection, translation, given.isTimer);
    await applyEvents(draft, translation.events, {
      texts: endpoint.texts,
      showsSurveys: (endpoint.handover?.surveys ?? "vendor") === "vendor",
      windowMs: context.timing.reorderWindowMs,
      ...given.timing,
      fallBack: (code) => fallBack(context, draft, endpoint, { code, isClosed: true }),
      ...createEventLookups(context.store, draft, (error) => storeErrors.push(error)),
    });
  } catch (error) {
    if (storeErrors.length > 0) throw error;
    goBack();
    translationFailed(scope, draft, connection, error, given.isTimer);
  }
}

function withAgentNames(
  { context }: LaneScope,
  draft: Draft,
  connection: Connection,
  translation: Translation,
  nameless: NamelessAgents,
): Translation | undefined {
  const { agents: present } = draft.handover;
  try {
    const events = nameAgents(context.agentProfiles, connection, { events: translation.events, present, nameless });
    return events && { ...translation, events };
  } catch {
    // What makes no sense is dealt with where it is applied.
    return translation;
  }
}

function addReferences(draft: Draft, references: readonly Reference[] | undefined): Extras {
  if (!references || references.length === 0) return {};
  const { attempt, id } = draft.handover;
  changeAttempt(draft, { references: [...new Set([...attempt.references, ...references])] });
  return { references: [{ accountKey: attempt.accountKey, handover: id, references }] };
}

function translate(
  scope: LaneScope,
  draft: Draft,
  conversation: ConversationRecord,
  connection: Connection,
  delivery: VendorDelivery | Wake,
): Translation | undefined {
  try {
    const view = toProviderHandover(conversation, draft.handover, draft.handover.attempt, connection);
    return connection.handle.translate?.(view, delivery) ?? { events: [], ignored: "no-translation" };
  } catch (error) {
    translationFailed(scope, draft, connection, error, isWake(delivery));
    return undefined;
  }
}

/** A provider that throws here is broken: the handover fails, others go on. */
function translationFailed(scope: LaneScope, draft: Draft, connection: Connection, error: unknown, isTimer: boolean): void {
  const code = StateIncompatibleError.isInstance(error) ? error.code : "TRANSLATION_FAILED";
  const isKnown = draft.handover.status === "ending" || draft.handover.status === "ended";
  const log = isKnown ? scope.context.logger.debug : scope.context.logger.error;
  log(`A delivery of the vendor could not be translated: ${errorSummary(error)}`, {
    ...failureFields(scope.context, { handover: draft.handover.id, connection: connection.name }, { code, error }),
    isTimer,
  });
  beginEnding(draft, { reason: "failed", actor: "system", code, closedBy: "us", windowMs: 0 });
}

/** How long a timer that sets itself again has to wait at least. */
const minimumWakeMs = 100;

function keepState(draft: Draft, connection: Connection, translation: Translation, isTimer: boolean): void {
  if (translation.state !== undefined) changeAttempt(draft, { state: packState(connection.provider, translation.state) });
  if (translation.pull) changeAttempt(draft, { mustPull: true });
  if (translation.wakeAt === null) draft.handover = { ...draft.handover, attempt: omit(draft.handover.attempt, "wakeAtMs") };
  else if (translation.wakeAt !== undefined) {
    if (!Number.isFinite(translation.wakeAt)) throw new TypeError("wakeAt is not a time.");
    changeAttempt(draft, { wakeAtMs: isTimer ? Math.max(translation.wakeAt, draft.nowMs + minimumWakeMs) : translation.wakeAt });
  }
}

function release(draft: Draft, order: NonNullable<InboxRecord["order"]>): void {
  const { released } = draft.handover.attempt;
  const highest = Math.max(released[order.group] ?? -Infinity, order.position);
  if (highest !== released[order.group]) changeAttempt(draft, { released: { ...released, [order.group]: highest } });
}

/** A delivery belongs to the attempt that one of its references was given to. */
export function belongsTo(attempt: AttemptRecord, row: InboxRecord): boolean {
  return row.accountKey === attempt.accountKey && row.references.some((reference) => attempt.references.includes(reference));
}

function toDelivery(row: InboxRecord): VendorDelivery {
  return {
    ...(row.id === undefined ? {} : { id: row.id }),
    references: row.references,
    ...(row.order ? { order: row.order } : {}),
    payload: row.payload,
  };
}

/** Takes deliveries that nobody can use out of the inbox. */
export async function dropDeliveries(scope: LaneScope, rows: readonly InboxRecord[], why: string): Promise<StepResult> {
  if (rows.length === 0) return idle;
  const { context, key, fence } = scope;
  const { status } = await context.store.commit({
    conversation: key,
    fence,
    consume: rows.map((row) => row.number),
    journal: rows.map((row) => ({
      atMs: context.clock.now(),
      what: "delivery-dropped",
      conversation: key,
      connection: row.connection,
      details: { why },
    })),
  });
  if (status === "fenced") throw new LeaseLostError();
  for (const { connection } of rows) context.metrics.count("handover_deliveries_total", { connection, result: "dropped" });
  return again;
}
