import { badInput, ControlError, notPossible } from "../shared/control-error.ts";
import type { Fields } from "../shared/control-input.ts";
import {
  readBoolean,
  readNullableText,
  readObject,
  readOneOf,
  readOptionalBoolean,
  readOptionalText,
  readOptionalTexts,
  readText,
  readWholeNumber,
} from "../shared/control-input.ts";
import type { ControlConversation } from "../shared/vendor-simulator.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { announceChange } from "./live-agent-context.ts";
import type { LiveAgentLine } from "./live-agent-control-input.ts";
import { readContentType, readLine } from "./live-agent-control-input.ts";
import { viewControlConversation } from "./live-agent-control-view.ts";
import { setLabels, setMuted, setPriority, setStatus, setTeam } from "./live-agent-conversations.ts";
import { checkSubmission, findSurvey } from "./live-agent-csat.ts";
import { createDeskActions } from "./live-agent-desk.ts";
import { ApiError } from "./live-agent-errors.ts";
import { addMessage, changeMessage, deleteMessage } from "./live-agent-messages.ts";
import type { Conversation, JsonObject, Message } from "./live-agent-state.ts";
import { getContact, listOfAccount, removeConversation } from "./live-agent-state.ts";
import { isObject } from "./live-agent-values.ts";
import { publishAnything } from "./live-agent-webhooks.ts";

/** Who a line comes from that no person wrote. */
export type LiveAgentAuthor = (typeof authors)[number];

const authors = ["automation", "template", "agent_bot", "captain_assistant", "cognigy", "contact"] as const;
const desk = { name: "The desk" };

/** What is done with a conversation at the desk or by the product itself. Each returns it as it is then. */
export interface ControlActions {
  accept(id: string, input?: { readonly agent?: string }): ControlConversation;
  say(id: string, line: LiveAgentLine): ControlConversation;
  type(id: string, input: { readonly isTyping: boolean }): ControlConversation;
  note(id: string, input: { readonly text: string }): ControlConversation;
  /** To a team or inbox by `team:{id}`, `inbox:{id}` or name, else to an agent. */
  transfer(id: string, input: { readonly to: string }): ControlConversation;
  leave(id: string, input?: object): ControlConversation;
  close(id: string, input?: { readonly abandon?: boolean }): ControlConversation;
  reopen(id: string): ControlConversation;
  /** Offers the CSAT survey, once. */
  survey(id: string): ControlConversation;
  /** The customer fills the survey in on its own page. */
  answerSurvey(id: string, input: { readonly rating: number; readonly feedback?: string }): ControlConversation;
  /** Assigns without a person looking; `null` unassigns. */
  assign(id: string, input: { readonly agent: string | null }): ControlConversation;
  team(id: string, input: { readonly team: string | null }): ControlConversation;
  setStatus(id: string, input: { readonly status: "open" | "pending" | "snoozed"; readonly until?: string }): ControlConversation;
  setPriority(id: string, input: { readonly priority: "low" | "medium" | "high" | "urgent" | null }): ControlConversation;
  setLabels(id: string, input: { readonly labels: readonly string[] }): ControlConversation;
  block(id: string, input: { readonly isBlocked: boolean }): ControlConversation;
  mute(id: string, input: { readonly isMuted: boolean }): ControlConversation;
  /** A line that no person wrote: an automation rule, a template, a bot, or the contact itself (written on its behalf). */
  post(
    id: string,
    input: { readonly text: string; readonly as: LiveAgentAuthor; readonly contentType?: string | number },
  ): ControlConversation;
  /** Another text in a message, the last one of an agent when none is named. */
  edit(id: string, input: { readonly text: string; readonly message?: string }): ControlConversation;
  delete(id: string, input?: { readonly message?: string }): ControlConversation;
  /** Deletes the whole conversation: later calls answer 404. */
  remove(id: string): ControlConversation;
  /** Any webhook, so also one that no documentation knows. */
  sendEvent(id: string, input: { readonly event: string; readonly data?: object }): ControlConversation;
  readonly ownActions: Readonly<Record<string, (id: string, body: unknown) => ControlConversation>>;
}

