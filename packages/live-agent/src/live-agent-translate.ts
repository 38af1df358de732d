import {
  isWake,
  type Author,
  type Handover,
  type HandoverEvent,
  type Message,
  type Translation,
  type VendorDelivery,
  type Wake,
} from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import { factsSchema, type ConversationFacts, type MessageFacts, type Sender, type TypingFacts } from "./live-agent-facts.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentAgent, type LiveAgentState } from "./live-agent-state.ts";

type Result = Translation<LiveAgentState>;

/** Says what a delivery means. Sections 4.5 and 4.6 of the reference page. Pure. */
export function translate(
  settings: LiveAgentSettings,
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  delivery: VendorDelivery | Wake,
): Result {
  if (isWake(delivery)) return ignore("no-timer");
  const facts = factsSchema.safeParse(delivery.payload).data;
  switch (facts?.kind) {
    case "message":
      return translateMessage(settings, handover.state, facts);
    case "conversation":
      return translateConversation(handover.state, facts);
    case "typing":
      return translateTyping(handover.state, facts);
    case "created":
      // Over already: for a blocked contact nothing else will say so, and otherwise there are messages to read first.
      return isTerminal(facts.status) && !isTerminal(handover.state.status) ? { events: [], pull: true } : ignore("created");
    default:
      return ignore("unknown-event");
  }
}

function translateMessage(settings: LiveAgentSettings, state: LiveAgentState, facts: MessageFacts): Result {
  const isTechnicalUser = isOwnUser(state, facts.sender);
  const isOurs = facts.hasApiTime || isTechnicalUser || (facts.key !== undefined && state.technicalUserId === undefined);
  if (!facts.isPublic) return isOurs ? ignore("own-note") : translateNote(facts);
  if (facts.type === "activity") return ignore("activity");
  if (facts.type === "incoming") return facts.isDeleted ? ignore("user-message-deleted") : echo(facts);
  if (facts.type !== "outgoing" && facts.type !== "template") return ignore("unknown-message-type");
  if (isOurs) return facts.isDeleted ? ignore("own-message-deleted") : echo(facts);

  const { sender } = facts;
  const isHuman = facts.type === "outgoing" && sender?.kind === "user";
  const isAutomatic = facts.type === "template" || sender === undefined;
  if (!isHuman && !isAutomatic) return ignore("desk-bot");
  if (isAutomatic && !settings.deliverTemplates) return ignore("template");
  if (facts.isDeleted) return { events: [{ type: "message-changed", messageId: facts.id, change: "deleted" }] };
  return receive(facts, isHuman ? authorOf("agent", sender.person) : { role: "system" });
}

function receive(facts: MessageFacts, author: Author): Result {
  if (facts.text === undefined && !facts.attachments?.length) return ignore("empty-message");
  const message: Message = {
    id: facts.id,
    author,
    sentAt: new Date(facts.atMs ?? 0).toISOString(),
    ...(facts.text === undefined ? {} : { text: facts.text, format: "markdown" as const }),
    ...(facts.attachments?.length ? { attachments: facts.attachments } : {}),
  };
  return { events: [{ type: "message-received", message, ...at(facts.atMs) }] };
}

function translateNote(facts: MessageFacts): Result {
  if (facts.text === undefined || facts.isDeleted) return ignore("private-note");
  const author = authorOf(facts.sender?.kind === "user" ? "agent" : "system", facts.sender?.person);
  return { events: [{ type: "desk-note", id: facts.id, author, text: facts.text, ...at(facts.atMs) }] };
}

/** The API inbox sends back what we posted. */
function echo(facts: MessageFacts): Result {
  const key = facts.key === undefined ? {} : { idempotencyKey: facts.key };
  return { events: [{ type: "message-echoed", vendorMessageId: facts.id, ...key }] };
}

function translateConversation(state: LiveAgentState, facts: ConversationFacts): Result {
  if (isOlder(state, facts)) return ignore("older-snapshot");
  const next: LiveAgentState = {
    ...state,
    status: facts.status,
    ...withoutEmpty({ updatedAt: facts.updatedAt ?? state.updatedAt, lastActivityAt: facts.lastActivityAt ?? state.lastActivityAt }),
  };
  if (isTerminal(facts.status)) {
    return isTerminal(state.status) ? ignore("already-ended") : { events: [endOf(facts)], state: next };
  }
  if (isTerminal(state.status)) {
    // Without a time nobody can tell a conversation that was opened again from an old webhook that comes late: the API can.
    if (!isNewer(state, facts) && !facts.isListed) return { events: [], pull: true };
    return { events: [{ type: "reopened", ...at(toMs(facts.updatedAt)) }], state: next };
  }
  return translateRouting(state, next, facts);
}

