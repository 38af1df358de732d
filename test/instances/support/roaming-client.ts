import type { Entry, VisibleEntry } from "@handover/runtime";
import { readEntries } from "../../support/read-entries.ts";

const patienceMs = 40_000;
const answerPatienceMs = 1_500;
const betweenTriesMs = 20;
/** A host that did not answer is left alone for a while, as a load balancer does. */
const leaveAloneMs = 1_000;

/** A client of the channel API in front of several hosts: sends to each in turn, reads from one, and takes the next one when it is gone. */
export interface RoamingClient {
  /** Sends until it is accepted; the same id each time. */
  send(id: string, text: string): Promise<void>;
  readonly entries: readonly Entry[];
  visible(): VisibleEntry[];
  agentLines(): string[];
  until(what: string, fits: (entries: readonly VisibleEntry[]) => boolean): Promise<void>;
  /** Leaves the stream it reads, and reads on from this host. */
  readFrom(url: string): void;
  /** How often it had to find a stream. */
  readonly streams: number;
  close(): void;
}

export function openRoamingClient(urls: readonly string[], conversation: string): RoamingClient {
  const path = `/endpoints/web/conversations/${encodeURIComponent(conversation)}`;
  const entries: Entry[] = [];
  const closing = new AbortController();
  const watchers = new Set<() => void>();
  const visible = () => entries.filter((entry) => entry.kind !== "hidden");
  let reading = new AbortController();
  let from = 0;
  let sends = 0;
  let streams = 0;
  const aloneUntilMs = new Map<string, number>();

  function nextHost(): string {
    sends += 1;
    const inTurn = urls.map((_url, index) => urls[(sends + index) % urls.length] as string);
    return inTurn.find((url) => (aloneUntilMs.get(url) ?? 0) <= Date.now()) ?? (inTurn[0] as string);
  }

  async function readStream(url: string): Promise<void> {
    reading = new AbortController();
    streams += 1;
    const response = await fetch(`${url}${path}/events`, {
      headers: { "last-event-id": String(entries.at(-1)?.seq ?? 0) },
      signal: AbortSignal.any([reading.signal, closing.signal]),
    });
    await readEntries(response, (entry) => {
      entries.push(entry);
      for (const watcher of watchers) watcher();
    });
  }

  void (async () => {
    while (!closing.signal.aborted) {
      await readStream(urls[from % urls.length] as string).catch(() => undefined);
      if (!reading.signal.aborted) from += 1;
      await pause();
    }
  })();

  return {
    entries,
    visible,
    agentLines: () =>
      visible()
        .filter((entry) => entry.kind === "message" && entry.author?.role === "agent")
        .map((entry) => entry.text ?? ""),
    get streams() {
      return streams;
    },
    readFrom(url) {
      from = urls.indexOf(url);
      reading.abort();
    },
    async send(id, text) {
      for (;;) {
        closing.signal.throwIfAborted();
        const url = nextHost();
        const response = await fetch(`${url}${path}/messages`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id, text }),
          signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerPatienceMs)]),
        }).catch(() => undefined);
        await response?.body?.cancel();
        if (response?.status === 202) return;
        aloneUntilMs.set(url, Date.now() + leaveAloneMs);
        await pause();
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
    close: () => closing.abort(),
  };
}

/** Between two tries against a host that is not there: there is nothing to wait for but time. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, betweenTriesMs));
}
