import type { ControlConversation, ControlMessage } from "../shared/vendor-simulator.ts";
import type { Conversation, LiveAgentState, Message } from "./live-agent-state.ts";
import { findAssignee, getContact, isTerminal, technicalUserId } from "./live-agent-state.ts";
import { toIso } from "./live-agent-values.ts";

export function viewControlConversation(state: LiveAgentState, conversation: Conversation): ControlConversation {
  const assignee = findAssignee(state, conversation);
  const shown = conversation.messages.map((message) => ({ message, line: viewLine(state, message) }));
  return {
    id: String(conversation.displayId),
    status: isTerminal(conversation.status) ? "closed" : conversation.isAttended ? "active" : "queued",
    ...(assignee ? { agent: assignee.name } : {}),
    user: getContact(state, conversation.contactId).name,
    createdAt: toIso(conversation.createdAtMs),
    messages: shown
      .filter(({ message }) => !message.isPrivate)
      .map(({ message, line }) => ({ ...line, author: authorOf(message), ...(message.status === "failed" ? { isFailed: true } : {}) })),
    notes: shown.filter(({ message }) => message.isPrivate).map(({ line }) => line),
  };
}

function viewLine(state: LiveAgentState, message: Message): Omit<ControlMessage, "author"> {
  const name = nameOf(state, message);
  return { id: String(message.id), ...(name ? { name } : {}), text: message.content ?? "", at: toIso(timeOf(message)) };
}

/** What the technical user posts comes from the bot's side. */
function authorOf(message: Message): ControlMessage["author"] {
  if (message.type === "incoming") return "user";
  if (message.type !== "outgoing" || !message.sender) return "system";
  return message.sender.id === technicalUserId ? "bot" : "agent";
}

function nameOf(state: LiveAgentState, message: Message): string | undefined {
  if (!message.sender) return undefined;
  return (message.sender.kind === "user" ? state.users : state.contacts).get(message.sender.id)?.name;
}

/** A replayed line keeps the time it was said, which is told in whole seconds; a live one has its own. */
function timeOf(message: Message): number {
  const seconds = Number(message.contentAttributes["external_created_at"] ?? NaN);
  const timeMs = seconds * 1000;
  const isReplay = Number.isFinite(timeMs) && timeMs > 0 && timeMs < 8.64e15 && Math.abs(message.createdAtMs - timeMs) > 2_000;
  return isReplay ? timeMs : message.createdAtMs;
}
