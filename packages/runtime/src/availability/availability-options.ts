/** What an endpoint does about the availability of people before a handover starts. */
export interface AvailabilityOptions {
  /**
   * Asks the connection first, where it can say: with nobody there the handover goes on at the next connection, or ends as
   * `unavailable`. Default: true.
   */
  readonly checkBeforeStart?: boolean;
  /** What happens when nobody can tell. Default: `start`. */
  readonly whenUnknown?: "start" | "stop";
}

/** The options with their defaults. */
export function completeAvailability(given: AvailabilityOptions = {}): Required<AvailabilityOptions> {
  return { checkBeforeStart: given.checkBeforeStart ?? true, whenUnknown: given.whenUnknown ?? "start" };
}
