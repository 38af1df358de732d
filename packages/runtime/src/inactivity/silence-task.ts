import { endpointOf, type Endpoint } from "../endpoints.ts";
import type { StoredEntry } from "../entry.ts";
import { entriesAfter } from "../handover/desk-entries.ts";
import { showNotice, type Draft } from "../handover/draft.ts";
import { beginEnding } from "../handover/ending.ts";
import { changeHandover } from "../lanes/change-handover.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "../lanes/lane.ts";
import type { Store } from "../store/store.ts";
import type { ConversationRecord, HandoverRecord, IdleRecord, InactivityRecord } from "../store/records.ts";
import { omit } from "../support/omit.ts";

/**
 * The timers of silence: the bot's own for a silent user, and the endpoint's limits for user and desk. Nothing is written for a
 * message: only when a timer goes off somebody looks what was said since it was set, and it is set anew or has really run out.
 */
export async function silenceTask(scope: LaneScope, conversation: ConversationRecord, handover: HandoverRecord): Promise<StepResult> {
  if (handover.status !== "queued" && handover.status !== "active") return idle;
  const nowMs = scope.context.clock.now();
  const people = endpointOf(scope.context.endpoints, conversation.endpoint).handover;
  const limits = handover.status === "active" ? idleLimits(people) : {};
  if (handover.status === "queued" && handover.idle) return endIdle(scope, handover.id);
  if ((["user", "agent"] as const).some((who) => limits[who] !== undefined && !handover.idle?.[who])) {
    return beginIdle(scope, handover, limits);
  }
  const inactiveAtMs = handover.inactivity?.dueAtMs;
  if (inactiveAtMs !== undefined && inactiveAtMs <= nowMs) return timerWentOff(scope, handover.id);
  for (const who of ["user", "agent"] as const) {
    const limitMs = limits[who];
    const timer = handover.idle?.[who];
    if (limitMs !== undefined && timer && timer.dueAtMs <= nowMs) return limitReached(scope, handover.id, who, limitMs);
  }
  return idleUntil(
    inactiveAtMs,
    limits.user === undefined ? undefined : handover.idle?.user?.dueAtMs,
    limits.agent === undefined ? undefined : handover.idle?.agent?.dueAtMs,
  );
}

type IdleLimits = { readonly user?: number | undefined; readonly agent?: number | undefined };

function idleLimits(people: Endpoint["handover"]): IdleLimits {
  return { user: people?.userIdleTimeoutMs, agent: people?.agentIdleTimeoutMs };
}

/** Nobody is there any more: the limits count anew when somebody is. */
async function endIdle(scope: LaneScope, handoverId: string): Promise<StepResult> {
  await changeHandover(scope, handoverId, (draft) => {
    if (draft.handover.status !== "queued" || !draft.handover.idle) return undefined;
    draft.handover = omit(draft.handover, "idle");
    return {};
  });
  return again;
}

/** The limits count from when it is active. */
async function beginIdle(scope: LaneScope, handover: HandoverRecord, limits: IdleLimits): Promise<StepResult> {
  await changeHandover(scope, handover.id, (draft, conversation) => {
    if (draft.handover.status !== "active") return undefined;
    const { idle: known, requestedSeq } = draft.handover;
    const begin = (limitMs: number, through: number): IdleRecord => ({ sinceMs: draft.nowMs, dueAtMs: draft.nowMs + limitMs, through });
    draft.handover = {
      ...draft.handover,
      idle: {
        ...(limits.user === undefined ? {} : { user: known?.user ?? begin(limits.user, conversation.lastSeq) }),
        // What the user wrote while nobody was there waits for an answer too.
        ...(limits.agent === undefined ? {} : { agent: known?.agent ?? begin(limits.agent, requestedSeq) }),
      },
    };
    return {};
  });
  return again;
}

/** What somebody said since a timer was looked at last. */
interface Said {
  /** When the user wrote last, in Unix milliseconds. */
  readonly userAtMs?: number;
  /** The first message of the user after the last one of the desk. */
  readonly unanswered?: { readonly seq: number; readonly atMs: number };
  /** Number of the last entry that was looked at. */
  readonly through: number;
}

