import { badInput, notPossible } from "../shared/control-error.ts";
import type { Fields } from "../shared/control-input.ts";
import {
  readNullableText,
  readObject,
  readOneOf,
  readOptionalBoolean,
  readOptionalTexts,
  readOptionalWholeNumber,
  readText,
  readWholeNumber,
} from "../shared/control-input.ts";
import { checkWebhookUrl } from "../shared/webhook-view.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { findOrHireAgent, setAgentsOnline } from "./live-agent-people.ts";
import type { Inbox, Membership } from "./live-agent-state.ts";
import { createToken, getAccount, listOfAccount, takeId, technicalUserId } from "./live-agent-state.ts";
import { webhookSubscriptions } from "./live-agent-subscriptions.ts";
import { isObject } from "./live-agent-values.ts";

/** Somebody at work, hired when the name is new. */
export interface LiveAgentStaff {
  readonly name: string;
  /** Default `online`. */
  readonly status?: "online" | "busy" | "away" | "offline";
  /** Default `agent`; `supervisor` is Live Agent's. */
  readonly role?: "administrator" | "agent" | "supervisor";
  readonly skills?: readonly string[];
  readonly languages?: readonly string[];
  /** Ids of the inboxes that the person works in; left out: as before, a new person in all. */
  readonly inboxes?: readonly number[];
}

export interface LiveAgentInboxSettings {
  /** The inbox's id; the first one when left out. */
  readonly inbox?: number;
  readonly greetingMessage?: string | null;
  readonly outOfOfficeMessage?: string | null;
  readonly workingHoursEnabled?: boolean;
  readonly lockToSingleConversation?: boolean;
  readonly csatSurveyEnabled?: boolean;
  readonly enableAutoAssignment?: boolean;
  readonly hmacMandatory?: boolean;
  /** Hours after the customer's last line in which agents can answer. */
  readonly agentReplyTimeWindow?: number;
}

/** What an administrator of the product sets. Everything concerns the first account. */
export interface ControlSettings {
  /** So many demo agents online, or exactly these people with these states; the others go offline. */
  setAgents(input: { readonly online: number } | { readonly agents: readonly LiveAgentStaff[] }): object;
  setInbox(input: LiveAgentInboxSettings): object;
  /** An agent bot that gets the inbox's conversations; `null` takes it away. Returns its id, token and secret. */
  setAgentBot(input: { readonly url: string | null; readonly inbox?: number }): object;
  /** A webhook of the account beside the inbox's; `null` removes all. Returns its id and secret. */
  setAccountWebhook(input: { readonly url: string | null; readonly subscriptions?: readonly string[] }): object;
  setTeams(input: { readonly teams: readonly { readonly name: string; readonly members?: readonly string[] }[] }): object;
  setAccount(input: { readonly status: "active" | "suspended" }): object;
  /** What the provider's token may do. */
  setTechnicalUser(input: { readonly role: "administrator" | "agent" }): object;
  /** An inbox of another kind: the API takes no lines of the customer there. Returns its id. */
  addForeignInbox(input: { readonly name: string }): object;
  readonly ownSettings: Readonly<Record<string, (body: unknown) => object>>;
}

export function createControlSettings(context: LiveAgentContext): ControlSettings {
  const { state } = context;
  const changed = <Answer extends object>(answer: Answer): Answer => {
    context.changes.emit({ kind: "agents" });
    return answer;
  };

  const settings: Omit<ControlSettings, "ownSettings"> = {
    setAgents: (input) => changed(setAgents(context, readObject(input, ["online", "agents"]))),
    setInbox: (input) => changed(setInbox(context, input)),
    setAgentBot: (input) => changed(setAgentBot(context, readObject(input, ["url", "inbox"]))),
    setAccountWebhook: (input) => changed(setAccountWebhook(context, readObject(input, ["url", "subscriptions"]))),
    setTeams: (input) => changed(setTeams(context, readObject(input, ["teams"])["teams"])),
    setAccount(input) {
      const status = readOneOf(readObject(input, ["status"]), "status", ["active", "suspended"]);
      getAccount(state, state.mainAccountId).status = status;
      return changed({ status });
    },
    setTechnicalUser(input) {
      const role = readOneOf(readObject(input, ["role"]), "role", ["administrator", "agent"]);
      const membership = state.users.get(technicalUserId)?.memberships.get(state.mainAccountId);
      if (membership) membership.role = role;
      return changed({ role });
    },
    addForeignInbox(input) {
      const name = readText(readObject(input, ["name"]), "name");
      const template = mainInbox(context);
      const id = takeId(state, "inbox");
      const own = { id, name, channelId: id + 80, identifier: `simulator-inbox-${id}`, isApi: false, webhookUrl: null };
      state.inboxes.set(id, { ...template, ...own, memberIds: new Set(template.memberIds) });
      return changed({ id });
    },
  };
  return {
    ...settings,
    ownSettings: {
      inbox: settings.setInbox,
      "agent-bot": settings.setAgentBot as Own,
      "account-webhook": settings.setAccountWebhook as Own,
      teams: settings.setTeams as Own,
      account: settings.setAccount as Own,
      "technical-user": settings.setTechnicalUser as Own,
      "foreign-inbox": settings.addForeignInbox as Own,
    } as Readonly<Record<string, Own>>,
  };
}

