import type { Agent } from "@handover/core";
import { showNotice, type Draft } from "../handover/draft.ts";
import { isSameAgent, toAuthor } from "../handover/same-agent.ts";
import { omit } from "../support/omit.ts";

/**
 * A name or picture of an agent became known. Who was shown joining without a name is shown again: the notice takes the place of
 * the first one.
 *
 * @param findNotice gives the `seq` of a notice by its id
 */
export async function applyAgentUpdate(draft: Draft, agent: Agent, findNotice: (id: string) => Promise<number | undefined>): Promise<void> {
  const { agents } = draft.handover;
  const known = agents.find((candidate) => isSameAgent(candidate, agent));
  if (!known) return;
  const updated = { ...(agent.name === undefined ? known : omit(known, "namelessNotice")), ...agent };
  draft.handover = { ...draft.handover, agents: agents.map((one) => (one === known ? updated : one)) };
  if (agent.name === undefined || known.namelessNotice === undefined) return;
  const replaces = await findNotice(known.namelessNotice);
  if (replaces !== undefined) showNotice(draft, "agent-joined", { author: toAuthor(updated), replaces });
}
