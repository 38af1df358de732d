import type { Account, Availability, LiveAgentState, Membership, Role, User } from "./live-agent-state.ts";
import { createToken, listOfAccount, takeId } from "./live-agent-state.ts";

const demoAgentNames = ["Ann Agent", "Ben Agent", "Cleo Agent", "Dan Agent", "Eva Agent", "Finn Agent", "Gil Agent", "Hana Agent"];

export function addUser(
  state: LiveAgentState,
  fields: Pick<User, "name" | "email"> & Partial<Pick<User, "id" | "token" | "isProgram" | "isPlatforms" | "displayName">>,
): User {
  const id = fields.id ?? takeId(state, "user");
  const user: User = {
    displayName: null,
    isProgram: false,
    isPlatforms: false,
    ...fields,
    id,
    token: fields.token ?? createToken(),
    pubsubToken: `simulator-pubsub-user-${id}`,
    customAttributes: {},
    memberships: new Map(),
  };
  state.users.set(id, user);
  return user;
}

/** Makes somebody part of an account, or gives them another role there. */
export function joinAccount(state: LiveAgentState, user: User, accountId: number, role: Role, availability?: Availability): Membership {
  const present = user.memberships.get(accountId);
  if (present) {
    present.role = role;
    return present;
  }
  const membership = { id: takeId(state, "membership"), role, availability: availability ?? "offline", skills: [], languages: [] };
  user.memberships.set(accountId, membership);
  return membership;
}

export function listUsers(state: LiveAgentState, accountId: number): User[] {
  return [...state.users.values()].filter((user) => user.memberships.has(accountId));
}

export function listHumanAgents(state: LiveAgentState, accountId: number): User[] {
  return listUsers(state, accountId).filter((user) => !user.isProgram);
}

export function availabilityOf(user: User, accountId: number): Availability {
  return user.memberships.get(accountId)?.availability ?? "offline";
}

/** Makes exactly so many human agents of an account online; missing ones are hired, the others go offline. */
export function setAgentsOnline(state: LiveAgentState, accountId: number, online: number): void {
  for (let count = listHumanAgents(state, accountId).length; count < online; count += 1) hireAgent(state, accountId);
  for (const [index, agent] of listHumanAgents(state, accountId).entries()) {
    const membership = agent.memberships.get(accountId);
    if (membership) membership.availability = index < online ? "online" : "offline";
  }
}

/** Somebody new, online, and in every inbox of the account. */
export function hireAgent(state: LiveAgentState, accountId: number, givenName?: string): User {
  const index = listHumanAgents(state, accountId).length;
  const name = givenName ?? demoAgentNames[index] ?? `Agent ${index + 1}`;
  const id = takeId(state, "user");
  const email = `${name.toLowerCase().replaceAll(" ", ".")}@example.com`;
  const agent = addUser(state, { id, name, email, token: `simulator-live-agent-agent-${id}` });
  joinAccount(state, agent, accountId, "agent", "online");
  for (const inbox of listOfAccount(state.inboxes, accountId)) inbox.memberIds.add(id);
  return agent;
}

/** The human agent with this name or id; somebody with a new name starts to work here. */
export function findOrHireAgent(state: LiveAgentState, accountId: number, nameOrId: string): User {
  const agents = listHumanAgents(state, accountId);
  const known = agents.find((candidate) => candidate.name === nameOrId || String(candidate.id) === nameOrId);
  return known ?? hireAgent(state, accountId, nameOrId);
}

/** An account that the platform API makes has the people of the first one, as a Live Agent organisation has its Cognigy users. */
export function staffAccount(state: LiveAgentState, account: Account): void {
  for (const agent of listHumanAgents(state, state.mainAccountId)) {
    joinAccount(state, agent, account.id, "agent", availabilityOf(agent, state.mainAccountId));
  }
}
