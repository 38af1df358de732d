import { randomUUID } from "node:crypto";
import type {
  Account,
  AccountWebhook,
  AgentBot,
  Blob,
  Contact,
  ContactInbox,
  Conversation,
  Inbox,
  Label,
  Message,
  Status,
  Team,
  User,
} from "./live-agent-model.ts";
import type { LiveAgentSetup } from "./live-agent-options.ts";

export type * from "./live-agent-model.ts";

/** Everything that is there. Ids of each kind start elsewhere, so that a mixed-up id is not found by luck. */
export interface LiveAgentState {
  readonly mainAccountId: number;
  readonly accounts: Map<number, Account>;
  readonly users: Map<number, User>;
  readonly agentBots: Map<number, AgentBot>;
  readonly inboxes: Map<number, Inbox>;
  readonly teams: Map<number, Team>;
  readonly labels: Map<number, Label>;
  readonly webhooks: Map<number, AccountWebhook>;
  readonly contacts: Map<number, Contact>;
  readonly contactInboxes: Map<number, ContactInbox>;
  /** By `key`. */
  readonly conversations: Map<string, Conversation>;
  readonly messages: Map<number, Message>;
  /** By key. */
  readonly blobs: Map<string, Blob>;
  /** By `inboxId|sourceId`. */
  readonly contactInboxBySource: Map<string, ContactInbox>;
  readonly nextId: Record<IdKind, number>;
}

type IdKind =
  | "account"
  | "membership"
  | "user"
  | "agentBot"
  | "inbox"
  | "team"
  | "label"
  | "webhook"
  | "contact"
  | "contactInbox"
  | "conversation"
  | "message"
  | "attachment";

export const technicalUserId = 1;

export function createEmptyState(setup: LiveAgentSetup): LiveAgentState {
  const { idOffset } = setup;
  return {
    mainAccountId: setup.accountId,
    accounts: new Map(),
    users: new Map(),
    agentBots: new Map(),
    inboxes: new Map(),
    teams: new Map(),
    labels: new Map(),
    webhooks: new Map(),
    contacts: new Map(),
    contactInboxes: new Map(),
    conversations: new Map(),
    messages: new Map(),
    blobs: new Map(),
    contactInboxBySource: new Map(),
    nextId: {
      account: setup.accountId + 1,
      membership: 41,
      user: technicalUserId + 1,
      agentBot: 61,
      inbox: setup.inboxId + 1,
      team: 81,
      label: 91,
      webhook: 101,
      contact: 301 + idOffset,
      contactInbox: 701 + idOffset,
      conversation: 5001 + idOffset,
      message: 1001 + idOffset,
      attachment: 9001 + idOffset,
    },
  };
}

export function takeId(state: LiveAgentState, kind: IdKind): number {
  const id = state.nextId[kind];
  state.nextId[kind] = id + 1;
  return id;
}

export function sourceKey(inboxId: number, sourceId: string): string {
  return `${inboxId}|${sourceId}`;
}

export function conversationKey(state: LiveAgentState, accountId: number, displayId: number): string {
  return accountId === state.mainAccountId ? String(displayId) : `${accountId}:${displayId}`;
}

export function createToken(): string {
  return randomUUID().replaceAll("-", "");
}

export function getAccount(state: LiveAgentState, id: number): Account {
  return need(state.accounts.get(id), "account");
}

export function getInbox(state: LiveAgentState, id: number): Inbox {
  return need(state.inboxes.get(id), "inbox");
}

export function getContact(state: LiveAgentState, id: number): Contact {
  return need(state.contacts.get(id), "contact");
}

export function getContactInbox(state: LiveAgentState, id: number): ContactInbox {
  return need(state.contactInboxes.get(id), "contact inbox");
}

export function findAssignee(state: LiveAgentState, conversation: Conversation): User | undefined {
  return conversation.assigneeId === null ? undefined : state.users.get(conversation.assigneeId);
}

/** The bot that gets the conversations of its inbox. */
export function findActiveBot(state: LiveAgentState, inbox: Inbox): AgentBot | undefined {
  return inbox.agentBotId === null ? undefined : state.agentBots.get(inbox.agentBotId);
}

/** What belongs to one account, in the order of its ids. */
export function listOfAccount<Item extends { readonly accountId: number | null }>(
  items: ReadonlyMap<unknown, Item>,
  accountId: number,
): Item[] {
  return [...items.values()].filter((item) => item.accountId === accountId);
}

export function isTerminal(status: Status): boolean {
  return status === "resolved" || status === "abandoned";
}

/** Deletes a conversation with all its messages, as a retention rule of the product does. */
export function removeConversation(state: LiveAgentState, conversation: Conversation): void {
  state.conversations.delete(conversation.key);
  for (const { id } of conversation.messages) state.messages.delete(id);
}

function need<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`The simulator lost a ${what} that it refers to.`);
  return value;
}