// Each reads what it gets, so a body goes in as it came.
type Own = (body: unknown) => object;

function mainInbox(context: LiveAgentContext, id?: number): Inbox {
  const inbox = context.state.inboxes.get(id ?? context.setup.inboxId);
  if (!inbox) throw notPossible("There is no such inbox.");
  return inbox;
}

function setAgents(context: LiveAgentContext, fields: Fields): object {
  const { state } = context;
  if (fields["agents"] === undefined) {
    const online = readWholeNumber(fields, "online", { min: 0, max: 100 });
    for (const accountId of state.accounts.keys()) setAgentsOnline(state, accountId, online);
    return { online };
  }
  const { agents } = fields;
  if (!Array.isArray(agents)) throw badInput('"agents" must be a list.');
  setAgentsOnline(state, state.mainAccountId, 0);
  return {
    agents: agents.map((agent) => setAgent(context, readObject(agent, ["name", "status", "role", "skills", "languages", "inboxes"]))),
  };
}

function setAgent({ state }: LiveAgentContext, fields: Fields): object {
  const user = findOrHireAgent(state, state.mainAccountId, readText(fields, "name"));
  const membership = user.memberships.get(state.mainAccountId) as Membership;
  membership.availability = fields["status"] === undefined ? "online" : readOneOf(fields, "status", ["online", "busy", "away", "offline"]);
  if (fields["role"] !== undefined) membership.role = readOneOf(fields, "role", ["administrator", "agent", "supervisor"]);
  membership.skills = readOptionalTexts(fields, "skills") ?? membership.skills;
  membership.languages = readOptionalTexts(fields, "languages") ?? membership.languages;
  const inboxIds = fields["inboxes"];
  if (Array.isArray(inboxIds)) {
    for (const inbox of listOfAccount(state.inboxes, state.mainAccountId)) {
      if (inboxIds.includes(inbox.id)) inbox.memberIds.add(user.id);
      else inbox.memberIds.delete(user.id);
    }
  }
  return { id: user.id, name: user.name, status: membership.availability };
}

const flags = ["workingHoursEnabled", "lockToSingleConversation", "csatSurveyEnabled", "enableAutoAssignment", "hmacMandatory"] as const;
const texts = ["greetingMessage", "outOfOfficeMessage"] as const;

function setInbox(context: LiveAgentContext, input: unknown): object {
  const fields = readObject(input, ["inbox", "agentReplyTimeWindow", ...flags, ...texts]);
  const inbox = mainInbox(context, readOptionalWholeNumber(fields, "inbox", { min: 1, max: 1_000_000 }));
  for (const flag of flags) inbox[flag] = readOptionalBoolean(fields, flag) ?? inbox[flag];
  for (const text of texts) {
    const value = readNullableText(fields, text);
    if (value !== undefined) inbox[text] = value;
  }
  const hours = readOptionalWholeNumber(fields, "agentReplyTimeWindow", { min: 0, max: 1000 });
  if (hours !== undefined) inbox.channelAttributes = { ...inbox.channelAttributes, agent_reply_time_window: hours };
  return { id: inbox.id };
}

function setAgentBot(context: LiveAgentContext, fields: Fields): object {
  const { state } = context;
  const inbox = mainInbox(context, readOptionalWholeNumber(fields, "inbox", { min: 1, max: 1_000_000 }));
  const url = readNullableText(fields, "url");
  if (url === undefined) throw badInput('"url" must be an http or https address, or null.');
  if (url === null) {
    inbox.agentBotId = null;
    return { isSet: false };
  }
  const id = takeId(state, "agentBot");
  const base = { name: "Bot", description: "", accountId: inbox.accountId };
  const bot = { id, ...base, outgoingUrl: checkWebhookUrl(url), token: createToken(), secret: createToken() };
  state.agentBots.set(id, bot);
  inbox.agentBotId = id;
  return { isSet: true, id, token: bot.token, secret: bot.secret };
}

function setAccountWebhook({ state }: LiveAgentContext, fields: Fields): object {
  const url = readNullableText(fields, "url");
  if (url === undefined) throw badInput('"url" must be an http or https address, or null.');
  if (url === null) {
    state.webhooks.clear();
    return { isSet: false };
  }
  const id = takeId(state, "webhook");
  const subscriptions = readOptionalTexts(fields, "subscriptions") ?? webhookSubscriptions;
  const base = { id, accountId: state.mainAccountId, name: null, inboxId: null, subscriptions };
  const webhook = { ...base, url: checkWebhookUrl(url), secret: createToken() };
  state.webhooks.set(id, webhook);
  return { isSet: true, id, secret: webhook.secret };
}

function setTeams({ state }: LiveAgentContext, teams: unknown): object {
  if (!Array.isArray(teams) || !teams.every(isObject)) throw badInput('"teams" must be a list of objects.');
  for (const team of listOfAccount(state.teams, state.mainAccountId)) state.teams.delete(team.id);
  const made = teams.map((team) => {
    const fields = readObject(team, ["name", "members"]);
    const id = takeId(state, "team");
    const members = (readOptionalTexts(fields, "members") ?? []).map((name) => findOrHireAgent(state, state.mainAccountId, name).id);
    const name = readText(fields, "name");
    state.teams.set(id, { id, accountId: state.mainAccountId, name, description: "", memberIds: new Set(members) });
    return { id, name };
  });
  return { teams: made };
}
