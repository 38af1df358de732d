import {
  isEmptyMessage,
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
import { fingerprintOf } from "./live-agent-deliveries.ts";
import {
  factsSchema,
  type ConversationFacts,
  type EditFacts,
  type MessageFacts,
  type Sender,
  type TypingFacts,
} from "./live-agent-facts.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentAgent, type LiveAgentState } from "./live-agent-state.ts";
import { offerSurvey } from "./live-agent-survey.ts";

type Result = Translation<LiveAgentState>;

/** Agents correct what they have just written. */
const mostTexts = 30;

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
    case "edit":
      return translateEdit(handover.state, facts);
    case "incomplete":
      return { events: [], pull: true };
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
  if (facts.type === "incoming") return translateIncoming(settings, state, facts);
  if (facts.type !== "outgoing" && facts.type !== "template") return ignore("unknown-message-type");
  if (isOurs) return facts.isDeleted ? ignore("own-message-deleted") : echo(facts);

  const { sender } = facts;
  const isHuman = facts.type === "outgoing" && sender?.kind === "user";
  const isAutomatic = facts.type === "template" || sender === undefined;
  if (!isHuman && !isAutomatic && !settings.deliverBotMessages) return ignore("desk-bot");
  if (facts.isSurvey && !facts.isDeleted && state.inboxIdentifier !== undefined) return offerSurvey(facts);
  if (isAutomatic && !settings.deliverTemplates) return ignore("template");
  return receive(state, facts, isHuman ? authorOf("agent", sender.person) : { role: "system" });
}

/** What we posted comes back. An agent who writes in the user's name leaves none of our marks (inferred). */
function translateIncoming(settings: LiveAgentSettings, state: LiveAgentState, facts: MessageFacts): Result {
  const isOurs = facts.hasApiTime || facts.key !== undefined;
  if (!isOurs && settings.deliverRepliesOnBehalf) return receive(state, facts, { role: "system" });
  return facts.isDeleted ? ignore("user-message-deleted") : echo(facts);
}

function receive(state: LiveAgentState, facts: MessageFacts, author: Author): Result {
  if (facts.isDeleted) return { events: [{ type: "message-changed", messageId: facts.id, change: "deleted" }] };
  const { text, attachments, choices, cards } = facts;
  const message: Message = {
    id: facts.id,
    author,
    sentAt: new Date(facts.atMs ?? 0).toISOString(),
    ...(text === undefined ? {} : { text, format: "markdown" as const }),
    ...(attachments ? { attachments: attachments.map((file) => ({ ...file, providerData: { message: facts.id, url: file.url } })) } : {}),
    ...withoutEmpty({ choices, cards }),
  };
  if (isEmptyMessage(message)) return ignore("empty-message");
  return {
    events: [{ type: "message-received", message, ...at(facts.atMs) }],
    ...(text === undefined ? {} : { state: withText(state, facts.id, text) }),
  };
}

/** Only a text that the user has can be edited; what we wrote ourselves never was shown to us. */
function translateEdit(state: LiveAgentState, { id, text }: EditFacts): Result {
  const known = state.texts?.[id];
  if (known === undefined) return ignore("update-of-unknown-message");
  if (known === fingerprintOf(text)) return ignore("no-change");
  return { events: [{ type: "message-changed", messageId: id, change: "edited", text }], state: withText(state, id, text) };
}

function withText(state: LiveAgentState, id: string, text: string): LiveAgentState {
  const { [id]: _former, ...others } = state.texts ?? {};
  // Numbers come first and in order among the keys of an object, so the oldest messages go.
  const kept = Object.entries(others).slice(-(mostTexts - 1));
  return { ...state, texts: Object.fromEntries([...kept, [id, fingerprintOf(text)]]) };
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
  const seenAt = newlySeenAt(state, facts);
  const events = [
    ...agentEvents(state.agent, agent, time),
    ...teamEvents(state.team, facts.team, time),
    ...inboxEvents(state.inbox, facts.inbox, time),
    ...seenEvents(seenAt),
  ];
  return {
    events,
    ...(events.length === 0 ? { ignored: "no-change" } : {}),
    state: {
      ...rest,
      ...(agent ? { agent } : {}),
      ...(facts.team ? { team: facts.team.id } : {}),
      ...withoutEmpty({ inbox: facts.inbox, agentSeenAt: seenAt }),
    },
  };
}

/** An agent has opened the conversation since we last heard of it: what the user wrote until then was read. */
function newlySeenAt(state: LiveAgentState, { agentSeenAt = 0 }: ConversationFacts): number | undefined {
  return agentSeenAt > (state.agentSeenAt ?? 0) ? agentSeenAt : undefined;
}

/** Told in whole seconds: some time within that one. */
function seenEvents(seenAt: number | undefined): HandoverEvent[] {
  return seenAt === undefined ? [] : [{ type: "delivery-changed", target: { upToMs: seenAt * 1000 + 999 }, status: "read" }];
}

/** A conversation goes on wherever agents move it. */
function inboxEvents(former: string | undefined, inbox: string | undefined, time: { atMs?: number }): HandoverEvent[] {
  return former === undefined || inbox === undefined || former === inbox ? [] : [{ type: "transferred", ...time }];
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
  if (facts.updatedAt !== undefined && state.updatedAt !== undefined) return facts.updatedAt > state.updatedAt;
  if (facts.lastActivityAt === undefined || state.lastActivityAt === undefined) return false;
  // Webhooks before 4.0.2 tell only seconds. Within one, it is closed once more at worst, which changes nothing.
  return facts.lastActivityAt > state.lastActivityAt || (facts.isStatusChange === true && facts.lastActivityAt === state.lastActivityAt);
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
