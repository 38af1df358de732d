import type { LiveAgentSetup } from "./live-agent-options.ts";
import { addUser, joinAccount, setAgentsOnline } from "./live-agent-people.ts";
import type { Account, Inbox, LiveAgentState } from "./live-agent-state.ts";
import { createEmptyState, getInbox, takeId, technicalUserId } from "./live-agent-state.ts";

export function createState(setup: LiveAgentSetup): LiveAgentState {
  const state = createEmptyState(setup);
  fillWithDemoData(state, setup, 1 + setup.idOffset);
  return state;
}

/** Empties it and puts the demo data in again; ids go on counting and the webhook's address stays. */
export function resetState(state: LiveAgentState, setup: LiveAgentSetup): void {
  const { webhookUrl, secret } = getInbox(state, setup.inboxId);
  const nextDisplayId = state.accounts.get(setup.accountId)?.nextDisplayId ?? 1;
  for (const value of Object.values(state)) if (value instanceof Map) value.clear();
  state.nextId.user = technicalUserId + 1;
  fillWithDemoData(state, setup, nextDisplayId);
  Object.assign(getInbox(state, setup.inboxId), { webhookUrl, secret });
}

function fillWithDemoData(state: LiveAgentState, setup: LiveAgentSetup, nextDisplayId: number): void {
  const { accountId, accountName, apiKey } = setup;
  addAccount(state, { id: accountId, name: accountName, nextDisplayId });
  const technicalUser = addUser(state, {
    id: technicalUserId,
    name: "Handover Bot",
    email: "handover-bot@example.com",
    token: apiKey,
    isProgram: true,
  });
  joinAccount(state, technicalUser, accountId, "administrator");
  addInbox(state, {
    id: setup.inboxId,
    accountId,
    name: setup.inboxName,
    lockToSingleConversation: setup.lockToSingleConversation,
    greetingMessage: setup.greetingMessage,
    webhookUrl: setup.webhookUrl,
    secret: setup.webhookSecret,
  });
  setAgentsOnline(state, accountId, 2);
}

export function addAccount(state: LiveAgentState, fields: Pick<Account, "name"> & Partial<Account>): Account {
  const account: Account = {
    status: "active",
    locale: "en",
    domain: null,
    supportEmail: null,
    features: {},
    limits: {},
    customAttributes: {},
    isPlatforms: false,
    nextDisplayId: 1,
    ...fields,
    id: fields.id ?? takeId(state, "account"),
  };
  state.accounts.set(account.id, account);
  return account;
}

export function addInbox(state: LiveAgentState, fields: Pick<Inbox, "accountId" | "name" | "secret"> & Partial<Inbox>): Inbox {
  const id = fields.id ?? takeId(state, "inbox");
  const inbox: Inbox = {
    channelId: id + 80,
    identifier: `simulator-inbox-${id}`,
    hmacToken: "simulator-hmac-token",
    isApi: true,
    lockToSingleConversation: false,
    greetingMessage: null,
    csatSurveyEnabled: false,
    enableAutoAssignment: false,
    workingHoursEnabled: false,
    outOfOfficeMessage: null,
    timezone: "UTC",
    allowMessagesAfterResolved: true,
    hmacMandatory: false,
    channelAttributes: {},
    agentBotId: null,
    webhookUrl: null,
    memberIds: new Set(),
    ...fields,
    id,
  };
  state.inboxes.set(id, inbox);
  return inbox;
}
