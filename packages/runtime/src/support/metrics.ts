import type { Metric } from "../runtime.ts";

const help: Readonly<Record<string, string>> = {
  handover_messages_received_total: "User messages taken, without repeats.",
  handover_messages_refused_total: "User messages that were refused because too many wait or because they are empty, by code.",
  handover_messages_sent_total: "Message parts the desk has taken, by its answer or when it was asked; not what only an echo tells.",
  handover_messages_failed_total:
    "Notices to users that a message could not be delivered to the desk, or that a file of the desk cannot be had.",
  handover_attachments_total:
    "Files of users and desks, by whose they are and what became of them: stored, unused and deleted, or an error code.",
  handover_agent_messages_total: "Messages of human agents shown to users.",
  handover_journal_total: "Facts that no participant sees, by what happened, without those that have a counter of their own (started).",
  handover_deliveries_ignored_total: "Translated vendor deliveries that mean nothing, by why; they are among the translated ones.",
  handover_started_total: "Handovers that a desk has taken.",
  handover_requested_total: "Handovers that were asked for.",
  handover_ended_total: "Handovers that ended, by reason.",
  handover_webhooks_total: "Webhook requests, by connection and result code.",
  handover_deliveries_total:
    "Vendor deliveries, by connection and what became of them: first received, repeated, parked or flooded (not kept), later translated, dropped or expired; skipped counts positions that never came.",
  handover_vendor_calls_total: "Calls of vendors, by connection, method and result code.",
  handover_availability_checks_total: "Questions whether somebody is there, without those answered from memory, by result.",
  handover_agent_profiles_total: "Questions for names of agents, by result.",
  handover_changes_failed_total: "Changes of users or options that a desk could not be told.",
  handover_receipts_total: "What users have got and read of desks' messages, by connection, status and whether the desk could be told.",
  handover_reports_total: "Messages of desks that users never got, by connection and whether the desk could be told.",
  handover_redactions_total: "Texts that were given to a redaction hook, by hook and result.",
  handover_stalls_total: "Conversations that stood still and were taken up anew.",
  handover_stalled_conversations: "Conversations of this instance that stand still now.",
  handover_bot_turns_total: "Turns given to bots, by result.",
  handover_conflicts_total: "Commits that were worked out again because something else came first.",
  handover_paused_accounts: "Accounts whose vendor cannot be reached or asked this instance to wait.",
  handover_workers: "Conversations that this instance works on now.",
};

/** Counts by name and labels. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, read: () => number): void;
  read(): readonly Metric[];
}

/** Counters in memory, from the start of the process. */
export function createMetrics(): Metrics {
  const counters = new Map<string, Metric>();
  const gauges = new Map<string, () => number>();
  return {
    count(name, labels = {}, by = 1) {
      const key = `${name}${JSON.stringify(labels)}`;
      const value = (counters.get(key)?.value ?? 0) + by;
      counters.set(key, { name, help: help[name] ?? name, type: "counter", labels, value });
    },
    gauge(name, read) {
      gauges.set(name, read);
    },
    read() {
      const now = [...gauges].map(([name, read]): Metric => ({ name, help: help[name] ?? name, type: "gauge", labels: {}, value: read() }));
      return [...counters.values(), ...now];
    },
  };
}
