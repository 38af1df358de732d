import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Entry, ReceiptSignal, TypingSignal } from "@handover/runtime";

export interface EventStreamTimes {
  /** Something is sent at least this often, so that dead connections show. */
  readonly commentEveryMs: number;
  /** A reader that takes nothing for so long is cut. */
  readonly slowReaderMs: number;
}

export const eventStreamTimes: EventStreamTimes = { commentEveryMs: 15_000, slowReaderMs: 10_000 };

/** One reader's connection. */
export interface EventStream {
  /** Aborts when the connection is gone, whoever ended it. */
  readonly signal: AbortSignal;
  /** Resolves when there is room for the next one. A reader that makes no room in time is cut; then nothing is written. */
  sendEntry(entry: Entry): Promise<void>;
  /** Dropped when the reader is behind: it is of no use later. */
  sendTyping(signal: TypingSignal): void;
  /** Dropped when the reader is behind: the entry that it is about says it too. */
  sendReceipt(signal: ReceiptSignal): void;
  end(): void;
}

/** Begins the answer. Only one write is ever waiting for a reader, so a slow one costs no memory. */
export function openEventStream(
  response: ServerResponse,
  options: { readonly headers: Readonly<Record<string, string>>; readonly times: EventStreamTimes },
): EventStream {
  const gone = new AbortController();
  response.writeHead(200, {
    ...options.headers,
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
  });
  response.write(": connected\n\n");
  const comments = setInterval(() => {
    if (!response.writableNeedDrain) response.write(": still here\n\n");
  }, options.times.commentEveryMs);
  response.once("close", () => {
    clearInterval(comments);
    gone.abort();
  });
  response.on("error", () => response.destroy());

  async function waitForRoom(): Promise<void> {
    if (!response.writableNeedDrain) return;
    const limit = AbortSignal.any([gone.signal, AbortSignal.timeout(options.times.slowReaderMs)]);
    await once(response, "drain", { signal: limit }).catch(() => response.destroy());
  }

  return {
    signal: gone.signal,
    async sendEntry(entry) {
      if (gone.signal.aborted) return;
      response.write(`id: ${entry.seq}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`);
      await waitForRoom();
    },
    sendTyping(signal) {
      if (gone.signal.aborted || response.writableNeedDrain) return;
      response.write(`event: typing\ndata: ${JSON.stringify({ author: signal.author, isTyping: signal.isTyping })}\n\n`);
    },
    sendReceipt({ seq, delivery }) {
      if (gone.signal.aborted || response.writableNeedDrain) return;
      response.write(`event: receipt\ndata: ${JSON.stringify({ seq, delivery })}\n\n`);
    },
    end() {
      response.end();
      // A reader that does not read would hold up the end for ever.
      if (response.writableNeedDrain) response.destroy();
    },
  };
}
