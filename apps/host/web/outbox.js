// @ts-check
// What the user wrote and the server has not confirmed yet. It survives a reload, goes out in order, one at a time, and always with the
// id it got when it was written, so that sending it again never makes a second message.
import { randomId } from "./conversation-id.js";
import { createOutboxRecords } from "./outbox-records.js";

/** @import { Outbox, OutboxModule, OutboxRecord } from "./chat-types.d.ts" */

const firstRetryMs = 500;
const longestRetryMs = 15_000;
const sendTimeoutMs = 15_000;
export const tooLate = "It could not be sent. Check your connection.";

/** @type {OutboxModule["createOutbox"]} */
export function createOutbox({
  storage,
  scope,
  send,
  onChange,
  clock,
  random = Math.random,
  newId = randomId,
  exclusively,
  limitMs = 120_000,
}) {
  const records = createOutboxRecords(storage, scope);
  const stopped = new AbortController();
  const runExclusively = exclusively ?? ((/** @type {() => Promise<void>} */ work) => work());
  let isRunning = false;
  let attempt = 0;
  let retryAtMs = 0;
  let isRetryTimeOrdered = false;
  let alarm = new AbortController();
  let expiryAlarm = new AbortController();

  /** @param {OutboxRecord} record */
  const isPending = (record) => record.state === "pending";

  function changed() {
    onChange();
    watchLimit();
  }

  function failOverdue() {
    const overdue = records.list().filter((record) => isPending(record) && clock.nowMs() - record.sinceMs >= limitMs);
    for (const record of overdue) records.change(record.id, { state: "failed", failure: tooLate });
    if (overdue.length > 0) changed();
  }

  function watchLimit() {
    expiryAlarm.abort();
    const oldest = records
      .list()
      .filter(isPending)
      .map((record) => record.sinceMs);
    if (oldest.length === 0 || stopped.signal.aborted) return;
    expiryAlarm = new AbortController();
    const { signal } = expiryAlarm;
    const dueInMs = Math.max(0, Math.min(...oldest) + limitMs - clock.nowMs());
    void clock.wait(dueInMs, signal).then(() => {
      if (!signal.aborted) failOverdue();
    });
  }

  async function sendAll() {
    while (!stopped.signal.aborted) {
      failOverdue();
      const head = records.list().find(isPending);
      if (!head) return;
      if (clock.nowMs() < retryAtMs) await pause(retryAtMs - clock.nowMs());
      else await sendOne(head);
    }
  }

  /** @param {number} delayMs */
  async function pause(delayMs) {
    alarm = new AbortController();
    await clock.wait(delayMs, AbortSignal.any([alarm.signal, stopped.signal]));
  }

  /** @param {OutboxRecord} record */
  async function sendOne(record) {
    const result = await send(record, AbortSignal.any([stopped.signal, AbortSignal.timeout(sendTimeoutMs)]));
    if (stopped.signal.aborted) return;
    if (result.kind === "retry") {
      const backoffMs = Math.min(longestRetryMs, firstRetryMs * 2 ** attempt) * (0.5 + random() / 2);
      attempt += 1;
      retryAtMs = clock.nowMs() + (result.afterMs ?? backoffMs);
      isRetryTimeOrdered = result.afterMs !== undefined;
      return;
    }
    attempt = 0;
    retryAtMs = 0;
    isRetryTimeOrdered = false;
    if (result.kind === "accepted")
      records.change(record.id, { state: "accepted", ...(result.seq === undefined ? {} : { seq: result.seq }) });
    else records.change(record.id, { state: "failed", failure: result.detail });
    changed();
  }

  async function run() {
    if (isRunning || stopped.signal.aborted || !records.list().some(isPending)) return;
    isRunning = true;
    try {
      await runExclusively(sendAll);
    } finally {
      isRunning = false;
    }
    // What was written between the last look and here.
    if (records.list().some(isPending)) void run();
  }

  /** @type {Outbox} */
  const outbox = {
    add(text, answer, attachments = []) {
      const nowMs = clock.nowMs();
      const order = Math.max(nowMs, ...records.list().map((record) => record.order + 1));
      /** @type {OutboxRecord} */
      const record = {
        id: newId(),
        text,
        order,
        writtenAtMs: nowMs,
        sinceMs: nowMs,
        state: "pending",
        ...(answer ? { answer } : {}),
        ...(attachments.length > 0 ? { attachments } : {}),
      };
      records.put(record);
      changed();
      void run();
      return record;
    },
    list: () => records.list(),
    retry(id) {
      records.change(id, { state: "pending", sinceMs: clock.nowMs() });
      changed();
      outbox.wake();
    },
    discard(id) {
      records.remove(id);
      changed();
    },
    confirm(entry) {
      const isConfirmed = (/** @type {OutboxRecord} */ record) =>
        (entry.author?.role === "user" && entry.id === record.id) || (record.seq !== undefined && record.seq <= entry.seq);
      const confirmed = records.list().filter(isConfirmed);
      for (const record of confirmed) records.remove(record.id);
      if (confirmed.length > 0) changed();
    },
    wake() {
      // A time the server asked for is kept; a wait of our own is cut short.
      if (!isRetryTimeOrdered) retryAtMs = 0;
      alarm.abort();
      watchLimit();
      void run();
    },
    stop() {
      stopped.abort();
      expiryAlarm.abort();
    },
  };
  return outbox;
}
