import { isWake, type Agent, type Handover, type HandoverEvent, type Translation, type VendorDelivery, type Wake } from "@handover/core";
import { readContent } from "./eightbyeight-content.ts";
import {
  factsSchema,
  type AnnouncementFacts,
  type Facts,
  type MemberFacts,
  type MessageFacts,
  type QueuedFacts,
  type SnapshotFacts,
  type TypingFacts,
  type UpdateFacts,
} from "./eightbyeight-facts.ts";
import {
  depart,
  endOfIdle,
  finish,
  hasAgent,
  ignore,
  joinAgent,
  leaveAgent,
  markIn,
  moveToQueue,
  revive,
  type Step,
} from "./eightbyeight-presence.ts";
import type { EightbyeightOptions, EightbyeightSettings } from "./eightbyeight-settings.ts";
import { without, type EightbyeightState } from "./eightbyeight-state.ts";

/** What of the settings matters here. */
type TranslateSettings = Pick<EightbyeightSettings, "agentLeftGraceMs" | "agentDisplayName">;

/** What the API said is as old as its answer: something newer may be under way. */
const snapshotToleranceMs = 2_000;
/** The announcement and the listing of a message carry times of their own. */
const announcementToleranceMs = 10_000;
const firstRecheckMs = 2_000;
const mostRechecks = 3;
const mostAnnounced = 20;

/** Says what a delivery means. Sections 4.4 to 4.6 of the reference page. Pure. */
export function translate(
  settings: TranslateSettings,
  handover: Handover<EightbyeightOptions, EightbyeightState>,
  delivery: VendorDelivery | Wake,
): Translation<EightbyeightState> {
  const before = handover.state;
  if (isWake(delivery)) {
    const step = wake(before, delivery.atMs);
    return { ...toTranslation(before, step), wakeAt: timerOf(step.state) };
  }
  const facts = factsSchema.safeParse(delivery.payload).data;
  if (!facts) return { events: [], ignored: "unknown-event" };
  const { tenant } = facts;
  if (tenant !== undefined && before.tenant !== undefined && tenant !== before.tenant) return { events: [], ignored: "foreign-tenant" };
  const pinned = tenant === undefined ? before : { ...before, tenant };
  return toTranslation(before, translateFacts(settings, pinned, facts));
}

function translateFacts(settings: TranslateSettings, state: EightbyeightState, facts: Facts): Step {
  switch (facts.kind) {
    case "update":
      return translateUpdate(settings, state, facts);
    case "queued":
      return translateQueued(state, facts);
    case "transfer":
      return moveToQueue(state, facts.atMs);
    case "member":
      return translateMember(settings, state, facts);
    case "announcement":
      return translateAnnouncement(state, facts);
    case "message":
      return translateMessage(settings, state, facts);
    case "snapshot":
      return translateSnapshot(settings, state, facts);
    case "typing":
      return translateTyping(settings, state, facts);
    case "read":
      return { state, events: [{ type: "delivery-changed", target: { upToMs: facts.upToMs }, status: "read", atMs: facts.atMs }] };
  }
}

/** The state `active` means that there is work, not that somebody does it. */
function translateUpdate(settings: TranslateSettings, former: EightbyeightState, facts: UpdateFacts): Step {
  const { atMs, assignment } = facts;
  if (former.updateAtMs !== undefined && atMs < former.updateAtMs) return ignore(former, "older-snapshot");
  const state: EightbyeightState = {
    ...former,
    updateAtMs: atMs,
    ...(facts.state === undefined ? {} : { vendorState: facts.state }),
  };
  if (facts.state === "idle") return finish(state, atMs, endOfIdle(state));
  if (state.stage === "over") {
    const wasIdle = former.vendorState === "idle" && facts.state !== undefined;
    // What was over for us without being idle goes on looking active.
    return wasIdle ? revive(state, atMs) : ignore(state, "already-ended");
  }
  if (assignment?.type === "agent" && assignment.id !== undefined && state.agents[assignment.id] === undefined) {
    return joinAgent(state, assignment.id, atMs, toAgent(settings), settings.agentLeftGraceMs);
  }
  if (assignment?.type === "webhook" && state.hadAgent) return finish(state, atMs, backWithBot);
  if (assignment?.type === "queue" && state.stage === "leaving") return moveToQueue(state, atMs);
  return ignore(state, "no-change");
}

