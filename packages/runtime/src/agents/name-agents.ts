import type { Agent, HandoverEvent } from "@handover/core";
import type { Connection } from "../connections/connection-registry.ts";
import type { AgentProfiles } from "./agent-profiles.ts";

/** What is still to be learned before events can be applied with the names of their agents. */
export interface NamelessAgents {
  /** Ids of agents that the vendor is to be asked about. */
  readonly wanted: Set<string>;
  /** They were asked for: what is not known now is applied without a name. */
  isAsked: boolean;
}

/**
 * Completes agents of whom events know only the id: from those who are there, else from what the vendor said about them.
 * @returns nothing when the vendor has to be asked first; `nameless.wanted` says about whom
 */
export function nameAgents(
  profiles: AgentProfiles,
  connection: Connection,
  given: { readonly events: readonly HandoverEvent[]; readonly present: readonly Agent[]; readonly nameless: NamelessAgents },
): readonly HandoverEvent[] | undefined {
  const { nameless } = given;
  /** Names by id, as the vendor told them itself. */
  const told = new Map(given.present.flatMap((agent) => (agent.name === undefined ? [] : [[agent.id, agent]])));
  const complete = <Person extends Agent>(person: Person): Person => {
    const { id } = person;
    if (person.name !== undefined) told.set(id, person);
    if (id === undefined || person.name !== undefined) return person;
    const known = told.get(id) ?? ask(id);
    if (!known) return person;
    const avatarUrl = person.avatarUrl ?? known.avatarUrl;
    return { ...person, ...(known.name === undefined ? {} : { name: known.name }), ...(avatarUrl === undefined ? {} : { avatarUrl }) };
  };

  function ask(id: string): Agent | undefined {
    if (!connection.handle.getAgentProfile) return undefined;
    const profile = profiles.look(connection, id);
    if (profile === "unknown" && !nameless.isAsked) nameless.wanted.add(id);
    return typeof profile === "string" ? undefined : profile;
  }

  const events = given.events.map((event) => completeEvent(event, complete));
  return nameless.wanted.size > 0 && !nameless.isAsked ? undefined : events;
}

function completeEvent(event: HandoverEvent, complete: <Person extends Agent>(person: Person) => Person): HandoverEvent {
  switch (event.type) {
    case "agent-joined":
      return { ...event, agent: complete(event.agent) };
    case "agent-left":
    case "transferred":
      return event.agent ? { ...event, agent: complete(event.agent) } : event;
    case "message-received": {
      const { message } = event;
      if (message.author.role !== "agent") return event;
      return { ...event, message: { ...message, author: complete(message.author) } };
    }
    default:
      return event;
  }
}
