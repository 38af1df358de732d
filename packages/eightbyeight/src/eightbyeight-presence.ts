import type { Agent, EndedEvent, HandoverEvent } from "@handover/core";
import { without, type EightbyeightState } from "./eightbyeight-state.ts";

// Who is there, and what follows from it. 8x8 gives its events no order, so each of them is compared with what is known of the
// same person by its own time, and every order of TRANSFER, left, QUEUED and joined comes to the same. Pure.

/** The state afterwards and what it means to people. */
export interface Step {
  readonly state: EightbyeightState;
  readonly events: readonly HandoverEvent[];
  readonly ignored?: string;
  readonly pull?: true;
}

/** How an agent is shown, whose name 8x8 does not tell. */
type ToAgent = (id: string | undefined) => Agent;

const mostAgents = 50;

export function ignore(state: EightbyeightState, why: string): Step {
  return { state, events: [], ignored: why };
}

/** An agent came: only this makes it active, not 8x8's state of that name. */
export function joinAgent(state: EightbyeightState, id: string, atMs: number, toAgent: ToAgent, graceMs: number): Step {
  if (state.stage === "over") return revive(state, atMs);
  const known = state.agents[id];
  if (known?.isIn) return ignore(state, "agent-known");
  if (state.movedAtMs !== undefined && atMs < state.movedAtMs) return ignore(state, "older-event");
  const joined: HandoverEvent = { type: "agent-joined", agent: toAgent(id), hasAccepted: true, atMs };
  if (known && known.atMs >= atMs) {
    if (state.hadAgent) return ignore(state, "older-event");
    // Told in the wrong order: they have left already.
    return { state: depart({ ...state, hadAgent: true, servedAtMs: atMs }, id, known.atMs + graceMs), events: [joined] };
  }
  const departed: HandoverEvent[] =
    state.stage === "leaving" ? [{ type: "agent-left", agent: toAgent(state.leaver), isAnotherPresent: true, atMs }] : [];
  return { state: markIn(state, id, atMs), events: [...departed, joined] };
}

/** An agent went. Whether that is the end is known when no transfer shows within the grace time. */
export function leaveAgent(
  state: EightbyeightState,
  id: string,
  times: { readonly atMs: number; readonly graceUntilMs: number },
  toAgent: ToAgent,
): Step {
  const { atMs, graceUntilMs } = times;
  if (state.stage === "over") return ignore(state, "already-ended");
  const known = state.agents[id];
  if (known && (!known.isIn || known.atMs > atMs)) return ignore(state, known.isIn ? "older-event" : "agent-gone");
  const next = withAgent(state, id, false, atMs);
  // They never came, as far as we know: the API knows more.
  if (!known) return { state: next, events: [], ignored: "unknown-agent", ...(hasAgent(next) ? {} : { pull: true as const }) };
  if (hasAgent(next)) return { state: next, events: [{ type: "agent-left", agent: toAgent(id), isAnotherPresent: true, atMs }] };
  return { state: depart(next, id, graceUntilMs), events: [] };
}

/** Back to a queue: by a transfer, or because 8x8 says that it waits again. */
export function moveToQueue(state: EightbyeightState, atMs: number, queueName?: string): Step {
  if (state.stage === "over") return revive(state, atMs);
  const agents = Object.fromEntries(
    Object.entries(state.agents).map(([id, agent]) => [id, agent.isIn && agent.atMs <= atMs ? { isIn: false, atMs } : agent]),
  );
  // Somebody has come since.
  if (state.servedAtMs !== undefined && atMs < state.servedAtMs) return ignore({ ...state, agents }, "older-event");
  const movedAtMs = Math.max(atMs, state.movedAtMs ?? atMs);
  const next: EightbyeightState = { ...without(state, "leaver", "graceUntilMs"), stage: "waiting", agents, movedAtMs };
  if (state.stage === "waiting") return ignore(next, "transfer-known");
  const queue = queueName === undefined ? {} : { queue: { name: queueName } };
  return { state: next, events: [{ type: "transferred", ...queue, atMs }] };
}

/** The end, once. */
export function finish(
  state: EightbyeightState,
  atMs: number,
  end: Pick<EndedEvent, "reason" | "actor"> & { readonly vendorReason: string },
): Step {
  if (state.stage === "over") return ignore(state, "already-ended");
  const next: EightbyeightState = { ...without(state, "leaver", "graceUntilMs"), stage: "over", overAtMs: atMs };
  return { state: next, events: [{ type: "ended", ...end, atMs }] };
}

/** Idle after an agent was there is the usual end; before, nobody will come. */
export function endOfIdle({ hadAgent }: EightbyeightState): Pick<EndedEvent, "reason" | "actor"> & { readonly vendorReason: string } {
  return hadAgent
    ? { reason: "completed", actor: "agent", vendorReason: "idle" }
    : { reason: "unavailable", actor: "system", vendorReason: "idle" };
}

/** Something happens in a conversation that is over: it has come to life again, or this is old news. */
export function revive(state: EightbyeightState, atMs: number): Step {
  const overAtMs = state.overAtMs ?? 0;
  if (atMs < overAtMs) return ignore(state, "already-ended");
  // The same moment: the API says which of the two came last.
  if (atMs === overAtMs) return { state, events: [], pull: true };
  const next: EightbyeightState = { ...without(state, "overAtMs"), stage: "waiting", agents: {}, movedAtMs: atMs };
  return { state: next, events: [{ type: "reopened", atMs }] };
}

/** Notes that somebody is there without telling anybody. */
export function markIn(state: EightbyeightState, id: string, atMs: number): EightbyeightState {
  const servedAtMs = Math.max(atMs, state.servedAtMs ?? atMs);
  const rest = without(state, "leaver", "graceUntilMs");
  return { ...withAgent(rest, id, true, atMs), stage: "served", hadAgent: true, servedAtMs };
}

export function hasAgent({ agents }: EightbyeightState): boolean {
  return Object.values(agents).some(({ isIn }) => isIn);
}

/** The last one has gone, and the grace time begins. */
export function depart(state: EightbyeightState, leaver: string, graceUntilMs: number): EightbyeightState {
  return { ...state, stage: "leaving", leaver, graceUntilMs };
}

function withAgent(state: EightbyeightState, id: string, isIn: boolean, atMs: number): EightbyeightState {
  const agents = Object.entries({ ...state.agents, [id]: { isIn, atMs } });
  const kept = agents.toSorted(([, left], [, right]) => right.atMs - left.atMs).slice(0, mostAgents);
  return { ...state, agents: Object.fromEntries(kept) };
}
