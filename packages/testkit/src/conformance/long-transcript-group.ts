import type { AuthorRole, TranscriptEntry } from "@handover/core";
import { expect } from "vitest";
import type { ConformanceMessage } from "./conformance-backend.ts";
import type { DrivenHandover } from "./driven-handover.ts";
import type { Driver } from "./driver.ts";
import { newMessage } from "./samples.ts";
import { test, type DrivenTest, type Suite } from "./suite.ts";

/** How a text of several lines names who said one. */
const authorNames: Readonly<Record<AuthorRole, RegExp>> = {
  user: /user|customer|visitor|client|ada/i,
  bot: /bot|assistant/i,
  agent: /agent/i,
  system: /system/i,
};

const usualLines = 60;

/** Transcripts far beyond what one call takes. */
export function longTranscriptTests({ backend, has }: Suite): readonly DrivenTest[] {
  if (!has("sendMessage")) return [];
  return [
    test("should hand over a transcript of ten times the limit: in order, authors named, newest kept, a note of what is missing [F098]", (driver) =>
      handsOver(driver, 10 * (backend.transcriptLines ?? usualLines))),
    test("should split a line of a transcript that is too long at the ends of its lines [F098 part: line ends]", splitsAtLineEnds),
  ];
}

async function handsOver(driver: Driver, count: number): Promise<void> {
  const transcript = Array.from({ length: count }, (_, index): TranscriptEntry => {
    const role = index % 2 === 0 ? "user" : "bot";
    return { seq: index + 1, message: newMessage({ role, text: `<${index + 1}>` }) };
  });
  const driven = await driver.start({ transcript });
  const { messages } = await driver.desk(driven);
  const notes = (await driver.backend.notesAtDesk?.(driven.deskId)) ?? [];
  const all = [...notes, ...messages.map(({ text }) => text)].join("\n");
  const places = transcript.map(({ seq }) => all.indexOf(`<${seq}>`));
  const missing = places.filter((place) => place < 0).length;
  const kept = places.slice(missing);
  expect(kept, "what is missing is older than what is there").not.toContain(-1);
  expect(
    kept.toSorted((left, right) => left - right),
    "the order",
  ).toEqual(kept);
  expect(kept.length).toBeGreaterThanOrEqual(Math.min(count, driver.backend.transcriptLines ?? usualLines));
  if (missing > 0) expectNote(driver, all, missing);
  expectAuthors(transcript.slice(missing), messages, notes);
}

/** A number within what people can read: in a note, a message, or a field of the conversation. */
function expectNote(driver: Driver, shown: string, missing: number): void {
  const sent = driver.gateway.calls.map(({ body }) => body).join("\n");
  expect(new RegExp(`(?<![<\\d])${missing} [a-z]`, "i").test(`${shown}\n${sent}`), `a note that ${missing} lines are missing`).toBe(true);
}

function expectAuthors(transcript: readonly TranscriptEntry[], messages: readonly ConformanceMessage[], notes: readonly string[]): void {
  const roles = new Map(transcript.map(({ seq, message }) => [`<${seq}>`, message.author.role]));
  for (const { author, text } of messages) {
    const lines = text.match(/<\d+>/g) ?? [];
    if (lines.length === 1) expect([text, author]).toEqual([text, roles.get(lines[0])]);
    else expectNamed(text, roles);
  }
  for (const note of notes) expectNamed(note, roles);
}

/** Before each line of a text, and behind the one before it, stands who said it. */
function expectNamed(text: string, roles: ReadonlyMap<string, AuthorRole>): void {
  const [first = "", ...rest] = text.split(/(?=<\d+>)/);
  let before = first;
  for (const piece of rest) {
    const line = /^<\d+>/.exec(piece)?.[0] ?? "";
    const role = roles.get(line);
    if (role) expect(authorNames[role].test(before), `who said ${line}`).toBe(true);
    before = piece.slice(line.length);
  }
}

async function splitsAtLineEnds(driver: Driver): Promise<void> {
  const rows = Array.from({ length: 400 }, (_, index) => `row ${index + 1} of a text that a user has pasted.`);
  const transcript = [{ seq: 1, message: newMessage({ text: rows.join("\n") }) }];
  const driven: DrivenHandover = await driver.start({ transcript });
  const shown = (await driver.desk(driven)).messages.map(({ text }) => text).join("\n");
  expect(shown.split("\n").filter((row) => row.startsWith("row "))).toEqual(expect.arrayContaining(rows.slice(1)));
  expect(shown).toContain(rows[0]);
}
