import { notPossible } from "../shared/control-error.ts";
import { addAttachment } from "./eightbyeight-attachments.ts";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import { announceChange } from "./eightbyeight-context.ts";
import { enqueue, finishConversation, isFinished } from "./eightbyeight-conversations.ts";
import { publishMember, publishQueued, publishTransfer, publishTyping, publishUpdate } from "./eightbyeight-events.ts";
import { say } from "./eightbyeight-messages.ts";
import type { Agent, Attachment, Card, Conversation, Participant } from "./eightbyeight-state.ts";
import { findOrHireAgent, presentAgents } from "./eightbyeight-state.ts";

export interface DeskLine {
  readonly agent?: string | undefined;
  readonly text?: string | undefined;
  readonly attachment?: Pick<Attachment, "name" | "type" | "content"> | undefined;
  readonly cards: readonly Pick<Card, "contentType" | "content">[];
}

/** What a person does at the desk. */
export interface DeskActions {
  accept(conversation: Conversation, agent: string | undefined): void;
  say(conversation: Conversation, line: DeskLine): void;
  type(conversation: Conversation, isTyping: boolean): void;
  transfer(conversation: Conversation, to: string): void;
  leave(conversation: Conversation, agent: string | undefined): void;
  close(conversation: Conversation): void;
  reopen(conversation: Conversation): void;
}

export function createDeskActions(context: EightbyeightContext): DeskActions {
  const { state, clock } = context;

  function findFreeAgent(): Agent {
    const agent = [...state.agents.values()].find(({ isOnline }) => isOnline);
    if (!agent) throw notPossible("No agent is online.");
    return agent;
  }

  function refuseFinished(conversation: Conversation): void {
    if (isFinished(conversation)) throw notPossible("The conversation is closed.");
  }

  /** A second one joins the first: a conference. */
  function join(conversation: Conversation, agent: Agent, delayMs = 0): Participant {
    const known = conversation.participants.find(({ id }) => id === agent.id);
    if (known && !known.isRemoved) return known;
    if (conversation.queueId === null) throw notPossible("A bot has the conversation.");
    conversation.cancelTimer?.();
    const isFirst = presentAgents(conversation).length === 0;
    const member: Participant = known ?? { id: agent.id, type: "agent", isRemoved: false };
    member.isRemoved = false;
    if (!known) conversation.participants.push(member);
    publishMember(context, conversation, member, "joined", delayMs);
    if (isFirst) {
      conversation.state = "active";
      conversation.assignment = { type: "agent", id: agent.id };
      publishUpdate(context, conversation, delayMs);
    }
    announceChange(context, conversation);
    return member;
  }

  /** Whoever is meant: the one who is named, else who has the conversation, else who is at work. */
  function speaker(conversation: Conversation, name: string | undefined): Participant {
    refuseFinished(conversation);
    if (name !== undefined) return join(conversation, findOrHireAgent(state, name));
    return presentAgents(conversation)[0] ?? join(conversation, findFreeAgent());
  }

  function requirePresent(conversation: Conversation, name?: string): Participant {
    const present = presentAgents(conversation);
    const found = name === undefined ? present[0] : present.find(({ id }) => id === name || state.agents.get(id)?.name === name);
    if (!found) throw notPossible("No such agent has the conversation.");
    return found;
  }

  return {
    accept(conversation, name) {
      refuseFinished(conversation);
      join(conversation, name === undefined ? findFreeAgent() : findOrHireAgent(state, name));
    },
    say(conversation, { agent, text, attachment, cards }) {
      const author = speaker(conversation, agent);
      const attachmentIds = attachment ? [addAttachment(context, conversation, attachment).id] : [];
      say(context, conversation, author, { ...(text === undefined ? {} : { text }), attachmentIds, cards });
    },
    type(conversation, isTyping) {
      publishTyping(context, conversation, speaker(conversation, undefined), isTyping);
    },
    transfer(conversation, to) {
      refuseFinished(conversation);
      requirePresent(conversation);
      const queue = [...state.queues.values()].find(({ id, name }) => id === to || name === to);
      transfer(context, conversation, queue?.id);
      // That an agent can be named, and how that is told, is not documented.
      if (!queue) join(conversation, findOrHireAgent(state, to), context.behaviour.transferGapMs);
    },
    leave(conversation, name) {
      refuseFinished(conversation);
      const agent = requirePresent(conversation, name);
      agent.isRemoved = true;
      publishMember(context, conversation, agent, "left");
      const { idleAfterLeaveMs } = context.behaviour;
      if (presentAgents(conversation).length === 0 && idleAfterLeaveMs !== null) {
        const cancel = clock.setTimer(() => finishConversation(context, conversation), idleAfterLeaveMs);
        conversation.cancelTimer = cancel;
      }
      announceChange(context, conversation);
    },
    close(conversation) {
      refuseFinished(conversation);
      const agents = presentAgents(conversation);
      const { closeEvents } = context.behaviour;
      for (const agent of agents) agent.isRemoved = true;
      for (const event of closeEvents) {
        if (event === "idle") finishConversation(context, conversation);
        else for (const agent of agents) publishMember(context, conversation, agent, "left");
      }
      if (!closeEvents.includes("idle")) finishConversation(context, conversation, false);
    },
    reopen(conversation) {
      if (!isFinished(conversation)) throw notPossible("The conversation is not closed.");
      if (conversation.queueId === null) throw notPossible("The conversation was in no queue.");
      enqueue(context, conversation, conversation.queueId);
    },
  };
}

/** All agents go; with a queue the conversation waits there. */
function transfer(context: EightbyeightContext, conversation: Conversation, queueId: string | undefined): void {
  const { transferOrder, transferGapMs } = context.behaviour;
  const agents = presentAgents(conversation);
  for (const agent of agents) agent.isRemoved = true;
  if (queueId !== undefined) Object.assign(conversation, { queueId, assignment: { type: "queue", id: queueId } });
  for (const [index, event] of transferOrder.entries()) {
    const delayMs = index > 0 ? transferGapMs : 0;
    if (event === "transfer") publishTransfer(context, conversation, delayMs);
    if (event === "left") for (const agent of agents) publishMember(context, conversation, agent, "left", delayMs);
    if (event === "queued" && queueId !== undefined) publishQueued(context, conversation, delayMs);
  }
  if (queueId !== undefined) publishUpdate(context, conversation, transferGapMs);
  announceChange(context, conversation);
}