type Act = (id: string, action: (conversation: Conversation) => void) => ControlConversation;

/** Checks what came, does it, and shows the conversation as it is then. */
export function createControlActions(context: LiveAgentContext): ControlActions {
  const act: Act = (id, action) => {
    const conversation = findConversation(context, id);
    try {
      action(conversation);
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) throw notPossible(JSON.stringify(error.body));
      throw error;
    }
    return viewControlConversation(context, conversation);
  };
  const own = createOwnActions(context, act);
  const people = createDeskActions(context);
  return {
    accept: (id, input) => act(id, (conversation) => people.accept(conversation, readOptionalText(readObject(input, ["agent"]), "agent"))),
    say: (id, input) => act(id, (conversation) => people.say(conversation, readLine(input))),
    type: (id, input) => act(id, (conversation) => people.type(conversation, readBoolean(readObject(input, ["isTyping"]), "isTyping"))),
    note: (id, input) => act(id, (conversation) => people.note(conversation, readText(readObject(input, ["text"]), "text"))),
    transfer: (id, input) => act(id, (conversation) => people.transfer(conversation, readText(readObject(input, ["to"]), "to"))),
    leave: (id) => act(id, people.leave),
    close: (id, input) =>
      act(id, (conversation) => people.close(conversation, readOptionalBoolean(readObject(input, ["abandon"]), "abandon") ?? false)),
    reopen: (id) => act(id, people.reopen),
    survey: (id) => act(id, people.survey),
    assign: (id, input) => act(id, (conversation) => people.assign(conversation, readNamed(readObject(input, ["agent"]), "agent"))),
    ...own,
    ownActions: {
      assign: (id, body) => act(id, (conversation) => people.assign(conversation, readNamed(readObject(body, ["agent"]), "agent"))),
      team: own.team as Own,
      status: own.setStatus as Own,
      priority: own.setPriority as Own,
      labels: own.setLabels as Own,
      block: own.block as Own,
      mute: own.mute as Own,
      post: own.post as Own,
      edit: own.edit as Own,
      delete: own.delete as Own,
      remove: own.remove,
      event: own.sendEvent as Own,
      "answer-survey": own.answerSurvey as Own,
    },
  };
}

// Each reads what it gets, so a body goes in as it came.
type Own = (id: string, body: unknown) => ControlConversation;
type OwnActions = Omit<
  ControlActions,
  "accept" | "say" | "type" | "note" | "transfer" | "leave" | "close" | "reopen" | "survey" | "assign" | "ownActions"
>;

function createOwnActions(context: LiveAgentContext, act: Act): OwnActions {
  return {
    answerSurvey: (id, input) => act(id, (conversation) => answerSurvey(context, conversation, readObject(input, ["rating", "feedback"]))),
    team: (id, input) => act(id, (conversation) => giveToTeam(context, conversation, readNamed(readObject(input, ["team"]), "team"))),
    setStatus(id, input) {
      return act(id, (conversation) => {
        const fields = readObject(input, ["status", "until"]);
        const status = readOneOf(fields, "status", ["open", "pending", "snoozed"]);
        setStatus(context, conversation, status, desk, readOptionalText(fields, "until") ?? null);
      });
    },
    setPriority(id, input) {
      return act(id, (conversation) => {
        const fields = readObject(input, ["priority"]);
        const priority = fields["priority"] === null ? null : readOneOf(fields, "priority", ["low", "medium", "high", "urgent"]);
        setPriority(context, conversation, priority, desk);
      });
    },
    setLabels: (id, input) =>
      act(id, (conversation) => setLabels(context, conversation, readOptionalTexts(readObject(input, ["labels"]), "labels") ?? [], desk)),
    block(id, input) {
      return act(id, (conversation) => {
        getContact(context.state, conversation.contactId).blocked = readBoolean(readObject(input, ["isBlocked"]), "isBlocked");
      });
    },
    mute: (id, input) =>
      act(id, (conversation) => setMuted(context, conversation, readBoolean(readObject(input, ["isMuted"]), "isMuted"), desk)),
    post: (id, input) => act(id, (conversation) => post(context, conversation, readObject(input, ["text", "as", "contentType"]))),
    edit(id, input) {
      return act(id, (conversation) => {
        const fields = readObject(input, ["text", "message"]);
        changeMessage(context, findMessage(context, conversation, fields), { content: readText(fields, "text") });
      });
    },
    delete: (id, input) =>
      act(id, (conversation) => deleteMessage(context, findMessage(context, conversation, readObject(input, ["message"])))),
    remove(id) {
      return act(id, (conversation) => {
        removeConversation(context.state, conversation);
        context.changes.emit({ kind: "reset" });
      });
    },
    sendEvent(id, input) {
      return act(id, (conversation) => {
        const fields = readObject(input, ["event", "data"]);
        const { data = {} } = fields;
        if (!isObject(data)) throw badInput('"data" must be an object.');
        publishAnything(context, conversation, readText(fields, "event"), data);
      });
    },
  };
}