function translateRouting(state: LiveAgentState, next: LiveAgentState, facts: ConversationFacts): Result {
  // A token whose user is an agent gets what it opens: that is not somebody who came.
  const agent = facts.agent?.id === state.technicalUserId ? undefined : facts.agent;
  const time = at(toMs(facts.updatedAt));
  const { agent: _formerAgent, team: _formerTeam, ...rest } = next;
  const events = [...agentEvents(state.agent, agent, time), ...teamEvents(state.team, facts.team, time)];
  return {
    events,
    ...(events.length === 0 ? { ignored: "no-change" } : {}),
    state: { ...rest, ...(agent ? { agent } : {}), ...(facts.team ? { team: facts.team.id } : {}) },
  };
}

/** Assigned is not active: only the first answer of a person is. */
function agentEvents(former: LiveAgentAgent | undefined, agent: LiveAgentAgent | undefined, time: { atMs?: number }): HandoverEvent[] {
  if (former?.id !== agent?.id) {
    if (!agent) return [{ type: "agent-left", ...(former ? { agent: former } : {}), ...time }];
    return [former ? { type: "transferred", agent, ...time } : { type: "agent-joined", agent, hasAccepted: false, ...time }];
  }
  const hasChanged = agent !== undefined && (agent.name !== former?.name || agent.avatarUrl !== former?.avatarUrl);
  return hasChanged ? [{ type: "agent-updated", agent, ...time }] : [];
}

function teamEvents(former: string | undefined, team: ConversationFacts["team"], time: { atMs?: number }): HandoverEvent[] {
  if (!team || team.id === former) return [];
  const queue = team.name === undefined ? {} : { name: team.name };
  return [former === undefined ? { type: "queue-updated", queue, ...time } : { type: "transferred", queue, ...time }];
}

function endOf(facts: ConversationFacts): HandoverEvent {
  const time = at(toMs(facts.updatedAt));
  if (facts.status === "abandoned") return { type: "ended", reason: "abandoned", actor: "system", vendorReason: facts.status, ...time };
  return { type: "ended", reason: "completed", actor: "agent", vendorReason: facts.status, ...time };
}

function translateTyping(state: LiveAgentState, facts: TypingFacts): Result {
  if (!facts.isPublic) return ignore("private-typing");
  if (facts.sender && facts.sender.kind !== "user") return ignore("own-typing");
  if (isOwnUser(state, facts.sender)) return ignore("own-typing");
  if (isTerminal(state.status)) return ignore("already-ended");
  const author = authorOf("agent", facts.sender?.person ?? state.agent);
  return { events: [{ type: "typing-changed", author, isTyping: facts.isTyping }] };
}

function isOwnUser(state: LiveAgentState, sender: Sender | undefined): boolean {
  return sender?.kind === "user" && sender.person !== undefined && sender.person.id === state.technicalUserId;
}

/** `last_activity_at` goes up with messages only, so it is compared where one of the two has nothing better. */
function isOlder(state: LiveAgentState, facts: ConversationFacts): boolean {
  if (facts.updatedAt !== undefined && state.updatedAt !== undefined) {
    // The same moment in another status than the end: a snapshot that was made while the end was being written.
    return (
      facts.updatedAt < state.updatedAt || (facts.updatedAt === state.updatedAt && isTerminal(state.status) && !isTerminal(facts.status))
    );
  }
  return facts.lastActivityAt !== undefined && state.lastActivityAt !== undefined && facts.lastActivityAt < state.lastActivityAt;
}

function isNewer(state: LiveAgentState, facts: ConversationFacts): boolean {
  return facts.updatedAt !== undefined && state.updatedAt !== undefined && facts.updatedAt > state.updatedAt;
}

function authorOf(role: "agent" | "system", person: LiveAgentAgent | undefined): Author {
  return { role, ...person };
}

function ignore(reason: string): Result {
  return { events: [], ignored: reason };
}

function at(ms: number | undefined): { atMs?: number } {
  return ms === undefined ? {} : { atMs: ms };
}

function toMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}
