import type { HandoverConnection } from "@handover/core";

/** A method of a connection that calls its vendor. */
export type VendorMethod = Exclude<keyof HandoverConnection, "accountKey" | "rateLimit">;

/** Who goes first when not all can: what users wait for, then ends, then whatever only looks. */
export type CallPriority = (typeof callPriorities)[number];

/** The most urgent first. */
export const callPriorities = ["message", "end", "poll"] as const;

const lowPriorities: Partial<Record<VendorMethod, CallPriority>> = {
  end: "end",
  downloadAttachment: "end",
  catchUp: "poll",
  findChanged: "poll",
  checkAvailability: "poll",
  getQueueStatuses: "poll",
  reportDelivery: "poll",
  setTyping: "poll",
  setUserPresence: "poll",
  submitSurvey: "end",
  getAgentProfile: "poll",
};

/** How urgent a call of a method is, unless its caller knows better. */
export function priorityOf(method: VendorMethod): CallPriority {
  return lowPriorities[method] ?? "message";
}
