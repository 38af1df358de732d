import type { Entry, VisibleEntry } from "@handover/runtime";
import { readEntries } from "../support/read-entries.ts";

const patienceMs = 40_000;

/** A client of the channel API that keeps trying, as a chat page does, and reads along. */
export interface ChannelClient {
  /** Sends until it is accepted; the same id each time. */
  send(id: string, text: string): Promise<void>;
  readonly entries: readonly Entry[];
  visible(): VisibleEntry[];
  until(what: string, fits: (entries: readonly VisibleEntry[]) => boolean): Promise<void>;
  close(): void;
}

/** Opens a client for one conversation; its stream resumes behind the last entry it has. */
export function openChannelClient(url: string, endpoint: string, conversation: string): ChannelClient {
  const base = `${url}/endpoints/${endpoint}/conversations/${encodeURIComponent(conversation)}`;
  const entries: Entry[] = [];
  const abort = new AbortController();
  const watchers = new Set<() => void>();
  const visible = () => entries.filter((entry) => entry.kind !== "hidden");

  async function readStream(): Promise<void> {
    const after = entries.at(-1)?.seq ?? 0;
    const response = await fetch(`${base}/events?after=${after}`, { signal: abort.signal });
    await readEntries(response, (entry) => {
      entries.push(entry);
      for (const watcher of watchers) watcher();
    });
  }

  void (async () => {
    while (!abort.signal.aborted) {
      await readStream().catch(() => undefined);
      await pause(20);
    }
  })();

  return {
    entries,
    visible,
    async send(id, text) {
      for (;;) {
        abort.signal.throwIfAborted();
        const response = await fetch(`${base}/messages`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id, text }),
          signal: AbortSignal.any([abort.signal, AbortSignal.timeout(2_000)]),
        }).catch(() => undefined);
        if (response?.status === 202) return;
        await pause(30);
      }
    },
    until: (what, fits) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!fits(visible())) return;
          watchers.delete(check);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          watchers.delete(check);
          reject(new Error(`Waited in vain for ${what}. Log:\n${entries.map((entry) => JSON.stringify(entry)).join("\n")}`));
        }, patienceMs);
        watchers.add(check);
        check();
      }),
    close: () => abort.abort(),
  };
}

/** Between two tries against a server that is not there: there is nothing to wait for but time. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
