import type { VisibleEntry } from "@handover/runtime";

export interface ServerEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data?: unknown;
  readonly comment?: string;
}

/** A reader of server-sent events that hands them out as they come. */
export interface EventReader {
  readonly response: Response;
  readonly events: readonly ServerEvent[];
  /** Resolves when the predicate holds for what came so far; rejects after 5 s or when the stream is over before. */
  until(predicate: (events: readonly ServerEvent[]) => boolean): Promise<readonly ServerEvent[]>;
  /** Resolves when the stream is over: ended in order, or cut. */
  readonly ended: Promise<"ended" | "cut">;
  close(): void;
}

export async function openEvents(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
  const reading = new AbortController();
  const response = await fetch(url, { headers, signal: reading.signal });
  const events: ServerEvent[] = [];
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  let isOver = false;
  const ended = collect(response, (event) => {
    events.push(event);
    wake();
  }).finally(() => {
    isOver = true;
    wake();
  });
  return {
    response,
    events,
    ended,
    close: () => reading.abort(),
    until: (predicate) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          waiting.delete(check);
          settle();
        };
        const check = () => {
          if (predicate(events)) finish(() => resolve(events));
          else if (isOver) finish(() => reject(new Error(`the stream ended after ${JSON.stringify(events)}`)));
        };
        const timer = setTimeout(() => finish(() => reject(new Error(`not in time: ${JSON.stringify(events)}`))), 5_000);
        waiting.add(check);
        check();
      }),
  };
}

async function collect(response: Response, take: (event: ServerEvent) => void): Promise<"ended" | "cut"> {
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) take(parse(block));
    }
    return "ended";
  } catch {
    return "cut";
  }
}

function parse(block: string): ServerEvent {
  const fields = block
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trimStart()] as const);
  const field = (name: string) => fields.find(([key]) => key === name)?.[1];
  const [id, event, data, comment] = [field("id"), field("event"), field("data"), field("")];
  return {
    ...(id === undefined ? {} : { id }),
    ...(event === undefined ? {} : { event }),
    ...(data === undefined ? {} : { data: JSON.parse(data) as unknown }),
    ...(comment === undefined ? {} : { comment }),
  };
}

export function entriesOf(events: readonly ServerEvent[]): VisibleEntry[] {
  return events.filter(({ event }) => event === "entry").map(({ data }) => data as VisibleEntry);
}

/** Everything of a conversation up to and with the first entry for which the predicate holds. */
export async function readUntil(conversationUrl: string, predicate: (entry: VisibleEntry) => boolean): Promise<VisibleEntry[]> {
  const reader = await openEvents(`${conversationUrl}/events`);
  try {
    const entries = entriesOf(await reader.until((events) => entriesOf(events).some(predicate)));
    return entries.slice(0, entries.findIndex(predicate) + 1);
  } finally {
    reader.close();
    await reader.ended;
  }
}
