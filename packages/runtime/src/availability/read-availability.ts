import type { Availability } from "@handover/core";

/** What a provider answered. Whatever is neither yes nor no is "cannot tell". */
export function readAvailability(answer: unknown): Availability {
  const { status, agents } = (answer ?? {}) as { readonly status?: unknown; readonly agents?: unknown };
  if (status !== "available" && status !== "unavailable") return { status: "unknown" };
  return { status, ...(typeof agents === "number" && Number.isFinite(agents) && agents >= 0 ? { agents } : {}) };
}
