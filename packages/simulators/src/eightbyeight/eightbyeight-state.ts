import { createHash, randomBytes } from "node:crypto";
import type { EightbyeightSetup } from "./eightbyeight-options.ts";

export type JsonObject = Record<string, unknown>;

export interface Webhook {
  readonly id: string;
  readonly tenant: string;
  name: string;
  uri: string;
}

export interface Channel {
  readonly id: string;
  readonly tenant: string;
  name: string;
  readonly type: string;
  webhookId: string | null;
  queueId: string | null;
}

export interface Queue {
  readonly id: string;
  readonly name: string;
}

export interface Agent {
  readonly id: string;
  readonly name: string;
  isOnline: boolean;
}

export interface Assignment {
  readonly type: string;
  readonly id: string;
  readonly resourceId?: string;
}

export interface Participant {
  readonly id: string;
  readonly type: "user" | "bot" | "agent" | "system";
  isRemoved: boolean;
}

export interface Message {
  readonly id: string;
  readonly author: Participant;
  readonly text?: string;
  readonly attachmentIds: readonly string[];
  readonly cards: readonly Card[];
  readonly externalProvider?: JsonObject;
  readonly createdAtMs: number;
}

export interface Card {
  readonly id: string;
  readonly contentType: string;
  readonly content: JsonObject;
  isSubmitted: boolean;
  isExecuted: boolean;
}

export interface Attachment {
  readonly id: string;
  readonly name: string;
  /** Media type. */
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly createdAtMs: number;
}

export interface Interaction {
  readonly id: string;
  readonly startedAtMs: number;
  endedAtMs?: number;
}

export interface Conversation {
  readonly id: string;
  readonly tenant: string;
  channelId: string;
  state: "created" | "active" | "idle";
  assignment: Assignment;
  user: JsonObject;
  readonly customer: Participant;
  readonly participants: Participant[];
  readonly messages: Message[];
  readonly attachments: Map<string, Attachment>;
  readonly interactions: Interaction[];
  readonly createdAtMs: number;
  /** The queue it is or was last in; none yet while a bot holds what a channel of the vendor opened. */
  queueId: string | null;
  /** The webhook that gets it when the agents are done. */
  nextHolder?: Assignment;
  /** Calls off what is to happen later. */
  cancelTimer?: () => void;
}

/** Everything of all tenants of one customer. */
export interface EightbyeightState {
  readonly webhooks: Map<string, Webhook>;
  readonly channels: Map<string, Channel>;
  readonly conversations: Map<string, Conversation>;
  readonly queues: Map<string, Queue>;
  readonly agents: Map<string, Agent>;
}

const demoAgentNames = ["Ann Agent", "Ben Agent", "Cleo Agent", "Dan Agent", "Eva Agent", "Finn Agent", "Gil Agent", "Hana Agent"];

export function createState(setup: EightbyeightSetup): EightbyeightState {
  const state: EightbyeightState = {
    webhooks: new Map(),
    channels: new Map(),
    conversations: new Map(),
    queues: new Map(setup.queues.map((queue) => [queue.id, queue])),
    agents: new Map(),
  };
  fillWithDemoData(state, setup, setup.webhookUrl);
  return state;
}

/** Empties it and puts the demo data in again; the first webhook's address stays. */
export function resetState(state: EightbyeightState, setup: EightbyeightSetup): void {
  const { webhookId } = demoIds(setup.tenants[0]);
  const uri = state.webhooks.get(webhookId)?.uri ?? null;
  for (const conversation of state.conversations.values()) conversation.cancelTimer?.();
  for (const map of [state.webhooks, state.channels, state.conversations, state.agents]) map.clear();
  fillWithDemoData(state, setup, uri);
}

/** The same at every start, so that a configuration outlives the simulator. */
export function demoIds(tenant: string): { readonly channelId: string; readonly webhookId: string } {
  const derive = (what: string): string => createHash("sha256").update(`${tenant} ${what}`).digest().subarray(0, 16).toString("base64url");
  return { channelId: derive("channel"), webhookId: derive("webhook") };
}

function fillWithDemoData(state: EightbyeightState, setup: EightbyeightSetup, webhookUrl: string | null): void {
  setAgentsOnline(state, 2);
  if (!setup.hasChannel) return;
  for (const tenant of setup.tenants) {
    const { channelId } = demoIds(tenant);
    const queueId = setup.queues[0].id;
    state.channels.set(channelId, { id: channelId, tenant, name: "Handover", type: "ChatAPI", webhookId: null, queueId });
  }
  setDemoWebhook(state, setup.tenants[0], webhookUrl);
}

/** The webhook of a tenant's first channel; `null` removes it. */
export function setDemoWebhook(state: EightbyeightState, tenant: string, uri: string | null): void {
  const { channelId, webhookId } = demoIds(tenant);
  const channel = state.channels.get(channelId);
  if (uri === null) state.webhooks.delete(webhookId);
  else state.webhooks.set(webhookId, { id: webhookId, tenant, name: "Handover", uri });
  if (channel) channel.webhookId = uri === null ? null : webhookId;
}

/** Makes exactly so many agents online; missing ones are hired, the others go offline. */
export function setAgentsOnline(state: EightbyeightState, online: number): void {
  for (let index = state.agents.size; index < online; index += 1) hireAgent(state, demoAgentNames[index] ?? `Agent ${index + 1}`);
  for (const [index, agent] of [...state.agents.values()].entries()) agent.isOnline = index < online;
}

/** The agent with this name or id; somebody with a new name starts to work here. */
export function findOrHireAgent(state: EightbyeightState, nameOrId: string): Agent {
  const known = [...state.agents.values()].find(({ id, name }) => name === nameOrId || id === nameOrId);
  return known ?? hireAgent(state, nameOrId);
}

function hireAgent(state: EightbyeightState, name: string): Agent {
  const agent = { id: `ag${createId()}`, name, isOnline: true };
  state.agents.set(agent.id, agent);
  return agent;
}

/** Opaque, and never given out again. */
export function createId(bytes = 16): string {
  return randomBytes(bytes).toString("base64url");
}

export function presentAgents(conversation: Conversation): Participant[] {
  return conversation.participants.filter(({ type, isRemoved }) => type === "agent" && !isRemoved);
}

export function findWebhook(state: EightbyeightState, conversation: Conversation): Webhook | undefined {
  return state.webhooks.get(state.channels.get(conversation.channelId)?.webhookId ?? "");
}
