import type { Timing } from "@handover/runtime";
import type { Scenario } from "./scenarios.ts";
import type { Totals } from "./totals.ts";

/** One run of a scenario. */
export interface ScenarioRun {
  readonly scenario: Scenario;
  readonly seed: number;
  /** The load ends after that time, or earlier when enough kills have counted and enough was said. */
  readonly loadMs: number;
  readonly wantedKills: number;
  readonly wantedMessages: number;
  /** Where a PostgreSQL server is, for scenarios that need one. */
  readonly postgres?: string;
  readonly say: (line: string) => void;
}

/** What a run came to. */
export interface ScenarioResult {
  readonly totals: Totals;
  /** One line for each thing that must not be. */
  readonly problems: readonly string[];
  /** Files with everything about the conversations that have problems. */
  readonly traces: readonly string[];
}

/** The one endpoint of every host. */
export const endpoint = "web";

/** Short, so that a crash and what follows take seconds. A call ends well before its lease. */
export const chaosTiming = {
  startTimeoutMs: 30_000,
  startDoubtMs: 6_000,
  callTimeoutMs: 1_500,
  messageRetryMs: 40_000,
  connectionRetryMs: 60_000,
  retryFirstMs: 30,
  retryMaximumMs: 800,
  reorderWindowMs: 150,
  echoWaitMs: 100,
  catchUpIntervalMs: 2_000,
  parkMs: 120_000,
  botTimeoutMs: 2_000,
  leaseMs: 3_000,
  pollMs: 150,
} satisfies Partial<Timing>;
