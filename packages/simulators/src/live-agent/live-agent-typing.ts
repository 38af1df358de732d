import { randomBytes } from "node:crypto";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { sessionIdOf } from "./live-agent-api-views.ts";
import { inboxHook, sendBy } from "./live-agent-hooks.ts";
import { viewConversationPush } from "./live-agent-push-views.ts";
import type { Conversation, JsonObject, User } from "./live-agent-state.ts";
import { getContact, getContactInbox } from "./live-agent-state.ts";
import { toIso } from "./live-agent-values.ts";
import { publish, viewContactSender, viewUser } from "./live-agent-webhooks.ts";

/** A user types: told by webhook, by the event gateway, or by none of them. */
export function publishTyping(
  context: LiveAgentContext,
  conversation: Conversation,
  user: User,
  isTyping: boolean,
  isPrivate: boolean,
): void {
  const { typing } = context.behaviour;
  if (typing === "webhook" || typing === "both") tell(context, conversation, isTyping, isPrivate, () => viewUser(context, user));
  if ((typing === "cloud-events" || typing === "both") && !isPrivate) sendCloudEvent(context, conversation, isTyping);
}

/** The customer types, as the public API says; the webhooks tell that too. */
export function setCustomerTyping(context: LiveAgentContext, conversation: Conversation, isTyping: boolean): void {
  conversation.isCustomerTyping = isTyping;
  const contact = getContact(context.state, conversation.contactId);
  tell(context, conversation, isTyping, false, () => viewContactSender(context, contact));
  announceChange(context, conversation);
}

function tell(
  context: LiveAgentContext,
  conversation: Conversation,
  isTyping: boolean,
  isPrivate: boolean,
  viewWho: () => JsonObject,
): void {
  if (!context.profile.has("typingWebhooks")) return;
  const event = isTyping ? "conversation_typing_on" : "conversation_typing_off";
  publish(context, conversation, event, () => ({
    event,
    user: viewWho(),
    is_private: isPrivate,
    conversation: viewConversationPush(context, conversation),
  }));
}

/** Live Agent's event gateway; its address is the inbox's webhook here. */
function sendCloudEvent(context: LiveAgentContext, conversation: Conversation, isTyping: boolean): void {
  const { cloudEventSubject, cloudEventContentType } = context.behaviour;
  const type = `ai.cognigy.live-agent.conversation.typing_${isTyping ? "on" : "off"}`;
  const sourceId = getContactInbox(context.state, conversation.contactInboxId).sourceId;
  const id = `01${randomBytes(12).toString("hex").toUpperCase()}`;
  const build = (): JsonObject => ({
    specversion: "1.0",
    type,
    source: "http://127.0.0.1:3000",
    subject: `conversation.${cloudEventSubject === "display-id" ? conversation.displayId : conversation.internalId}`,
    id,
    time: toIso(context.clock.now()),
    datacontenttype: "application/json",
    data: { cognigy_session_id: sessionIdOf(conversation) ?? sourceId },
  });
  // The gateway knows no signature.
  const hook = inboxHook(context, conversation, type);
  const unsigned = {
    ...hook,
    find() {
      const target = hook.find();
      return target && { url: target.url, secret: undefined };
    },
  };
  sendBy(context, unsigned, type, build, { contentType: cloudEventContentType });
}
