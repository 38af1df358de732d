import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { createConversation, emptyConversation, setStatus } from "../live-agent-conversations.ts";
import { checkSubmission } from "../live-agent-csat.ts";
import { railsNotFound } from "../live-agent-errors.ts";
import { addMessage, changeMessage, listMessages, markRead } from "../live-agent-messages.ts";
import { statusOnWire, typeNumbers, viewAttachments, viewSenderPush } from "../live-agent-push-views.ts";
import type { Conversation, JsonObject, Message } from "../live-agent-state.ts";
import { getContact, isTerminal } from "../live-agent-state.ts";
import { setCustomerTyping } from "../live-agent-typing.ts";
import { isObject, toId, toText, toUnix } from "../live-agent-values.ts";
import { viewContactRow } from "../live-agent-views.ts";
import { emptyAnswer, uploadOptions } from "./api-call.ts";
import { readFiles } from "./message-routes.ts";
import type { PublicCall } from "./public-call.ts";
import { createPublicRoutes, findContactInbox, findOwnConversation, listOwnConversations } from "./public-call.ts";

/** The public client API: conversations and messages, as the customer sees them. */
export function addPublicConversationRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const route = createPublicRoutes(context);
  const all = "/public/api/v1/inboxes/:inbox/contacts/:source/conversations";
  const one = `${all}/:conversation`;

  server.post(
    all,
    route((call) => {
      const customAttributes = isObject(call.body["custom_attributes"]) ? call.body["custom_attributes"] : {};
      const conversation = createConversation(context, findContactInbox(context, call), { ...emptyConversation, customAttributes });
      return viewConversation(context, conversation);
    }),
  );
  server.get(
    all,
    route((call) => {
      const own = listOwnConversations(context, findContactInbox(context, call));
      return own.map((conversation) => viewConversation(context, conversation));
    }),
  );
  server.get(
    one,
    route((call) => viewConversation(context, findOwnConversation(context, call))),
  );
  server.post(
    `${one}/toggle_status`,
    route(
      (call) => {
        const conversation = findOwnConversation(context, call);
        if (!isTerminal(conversation.status)) {
          setStatus(context, conversation, "resolved", { name: getContact(context.state, conversation.contactId).name });
        }
        return viewConversation(context, conversation);
      },
      { since: "publicToggleStatus" },
    ),
  );
  server.post(
    `${one}/toggle_typing`,
    route(
      (call) => {
        const typing = call.body["typing_status"];
        if (typing === "on" || typing === "off") setCustomerTyping(context, findOwnConversation(context, call), typing === "on");
        return emptyAnswer;
      },
      { since: "publicTyping" },
    ),
  );
  server.post(
    `${one}/update_last_seen`,
    route(
      (call) => {
        markRead(context, findOwnConversation(context, call));
        return emptyAnswer;
      },
      { since: "publicTyping" },
    ),
  );
  server.get(
    `${one}/messages`,
    route((call) => {
      const conversation = findOwnConversation(context, call);
      const page = listMessages(conversation, { before: toId(call.query["before"]), after: undefined, hidesInternal: true });
      return page.map((message) => viewMessage(context, message));
    }),
  );
  server.post(
    `${one}/messages`,
    uploadOptions,
    route((call) => viewMessage(context, say(context, call))),
  );
  server.patch(
    `${one}/messages/:message`,
    route((call) => viewMessage(context, submit(context, call))),
  );
}

/** Always the customer's, with nothing but text and files. */
function say(context: LiveAgentContext, call: PublicCall): Message {
  const conversation = findOwnConversation(context, call);
  return addMessage(context, conversation, {
    type: "incoming",
    content: toText(call.body["content"]),
    sender: { kind: "contact", id: conversation.contactId },
    files: readFiles(context, call.body["attachments"]),
  });
}

function submit(context: LiveAgentContext, call: PublicCall): Message {
  const message = context.state.messages.get(toId(call.params["message"]) ?? 0);
  if (message?.conversation !== findOwnConversation(context, call) || message.isPrivate) throw railsNotFound();
  changeMessage(context, message, { contentAttributes: checkSubmission(context, message, call.body["submitted_values"]) });
  return message;
}

function viewConversation(context: LiveAgentContext, conversation: Conversation): JsonObject {
  const { profile, state } = context;
  const messages = listMessages(conversation, { before: undefined, after: undefined, hidesInternal: true });
  return {
    id: conversation.displayId,
    ...(profile.has("conversationUuid") ? { uuid: conversation.uuid } : {}),
    inbox_id: conversation.inboxId,
    contact_last_seen_at: toUnix(conversation.contactLastSeenAtMs),
    status: statusOnWire(context, conversation),
    agent_last_seen_at: toUnix(conversation.agentLastSeenAtMs),
    messages: messages.map((message) => viewMessage(context, message)),
    contact: viewContactRow(getContact(state, conversation.contactId)),
  };
}

function viewMessage(context: LiveAgentContext, message: Message): JsonObject {
  const sender = viewSenderPush(context, message);
  return {
    id: message.id,
    content: message.content,
    message_type: typeNumbers[message.type],
    content_type: message.contentType,
    content_attributes: message.contentAttributes,
    created_at: toUnix(message.createdAtMs),
    conversation_id: message.conversation.displayId,
    ...viewAttachments(context, message),
    ...(sender ? { sender } : {}),
  };
}
