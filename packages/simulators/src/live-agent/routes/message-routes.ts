import type { FastifyInstance } from "fastify";
import { viewMessage } from "../live-agent-api-views.ts";
import { findSigned, storeFile } from "../live-agent-attachments.ts";
import { contentTypes, keepKnownAttributes } from "../live-agent-content.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { ApiError, notFound, unprocessable } from "../live-agent-errors.ts";
import { isUploadedFile } from "../live-agent-form.ts";
import { addMessage, deleteMessage, listMessages, retryMessage, updateMessageStatus } from "../live-agent-messages.ts";
import type { Actor, Blob, Conversation, JsonObject, Message, MessageType } from "../live-agent-state.ts";
import { findAssignee, getContact, getInbox } from "../live-agent-state.ts";
import { isObject, toFlag, toId, toText, toUnix } from "../live-agent-values.ts";
import { viewAgent, viewContact } from "../live-agent-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, emptyAnswer, findConversation, uploadOptions } from "./api-call.ts";

const messageTypes: readonly MessageType[] = ["incoming", "outgoing", "activity", "template"];

export function addMessageRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const route = createRoutes(context);
  const messages = "/api/v1/accounts/:account/conversations/:conversation/messages";

  server.post(
    messages,
    uploadOptions,
    route((call) => answerPost(context, call), { bots: "always" }),
  );
  server.get(
    messages,
    route((call) => {
      const conversation = findConversation(context, call);
      const { before, after } = call.query;
      const knownAfter = context.profile.has("messagesAfter") ? toId(after) : undefined;
      const hidesInternal = call.query["filter_internal_messages"] !== undefined;
      const page = listMessages(conversation, { before: toId(before), after: knownAfter, hidesInternal });
      return { meta: viewMeta(context, conversation), payload: page.map((message) => viewMessage(context, message)) };
    }),
  );
  server.patch(
    `${messages}/:message`,
    route((call) => patchMessage(context, call), { since: "messageStatusPatch" }),
  );
  server.delete(
    `${messages}/:message`,
    route((call) => {
      deleteMessage(context, findMessage(context, call));
      return emptyAnswer;
    }),
  );
  server.post(
    `${messages}/:message/retry`,
    route(
      (call) => {
        const message = findMessage(context, call);
        retryMessage(context, message);
        return viewMessage(context, message);
      },
      { since: "messageRetry" },
    ),
  );
}

/** Below 1.20 what is not valid is answered like what is, without an id. */
function answerPost(context: LiveAgentContext, call: ApiCall): JsonObject {
  const conversation = findConversation(context, call);
  const echoId = toText(call.body["echo_id"]) ?? undefined;
  try {
    return viewMessage(context, postMessage(context, conversation, call.actor, call.body), echoId);
  } catch (error) {
    const isSwallowed = error instanceof ApiError && error.status === 422 && !context.profile.has("messageErrors");
    if (!isSwallowed) throw error;
    const content = toText(call.body["content"]);
    return { id: null, content, inbox_id: conversation.inboxId, conversation_id: conversation.displayId, content_attributes: {} };
  }
}

/** Posts as the customer (`incoming`) or, which is the default, as the bot that is named or the owner of the token. */
export function postMessage(context: LiveAgentContext, conversation: Conversation, actor: Actor, fields: JsonObject): Message {
  const { profile } = context;
  const type = readOneOf(fields["message_type"] ?? "outgoing", messageTypes, "message_type") as MessageType;
  const contentType = readOneOf(fields["content_type"] ?? "text", contentTypes, "content_type");
  const externalCreatedAt = fields["external_created_at"];
  const attributes = readAttributes(fields["content_attributes"]);
  return addMessage(context, conversation, {
    type,
    content: toText(fields["content"]),
    isPrivate: toFlag(fields["private"]),
    contentType,
    contentAttributes: {
      ...(profile.has("freeContentAttributes") ? attributes : keepKnownAttributes(attributes)),
      ...(externalCreatedAt === undefined || externalCreatedAt === null ? {} : { external_created_at: externalCreatedAt }),
    },
    sourceId: profile.has("messageSourceId") ? toText(fields["source_id"]) : null,
    sender: readSender(context, conversation, { type, actor, fields }),
    files: readFiles(context, fields["attachments"]),
  });
}

function readSender(
  { state }: LiveAgentContext,
  conversation: Conversation,
  { type, actor, fields }: { readonly type: MessageType; readonly actor: Actor; readonly fields: JsonObject },
): Message["sender"] {
  if (type !== "outgoing") return { kind: "contact", id: conversation.contactId };
  const bot = fields["sender_type"] === "AgentBot" ? state.agentBots.get(toId(fields["sender_id"]) ?? 0) : undefined;
  if (bot && (bot.accountId === null || bot.accountId === conversation.accountId)) return { kind: "agent_bot", id: bot.id };
  return { kind: actor.kind, id: actor.id };
}

/** Parts of a form, or the names of files that were uploaded before. */
export function readFiles(context: LiveAgentContext, attachments: unknown): Blob[] {
  if (attachments === undefined || attachments === null) return [];
  const given: unknown[] = Array.isArray(attachments) ? attachments : [attachments];
  return given.map((item) => {
    if (isUploadedFile(item)) return storeFile(context, item);
    const blob = typeof item === "string" ? findSigned(context, item) : undefined;
    if (!blob) throw unprocessable("mismatched digest");
    return blob;
  });
}

function patchMessage(context: LiveAgentContext, call: ApiCall): JsonObject {
  const message = findMessage(context, call);
  if (!getInbox(context.state, message.conversation.inboxId).isApi) {
    throw new ApiError(403, { error: "Message status update is only allowed for API inboxes" });
  }
  const { status } = call.body;
  if (status === "sent" || status === "delivered" || status === "read" || status === "failed") {
    updateMessageStatus(context, message, status, status === "failed" ? (toText(call.body["external_error"]) ?? undefined) : undefined);
  }
  return viewMessage(context, message);
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
    contact: viewContact(context, getContact(context.state, conversation.contactId), false),
    ...(assignee ? { assignee: viewAgent(context, assignee, conversation.accountId) } : {}),
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    assignee_last_seen_at: 0,
  };
}
