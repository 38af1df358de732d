import type { Agent, Author } from "@handover/core";
import { omit } from "../support/omit.ts";
import type { PresentAgent } from "../store/records.ts";

/** Agents are told apart by id where both have one, else by name. */
export function isSameAgent(left: Agent, right: Agent): boolean {
  return left.id !== undefined && right.id !== undefined ? left.id === right.id : left.name === right.name;
}

/** The agent that a notice is about stands where the writer of a message stands. */
export function toAuthor(agent: PresentAgent): Author {
  return { role: "agent", ...omit(agent, "hasAccepted", "namelessNotice") };
}
