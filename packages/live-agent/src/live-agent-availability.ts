import { ProviderApiError, type Availability, type Call } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { learnTechnicalUser } from "./live-agent-version.ts";
import type { WireAgentRow } from "./live-agent-wire-account.ts";
import type { LiveAgentParts } from "./live-agent-start.ts";

/**
 * Agents of the inbox who are online: away and busy are not, nor administrators who are no members, nor members whom the
 * account no longer has. Section 3.6 of the reference page.
 */
export async function checkAvailability(parts: LiveAgentParts, options: LiveAgentOptions, call: Call): Promise<Availability> {
  const { client, settings } = parts;
  const agents = await orNothing(() => client.listAgents(call.signal));
  if (!agents) return { status: "unknown" };
  const inboxId = options.inboxId ?? settings.inboxId;
  const members = inboxId === undefined ? undefined : await orNothing(() => membersOf(client, inboxId, call));
  const ourselves = await learnTechnicalUser(parts, call.signal);
  const online = agents.filter(
    ({ id, availability_status: status }) => status === "online" && id !== ourselves && (!members || members.has(id)),
  );
  const able = withSkills(online, agents, options, settings).length;
  return { status: able > 0 ? "available" : "unavailable", agents: able };
}

async function membersOf(client: LiveAgentClient, inboxId: string, call: Call): Promise<ReadonlySet<string>> {
  return new Set((await client.listInboxMembers(inboxId, call.signal)).map(({ id }) => id));
}

/** Where a server tells of nobody's skills, they cannot be looked at: routing takes them as a wish only. */
function withSkills(
  online: readonly WireAgentRow[],
  everybody: readonly WireAgentRow[],
  options: LiveAgentOptions,
  settings: LiveAgentSettings,
): readonly WireAgentRow[] {
  let able = online;
  for (const kind of ["skills", "languages"] as const) {
    const wanted = (options[kind] ?? []).map(plain);
    const read = (agent: WireAgentRow): string[] => readList(agent, kind, settings);
    if (wanted.length === 0 || everybody.every((agent) => read(agent).length === 0)) continue;
    able = able.filter((agent) => wanted.every((skill) => read(agent).includes(skill)));
  }
  return able;
}

/** Directly on the agent, or among its attributes under the name that conversations have it under (inferred). */
function readList(agent: WireAgentRow, kind: "skills" | "languages", settings: LiveAgentSettings): string[] {
  const name = settings.attributeKeys[kind].split(".")[1] ?? kind;
  const values = agent[kind] ?? agent.custom_attributes[name] ?? agent.custom_attributes[kind];
  const list = typeof values === "string" ? values.split(",") : Array.isArray(values) ? (values as unknown[]) : [];
  return list.filter((value) => typeof value === "string").map(plain);
}

function plain(skill: string): string {
  return skill.trim().toLowerCase();
}

/** A server without the call cannot tell. */
async function orNothing<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    if (ProviderApiError.isInstance(error) && error.status === 404) return undefined;
    throw error;
  }
}
