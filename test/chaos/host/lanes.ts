import type { Commit } from "@handover/runtime";

/** Who works: the lanes of a conversation, and the two ways in from outside. */
export const laneNames = ["vendor-out", "vendor-in", "bot", "push", "heal", "leave", "accept", "webhook"] as const;
export type LaneName = (typeof laneNames)[number];

/** Where a lane is, seen from its next or last commit. */
export const sides = ["before", "in", "after"] as const;
export type Side = (typeof sides)[number];

/** Which lane makes a commit, told by what is in it: the runtime itself says nothing for the sake of a test. */
export function laneOfCommit(commit: Commit): LaneName {
  if (commit.fence === undefined) return "accept";
  if ((commit.consume?.length ?? 0) > 0) return "vendor-in";
  if (commit.deliveries !== undefined || hasNote(commit, "catch-up-failed")) return "heal";
  if (commit.update?.pushedThrough !== undefined) return "push";
  if (commit.update?.botThrough !== undefined || commit.update?.botRetry !== undefined) return "bot";
  if ((commit.parts?.length ?? 0) > 0) return "vendor-out";
  const [handover] = commit.handovers ?? [];
  const showsEnd = (commit.append ?? []).some((entry) => entry.status === "ended");
  if (showsEnd) return "vendor-in";
  const isLeaving = handover?.status === "ended" || hasNote(commit, "surplus-ticket") || hasNote(commit, "ticket-left-open");
  return isLeaving ? "leave" : "vendor-out";
}

function hasNote(commit: Commit, what: string): boolean {
  return (commit.journal ?? []).some((item) => item.what === what);
}
