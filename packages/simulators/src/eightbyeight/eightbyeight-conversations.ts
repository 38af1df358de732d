import type { EightbyeightContext } from "./eightbyeight-context.ts";
import { announceChange } from "./eightbyeight-context.ts";
import { publishMember, publishQueued, publishUpdate } from "./eightbyeight-events.ts";
import { badRequest } from "./eightbyeight-errors.ts";
import type { Assignment, Conversation, JsonObject, Participant } from "./eightbyeight-state.ts";
import { createId, presentAgents } from "./eightbyeight-state.ts";

export interface NewConversation {
  readonly tenant: string;
  readonly channelId: string;
  readonly user: JsonObject;
  readonly assignment: Assignment;
  readonly queueId: string | null;
}

/** Makes a conversation; nothing is told yet. */
export function addConversation(context: EightbyeightContext, input: NewConversation): Conversation {
  const customer: Participant = { id: createId(), type: "user", isRemoved: false };
  const conversation: Conversation = {
    ...input,
    id: createId(),
    state: "created",
    customer,
    participants: [customer],
    messages: [],
    attachments: new Map(),
    interactions: [],
    createdAtMs: context.clock.now(),
  };
  context.state.conversations.set(conversation.id, conversation);
  startInteraction(context, conversation);
  return conversation;
}

/** Tells that it was created and puts it where it is assigned to. */
export function beginConversation(context: EightbyeightContext, conversation: Conversation): void {
  publishUpdate(context, conversation);
  if (conversation.assignment.type === "queue") publishQueued(context, conversation);
  if (context.behaviour.activates) activate(context, conversation);
  announceChange(context, conversation);
}

/** The state `active` means that there is work, not that somebody does it. */
export function activate(context: EightbyeightContext, conversation: Conversation): void {
  conversation.state = "active";
  publishUpdate(context, conversation);
}

/** Nothing that was not named changes. */
export interface ConversationChange {
  readonly user?: JsonObject;
  readonly assignment?: Assignment;
  readonly channelId?: string;
}

export function changeConversation(context: EightbyeightContext, conversation: Conversation, change: ConversationChange): void {
  const { user, assignment, channelId } = change;
  if (!user && !assignment && channelId === undefined) return;
  if (assignment && presentAgents(conversation).length > 0) {
    // Documented is only that it can be changed as long as it waits.
    throw badRequest("invalid_assignment", "An agent has the conversation.");
  }
  if (user) conversation.user = user;
  if (channelId !== undefined) conversation.channelId = channelId;
  if (assignment?.type === "queue") {
    enqueue(context, conversation, assignment.id);
  } else {
    if (assignment) conversation.assignment = assignment;
    publishUpdate(context, conversation);
    announceChange(context, conversation);
  }
}

/** Into a queue, also again after the end. */
export function enqueue(context: EightbyeightContext, conversation: Conversation, queueId: string): void {
  const wasFinished = isFinished(conversation);
  conversation.cancelTimer?.();
  Object.assign(conversation, { queueId, assignment: { type: "queue", id: queueId } satisfies Assignment });
  if (wasFinished) {
    conversation.state = "active";
    conversation.customer.isRemoved = false;
    startInteraction(context, conversation);
  }
  publishUpdate(context, conversation);
  publishQueued(context, conversation);
  announceChange(context, conversation);
}

/** The customer has gone: nobody is left to serve. */
export function removeCustomer(context: EightbyeightContext, conversation: Conversation): void {
  if (conversation.customer.isRemoved) return;
  const agents = presentAgents(conversation);
  conversation.customer.isRemoved = true;
  for (const agent of agents) agent.isRemoved = true;
  endInteraction(context, conversation);
  const wasIdle = conversation.state === "idle";
  conversation.state = "idle";
  for (const event of context.behaviour.customerLeaveEvents) {
    if (event === "user-left") publishMember(context, conversation, conversation.customer, "left");
    if (event === "agent-left") for (const agent of agents) publishMember(context, conversation, agent, "left");
    if (event === "idle" && !wasIdle) publishUpdate(context, conversation);
  }
  announceChange(context, conversation);
}

/** The end as far as the vendor knows one; back to a webhook where that was asked for. */
export function finishConversation(context: EightbyeightContext, conversation: Conversation, isTold = true): void {
  const { nextHolder } = conversation;
  endInteraction(context, conversation);
  if (nextHolder) {
    conversation.assignment = nextHolder;
    delete conversation.nextHolder;
  } else {
    conversation.state = "idle";
  }
  if (isTold) publishUpdate(context, conversation);
  announceChange(context, conversation);
}

/** Over for the agents: idle, or with a bot again. */
export function isFinished({ state, assignment, queueId }: Conversation): boolean {
  return state === "idle" || (assignment.type === "webhook" && queueId !== null);
}

function startInteraction(context: EightbyeightContext, conversation: Conversation): void {
  const id = `int-${createId(9)}-chat-00-${conversation.tenant}`;
  conversation.interactions.push({ id, startedAtMs: context.clock.now() });
}

function endInteraction(context: EightbyeightContext, conversation: Conversation): void {
  conversation.cancelTimer?.();
  const last = conversation.interactions.at(-1);
  if (last) last.endedAtMs ??= context.clock.now();
}
