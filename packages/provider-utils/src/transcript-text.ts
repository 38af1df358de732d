import type { AuthorRole, TranscriptEntry } from "@handover/core";
import { messageAsText } from "./message-text.ts";
import { measureText, type TextUnit } from "./split-text.ts";

/** How a transcript is written. */
export interface TranscriptTextOptions {
  /** The longest text. Default: no limit. */
  readonly limit?: number;
  /** What `limit` counts. Default: `characters`. */
  readonly unit?: TextUnit;
  /** Names of authors without one of their own. Default: User, Bot, Agent, System. */
  readonly names?: Readonly<Partial<Record<AuthorRole, string>>>;
  /** IANA name of the zone of the times. Default: `UTC`. */
  readonly timeZone?: string;
  /** Stands in front when older entries had to be left out. Default: `[n earlier messages left out]`. */
  readonly cutNote?: (count: number) => string;
}

const defaultNames: Readonly<Record<AuthorRole, string>> = { user: "User", bot: "Bot", agent: "Agent", system: "System" };

/**
 * A transcript as one text: a line with time and author before each message, oldest first. Where it is over the limit the newest
 * entries are kept and a note says how many are missing. Messages without anything to read are left out.
 */
export function transcriptAsText(transcript: readonly TranscriptEntry[], options: TranscriptTextOptions = {}): string {
  const formatTime = createTimeFormat(options.timeZone ?? "UTC");
  const entries = transcript.flatMap(({ message }) => {
    const text = messageAsText(message);
    if (text === "") return [];
    const author = message.author.name?.trim() || options.names?.[message.author.role] || defaultNames[message.author.role];
    return [`[${formatTime(message.sentAt)}] ${author}:\n${text}`];
  });
  return joinNewest(entries, options);
}

function joinNewest(entries: readonly string[], options: TranscriptTextOptions): string {
  const whole = entries.join("\n\n");
  const { limit, unit = "characters", cutNote = defaultCutNote } = options;
  if (limit === undefined || measureText(whole, unit) <= limit) return whole;
  for (let left = firstThatFits(entries, limit, unit); left < entries.length; left += 1) {
    const text = [cutNote(left), ...entries.slice(left)].join("\n\n");
    if (measureText(text, unit) <= limit) return text;
  }
  // Not even the newest entry fits beside the note: as much of it as there is room for.
  const notes = entries.length > 1 ? [cutNote(entries.length - 1)] : [];
  return cutToFit([...notes, entries.at(-1) ?? ""].join("\n\n"), limit, unit);
}

function cutToFit(text: string, limit: number, unit: TextUnit): string {
  const mark = "\u2026";
  const room = limit - measureText(mark, unit);
  let kept = "";
  let size = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) {
    size += measureText(segment, unit);
    if (size > room) break;
    kept += segment;
  }
  return kept + mark;
}

/** A first guess that leaves out no entry which could stay. */
function firstThatFits(entries: readonly string[], limit: number, unit: TextUnit): number {
  let size = 0;
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    size += measureText(entries[index] ?? "", unit);
    if (size > limit) return index + 1;
  }
  return 0;
}

function defaultCutNote(count: number): string {
  return `[${count} earlier ${count === 1 ? "message" : "messages"} left out]`;
}

function createTimeFormat(timeZone: string): (iso: string) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return (iso) => {
    const time = Date.parse(iso);
    return Number.isNaN(time) ? "time unknown" : `${format.format(time)} ${timeZone}`;
  };
}
