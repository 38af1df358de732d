import { describe, expect, it } from "vitest";
import { entryFor, type HandoverRecord, type StoredEntry } from "@handover/runtime";
import type { ConversationFacts, FindingKind } from "./facts.ts";
import { verifyConversation } from "./verify-conversation.ts";

type Draft = { -readonly [Key in keyof ConversationFacts]: ConversationFacts[Key] };

const at = "2026-01-01T00:00:00.000Z";
const everybody = ["user", "bot", "desk"] as const;

function message(seq: number, source: string, role: "user" | "bot" | "agent", text: string): StoredEntry {
  return { seq, id: `${source}-${seq}`, source, kind: "message", at, author: { role }, audience: everybody, text };
}

function status(seq: number, word: "requested" | "queued" | "ended"): StoredEntry {
  return { seq, id: `h:${seq}`, source: "runtime", kind: "handover", at, handover: "h", status: word, audience: everybody };
}

const log: readonly StoredEntry[] = [
  message(1, "user", "user", "c1 u 1 a person please"),
  message(2, "bot", "bot", "re c1 u 1 a person please"),
  status(3, "requested"),
  status(4, "queued"),
  message(5, "user", "user", "c1 u 2"),
  message(6, "desk", "agent", "c1 a 1"),
  message(7, "user", "user", "c1 u 3"),
  message(8, "desk", "agent", "c1 a 2"),
  status(9, "ended"),
  message(10, "user", "user", "c1 u 4"),
  message(11, "bot", "bot", "re c1 u 4"),
];

const handover = {
  id: "h",
  ordinal: 1,
  transcriptAfter: 0,
  takesAfter: 1,
  attempt: { references: ["conversation:7"] },
  ended: { seq: 9, atMs: 3, takesThrough: 9 },
} as unknown as HandoverRecord;

/** A conversation in which nothing went wrong, but for what `spoil` does to it. */
function verify(spoil: (facts: Draft) => void = () => undefined) {
  const own = log.filter(({ source }) => source === "user");
  const facts: Draft = {
    conversation: "c1",
    accepted: own.map(({ id, text = "", seq }) => ({ id, text, seq })),
    seen: log.map((entry) => entryFor(entry, "user")),
    log,
    handovers: [handover],
    journal: [],
    markedParts: new Set(),
    unsureParts: new Set(),
    cutShort: new Set(),
    tickets: [
      {
        id: "7",
        isOpen: false,
        wasClosedByAgent: false,
        said: [
          { text: "c1 a 1", atMs: 1 },
          { text: "c1 a 2", atMs: 2 },
        ],
        lines: [
          { author: "user", text: "c1 u 1 a person please" },
          { author: "user", text: "c1 u 2" },
          { author: "user", text: "c1 u 3" },
        ],
      },
    ],
    hadTwoTickets: false,
    pushed: log.map(({ seq }) => seq),
    turns: ["c1 u 1 a person please", "c1 u 4"],
    canBeAsked: true,
  };
  spoil(facts);
  return verifyConversation(facts);
}

const kinds = (verdict: ReturnType<typeof verify>): FindingKind[] => [...new Set(verdict.findings.map(({ kind }) => kind))];

/** The log without an entry, and everything that follows from it but what is looked for. */
function withLog(facts: Draft, changed: readonly StoredEntry[]): void {
  facts.log = changed.map((entry, index) => ({ ...entry, seq: index + 1 }));
  facts.seen = facts.log.map((entry) => entryFor(entry, "user"));
  facts.pushed = facts.log.map(({ seq }) => seq);
  facts.accepted = facts.log.filter(({ source }) => source === "user").map(({ id, text = "", seq }) => ({ id, text, seq }));
}

function withLines(facts: Draft, texts: readonly string[]): void {
  facts.tickets = facts.tickets.map((ticket) => ({ ...ticket, lines: texts.map((text) => ({ author: "user", text })) }));
}

