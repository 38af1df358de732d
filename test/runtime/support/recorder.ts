import type { Entry, HandoverRuntime, VisibleEntry } from "@handover/runtime";

/** Reads along in one conversation, as a client does. */
export interface Recorder {
  readonly entries: readonly Entry[];
  /** The entries that this reader may see. */
  visible(): VisibleEntry[];
  /** Texts of messages as `author: text`. */
  lines(): string[];
  /** `status` of the handover entries, with the reason of an end: `ended/completed`. */
  statuses(): string[];
  /** Resolves with the first entry that fits, also one that is there already; rejects after 10 s of real time. */
  until(what: string, fits: (entry: VisibleEntry) => boolean): Promise<VisibleEntry>;
  untilStatus(status: string, count?: number): Promise<VisibleEntry>;
  stop(): void;
}

const patienceMs = 15_000;

/** Follows a conversation until it is stopped. */
export function record(runtime: HandoverRuntime, address: { readonly endpoint: string; readonly conversation: string }): Recorder {
  const entries: Entry[] = [];
  const abort = new AbortController();
  let wake: () => void = () => undefined;
  let change = new Promise<void>((resolve) => (wake = resolve));
  void (async () => {
    for await (const entry of runtime.follow({ ...address, signal: abort.signal })) {
      entries.push(entry);
      wake();
      change = new Promise<void>((resolve) => (wake = resolve));
    }
  })();
  const visible = () => entries.filter((entry) => entry.kind !== "hidden");
  const statuses = () =>
    visible()
      .filter((entry) => entry.kind === "handover")
      .map((entry) => (entry.reason ? `${entry.status ?? ""}/${entry.reason}` : (entry.status ?? "")));

  async function until(what: string, fits: (entry: VisibleEntry) => boolean): Promise<VisibleEntry> {
    const untilMs = performance.now() + patienceMs;
    const timer = setTimeout(() => wake(), patienceMs + 10);
    try {
      for (;;) {
        const found = visible().find(fits);
        if (found) return found;
        if (performance.now() >= untilMs)
          throw new Error(`Waited in vain for ${what}. Log so far:\n${entries.map((entry) => JSON.stringify(entry)).join("\n")}`);
        await change;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    entries,
    visible,
    lines: () =>
      visible()
        .filter((entry) => entry.kind === "message")
        .map((entry) => `${entry.author?.role ?? "?"}: ${entry.text ?? ""}`),
    statuses,
    until,
    untilStatus: (status, count = 1) =>
      until(`status ${status}`, (entry) => entry.status === status && statuses().filter((seen) => seen.startsWith(status)).length >= count),
    stop: () => abort.abort(),
  };
}
