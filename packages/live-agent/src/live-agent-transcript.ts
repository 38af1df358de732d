import type { StartRequest, TranscriptEntry } from "@handover/core";
import { splitText, stableId, transcriptAsText } from "@handover/provider-utils";
import { markerAttribute } from "./live-agent-deliveries.ts";

/** The server takes 200 messages a minute in one conversation, and the user may write as well. Section 3.1 of the reference page. */
const mostLines = 150;
/** So many of a longer transcript stay lines of their own. */
const keptLines = 100;
const longestContent = 150_000;

/** What stands in the note of the create call because there is too much of it; nothing of a transcript of the usual length. */
function earlierLines(transcript: readonly TranscriptEntry[]): readonly TranscriptEntry[] {
  return transcript.length > mostLines ? transcript.slice(0, -keptLines) : [];
}

/** `seq` of the last line that the create call hands over, 0 for none. */
export function handedOverThrough(transcript: readonly TranscriptEntry[]): number {
  return earlierLines(transcript).at(-1)?.seq ?? 0;
}

/**
 * For agents only, in the same transaction as the conversation: it is there before anybody opens it, and never twice. The
 * caller's summary, and the beginning of a very long transcript with its times and authors.
 */
export function openingNote(
  request: Pick<StartRequest, "handoverId" | "summary" | "transcript">,
): Readonly<Record<string, unknown>> | undefined {
  const summary = splitText(request.summary ?? "", longestContent / 2, "characters")[0];
  const earlier = earlierLines(request.transcript);
  const lines = earlier.length === 0 ? undefined : transcriptAsText(earlier, { limit: longestContent / 2 - 10 });
  const content = [summary, lines].filter((part) => part !== undefined && part !== "").join("\n\n");
  if (content === "") return undefined;
  const key = stableId("summary_", [request.handoverId], 36);
  return { content, message_type: "outgoing", private: true, source_id: key, content_attributes: { [markerAttribute]: key } };
}
