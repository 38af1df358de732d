import { notPossible } from "../shared/control-error.ts";
import type { UploadedFile } from "./live-agent-attachments.ts";
import { storeFile } from "./live-agent-attachments.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import { assign, moveToInbox, offerSurvey, setStatus, setTeam } from "./live-agent-conversations.ts";
import { addMessage } from "./live-agent-messages.ts";
import { availabilityOf, findOrHireAgent, listHumanAgents } from "./live-agent-people.ts";
import { canReply } from "./live-agent-push-views.ts";
import { listNearest } from "./live-agent-routing.ts";
import type { Conversation, Inbox, JsonObject, Team, User } from "./live-agent-state.ts";
import { findAssignee, isTerminal, listOfAccount } from "./live-agent-state.ts";
import { publishTyping } from "./live-agent-typing.ts";

export interface DeskLine {
  readonly text: string | null;
  readonly files: readonly UploadedFile[];
  readonly agent: string | undefined;
  readonly contentType?: string | number;
  readonly attributes?: JsonObject;
}

/** What a person does at the desk. */
export interface DeskActions {
  accept(conversation: Conversation, agent: string | undefined): void;
  say(conversation: Conversation, line: DeskLine): void;
  type(conversation: Conversation, isTyping: boolean): void;
  note(conversation: Conversation, text: string): void;
  /** To a team or inbox by its id (`team:81`, `inbox:2`) or name, else to an agent. */
  transfer(conversation: Conversation, to: string): void;
  /** Nobody has looked at it: an assignment is no acceptance. */
  assign(conversation: Conversation, agent: string | null): void;
  leave(conversation: Conversation): void;
  close(conversation: Conversation, isAbandoned: boolean): void;
  reopen(conversation: Conversation): void;
  survey(conversation: Conversation): void;
}

export function createDeskActions(context: LiveAgentContext): DeskActions {
  const { state, profile, clock } = context;

  const findAgent = (conversation: Conversation, nameOrId: string): User => findOrHireAgent(state, conversation.accountId, nameOrId);

  /** Who speaks when nobody is named: the assignee, else whoever is at work and nearest to the wanted skills. */
  function currentAgent(conversation: Conversation, named?: string): User {
    if (named !== undefined) return findAgent(conversation, named);
    const assignee = findAssignee(state, conversation);
    const agent = (assignee?.isProgram ? undefined : assignee) ?? listNearest(context, conversation)[0] ?? anybodyOnline(conversation);
    if (!agent) throw notPossible("No agent is online.");
    return agent;
  }

  function anybodyOnline({ accountId }: Conversation): User | undefined {
    return listHumanAgents(state, accountId).find((agent) => availabilityOf(agent, accountId) === "online");
  }

  function refuseClosed(conversation: Conversation): void {
    if (isTerminal(conversation.status)) throw notPossible("The conversation is closed.");
  }

  function see(conversation: Conversation): void {
    conversation.agentLastSeenAtMs = clock.now();
    announceChange(context, conversation);
  }

  function assignTo(conversation: Conversation, agent: User | null, by: User | undefined): void {
    assign(context, conversation, agent, by);
  }

  function giveToTeam(conversation: Conversation, team: Team): void {
    conversation.isAttended = false;
    assignTo(conversation, null, findAssignee(state, conversation));
    setTeam(context, conversation, team, undefined);
    announceChange(context, conversation);
  }

  return {
    accept(conversation, agentName) {
      const agent = currentAgent(conversation, agentName);
      refuseClosed(conversation);
      conversation.isAttended = true;
      assignTo(conversation, agent, agent);
      see(conversation);
    },
    // The product lets an agent write to a resolved conversation, and it stays resolved.
    say(conversation, line) {
      const agent = currentAgent(conversation, line.agent);
      if (!canReply(context, conversation)) throw notPossible("The customer's last line is too long ago: the inbox takes no answer.");
      const breaks = context.behaviour.hardBreaks ? "\\\n" : "\n";
      addMessage(context, conversation, {
        type: "outgoing",
        content: line.text?.replaceAll("\n", breaks) ?? null,
        sender: { kind: "user", id: agent.id },
        files: line.files.map((file) => storeFile(context, file)),
        ...(line.contentType === undefined ? {} : { contentType: line.contentType }),
        ...(line.attributes === undefined ? {} : { contentAttributes: line.attributes }),
      });
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
      refuseClosed(conversation);
      const { accountId } = conversation;
      const team = listOfAccount(state.teams, accountId).find(({ id, name }) => to === `team:${id}` || to === name);
      const inbox = findOtherInbox(listOfAccount(state.inboxes, accountId), conversation, to);
      if (team) giveToTeam(conversation, team);
      else if (inbox) moveToInbox(context, conversation, inbox.id);
      else assignTo(conversation, findAgent(conversation, to), findAssignee(state, conversation));
    },
    assign(conversation, agent) {
      refuseClosed(conversation);
      assignTo(conversation, agent === null ? null : findAgent(conversation, agent), undefined);
    },
    leave(conversation) {
      refuseClosed(conversation);
      const agent = findAssignee(state, conversation);
      if (!agent && !conversation.isAttended) throw notPossible("No agent has the conversation.");
      conversation.isAttended = false;
      assignTo(conversation, null, agent);
      announceChange(context, conversation);
    },
    close(conversation, isAbandoned) {
      if (isAbandoned && !profile.isLiveAgent) throw notPossible(`${profile.title} cannot abandon a conversation.`);
      refuseClosed(conversation);
      setStatus(context, conversation, isAbandoned ? "abandoned" : "resolved", findAssignee(state, conversation));
    },
    reopen(conversation) {
      if (profile.isLiveAgent) throw notPossible(`${profile.title} does not reopen a conversation.`);
      if (!isTerminal(conversation.status)) throw notPossible("The conversation is not closed.");
      setStatus(context, conversation, "open", findAssignee(state, conversation));
    },
    survey(conversation) {
      if (!offerSurvey(context, conversation)) throw notPossible("The survey was sent already.");
    },
  };
}

function findOtherInbox(inboxes: readonly Inbox[], conversation: Conversation, to: string): Inbox | undefined {
  return inboxes.find(({ id, name }) => id !== conversation.inboxId && (to === `inbox:${id}` || to === name));
}
