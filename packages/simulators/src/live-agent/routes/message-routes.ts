import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { notFound, unprocessable } from "../live-agent-errors.ts";
import { addMessage, deleteMessage, listMessages, updateMessageStatus } from "../live-agent-messages.ts";
import type { Conversation, JsonObject, Message, MessageType, User } from "../live-agent-state.ts";
import { findAssignee, getContact } from "../live-agent-state.ts";
import { isObject, toFlag, toId, toText, toUnix } from "../live-agent-values.ts";
import { viewAgent, viewContact, viewMessage } from "../live-agent-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, emptyAnswer, findConversation } from "./api-call.ts";

const messageTypes: readonly MessageType[] = ["incoming", "outgoing", "activity", "template"];
const contentTypes = [
  "text",
  "input_text",
  "input_textarea",
  "input_email",
  "input_select",
  "cards",
  "form",
  "article",
  "incoming_email",
  "input_csat",
  "integrations",
  "sticker",
  "voice_call",
];

export function addMessageRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const messages = "/api/v1/accounts/:account/conversations/:conversation/messages";

  server.post(
    messages,
    route((call) => {
      const message = postMessage(context, findConversation(context, call), call.user, call.body);
      return viewMessage(state, message, toText(call.body["echo_id"]) ?? undefined);
    }),
  );
  server.get(
    messages,
    route((call) => {
      const conversation = findConversation(context, call);
      const { before, after } = call.query;
      const hidesInternal = call.query["filter_internal_messages"] !== undefined;
      const page = listMessages(conversation, { before: toId(before), after: toId(after), hidesInternal });
      return { meta: viewMeta(context, conversation), payload: page.map((message) => viewMessage(state, message)) };
    }),
  );
  server.patch(
    `${messages}/:message`,
    route((call) => {
      const message = findMessage(context, call);
      const { status } = call.body;
      if (status === "sent" || status === "delivered" || status === "read" || status === "failed") {
        updateMessageStatus(context, message, status, status === "failed" ? (toText(call.body["external_error"]) ?? undefined) : undefined);
      }
      return viewMessage(state, message);
    }),
  );
  server.delete(
    `${messages}/:message`,
    route((call) => {
      deleteMessage(context, findMessage(context, call));
      return emptyAnswer;
    }),
  );
}

/** Posts as the customer (`incoming`) or, which is the default, as the owner of the token. */
export function postMessage(context: LiveAgentContext, conversation: Conversation, user: User, fields: JsonObject): Message {
  const type = readOneOf(fields["message_type"] ?? "outgoing", messageTypes, "message_type") as MessageType;
  const contentType = readOneOf(fields["content_type"] ?? "text", contentTypes, "content_type");
  const externalCreatedAt = fields["external_created_at"];
  return addMessage(context, conversation, {
    type,
    content: toText(fields["content"]),
    isPrivate: toFlag(fields["private"]),
    contentType,
    contentAttributes: {
      ...readAttributes(fields["content_attributes"]),
      ...(externalCreatedAt === undefined || externalCreatedAt === null ? {} : { external_created_at: externalCreatedAt }),
    },
    sourceId: toText(fields["source_id"]),
    sender: type === "outgoing" ? { kind: "user", id: user.id } : { kind: "contact", id: conversation.contactId },
  });
}

function readOneOf(value: unknown, known: readonly string[], name: string): string {
  if (typeof value === "string" && known.includes(value)) return value;
  throw unprocessable(`'${toText(value)?.slice(0, 60) ?? ""}' is not a valid ${name}`);
}

/** An object, or a text that holds one. */
function readAttributes(value: unknown): JsonObject {
  if (isObject(value)) return value;
  if (typeof value !== "string") return {};
  try {
    const parsed: unknown = JSON.parse(value);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function findMessage(context: LiveAgentContext, call: ApiCall): Message {
  const message = context.state.messages.get(toId(call.params["message"]) ?? 0);
  if (message?.conversation !== findConversation(context, call)) throw notFound();
  return message;
}

function viewMeta(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const assignee = findAssignee(context.state, conversation);
  return {
    labels: conversation.labels,
    additional_attributes: conversation.additionalAttributes,
    contact: viewContact(context.state, getContact(context.state, conversation.contactId), false),
    ...(assignee ? { assignee: viewAgent(context.state, assignee) } : {}),
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    assignee_last_seen_at: 0,
  };
}
