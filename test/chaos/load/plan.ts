import { between, type Random } from "./random.ts";

/** What happens in one handover. */
export interface Plan {
  readonly botLines: number;
  /** Written right after the request, while nobody has it yet. */
  readonly hastyLines: number;
  /** The user changes their mind at once, while the desk is still being asked. */
  readonly isImpatient: boolean;
  readonly userLines: number;
  /** Written while it ends. */
  readonly lastLines: number;
  readonly agentLines: number;
  readonly endBy: "user" | "agent";
  readonly isTransferred: boolean;
  readonly hasBreak: boolean;
  readonly isReopened: boolean;
}

export function drawPlan(random: Random): Plan {
  return {
    botLines: between(random, 0, 2),
    hastyLines: between(random, 0, 2),
    isImpatient: random() < 0.12,
    userLines: between(random, 3, 12),
    lastLines: between(random, 0, 2),
    agentLines: between(random, 3, 12),
    endBy: random() < 0.5 ? "user" : "agent",
    isTransferred: random() < 0.25,
    hasBreak: random() < 0.15,
    isReopened: random() < 0.3,
  };
}
