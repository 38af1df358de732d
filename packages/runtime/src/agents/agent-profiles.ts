import type { Agent } from "@handover/core";
import { callVendor } from "../connections/call-vendor.ts";
import type { Connection } from "../connections/connection-registry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorSummary } from "../support/describe-error.ts";
import { setNewest } from "../support/set-newest.ts";
import { randomId } from "../support/system-random.ts";

/** Names and pictures of agents whose events carry only an id: asked for once per account and agent, kept for a while. */
export interface AgentProfiles {
  /** What is known of an agent now; `unknown` when nobody was asked lately, `nothing` when asking did not help. */
  look(connection: Connection, agentId: string): Agent | "unknown" | "nothing";
  /**
   * Asks for agents, and waits a moment for the answers.
   * @param onLate is called with each profile that comes after that
   */
  learn(connection: Connection, agentIds: Iterable<string>, onLate: (agent: Agent) => void): Promise<void>;
}

const keepMs = 60 * 60 * 1000;
/** A vendor that has no name for an agent, or does not answer, is not asked again for each message. */
const keepNothingMs = 30_000;
const rememberedAgents = 2_000;

interface Profile {
  readonly agent: Agent | undefined;
  readonly untilMs: number;
}

/** Profiles in memory, of all accounts. */
export function createAgentProfiles(context: RuntimeContext): AgentProfiles {
  const profiles = new Map<string, Profile>();
  const asking = new Map<string, Promise<Agent | undefined>>();
  const keyOf = (connection: Connection, agentId: string) => JSON.stringify([connection.handle.accountKey, agentId]);

  async function ask(connection: Connection, agentId: string): Promise<Agent | undefined> {
    const key = keyOf(connection, agentId);
    const agent = await askVendor(context, connection, agentId);
    asking.delete(key);
    setNewest(profiles, key, { agent, untilMs: context.clock.now() + (agent ? keepMs : keepNothingMs) }, rememberedAgents);
    return agent;
  }

  function askOnce(connection: Connection, agentId: string): Promise<Agent | undefined> {
    const key = keyOf(connection, agentId);
    const answer = asking.get(key) ?? ask(connection, agentId);
    asking.set(key, answer);
    return answer;
  }

  return {
    look(connection, agentId) {
      const key = keyOf(connection, agentId);
      const profile = profiles.get(key);
      if (profile && profile.untilMs > context.clock.now()) return profile.agent ?? "nothing";
      // Somebody waited for this answer already: whatever comes meanwhile does not wait once more.
      return asking.has(key) ? "nothing" : "unknown";
    },
    async learn(connection, agentIds, onLate) {
      let isLate = false;
      const answers = [...agentIds].map((agentId) =>
        askOnce(connection, agentId).then((agent) => {
          if (isLate && agent) onLate(agent);
        }),
      );
      await inTime(context, Promise.all(answers));
      isLate = true;
    },
  };
}

async function inTime({ clock, timing }: RuntimeContext, answers: Promise<unknown>): Promise<void> {
  let cancel: () => void = () => undefined;
  const limit = new Promise<void>((resolve) => (cancel = clock.after(timing.agentProfileWaitMs, resolve)));
  await Promise.race([answers, limit]);
  cancel();
}

/** Never an error: without an answer the agent stays without a name. */
async function askVendor(context: RuntimeContext, connection: Connection, agentId: string): Promise<Agent | undefined> {
  const count = (result: string) => context.metrics.count("handover_agent_profiles_total", { connection: connection.name, result });
  try {
    if (!(await connection.gate.mayCallNow("getAgentProfile"))) {
      count("dropped");
      return undefined;
    }
    // A directory that cannot be reached says nothing about whether messages get through.
    const call = { connection, method: "getAgentProfile", idempotencyKey: randomId(context.random), isOffline: true } as const;
    const answer = (await callVendor(context, call, async (its, handle) => handle.getAgentProfile?.(agentId, its))) as
      Agent | null | undefined;
    const agent = readAgent(agentId, answer);
    count(agent ? "OK" : "nameless");
    return agent;
  } catch (error) {
    count("failed");
    context.logger.debug(`An agent's profile could not be read: ${errorSummary(error)}`, { connection: connection.name });
    return undefined;
  }
}

function readAgent(agentId: string, answer: Agent | null | undefined): Agent | undefined {
  const { name, avatarUrl } = answer ?? {};
  if (typeof name !== "string" || name.trim() === "") return undefined;
  return { id: agentId, name, ...(typeof avatarUrl === "string" ? { avatarUrl } : {}) };
}
