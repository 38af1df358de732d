/** A sign of the stream that is no entry: typing, receipts. */
export interface Signal {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Reads the signs of a stream of server-sent events. */
export interface SignalReader {
  readonly seen: readonly Signal[];
  /** Resolves as soon as a sign fits, also one that was seen before. */
  until(what: string, fits: (signal: Signal) => boolean): Promise<void>;
  close(): void;
}

const patienceMs = 20_000;

/** Opens the stream and reads along until it is closed. */
export function openSignals(url: string): SignalReader {
  const seen: Signal[] = [];
  const abort = new AbortController();
  const watchers = new Set<() => void>();

  async function read(): Promise<void> {
    const response = await fetch(url, { signal: abort.signal });
    let buffer = "";
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      buffer += chunk;
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop() ?? "";
      for (const block of blocks) take(block);
    }
  }
  function take(block: string): void {
    const event = /^event: (\w+)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (event === undefined || event === "entry" || data === undefined) return;
    seen.push({ event, data: JSON.parse(data) as Signal["data"] });
    for (const watcher of watchers) watcher();
  }
  void read().catch(() => undefined);

  return {
    seen,
    until: (what, fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => settle(() => reject(new Error(`Waited in vain until ${what}: ${JSON.stringify(seen)}`))),
          patienceMs,
        );
        const check = (): void => {
          if (seen.some(fits)) settle(resolve);
        };
        const settle = (end: () => void): void => {
          clearTimeout(timer);
          watchers.delete(check);
          end();
        };
        watchers.add(check);
        check();
      }),
    close: () => abort.abort(),
  };
}
