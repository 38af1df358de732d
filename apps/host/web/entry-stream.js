// @ts-check
// The entries of a conversation, each once and in order, however often the connection breaks. The browser's own reconnecting gives up on
// an error status and cannot see a gap, so every attempt is a new EventSource that starts after the last entry we have.

/** @import { Entry, EntryStream, EntryStreamOptions } from "./chat-types.d.ts" */

const firstRetryMs = 500;
const longestRetryMs = 10_000;
const expectedWithinMs = 5_000;

/** @param {EntryStreamOptions} options @returns {EntryStream} */
export function createEntryStream({ url, onEntry, onTyping, onReceipt, onState }) {
  let lastSeq = 0;
  let expectedSeq = 0;
  let attempt = 0;
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let expectTimer;
  let isStopped = false;

  function open() {
    close();
    if (isStopped) return;
    const current = new EventSource(url(lastSeq));
    source = current;
    current.onopen = () => onState("open");
    current.onerror = () => retry(current.readyState === EventSource.CLOSED ? "refused" : "reconnecting");
    current.addEventListener("entry", (event) => withData(event, take));
    current.addEventListener("typing", (event) => withData(event, onTyping));
    current.addEventListener("receipt", (event) => withData(event, onReceipt));
  }

  /** @param {Entry} entry */
  function take(entry) {
    if (!Number.isInteger(entry.seq) || entry.seq <= lastSeq) return;
    if (entry.seq > lastSeq + 1) return retry("reconnecting");
    lastSeq = entry.seq;
    attempt = 0;
    if (lastSeq >= expectedSeq) clearTimeout(expectTimer);
    onEntry(entry);
  }

  /** @param {"reconnecting" | "refused"} state */
  function retry(state) {
    close();
    onState(state);
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + Math.random() / 2);
    attempt += 1;
    retryTimer = setTimeout(open, delayMs);
  }

  function close() {
    clearTimeout(retryTimer);
    source?.close();
    source = undefined;
  }

  return {
    expect(seq) {
      if (seq <= lastSeq || isStopped) return;
      expectedSeq = Math.max(expectedSeq, seq);
      clearTimeout(expectTimer);
      expectTimer = setTimeout(() => retry("reconnecting"), expectedWithinMs);
    },
    connect() {
      attempt = 0;
      open();
    },
    stop() {
      isStopped = true;
      clearTimeout(expectTimer);
      close();
    },
  };
}

/** @template T @param {MessageEvent<string>} event @param {(data: T) => void} use */
function withData(event, use) {
  /** @type {T} */
  let data;
  try {
    data = JSON.parse(event.data);
  } catch {
    return;
  }
  if (typeof data === "object" && data !== null) use(data);
}
