import type { Message, StartRequest } from "@handover/core";
import { messageAsText, splitText } from "@handover/provider-utils";
import { authorTypeOf } from "./eightbyeight-messages.ts";
import type { EightbyeightSettings } from "./eightbyeight-settings.ts";

/** A line of the history, as 8x8 takes it: only the customer and the bot can have said it, and there is no field for the time. */
interface HistoryLine {
  readonly authorType: "user" | "bot";
  readonly text: string;
}

const mostHistory = 200;

/** What was said before, oldest first, the newest 200 lines. Section 3.3 of the reference page. */
export function buildHistory(
  settings: Pick<EightbyeightSettings, "sendHistory" | "historyTimes" | "timeZone" | "longestTextCharacters">,
  transcript: StartRequest["transcript"],
): { lines: HistoryLine[]; leftOut: number } {
  if (!settings.sendHistory) return { lines: [], leftOut: 0 };
  const toTime = settings.historyTimes ? createTimeFormat(settings.timeZone) : () => "";
  const lines = transcript.flatMap(({ message }) => toLines(message, toTime, settings.longestTextCharacters));
  return { lines: lines.slice(-mostHistory), leftOut: Math.max(0, lines.length - mostHistory) };
}

function toLines(message: Message, toTime: (iso: string) => string, limit: number): HistoryLine[] {
  const words = messageAsText(message);
  if (words.trim() === "") return [];
  const authorType = authorTypeOf(message);
  const { role, name } = message.author;
  const speaker = role === "agent" || role === "system" ? `${name ?? (role === "agent" ? "Agent" : "System")}:\n` : "";
  return splitText(`${toTime(message.sentAt)}${speaker}${words}`, limit, "characters").map((text) => ({ authorType, text }));
}

/** The zone stands beside the time, so that nobody takes it for another one. */
function createTimeFormat(timeZone: string): (iso: string) => string {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return (iso) => {
    const time = Date.parse(iso);
    return Number.isNaN(time) ? "" : `[${format.format(time)} ${timeZone}] `;
  };
}
