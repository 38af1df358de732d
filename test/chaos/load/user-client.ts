import type { Entry, VisibleEntry } from "@handover/runtime";
import { readEntries } from "../../support/read-entries.ts";
import { pause, type Random } from "./random.ts";

/** A line that the host has accepted. */
export interface AcceptedLine {
  readonly id: string;
  readonly text: string;
  readonly seq: number;
}

/** A chat page of one conversation: it repeats what was not accepted, with the same id, and reads along. */
export interface UserClient {
  readonly accepted: readonly AcceptedLine[];
  /** Every entry as it came. */
  readonly seen: readonly Entry[];
  readonly lastSeenAtMs: number;
  visible(): readonly VisibleEntry[];
  send(id: string, text: string): Promise<void>;
  /** Gives the conversation back. */
  endHandover(): Promise<void>;
  /** @returns false when it did not come in time */
  until(fits: (entries: readonly VisibleEntry[]) => boolean, patienceMs: number): Promise<boolean>;
  close(): void;
}

/** A reader hears something at least every half second; one that does not takes another connection. */
const silenceMs = 2_500;
const answerMs = 2_000;

/** @param hosts each request goes to any of them */
export function openUserClient(options: {
  readonly hosts: readonly string[];
  readonly endpoint: string;
  readonly conversation: string;
  readonly random: Random;
}): UserClient {
  const { hosts, endpoint, conversation, random } = options;
  const accepted: AcceptedLine[] = [];
  const seen: Entry[] = [];
  const visible: VisibleEntry[] = [];
  const closing = new AbortController();
  const watchers = new Set<() => void>();
  let lastSeenAtMs = Date.now();

  const anyBase = () =>
    `${hosts[Math.floor(random() * hosts.length)] ?? ""}/endpoints/${endpoint}/conversations/${encodeURIComponent(conversation)}`;

  function take(entry: Entry): void {
    seen.push(entry);
    if (entry.kind !== "hidden") visible.push(entry);
    lastSeenAtMs = Date.now();
    for (const watcher of watchers) watcher();
  }

  async function readStream(): Promise<void> {
    const silence = new AbortController();
    const restart = () => setTimeout(() => silence.abort(), silenceMs);
    let timer = restart();
    try {
      const response = await fetch(`${anyBase()}/events`, {
        headers: { "last-event-id": String(seen.at(-1)?.seq ?? 0) },
        signal: AbortSignal.any([closing.signal, silence.signal]),
      });
      await readEntries(response, take, () => {
        clearTimeout(timer);
        timer = restart();
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async function request(path: string, init: RequestInit): Promise<Response | undefined> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(answerMs)]);
    return fetch(`${anyBase()}${path}`, { ...init, signal }).catch(() => undefined);
  }

  void (async () => {
    while (!closing.signal.aborted) {
      await readStream().catch(() => undefined);
      await pause(30);
    }
  })();

  return {
    accepted,
    seen,
    get lastSeenAtMs() {
      return lastSeenAtMs;
    },
    visible: () => visible,
    async send(id, text) {
      for (;;) {
        closing.signal.throwIfAborted();
        const response = await request("/messages", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id, text }),
        });
        const answer =
          response?.status === 202 ? ((await response.json().catch(() => undefined)) as { seq: number } | undefined) : undefined;
        if (answer) return void accepted.push({ id, text, seq: answer.seq });
        await response?.arrayBuffer().catch(() => undefined);
        await pause(40);
      }
    },
    async endHandover() {
      for (;;) {
        closing.signal.throwIfAborted();
        const response = await request("/handover", { method: "DELETE" });
        await response?.arrayBuffer().catch(() => undefined);
        if (response?.status === 202 || response?.status === 404) return;
        await pause(40);
      }
    },
    until: (fits, patienceMs) =>
      new Promise((resolve) => {
        const finish = (isThere: boolean) => {
          watchers.delete(check);
          clearTimeout(timer);
          closing.signal.removeEventListener("abort", giveUp);
          resolve(isThere);
        };
        const check = () => {
          if (fits(visible)) finish(true);
        };
        const giveUp = () => finish(false);
        const timer = setTimeout(giveUp, patienceMs);
        closing.signal.addEventListener("abort", giveUp, { once: true });
        watchers.add(check);
        check();
      }),
    close: () => closing.abort(),
  };
}
