/** What a step threw, kept as a value. */
export interface Failure {
  readonly isFailure: true;
  readonly error: unknown;
}

/** Runs a step whose error is a finding and no reason to stop, as in `checkConnection`. Throws nothing. */
export async function attempt<Result>(run: () => Promise<Result>): Promise<Result | Failure> {
  try {
    return await run();
  } catch (error) {
    return { isFailure: true, error };
  }
}

/** Whether a step of `attempt` has failed. */
export function isFailure(outcome: unknown): outcome is Failure {
  return typeof outcome === "object" && outcome !== null && (outcome as Partial<Failure>).isFailure === true;
}
