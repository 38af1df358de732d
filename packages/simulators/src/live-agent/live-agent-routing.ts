import type { LiveAgentContext } from "./live-agent-context.ts";
import { availabilityOf, listHumanAgents } from "./live-agent-people.ts";
import type { Conversation, User } from "./live-agent-state.ts";
import { getInbox } from "./live-agent-state.ts";

/** Who gets a conversation by itself: an online member of the inbox, nearest to the wanted skills and languages, then least busy. */
export function chooseAgent(context: LiveAgentContext, conversation: Conversation): User | undefined {
  const load = (agent: User): number =>
    [...context.state.conversations.values()].filter((other) => other.assigneeId === agent.id && other.status === "open").length;
  return listNearest(context, conversation).sort(
    (left, right) => matchOf(right, conversation) - matchOf(left, conversation) || load(left) - load(right) || left.id - right.id,
  )[0];
}

/** Those who are online in the inbox, the nearest first. Skills are wishes: somebody without them is there too. */
export function listNearest(context: LiveAgentContext, conversation: Conversation): User[] {
  const { state } = context;
  const { memberIds } = getInbox(state, conversation.inboxId);
  const online = listHumanAgents(state, conversation.accountId).filter(
    (agent) => memberIds.has(agent.id) && availabilityOf(agent, conversation.accountId) === "online",
  );
  return online.sort((left, right) => matchOf(right, conversation) - matchOf(left, conversation) || left.id - right.id);
}

function matchOf(agent: User, conversation: Conversation): number {
  const membership = agent.memberships.get(conversation.accountId);
  const count = (key: "skills" | "languages"): number =>
    listWanted(conversation, key).filter((wanted) => membership?.[key].some((own) => own.toLowerCase() === wanted)).length;
  return count("skills") + count("languages");
}

/** A list, or a text with commas; where they are on the wire is inferred. */
function listWanted({ customAttributes, additionalAttributes }: Conversation, key: "skills" | "languages"): string[] {
  const value: unknown = customAttributes[key] ?? additionalAttributes[key];
  const names = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value.map(String) : [];
  return names.map((name) => name.trim().toLowerCase()).filter(Boolean);
}