const backWithBot = { reason: "completed", actor: "agent", vendorReason: "assigned-to-webhook" } as const;

function translateQueued(state: EightbyeightState, { atMs, queueName }: QueuedFacts): Step {
  const isNewer = state.servedAtMs === undefined || atMs > state.servedAtMs;
  if (state.stage === "over" || (state.stage !== "waiting" && isNewer)) return moveToQueue(state, atMs, queueName);
  if (state.stage !== "waiting" || !isNewer) return ignore(state, "older-event");
  return { state, events: [{ type: "queued", ...(queueName === undefined ? {} : { queue: { name: queueName } }), atMs }] };
}

function translateMember(settings: TranslateSettings, state: EightbyeightState, facts: MemberFacts): Step {
  const { who, change, id, atMs, sentAtMs } = facts;
  if (who === "user") {
    if (change === "joined") return ignore(state, "user-joined");
    const reason = state.hadAgent ? "completed" : "abandoned";
    return finish(state, atMs, { reason, actor: "user", vendorReason: "user-left" });
  }
  if (id === undefined) return ignore(state, "unknown-event");
  if (change === "joined") return joinAgent(state, id, atMs, toAgent(settings), settings.agentLeftGraceMs);
  return leaveAgent(state, id, { atMs, graceUntilMs: Math.max(atMs, sentAtMs) + settings.agentLeftGraceMs }, toAgent(settings));
}

/** Webhooks have other ids than the listing, so the texts come from the listing alone. */
function translateAnnouncement(state: EightbyeightState, { sender, atMs, sentAtMs }: AnnouncementFacts): Step {
  if (state.relay === "none") return ignore(state, "carried-by-vendor");
  const announced = [...state.announced, { sender, atMs }].slice(-mostAnnounced);
  return { state: { ...state, announced, rechecks: 0, recheckAtMs: sentAtMs + firstRecheckMs }, events: [], pull: true };
}

function translateMessage(settings: TranslateSettings, former: EightbyeightState, facts: MessageFacts): Step {
  const state = withoutAnnouncement(former, facts);
  if (state.relay === "none") return ignore(state, "carried-by-vendor");
  const content = readContent(facts);
  if (!content) return ignore(state, "empty-message");
  const { sender, atMs } = facts;
  const author = { role: "agent" as const, ...toAgent(settings)(sender) };
  const message = { id: facts.id, author, sentAt: new Date(atMs).toISOString(), ...content };
  const known = sender === undefined ? undefined : state.agents[sender];
  // Whoever writes is there, also when nobody told that they came.
  const isNews = sender !== undefined && state.stage !== "over" && !known?.isIn && atMs > Math.max(known?.atMs ?? 0, state.movedAtMs ?? 0);
  const received: HandoverEvent = { type: "message-received", message, atMs };
  if (!isNews) return { state, events: [received] };
  const joined: HandoverEvent = { type: "agent-joined", agent: toAgent(settings)(sender), hasAccepted: true, atMs };
  return { state: markIn(state, sender, atMs), events: [joined, received] };
}

function withoutAnnouncement(state: EightbyeightState, { sender, atMs }: MessageFacts): EightbyeightState {
  const index = state.announced.findIndex((one) => one.sender === (sender ?? "") && Math.abs(one.atMs - atMs) <= announcementToleranceMs);
  if (index < 0) return state;
  const announced = state.announced.toSpliced(index, 1);
  return announced.length > 0 ? { ...state, announced } : { ...without(state, "recheckAtMs"), announced, rechecks: 0 };
}

