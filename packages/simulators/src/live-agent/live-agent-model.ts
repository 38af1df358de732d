export type JsonObject = Record<string, unknown>;
export type Status = "open" | "resolved" | "pending" | "snoozed" | "abandoned";
export type Priority = "low" | "medium" | "high" | "urgent";
export type MessageType = "incoming" | "outgoing" | "activity" | "template";
export type Role = "administrator" | "agent" | "supervisor";
export type Availability = "online" | "busy" | "away" | "offline";

export interface Account {
  readonly id: number;
  name: string;
  status: "active" | "suspended";
  locale: string;
  domain: string | null;
  supportEmail: string | null;
  features: JsonObject;
  limits: JsonObject;
  customAttributes: JsonObject;
  /** The platform token made it or was given it. */
  readonly isPlatforms: boolean;
  nextDisplayId: number;
}

export interface User {
  readonly id: number;
  name: string;
  displayName: string | null;
  email: string;
  readonly token: string;
  readonly pubsubToken: string;
  /** A technical user: what it sends comes from the bot's side. */
  readonly isProgram: boolean;
  isPlatforms: boolean;
  customAttributes: JsonObject;
  /** By account id. */
  readonly memberships: Map<number, Membership>;
}

export interface Membership {
  readonly id: number;
  role: Role;
  availability: Availability;
  skills: readonly string[];
  languages: readonly string[];
}

export interface AgentBot {
  readonly id: number;
  name: string;
  description: string;
  outgoingUrl: string | null;
  /** Nothing: it is there for every account. */
  readonly accountId: number | null;
  readonly token: string;
  readonly secret: string;
}

export interface Inbox {
  readonly id: number;
  readonly accountId: number;
  readonly channelId: number;
  readonly identifier: string;
  readonly hmacToken: string;
  /** Whether it is an API inbox; another one takes no lines of the customer by API. */
  readonly isApi: boolean;
  name: string;
  lockToSingleConversation: boolean;
  greetingMessage: string | null;
  csatSurveyEnabled: boolean;
  enableAutoAssignment: boolean;
  workingHoursEnabled: boolean;
  outOfOfficeMessage: string | null;
  timezone: string;
  allowMessagesAfterResolved: boolean;
  hmacMandatory: boolean;
  channelAttributes: JsonObject;
  agentBotId: number | null;
  webhookUrl: string | null;
  secret: string;
  readonly memberIds: Set<number>;
}

export interface Team {
  readonly id: number;
  readonly accountId: number;
  readonly name: string;
  readonly description: string;
  readonly memberIds: Set<number>;
}

export interface Label {
  readonly id: number;
  readonly accountId: number;
  readonly title: string;
  readonly description: string | null;
  readonly color: string;
  readonly showOnSidebar: boolean;
}

export interface AccountWebhook {
  readonly id: number;
  readonly accountId: number;
  url: string;
  name: string | null;
  inboxId: number | null;
  subscriptions: readonly string[];
  readonly secret: string;
}

export interface Contact {
  readonly id: number;
  readonly accountId: number;
  name: string;
  email: string | null;
  phoneNumber: string | null;
  identifier: string | null;
  blocked: boolean;
  additionalAttributes: JsonObject;
  customAttributes: JsonObject;
  lastActivityAtMs: number | null;
  readonly createdAtMs: number;
}

export interface ContactInbox {
  readonly id: number;
  contactId: number;
  readonly inboxId: number;
  readonly sourceId: string;
  hmacVerified: boolean;
  readonly pubsubToken: string;
  readonly createdAtMs: number;
}

export interface Conversation {
  /** What the control API calls it: the display id, behind `{account}:` in other accounts than the first. */
  readonly key: string;
  /** The primary key, which the API never shows. */
  readonly internalId: number;
  /** What the API calls `id`: counted per account. */
  readonly displayId: number;
  readonly accountId: number;
  readonly uuid: string;
  inboxId: number;
  contactId: number;
  readonly contactInboxId: number;
  status: Status;
  priority: Priority | null;
  assigneeId: number | null;
  assigneeBotId: number | null;
  teamId: number | null;
  labels: string[];
  customAttributes: JsonObject;
  additionalAttributes: JsonObject;
  snoozedUntil: string | null;
  firstReplyAtMs: number | null;
  waitingSinceMs: number | null;
  readonly createdAtMs: number;
  updatedAtMs: number;
  lastActivityAtMs: number;
  lastCustomerLineAtMs: number | null;
  agentLastSeenAtMs: number;
  contactLastSeenAtMs: number;
  isMuted: boolean;
  readonly participantIds: Set<number>;
  readonly messages: Message[];
  /** A person accepted it at the desk or answered, and has not left since. */
  isAttended: boolean;
  /** The customer is typing, as far as the public API told. */
  isCustomerTyping: boolean;
}

export type SenderKind = "user" | "contact" | "agent_bot" | "captain_assistant" | "cognigy";

export interface Message {
  readonly id: number;
  readonly conversation: Conversation;
  readonly type: MessageType;
  content: string | null;
  readonly isPrivate: boolean;
  contentType: string | number;
  contentAttributes: JsonObject;
  readonly sourceId: string | null;
  /** A user or bot for outgoing, the contact for incoming messages, nobody for the rest. */
  sender: { readonly kind: SenderKind; readonly id: number } | null;
  status: "sent" | "delivered" | "read" | "failed";
  readonly attachments: Attachment[];
  readonly createdAtMs: number;
  updatedAtMs: number;
}

/** A file in the storage. */
export interface Blob {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly createdAtMs: number;
  /** How often its address was asked for. */
  requests: number;
}

export interface Attachment {
  readonly id: number;
  readonly fileType: "image" | "audio" | "video" | "file";
  readonly blob: Blob;
}

/** Who does something through the API or at the desk. */
export interface Actor {
  readonly kind: "user" | "agent_bot" | "contact";
  readonly id: number;
  readonly name: string;
}