async function readSaid(store: Store, conversation: string, after: number): Promise<Said> {
  let said: Said = { through: after };
  for await (const entry of entriesAfter(store, conversation, after)) {
    said = { ...said, through: entry.seq };
    const atMs = Date.parse(entry.at);
    if (isOfUser(entry)) {
      said = { ...said, userAtMs: atMs, unanswered: said.unanswered ?? { seq: entry.seq, atMs } };
    } else if (entry.kind === "message" && entry.author?.role === "agent" && entry.audience.includes("user")) {
      said = omit(said, "unanswered");
    }
  }
  return said;
}

function isOfUser({ kind, author, source, audience }: StoredEntry): boolean {
  return kind === "message" && author?.role === "user" && source === "user" && audience.includes("desk");
}

/** The bot's timer: set anew by what the user wrote meanwhile, or told to the bot, once. */
async function timerWentOff(scope: LaneScope, handoverId: string): Promise<StepResult> {
  await changeHandover(scope, handoverId, async (draft, conversation) => {
    const { inactivity, status } = draft.handover;
    if (inactivity?.dueAtMs === undefined || inactivity.dueAtMs > draft.nowMs) return undefined;
    if (status !== "queued" && status !== "active") return undefined;
    const said = await readSaid(scope.context.store, scope.key, inactivity.through);
    tellInactive(draft, inactivity, inactivity.dueAtMs, said);
    return { expectLastSeq: conversation.lastSeq };
  });
  return again;
}

function tellInactive(draft: Draft, inactivity: InactivityRecord, wasDueAtMs: number, { userAtMs, through }: Said): void {
  const dueAtMs = Math.max(wasDueAtMs, (userAtMs ?? 0) + inactivity.afterMs);
  const seen = { ...inactivity, count: userAtMs === undefined ? inactivity.count : 0, through };
  if (dueAtMs > draft.nowMs) {
    draft.handover = { ...draft.handover, inactivity: { ...seen, dueAtMs } };
    return;
  }
  const count = seen.count + 1;
  draft.handover = { ...draft.handover, inactivity: { ...omit(seen, "dueAtMs"), count } };
  showNotice(draft, "inactive", { audience: ["bot"], count });
}

/** A limit of the endpoint: set anew by what was said meanwhile, or the end. */
async function limitReached(scope: LaneScope, handoverId: string, who: "user" | "agent", limitMs: number): Promise<StepResult> {
  await changeHandover(scope, handoverId, async (draft, conversation) => {
    const timer = draft.handover.idle?.[who];
    if (draft.handover.status !== "active" || !timer || timer.dueAtMs > draft.nowMs) return undefined;
    const said = await readSaid(scope.context.store, scope.key, timer.through);
    const next = who === "user" ? afterUser(timer, said, limitMs) : afterAgent(timer, draft.nowMs, said, limitMs);
    if (next.dueAtMs > draft.nowMs) draft.handover = { ...draft.handover, idle: { ...draft.handover.idle, [who]: next } };
    else endForSilence(draft, who, scope.context.timing.reorderWindowMs);
    return { expectLastSeq: conversation.lastSeq };
  });
  return again;
}

function afterUser({ sinceMs, dueAtMs }: IdleRecord, { userAtMs = 0, through }: Said, limitMs: number): IdleRecord {
  return { sinceMs, dueAtMs: Math.max(dueAtMs, userAtMs + limitMs), through };
}

/** A message that waits is looked at again; where none does, nothing can be due before the next one has waited for so long. */
function afterAgent({ sinceMs }: IdleRecord, nowMs: number, { unanswered, through }: Said, limitMs: number): IdleRecord {
  if (!unanswered) return { sinceMs, dueAtMs: nowMs + limitMs, through };
  // Nobody could answer before somebody was there.
  return { sinceMs, dueAtMs: Math.max(unanswered.atMs, sinceMs) + limitMs, through: unanswered.seq - 1 };
}

function endForSilence(draft: Draft, who: "user" | "agent", windowMs: number): void {
  beginEnding(draft, {
    ...(who === "user" ? { reason: "abandoned", code: "USER_IDLE" } : { reason: "timed-out", code: "AGENT_IDLE" }),
    actor: "system",
    closedBy: "us",
    windowMs,
  });
}
