import type { DeskFaults } from "./desks/desk.ts";

/** One way to make life hard for hosts. */
export interface Scenario {
  readonly name: string;
  readonly store: "sqlite" | "postgres";
  readonly hosts: 1 | 3;
  readonly vendor: "live-agent" | "test-vendor" | "test-vendor-without-read-back";
  readonly faults: DeskFaults;
  /** `sigstop`: beside kills, hosts are frozen for longer than their leases. `rolling`: hosts are told to stop, one after the other. */
  readonly kills: "sigkill" | "sigstop" | "rolling";
  /** How many kills have to count in a whole run. */
  readonly wantedKills: number;
  /** How many messages, of users and agents together. */
  readonly wantedMessages: number;
  readonly conversations: number;
  /** About so long a person needs for a line. */
  readonly paceMs: number;
}

const network = {
  latencyMs: 8,
  unavailableRate: 0.05,
  lostAnswerRate: 0.05,
  duplicateWebhookRate: 0.05,
  reorderWebhooks: true,
} satisfies DeskFaults;
/** Both vendors list what happened, so that what was dropped is found. */
const harsh = { ...network, dropWebhookRate: 0.05, delayWebhooksMs: 10 } satisfies DeskFaults;

/** A shared store takes longer for each message and each crash: what is missing of the whole comes from the embedded one. */
const embedded = { store: "sqlite", wantedMessages: 3_400 } as const;
const usual = { hosts: 1, kills: "sigkill", faults: harsh, conversations: 30, paceMs: 700, wantedMessages: 2_700 } as const;

export const scenarios: readonly Scenario[] = [
  { ...usual, name: "sqlite-live-agent", ...embedded, vendor: "live-agent", wantedKills: 50 },
  { ...usual, name: "sqlite-test-vendor", ...embedded, vendor: "test-vendor", wantedKills: 40 },
  { ...usual, name: "sqlite-without-read-back", ...embedded, vendor: "test-vendor-without-read-back", wantedKills: 40 },
  { ...usual, name: "postgres-live-agent", store: "postgres", vendor: "live-agent", wantedKills: 40 },
  { ...usual, name: "postgres-without-read-back", store: "postgres", vendor: "test-vendor-without-read-back", wantedKills: 30 },
  { ...usual, name: "three-hosts-live-agent", store: "postgres", vendor: "live-agent", hosts: 3, kills: "sigstop", wantedKills: 30 },
  { ...usual, name: "three-hosts-test-vendor", store: "postgres", vendor: "test-vendor", hosts: 3, kills: "sigstop", wantedKills: 30 },
  { ...usual, name: "rolling-restart", store: "postgres", vendor: "test-vendor", hosts: 3, kills: "rolling", wantedKills: 0 },
];