export function findConversation(context: LiveAgentContext, id: string): Conversation {
  const conversation = /^([1-9]\d{0,14}:)?[1-9]\d{0,14}$/.test(id) ? context.state.conversations.get(id) : undefined;
  if (!conversation) throw new ControlError(404, "UNKNOWN_CONVERSATION", "There is no conversation with this id.");
  return conversation;
}

/** A name, or `null` for nobody. */
function readNamed(fields: Fields, key: string): string | null {
  const name = readNullableText(fields, key);
  if (name === undefined) throw badInput(`"${key}" must be a text that is not empty, or null.`);
  return name;
}

function giveToTeam(context: LiveAgentContext, conversation: Conversation, name: string | null): void {
  const teams = listOfAccount(context.state.teams, conversation.accountId);
  const team = name === null ? null : teams.find((candidate) => candidate.name === name || String(candidate.id) === name);
  if (team === undefined) throw notPossible(`There is no team "${name}".`);
  setTeam(context, conversation, team, desk);
}

function answerSurvey(context: LiveAgentContext, conversation: Conversation, fields: Fields): void {
  const survey = findSurvey(conversation);
  if (!survey) throw notPossible("No survey was sent.");
  const rating = readWholeNumber(fields, "rating", { min: 1, max: 5 });
  const feedback = readOptionalText(fields, "feedback") ?? "";
  const values = { csat_survey_response: { rating, feedback_message: feedback } };
  changeMessage(context, survey, { contentAttributes: checkSubmission(context, survey, values) });
  announceChange(context, conversation);
}

function post(context: LiveAgentContext, conversation: Conversation, fields: Fields): void {
  const author = readOneOf(fields, "as", authors);
  const contentType = readContentType(fields);
  const attributes: JsonObject = author === "automation" ? { automation_rule_id: 4 } : {};
  const base = { content: readText(fields, "text"), contentAttributes: attributes, ...(contentType === undefined ? {} : { contentType }) };
  if (author === "contact") {
    addMessage(context, conversation, { ...base, type: "incoming", sender: { kind: "contact", id: conversation.contactId } });
  } else if (author === "template" || author === "automation") {
    addMessage(context, conversation, { ...base, type: author === "template" ? "template" : "outgoing", sender: null });
  } else {
    addMessage(context, conversation, { ...base, type: "outgoing", sender: { kind: author, id: 1 } });
  }
}

function findMessage(context: LiveAgentContext, conversation: Conversation, fields: Fields): Message {
  const wanted = readOptionalText(fields, "message");
  const isAgents = ({ type, sender }: Message): boolean =>
    type === "outgoing" && sender?.kind === "user" && !context.state.users.get(sender.id)?.isProgram;
  const found = conversation.messages.findLast((message) => (wanted === undefined ? isAgents(message) : String(message.id) === wanted));
  if (!found) throw notPossible("There is no such message.");
  return found;
}
