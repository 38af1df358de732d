import type { ControlConversation, ControlMessage } from "../shared/vendor-simulator.ts";
import { fileUrl } from "./live-agent-attachments.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { readSurveyAnswer } from "./live-agent-csat.ts";
import { botName } from "./live-agent-push-views.ts";
import type { Conversation, Message } from "./live-agent-state.ts";
import { findAssignee, getContact, getInbox, isTerminal } from "./live-agent-state.ts";
import { toIso } from "./live-agent-values.ts";

export function viewControlConversation(context: LiveAgentContext, conversation: Conversation): ControlConversation {
  const { state } = context;
  const assignee = findAssignee(state, conversation);
  const shown = conversation.messages.map((message) => ({ message, line: viewLine(context, message) }));
  const survey = conversation.messages.map(readSurveyAnswer).findLast((answer) => answer !== undefined);
  return {
    id: conversation.key,
    status: isTerminal(conversation.status) ? "closed" : conversation.isAttended ? "active" : "queued",
    ...(assignee ? { agent: assignee.name } : {}),
    user: getContact(state, conversation.contactId).name,
    createdAt: toIso(conversation.createdAtMs),
    messages: shown
      .filter(({ message }) => !message.isPrivate)
      .map(({ message, line }) => ({ ...line, author: authorOf(context, message), ...viewState(context, message) })),
    notes: shown.filter(({ message }) => message.isPrivate).map(({ line }) => line),
    ...(conversation.isCustomerTyping ? { isUserTyping: true } : {}),
    ...(survey ? { survey } : {}),
    details: viewDetails(context, conversation),
  };
}

function viewDetails({ state }: LiveAgentContext, conversation: Conversation): Readonly<Record<string, unknown>> {
  const { status, priority, labels, customAttributes, additionalAttributes, accountId, teamId } = conversation;
  const inbox = getInbox(state, conversation.inboxId).name;
  const team = teamId === null ? undefined : state.teams.get(teamId)?.name;
  return { status, inbox, team, priority, labels, customAttributes, additionalAttributes, accountId };
}

function viewLine(context: LiveAgentContext, message: Message): Omit<ControlMessage, "author"> {
  const name = nameOf(context, message);
  return { id: String(message.id), ...(name ? { name } : {}), text: message.content ?? "", at: toIso(timeOf(message)) };
}

function viewState(context: LiveAgentContext, message: Message): Partial<ControlMessage> {
  const attachments = message.attachments.map(({ id, blob }) => {
    const { name, type, content } = blob;
    return { id: String(id), name, type, sizeBytes: content.length, url: `${fileUrl(context, blob, "blobs")}?desk=1` };
  });
  return {
    ...(message.status === "failed" ? { isFailed: true } : {}),
    ...(message.status === "read" ? { isRead: true } : {}),
    ...(message.contentType === "text" ? {} : { contentType: String(message.contentType) }),
    ...(attachments.length > 0 ? { attachments } : {}),
  };
}

/** What a technical user or an agent bot posts comes from the bot's side. */
function authorOf({ state }: LiveAgentContext, message: Message): ControlMessage["author"] {
  const { sender, type } = message;
  if (type === "incoming") return "user";
  if (type !== "outgoing" || !sender) return "system";
  if (sender.kind !== "user") return "bot";
  return state.users.get(sender.id)?.isProgram ? "bot" : "agent";
}

function nameOf(context: LiveAgentContext, { sender }: Message): string | undefined {
  if (!sender) return undefined;
  if (sender.kind === "contact") return context.state.contacts.get(sender.id)?.name;
  return sender.kind === "user" ? context.state.users.get(sender.id)?.name : botName(context, sender);
}

/** A replayed line keeps the time it was said, which is told in whole seconds; a live one has its own. */
function timeOf(message: Message): number {
  const seconds = Number(message.contentAttributes["external_created_at"] ?? NaN);
  const timeMs = seconds * 1000;
  const isReplay = Number.isFinite(timeMs) && timeMs > 0 && timeMs < 8.64e15 && Math.abs(message.createdAtMs - timeMs) > 2_000;
  return isReplay ? timeMs : message.createdAtMs;
}
