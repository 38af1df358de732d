/** The first Chatwoot release that has something. What is the same from 1.19 to 4.15 is not here. */
const firstRelease = {
  /** `inbox_identifier` of an inbox. */
  inboxIdentifier: "1.20",
  /** A message that is not valid is refused; before, it is answered with 200 and `id: null`. */
  messageErrors: "1.20",
  /** The search finds contacts that have an identifier only, and a failing update answers like a failing creation. */
  identifierOnlyContacts: "1.20",
  /** Keys of conversations in webhooks that came one after the other behind 1.19 (inferred): `snoozed_until`, `team`, ... */
  fullConversationPush: "1.20",
  /** Assignee and team at creation, `custom_attributes` of a conversation, `status=all`. */
  conversationAttributes: "1.21",
  contactFilter: "1.22",
  contactInboxPubsubToken: "2.0",
  conversationCreatedEvent: "2.2",
  customAttributesInPush: "2.2",
  /** A token whose user is an agent gets what it opens. */
  agentGetsOwnConversation: "2.2",
  /** `conversation_updated`, with `changed_attributes`. */
  conversationUpdatedEvent: "2.4",
  /** Webhooks are chosen by subscriptions; `conversation_opened` and `conversation_resolved` remain for bots only. */
  webhookSubscriptions: "2.5",
  fileSize: "2.7",
  hmacTokenInInbox: "2.7",
  attachmentsInWebhook: "2.10",
  labelsInPush: "2.11",
  pendingOnReopenWithBot: "2.11",
  /** `status` of messages, `custom_attributes` at creation, inboxes with a single conversation. */
  messageStatus: "2.12",
  contactSenderWithoutType: "2.14",
  createdAtInPush: "2.14",
  contactEvents: "2.14",
  duplicateSourceIdIs422: "2.15",
  messagesAfter: "2.16",
  priority: "2.17",
  conversationSourceIdFilter: "2.17",
  privateTyping: "2.17",
  templateWebhooks: "2.18",
  conversationUuid: "2.18",
  longWebhookUrls: "2.18",
  publicTyping: "3.1",
  waitingSince: "3.1",
  conversationInMessagePush: "3.1",
  largerRateLimit: "3.1",
  contactInboxFilter: "3.2",
  inboxEvents: "3.2",
  failedStatusOnWebhookError: "3.3",
  messageSourceId: "3.4",
  messageRetry: "3.4",
  publicToggleStatus: "3.7",
  conversationPatch: "3.7",
  imageSize: "3.7",
  floodLimit: "3.9",
  lastActivityInPush: "3.11",
  updatedAtInPush: "4.0.2",
  typingWebhooks: "4.2",
  messageStatusPatch: "4.2",
  platformUserToken: "4.3",
  platformAccountList: "4.5",
  failingBotOpensPending: "4.7",
  botAssignee: "4.8",
  webhookNames: "4.8",
  /** All that an agent bot's token may do in 4.15; before (inferred) only what it could in 1.19. */
  widerBotRights: "4.8",
  freeContentAttributes: "4.9",
  searchHasMore: "4.11",
  /** Account webhooks carry an HMAC signature. */
  signedAccountWebhooks: "4.12",
  metaRateLimit: "4.12",
  botRetries: "4.12",
  /** Inbox and bot webhooks carry one, and administrators read the inbox's secret. */
  signedInboxWebhooks: "4.13",
  statusChangedForBots: "4.13",
  attachmentContentType: "4.13",
  webhookRedirects: "4.14",
  privateWebhookFilter: "4.14",
  accountInConversation: "4.14.2",
} as const;

export type Feature = keyof typeof firstRelease;

export function hasFeature(version: string, feature: Feature): boolean {
  return compareVersions(version, firstRelease[feature]) >= 0;
}

function compareVersions(left: string, right: string): number {
  const [leftParts, rightParts] = [left, right].map((version) => version.split(".").map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (leftParts?.[index] ?? 0) - (rightParts?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