/** What the API says about everybody; newer than the events that came, unless they are quite new themselves. */
function translateSnapshot(settings: TranslateSettings, former: EightbyeightState, facts: SnapshotFacts): Step {
  const { atMs, assignment } = facts;
  const hadAgent = former.hadAgent || facts.agents.length > 0;
  let state: EightbyeightState = { ...former, hadAgent, ...(facts.state === undefined ? {} : { vendorState: facts.state }) };
  if (facts.state === "idle") return finish(state, atMs, endOfIdle(state));
  if (facts.isCustomerGone) {
    return finish(state, atMs, { reason: hadAgent ? "completed" : "abandoned", actor: "user", vendorReason: "user-left" });
  }
  if (state.stage === "over") {
    const isServed = facts.agents.some(({ id, isIn }) => isIn && isOld(former.agents[id], atMs) && !former.agents[id]?.isIn);
    const isBack = former.vendorState === "idle" || isServed;
    return isBack && atMs > (state.overAtMs ?? 0) ? revive(state, atMs) : ignore(state, "already-ended");
  }
  const events: HandoverEvent[] = [];
  const take = (step: Step): void => {
    ({ state } = step);
    events.push(...step.events);
  };
  const isMoved = state.movedAtMs !== undefined && atMs <= state.movedAtMs + snapshotToleranceMs;
  for (const { id, isIn } of facts.agents) {
    if (!isOld(state.agents[id], atMs) || isMoved) continue;
    if (isIn) take(joinAgent(state, id, atMs, toAgent(settings), settings.agentLeftGraceMs));
    else if (state.agents[id]?.isIn) {
      take(leaveAgent(state, id, { atMs, graceUntilMs: atMs + settings.agentLeftGraceMs }, toAgent(settings)));
    }
  }
  if (assignment?.type === "webhook" && hadAgent && !hasAgent(state)) take(finish(state, atMs, backWithBot));
  else if (assignment?.type === "queue" && state.stage === "leaving") take(moveToQueue(state, atMs));
  else if (assignment?.type === "agent" && hasMissedVisit(state)) {
    state = depart(state, assignment.id ?? "", atMs + settings.agentLeftGraceMs);
  }
  return { state, events, ...(events.length === 0 ? { ignored: "no-change" } : {}) };
}

/** Somebody came and went, and none of that was told. */
function hasMissedVisit(state: EightbyeightState): boolean {
  return state.stage === "waiting" && state.hadAgent && state.movedAtMs === undefined && !hasAgent(state);
}

function isOld(agent: EightbyeightState["agents"][string] | undefined, atMs: number): boolean {
  return agent === undefined || agent.atMs + snapshotToleranceMs < atMs;
}

function translateTyping(settings: TranslateSettings, state: EightbyeightState, { isTyping, agentId }: TypingFacts): Step {
  if (state.stage === "over") return ignore(state, "already-ended");
  return { state, events: [{ type: "typing-changed", author: { role: "agent", ...toAgent(settings)(agentId) }, isTyping }] };
}

/** The grace time is over, or a message that was announced is looked for once more. */
function wake(state: EightbyeightState, atMs: number): Step {
  if (state.stage === "leaving" && state.graceUntilMs !== undefined && state.graceUntilMs <= atMs) {
    return finish(state, atMs, { reason: "completed", actor: "agent", vendorReason: "agent-left" });
  }
  if (state.recheckAtMs === undefined || state.recheckAtMs > atMs) return ignore(state, "no-timer");
  if (state.rechecks >= mostRechecks) return ignore({ ...without(state, "recheckAtMs"), announced: [], rechecks: 0 }, "message-not-listed");
  const rechecks = state.rechecks + 1;
  return { state: { ...state, rechecks, recheckAtMs: atMs + firstRecheckMs * 2 ** rechecks }, events: [], pull: true };
}

function toTranslation(before: EightbyeightState, step: Step): Translation<EightbyeightState> {
  const hasChanged = JSON.stringify(step.state) !== JSON.stringify(before);
  return {
    events: step.events,
    ...(hasChanged ? { state: step.state } : {}),
    ...(hasChanged ? { wakeAt: timerOf(step.state) } : {}),
    ...(step.pull ? { pull: true as const } : {}),
    ...(step.ignored !== undefined && step.events.length === 0 && !step.pull ? { ignored: step.ignored } : {}),
  };
}

/** Two reasons to wake, one timer. */
function timerOf({ graceUntilMs, recheckAtMs }: EightbyeightState): number | null {
  const times = [graceUntilMs, recheckAtMs].filter((time) => time !== undefined);
  return times.length === 0 ? null : Math.min(...times);
}

function toAgent({ agentDisplayName }: TranslateSettings): (id: string | undefined) => Agent {
  return (id) => ({ ...(id === undefined ? {} : { id }), ...(agentDisplayName === undefined ? {} : { name: agentDisplayName }) });
}
