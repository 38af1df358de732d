import type { Commit, CommitResult, HandoverRecord, StoredEntry } from "@handover/runtime";
import type { MemoryData } from "./memory-data.ts";
import type { ModelState } from "./model-provider.ts";
import type { ModelVendor } from "./model-vendor.ts";

/** Looks at every commit as it is made, for what must never happen, not even for a moment. */
export interface Monitor {
  look(process: string, commit: Commit, result: CommitResult): void;
}

/** @param report takes what is wrong, in one sentence */
export function createMonitor(parts: {
  readonly data: MemoryData;
  readonly vendors: readonly ModelVendor[];
  /** The process that has the conversation. */
  holderOf(conversation: string): string | undefined;
  report(problem: string): void;
}): Monitor {
  const { data, vendors, holderOf, report } = parts;
  const before = new Map<string, HandoverRecord>();
  const shown = new Map<string, string[]>();
  let entryCount = 0;

  function lookAtEntry(entry: StoredEntry): void {
    if (entry.kind !== "handover" || !entry.status || entry.handover === undefined) return;
    const statuses = shown.get(entry.handover) ?? [];
    const last = statuses.at(-1);
    const isAllowed = (followers[last ?? "nothing"] ?? []).includes(entry.status);
    if (!isAllowed) report(`Entry ${entry.seq} shows "${entry.status}" after "${last ?? "nothing"}".`);
    shown.set(entry.handover, [...statuses, entry.status]);
    const isAtDesk = vendors.some(({ tickets }) => tickets.some(({ handover }) => handover === entry.handover));
    if (entry.status === "queued" && !isAtDesk) report(`Entry ${entry.seq} says "queued", and no vendor has accepted anything.`);
    if (entry.status === "ended" && !entry.reason) report(`Entry ${entry.seq} ends without a reason.`);
    const running = [...shown.values()].filter((some) => some.at(-1) !== "ended");
    if (running.length > 1) report(`Entry ${entry.seq}: ${running.length} handovers run at once.`);
  }

  function lookAtHandover(record: HandoverRecord): void {
    const known = before.get(record.id);
    before.set(record.id, record);
    const isNext = known?.status === record.status || (nextStatuses[known?.status ?? "nothing"] ?? []).includes(record.status);
    if (!isNext) report(`The handover went from "${known?.status ?? "nothing"}" to "${record.status}".`);
    const isSame = known?.attempt.number === record.attempt.number;
    const old = isSame ? (known.attempt.state?.data as ModelState | undefined) : undefined;
    const now = record.attempt.state?.data as ModelState | undefined;
    if (!now || JSON.stringify(old) === JSON.stringify(now)) return;
    const isOfStart = !old && now.translated.length === 0;
    const isOfTranslate = old?.ticket === now.ticket && now.translated.length === old.translated.length + 1;
    const last = now.translated.at(-1);
    if (isOfTranslate && old.translated.includes(last ?? 0)) report(`${now.ticket} #${last ?? 0} was translated and kept a second time.`);
    if (!isOfStart && !isOfTranslate) report(`The provider's state went from ${JSON.stringify(old)} to ${JSON.stringify(now)}.`);
  }

  return {
    look(process, commit, result) {
      if (result.status !== "committed") return;
      const entries = data.conversations.get(commit.conversation)?.entries ?? [];
      for (const entry of entries.slice(entryCount)) lookAtEntry(entry);
      entryCount = entries.length;
      if (commit.fence === undefined) lookAtUnfenced(process, commit);
      for (const record of commit.handovers ?? []) lookAtHandover(record);
    },
  };

  /** What needs no claim may add what a user says, and begin or end a handover; everything else is the worker's. */
  function lookAtUnfenced(process: string, commit: Commit): void {
    const keys = Object.keys(commit.update ?? {});
    const isUpdateAllowed = keys.every((name) => ["user", "currentHandover", "handoverCount"].includes(name));
    const isAppendAllowed = (commit.append ?? []).every((entry) => entry.source === "user" || entry.status === "requested");
    const isBare = !commit.parts?.length && !commit.consume?.length && !commit.references?.length && !commit.deliveries?.length;
    if (isUpdateAllowed && isAppendAllowed && isBare) return;
    const holder = holderOf(commit.conversation);
    if (holder !== undefined && holder !== process)
      report(`${process} worked on the conversation although ${holder} has it: ${JSON.stringify(commit).slice(0, 300)}`);
  }
}

const followers: Readonly<Record<string, readonly string[]>> = {
  nothing: ["requested"],
  requested: ["queued", "ended"],
  queued: ["active", "ended"],
  active: ["queued", "ended"],
  ended: [],
};

const nextStatuses: Readonly<Record<string, readonly string[]>> = {
  nothing: ["requested"],
  requested: ["queued", "ending"],
  queued: ["active", "ending"],
  active: ["queued", "ending"],
  ending: ["ended"],
  ended: [],
};
