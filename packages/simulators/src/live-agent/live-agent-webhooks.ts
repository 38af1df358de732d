import type { LiveAgentContext } from "./live-agent-context.ts";
import type { Feature } from "./live-agent-features.ts";
import type { Hook } from "./live-agent-hooks.ts";
import { accountHooks, botHooks, inboxHook, sendBy } from "./live-agent-hooks.ts";
import { botName, viewAttachments, viewConversationPush, typeNumbers } from "./live-agent-push-views.ts";
import type { Contact, Conversation, Inbox, JsonObject, Message, User } from "./live-agent-state.ts";
import { getAccount, getContact, getInbox } from "./live-agent-state.ts";
import { toIso } from "./live-agent-values.ts";
import { nameOutside, viewInbox } from "./live-agent-views.ts";

/** One changed attribute under its name on the wire. */
export type ChangedAttribute = Readonly<Record<string, { readonly previous_value: unknown; readonly current_value: unknown }>>;

export type ConversationEvent =
  "conversation_created" | "conversation_status_changed" | "conversation_updated" | "conversation_opened" | "conversation_resolved";

const introducedWith: Readonly<Partial<Record<string, Feature>>> = {
  conversation_created: "conversationCreatedEvent",
  conversation_updated: "conversationUpdatedEvent",
};
const lastOfSubscribable: Feature = "webhookSubscriptions";
const botEvents = ["message_created", "message_updated", "conversation_updated", "conversation_opened", "conversation_resolved"];

export interface PublishOptions {
  /** The inbox's own webhook could not be delivered. */
  onInboxFailure?(error: string): void;
  /** The bot could not be reached. */
  onBotFailure?(): void;
}

export function publishMessage(
  context: LiveAgentContext,
  event: "message_created" | "message_updated",
  message: Message,
  options: PublishOptions,
): void {
  // Activity lines never leave; private notes do.
  if (message.type === "activity") return;
  if (message.type === "template" && !context.profile.has("templateWebhooks")) return;
  publish(context, message.conversation, event, () => buildMessage(context, event, message), options);
}

export function publishConversation(
  context: LiveAgentContext,
  event: ConversationEvent,
  conversation: Conversation,
  changed?: readonly ChangedAttribute[],
): void {
  const hasChanges = event === "conversation_updated" || event === "conversation_status_changed";
  const showsChanges = hasChanges && context.profile.has("conversationUpdatedEvent");
  const build = (): JsonObject => ({
    ...viewConversationPush(context, conversation),
    event,
    ...(showsChanges ? { changed_attributes: changed ?? null } : {}),
  });
  publish(context, conversation, event, build);
  if (event === "conversation_updated" && context.behaviour.doublesUpdates) publish(context, conversation, event, build);
}

/** Anything, for what no documentation knows. */
export function publishAnything(context: LiveAgentContext, conversation: Conversation, event: string, data: JsonObject): void {
  sendBy(context, inboxHook(context, conversation, event), event, () =>
    isGone(context, conversation) ? undefined : { ...viewConversationPush(context, conversation), ...data, event },
  );
}

export function publishContact(context: LiveAgentContext, event: "contact_created" | "contact_updated", contact: Contact): void {
  if (!context.profile.has("contactEvents")) return;
  const changed = event === "contact_updated" ? { changed_attributes: [] } : {};
  for (const hook of accountHooks(context, contact.accountId, event, `contact ${contact.id}`)) {
    sendBy(context, hook, event, () => ({ ...viewContactSender(context, contact), event, ...changed }));
  }
}

export function publishInbox(context: LiveAgentContext, event: "inbox_created" | "inbox_updated", inbox: Inbox): void {
  if (!context.profile.has("inboxEvents")) return;
  for (const hook of accountHooks(context, inbox.accountId, event, `inbox ${inbox.id}`)) {
    sendBy(context, hook, event, () => ({ ...viewInbox(context, inbox, false), event }));
  }
}

/** Sends an event to everybody who gets it: the inbox's webhook, the account's, bots. */
export function publish(
  context: LiveAgentContext,
  conversation: Conversation,
  event: string,
  buildBody: () => JsonObject,
  options: PublishOptions = {},
): void {
  const build = (): JsonObject | undefined => (isGone(context, conversation) ? undefined : buildBody());
  const { onInboxFailure, onBotFailure } = options;
  const send = (hook: Hook, onFailure: ((error: string) => void) | undefined): void =>
    sendBy(context, hook, event, build, onFailure ? { onFailure } : {});

  if (leavesByWebhook(context, event)) {
    send(inboxHook(context, conversation, event), onInboxFailure);
    for (const hook of accountHooks(context, conversation.accountId, event, conversation.key)) send(hook, undefined);
  }
  const reachesBots = botEvents.includes(event) || (event === "conversation_status_changed" && context.profile.has("statusChangedForBots"));
  if (reachesBots) for (const hook of botHooks(context, conversation)) send(hook, onBotFailure);
}

function leavesByWebhook({ profile }: LiveAgentContext, event: string): boolean {
  if (event === "conversation_opened" || event === "conversation_resolved") return !profile.has(lastOfSubscribable);
  const feature = introducedWith[event];
  return feature === undefined || profile.has(feature);
}

function isGone({ state }: LiveAgentContext, conversation: Conversation): boolean {
  return state.conversations.get(conversation.key) !== conversation;
}

function buildMessage(context: LiveAgentContext, event: string, message: Message): JsonObject {
  const { profile, behaviour, state } = context;
  const inbox = getInbox(state, message.conversation.inboxId);
  const { id, name } = getAccount(state, message.conversation.accountId);
  return {
    account: { id, name },
    ...(profile.has("fullConversationPush") ? { additional_attributes: {} } : {}),
    content_attributes: message.contentAttributes,
    content_type: message.contentType,
    content: message.content,
    conversation: viewConversationPush(context, message.conversation),
    created_at: toIso(message.createdAtMs),
    id: message.id,
    inbox: { id: inbox.id, name: inbox.name },
    message_type: behaviour.messageTypes === "number" ? typeNumbers[message.type] : message.type,
    private: message.isPrivate,
    sender: viewSender(context, message),
    source_id: message.sourceId,
    ...(profile.has("attachmentsInWebhook") ? viewAttachments(context, message) : {}),
    event,
  };
}

function viewSender(context: LiveAgentContext, message: Message): JsonObject | null {
  const { sender } = message;
  if (!sender) return null;
  if (sender.kind === "contact") return viewContactSender(context, getContact(context.state, sender.id));
  if (sender.kind !== "user") return { id: sender.id, name: botName(context, sender), type: sender.kind };
  const user = context.state.users.get(sender.id);
  return user ? viewUser(context, user) : null;
}

/** With few keys and a type before 2.14, without one since. */
export function viewContactSender(context: LiveAgentContext, contact: Contact): JsonObject {
  const { id, name, email } = contact;
  const account = getAccount(context.state, contact.accountId);
  if (!context.profile.has("contactSenderWithoutType")) {
    return { id, name, avatar: "", type: "contact", account: { id: account.id, name: account.name } };
  }
  return {
    account: { id: account.id, name: account.name },
    additional_attributes: contact.additionalAttributes,
    avatar: "",
    custom_attributes: contact.customAttributes,
    email,
    id,
    identifier: contact.identifier,
    name,
    phone_number: contact.phoneNumber,
    thumbnail: "",
    blocked: contact.blocked,
  };
}

export function viewUser(context: LiveAgentContext, user: User): JsonObject {
  return { id: user.id, name: nameOutside(context, user), email: user.email, type: "user" };
}
