import { notPossible } from "../shared/control-error.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { assign, setStatus } from "./live-agent-conversations.ts";
import { addMessage } from "./live-agent-messages.ts";
import type { Conversation, User } from "./live-agent-state.ts";
import { findAssignee, findOrHireAgent, isTerminal, listHumanAgents } from "./live-agent-state.ts";
import { publishTyping } from "./live-agent-webhooks.ts";

/** What a person does at the desk. */
export interface DeskActions {
  accept(conversation: Conversation, agent: string | undefined): void;
  say(conversation: Conversation, text: string): void;
  type(conversation: Conversation, isTyping: boolean): void;
  note(conversation: Conversation, text: string): void;
  transfer(conversation: Conversation, to: string): void;
  leave(conversation: Conversation): void;
  close(conversation: Conversation, isAbandoned: boolean): void;
  reopen(conversation: Conversation): void;
}

export function createDeskActions(context: LiveAgentContext): DeskActions {
  const { state, profile, clock } = context;

  const findAgent = (nameOrId: string): User => findOrHireAgent(state, nameOrId);

  /** Who speaks when nobody is named: the assignee, else whoever is at work. */
  function currentAgent(conversation: Conversation): User {
    const agent = findAssignee(state, conversation) ?? listHumanAgents(state).find((candidate) => candidate.availability === "online");
    if (!agent) throw notPossible("No agent is online.");
    return agent;
  }

  function refuseClosed(conversation: Conversation): void {
    if (isTerminal(conversation.status)) throw notPossible("The conversation is closed.");
  }

  function see(conversation: Conversation): void {
    conversation.agentLastSeenAtMs = clock.now();
    announceChange(context, conversation);
  }

  return {
    accept(conversation, agentName) {
      const agent = agentName === undefined ? currentAgent(conversation) : findAgent(agentName);
      refuseClosed(conversation);
      conversation.isAttended = true;
      assign(context, conversation, agent, agent);
      see(conversation);
    },
    // The product lets an agent write to a resolved conversation, and it stays resolved.
    say(conversation, text) {
      const agent = currentAgent(conversation);
      addMessage(context, conversation, { type: "outgoing", content: text, sender: { kind: "user", id: agent.id } });
      see(conversation);
    },
    type(conversation, isTyping) {
      publishTyping(context, conversation, currentAgent(conversation), isTyping, false);
    },
    note(conversation, text) {
      const agent = currentAgent(conversation);
      addMessage(context, conversation, { type: "outgoing", content: text, isPrivate: true, sender: { kind: "user", id: agent.id } });
    },
    transfer(conversation, to) {
      const agent = findAgent(to);
      refuseClosed(conversation);
      assign(context, conversation, agent, findAssignee(state, conversation));
    },
    leave(conversation) {
      refuseClosed(conversation);
      const agent = findAssignee(state, conversation);
      if (!agent && !conversation.isAttended) throw notPossible("No agent has the conversation.");
      conversation.isAttended = false;
      assign(context, conversation, null, agent);
      announceChange(context, conversation);
    },
    close(conversation, isAbandoned) {
      if (isAbandoned && !profile.hasAbandonedStatus) throw notPossible(`${profile.title} cannot abandon a conversation.`);
      refuseClosed(conversation);
      setStatus(context, conversation, isAbandoned ? "abandoned" : "resolved", findAssignee(state, conversation));
    },
    reopen(conversation) {
      if (!profile.canReopen) throw notPossible(`${profile.title} does not reopen a conversation.`);
      if (!isTerminal(conversation.status)) throw notPossible("The conversation is not closed.");
      setStatus(context, conversation, "open", findAssignee(state, conversation));
    },
  };
}
