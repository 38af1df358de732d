import { whenAborted } from "../support/when-aborted.ts";

/** Where the bytes of a file come from. */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Uint8Array;

/** The bytes piece by piece, until the signal aborts: a sender that has gone silent is not waited for. */
export async function* chunksOf(source: ByteSource, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    yield source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal);
      if (next.done) {
        isOver = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // Not waited for: it may stand behind a read that never ends.
    if (!isOver) void iterator.return?.().catch(() => undefined);
  }
}

/** The first bytes, and all bytes. Whoever reads not to the end closes `chunks`. */
export async function peek(
  chunks: AsyncGenerator<Uint8Array>,
  count: number,
): Promise<{ readonly start: Uint8Array; readonly content: AsyncIterable<Uint8Array> }> {
  const first: Uint8Array[] = [];
  let size = 0;
  while (size < count) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(next.value);
    size += next.value.byteLength;
  }
  async function* content(): AsyncGenerator<Uint8Array> {
    yield* first;
    yield* chunks;
  }
  return { start: Buffer.concat(first).subarray(0, count), content: content() };
}

async function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return value;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const forget = whenAborted(signal, () => aborted.reject(signal.reason as Error));
  try {
    return await Promise.race([value, aborted.promise]);
  } finally {
    forget();
  }
}