describe("the verification of a conversation", () => {
  it("should find nothing where nothing went wrong, and count what came through", () => {
    expect(verify()).toEqual({ findings: [], markedRepeats: 0, late: 0, unsure: 0, delivered: 5, handovers: 1 });
  });

  it("should find a line that the desk never got", () => {
    expect(kinds(verify((facts) => withLines(facts, ["c1 u 1 a person please", "c1 u 3"])))).toEqual(["lost"]);
  });

  it("should allow that a handover ends before the whole transcript is there, but no hole in it", () => {
    const transcript = (texts: readonly string[], isCutShort: boolean) =>
      verify((facts) => {
        facts.handovers = [{ ...handover, takesAfter: 7 }];
        facts.turns = ["c1 u 1 a person please", "c1 u 2", "c1 u 3", "c1 u 4"];
        if (isCutShort) facts.cutShort = new Set(["h"]);
        withLines(facts, texts);
      }).findings.map(({ what }) => what);
    const lost = "c1: handover 1: line 5 never reached the desk";
    expect(transcript(["c1 u 1 a person please"], true)).not.toContain(lost);
    expect(transcript(["c1 u 1 a person please"], false)).toContain(lost);
    expect(transcript(["c1 u 3"], true)).toContain(lost);
  });

  it("should find lines that the desk got in another order", () => {
    expect(kinds(verify((facts) => withLines(facts, ["c1 u 1 a person please", "c1 u 3", "c1 u 2"])))).toEqual(["reordered"]);
  });

  it("should find a line that the desk got twice", () => {
    expect(kinds(verify((facts) => withLines(facts, ["c1 u 1 a person please", "c1 u 2", "c1 u 2", "c1 u 3"])))).toEqual(["repeated"]);
  });

  it("should allow a repeat only where nobody could ask, and only with all of its marks", () => {
    const repeat = (...marks: readonly ("entry" | "part" | "journal")[]) =>
      verify((facts) => {
        facts.canBeAsked = false;
        withLines(facts, ["c1 u 1 a person please", "c1 u 2", "c1 u 2", "c1 u 3"]);
        if (marks.includes("entry")) facts.log = log.map((entry) => (entry.seq === 5 ? { ...entry, isPossiblyDuplicated: true } : entry));
        if (marks.includes("part")) facts.markedParts = new Set(["h/5"]);
        if (marks.includes("journal")) facts.journal = [{ atMs: 0, what: "send-possibly-repeated", details: { seq: 5 } }];
      });
    expect(kinds(repeat())).toEqual(["unmarked"]);
    expect(kinds(repeat("part", "journal"))).toEqual(["unmarked"]);
    expect(kinds(repeat("entry", "journal"))).toEqual(["unmarked"]);
    expect(kinds(repeat("entry", "part"))).toEqual(["unmarked"]);
    expect(repeat("entry", "part", "journal")).toMatchObject({ findings: [], markedRepeats: 1 });
  });

  it("should find a line of an agent that is lost, doubled or out of its place", () => {
    const texts = (facts: Draft, change: (entries: StoredEntry[]) => StoredEntry[]) => withLog(facts, change([...log]));
    expect(kinds(verify((facts) => texts(facts, (entries) => entries.toSpliced(7, 1))))).toContain("lost");
    expect(kinds(verify((facts) => texts(facts, (entries) => entries.toSpliced(7, 0, entries[7]!))))).toContain("repeated");
    const swapped = (entries: StoredEntry[]) =>
      entries.with(5, { ...entries[5]!, text: "c1 a 2" }).with(7, { ...entries[7]!, text: "c1 a 1" });
    expect(kinds(verify((facts) => texts(facts, swapped)))).toEqual(["reordered"]);
    const late = (entries: StoredEntry[]) =>
      swapped(entries).map((entry) => (entry.text === "c1 a 1" ? { ...entry, isLate: true as const } : entry));
    expect(verify((facts) => texts(facts, late))).toMatchObject({ findings: [], late: 1 });
  });

  it("should find an accepted line that is not in the log, or is there under another number", () => {
    expect(kinds(verify((facts) => (facts.accepted = [...facts.accepted, { id: "user-99", text: "c1 u 9", seq: 99 }])))).toEqual(["lost"]);
    expect(kinds(verify((facts) => (facts.accepted = facts.accepted.map((line) => ({ ...line, seq: line.seq + 1 })))))).toEqual(["broken"]);
  });

  it("should find holes, repeats and disorder in what the user's stream brought", () => {
    expect(kinds(verify((facts) => (facts.seen = facts.seen.toSpliced(4, 1))))).toEqual(["lost"]);
    expect(kinds(verify((facts) => (facts.seen = facts.seen.toSpliced(4, 0, facts.seen[4]!))))).toEqual(["repeated"]);
    expect(kinds(verify((facts) => (facts.seen = facts.seen.toReversed())))).toEqual(["reordered"]);
  });

  it("should find what the push channel never got or got out of order, and allow what it got again", () => {
    expect(kinds(verify((facts) => (facts.pushed = facts.pushed.toSpliced(4, 1))))).toEqual(["lost"]);
    expect(kinds(verify((facts) => (facts.pushed = facts.pushed.toReversed())))).toEqual(["reordered"]);
    expect(kinds(verify((facts) => (facts.pushed = facts.pushed.toSpliced(4, 0, facts.pushed[4]!))))).toEqual([]);
  });

  it("should find a line that the bot never got, and one that it answered twice", () => {
    expect(kinds(verify((facts) => (facts.turns = ["c1 u 1 a person please"])))).toEqual(["lost"]);
    expect(kinds(verify((facts) => withLog(facts, [...log, log[10]!])))).toContain("repeated");
  });

  it("should find a ticket that is open or that nobody asked for, and a handover that ended twice or never", () => {
    expect(kinds(verify((facts) => (facts.tickets = facts.tickets.map((ticket) => ({ ...ticket, isOpen: true })))))).toEqual(["broken"]);
    expect(
      kinds(
        verify((facts) => (facts.tickets = [...facts.tickets, { id: "8", isOpen: false, wasClosedByAgent: false, said: [], lines: [] }])),
      ),
    ).toEqual(["broken"]);
    expect(kinds(verify((facts) => (facts.hadTwoTickets = true)))).toEqual(["broken"]);
    expect(kinds(verify((facts) => withLog(facts, [...log, status(12, "ended")])))).toEqual(["broken"]);
    expect(kinds(verify((facts) => (facts.handovers = [handover, { ...handover, id: "h2", ordinal: 2 }])))).toContain("broken");
  });

  it("should find a line of a handover without a ticket of which nobody was told", () => {
    const withoutTicket = (facts: Draft) => (facts.tickets = []);
    expect(kinds(verify(withoutTicket))).toEqual(["lost"]);
  });
});
