import { HandoverError, ProviderApiError, type Call } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import { toWireId, type WireConversation } from "./live-agent-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What a conversation should have, as far as the options say so. */
export interface Routing {
  readonly customAttributes: Fields;
  readonly options: Pick<LiveAgentOptions, "priority" | "labels" | "assigneeId" | "teamId">;
}

/**
 * An unknown agent or team would take the conversation away from everybody without an error, so both are looked up before
 * anything is written.
 * @throws HandoverError `ASSIGNEE_NOT_FOUND`, `TEAM_NOT_FOUND`
 */
export async function checkAssignment(
  client: LiveAgentClient,
  inboxId: string,
  options: Pick<LiveAgentOptions, "assigneeId" | "teamId">,
  call: Call,
): Promise<void> {
  const { assigneeId, teamId } = options;
  if (assigneeId !== undefined) {
    const agents = await listCandidates(client, inboxId, call);
    if (!agents.some(({ id }) => id === assigneeId)) {
      const known = listed(agents.map(({ id }) => id));
      throw unknownTarget(
        "ASSIGNEE_NOT_FOUND",
        `the agent ${assigneeId} is not among those of inbox ${inboxId} (${known}): check assigneeId`,
      );
    }
  }
  if (teamId === undefined) return;
  const teams = await client.listTeamIds(call.signal);
  if (!teams.includes(teamId)) throw unknownTarget("TEAM_NOT_FOUND", `there is no team ${teamId} (${listed(teams)}): check teamId`);
}

/** A server without the list of one inbox has that of the account. */
async function listCandidates(client: LiveAgentClient, inboxId: string, call: Call): Promise<readonly { readonly id: string }[]> {
  try {
    return await client.listAssignableAgents(inboxId, call.signal);
  } catch (error) {
    if (!ProviderApiError.isInstance(error) || error.status !== 404) throw error;
    return client.listAgents(call.signal);
  }
}

/**
 * Brings a conversation to what it should have. Only differences are written: every write of ours comes back as an event, and
 * calls that replace a whole list or object get what agents and rules have put there as well.
 */
export async function applyRouting(client: LiveAgentClient, conversation: WireConversation, routing: Routing, call: Call): Promise<void> {
  await ifSupported("custom attributes", call, () => mergeAttributes(client, conversation, routing.customAttributes, call));
  await ifSupported("labels", call, () => addLabels(client, conversation, routing.options.labels ?? [], call));
  await ifSupported("the priority", call, () => applyPriority(client, conversation, routing.options.priority, call));
  await ifSupported("team and assignee", call, () => assign(client, conversation, routing.options, call));
}

/** The object is replaced as a whole. Servers below 2.12 leave out what the create call said. */
async function mergeAttributes(client: LiveAgentClient, conversation: WireConversation, wanted: Fields, call: Call): Promise<void> {
  const present = conversation.custom_attributes;
  const isThere = Object.entries(wanted).every(([key, value]) => JSON.stringify(present[key]) === JSON.stringify(value));
  if (isThere) return;
  await client.setCustomAttributes(conversation.id, { ...present, ...wanted }, call.signal);
}

/** The list is replaced as a whole, so the present one is read right before. */
async function addLabels(client: LiveAgentClient, conversation: WireConversation, wanted: readonly string[], call: Call): Promise<void> {
  if (wanted.length === 0) return;
  const present = await client.listLabels(conversation.id, call.signal);
  const missing = wanted.filter((label) => !present.includes(label));
  if (missing.length > 0) await client.setLabels(conversation.id, [...new Set([...present, ...missing])], call.signal);
}

async function applyPriority(
  client: LiveAgentClient,
  conversation: WireConversation,
  priority: LiveAgentOptions["priority"],
  call: Call,
): Promise<void> {
  if (priority === undefined || priority === "none" || conversation.priority === priority) return;
  await client.setPriority(conversation.id, priority, call.signal);
}

async function assign(client: LiveAgentClient, conversation: WireConversation, options: Routing["options"], call: Call): Promise<void> {
  const { assignee, team } = conversation.meta;
  const { assigneeId, teamId } = options;
  if (teamId !== undefined && team?.id !== teamId) await client.assign(conversation.id, { team_id: toWireId(teamId) }, call.signal);
  if (assigneeId === undefined || assignee?.id === assigneeId) return;
  await client.assign(conversation.id, { assignee_id: toWireId(assigneeId) }, call.signal);
}

/** Old servers lack some of these calls. A handover without its label is better than none. */
async function ifSupported(what: string, call: Call, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!ProviderApiError.isInstance(error) || error.isRetryable) throw error;
    call.logger.warn(`${what} could not be set at Live Agent`, { status: error.status, code: error.code });
  }
}

const mostListed = 10;

/** Ids only: names of people do not belong into an error. */
function listed(ids: readonly string[]): string {
  if (ids.length === 0) return "there are none";
  return `there are ${ids.slice(0, mostListed).join(", ")}${ids.length > mostListed ? " and others" : ""}`;
}

function unknownTarget(code: string, problem: string): HandoverError {
  return new HandoverError({ code, message: `Live Agent: ${problem}. Nothing was assigned.`, effect: "handover" });
}
