import type { ControlConversation, ControlMessage } from "../shared/vendor-simulator.ts";
import { isFinished } from "./eightbyeight-conversations.ts";
import type { Conversation, EightbyeightState, Message } from "./eightbyeight-state.ts";
import { presentAgents } from "./eightbyeight-state.ts";
import { toIso } from "./eightbyeight-views.ts";

export function viewControlConversation(state: EightbyeightState, conversation: Conversation): ControlConversation {
  const { user, assignment } = conversation;
  const present = presentAgents(conversation)[0];
  const isClosed = isFinished(conversation);
  const agentId = present?.id ?? (isClosed && assignment.type === "agent" ? assignment.id : "");
  const agent = state.agents.get(agentId)?.name;
  const name = user["name"] ?? user["userId"];
  return {
    id: conversation.id,
    status: isClosed ? "closed" : present ? "active" : "queued",
    ...(agent === undefined ? {} : { agent }),
    user: typeof name === "string" ? name : "",
    createdAt: toIso(conversation.createdAtMs),
    messages: conversation.messages.map((message) => viewLine(state, conversation, message)),
    notes: [],
  };
}

function viewLine(state: EightbyeightState, conversation: Conversation, message: Message): ControlMessage {
  const { author } = message;
  const name = state.agents.get(author.id)?.name;
  const attachments = message.attachmentIds.flatMap((id) => {
    const found = conversation.attachments.get(id);
    return found ? [{ id, name: found.name, type: found.type, sizeBytes: found.content.length }] : [];
  });
  return {
    id: message.id,
    author: author.type,
    ...(name === undefined ? {} : { name }),
    text: message.text ?? "",
    at: toIso(message.createdAtMs),
    ...(attachments.length > 0 ? { attachments } : {}),
  };
}
