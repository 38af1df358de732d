import { randomUUID } from "node:crypto";
import type { LiveAgentSetup } from "./live-agent-options.ts";

export type JsonObject = Record<string, unknown>;
export type Status = "open" | "resolved" | "pending" | "snoozed" | "abandoned";
export type Priority = "low" | "medium" | "high" | "urgent";
export type MessageType = "incoming" | "outgoing" | "activity" | "template";

export interface User {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly role: "administrator" | "agent";
  readonly token: string;
  availability: "online" | "busy" | "offline";
}

export interface Inbox {
  readonly id: number;
  readonly channelId: number;
  readonly name: string;
  readonly identifier: string;
  readonly hmacToken: string;
  readonly lockToSingleConversation: boolean;
  readonly greetingMessage: string | null;
  webhookUrl: string | null;
  secret: string;
  readonly memberIds: Set<number>;
}

export interface Contact {
  readonly id: number;
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
  readonly contactId: number;
  readonly inboxId: number;
  readonly sourceId: string;
  readonly hmacVerified: boolean;
  readonly pubsubToken: string;
  readonly createdAtMs: number;
}

export interface Conversation {
  /** The primary key, which the API never shows. */
  readonly internalId: number;
  /** What the API calls `id`: counted per account. */
  readonly displayId: number;
  readonly uuid: string;
  readonly inboxId: number;
  readonly contactId: number;
  readonly contactInboxId: number;
  status: Status;
  priority: Priority | null;
  assigneeId: number | null;
  labels: string[];
  customAttributes: JsonObject;
  additionalAttributes: JsonObject;
  snoozedUntil: string | null;
  firstReplyAtMs: number | null;
  waitingSinceMs: number | null;
  readonly createdAtMs: number;
  updatedAtMs: number;
  lastActivityAtMs: number;
  agentLastSeenAtMs: number;
  readonly messages: Message[];
  /** A person accepted it at the desk or answered, and has not left since. */
  isAttended: boolean;
}

export interface Message {
  readonly id: number;
  readonly conversation: Conversation;
  readonly type: MessageType;
  content: string | null;
  readonly isPrivate: boolean;
  readonly contentType: string;
  contentAttributes: JsonObject;
  readonly sourceId: string | null;
  /** A user for outgoing, the contact for incoming messages, nobody for the rest. */
  readonly sender: { readonly kind: "user" | "contact"; readonly id: number } | null;
  status: "sent" | "delivered" | "read" | "failed";
  readonly createdAtMs: number;
  updatedAtMs: number;
}

/** Everything one account holds. Ids of each kind start elsewhere, so that a mixed-up id is not found by luck. */
export interface LiveAgentState {
  readonly account: { readonly id: number; readonly name: string };
  readonly users: Map<number, User>;
  readonly inboxes: Map<number, Inbox>;
  readonly contacts: Map<number, Contact>;
  readonly contactInboxes: Map<number, ContactInbox>;
  /** By display id. */
  readonly conversations: Map<number, Conversation>;
  readonly messages: Map<number, Message>;
  /** By `inboxId|sourceId`. */
  readonly contactInboxBySource: Map<string, ContactInbox>;
  readonly nextId: Record<IdKind, number>;
}

type IdKind = "contact" | "contactInbox" | "conversation" | "display" | "message";

export const technicalUserId = 1;
const demoAgentNames = ["Ann Agent", "Ben Agent", "Cleo Agent", "Dan Agent", "Eva Agent", "Finn Agent", "Gil Agent", "Hana Agent"];

export function createState(setup: LiveAgentSetup): LiveAgentState {
  const { idOffset } = setup;
  const state: LiveAgentState = {
    account: { id: setup.accountId, name: setup.accountName },
    users: new Map(),
    inboxes: new Map(),
    contacts: new Map(),
    contactInboxes: new Map(),
    conversations: new Map(),
    messages: new Map(),
    contactInboxBySource: new Map(),
    nextId: {
      contact: 301 + idOffset,
      contactInbox: 701 + idOffset,
      conversation: 5001 + idOffset,
      display: 1 + idOffset,
      message: 1001 + idOffset,
    },
  };
  fillWithDemoData(state, setup);
  return state;
}

/** Empties it and puts the demo data in again; ids go on counting and the webhook's address stays. */
export function resetState(state: LiveAgentState, setup: LiveAgentSetup): void {
  const { webhookUrl, secret } = getInbox(state, setup.inboxId);
  for (const map of [state.users, state.inboxes, state.contacts, state.contactInboxes, state.conversations, state.messages]) map.clear();
  state.contactInboxBySource.clear();
  fillWithDemoData(state, setup);
  Object.assign(getInbox(state, setup.inboxId), { webhookUrl, secret });
}

function fillWithDemoData(state: LiveAgentState, setup: LiveAgentSetup): void {
  state.users.set(technicalUserId, {
    id: technicalUserId,
    name: "Handover Bot",
    email: "handover-bot@example.com",
    role: "administrator",
    token: setup.apiKey,
    availability: "offline",
  });
  state.inboxes.set(setup.inboxId, {
    id: setup.inboxId,
    channelId: setup.inboxId + 80,
    name: setup.inboxName,
    identifier: `simulator-inbox-${setup.inboxId}`,
    hmacToken: "simulator-hmac-token",
    lockToSingleConversation: setup.lockToSingleConversation,
    greetingMessage: setup.greetingMessage,
    webhookUrl: setup.webhookUrl,
    secret: setup.webhookSecret,
    memberIds: new Set(),
  });
  setAgentsOnline(state, 2);
}

/** Makes exactly so many human agents online; missing ones are hired, the others go offline. */
export function setAgentsOnline(state: LiveAgentState, online: number): void {
  for (let index = listHumanAgents(state).length; index < online; index += 1) hireAgent(state, index);
  for (const [index, agent] of listHumanAgents(state).entries()) agent.availability = index < online ? "online" : "offline";
}

function hireAgent(state: LiveAgentState, index: number, givenName?: string): User {
  const id = technicalUserId + 1 + index;
  const name = givenName ?? demoAgentNames[index] ?? `Agent ${index + 1}`;
  const email = `${name.toLowerCase().replaceAll(" ", ".")}@example.com`;
  const agent: User = { id, name, email, role: "agent", token: `simulator-live-agent-agent-${id}`, availability: "online" };
  state.users.set(id, agent);
  for (const inbox of state.inboxes.values()) inbox.memberIds.add(id);
  return agent;
}

/** The human agent with this name or id; somebody with a new name starts to work here. */
export function findOrHireAgent(state: LiveAgentState, nameOrId: string): User {
  const agents = listHumanAgents(state);
  const known = agents.find((candidate) => candidate.name === nameOrId || String(candidate.id) === nameOrId);
  return known ?? hireAgent(state, agents.length, nameOrId);
}

export function listHumanAgents(state: LiveAgentState): User[] {
  return [...state.users.values()].filter((user) => user.id !== technicalUserId);
}

export function takeId(state: LiveAgentState, kind: IdKind): number {
  const id = state.nextId[kind];
  state.nextId[kind] = id + 1;
  return id;
}

export function sourceKey(inboxId: number, sourceId: string): string {
  return `${inboxId}|${sourceId}`;
}

export function createToken(): string {
  return randomUUID().replaceAll("-", "");
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

export function isTerminal(status: Status): boolean {
  return status === "resolved" || status === "abandoned";
}

function need<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`The simulator lost a ${what} that it refers to.`);
  return value;
}
