import type { Agent, EndReason, HandoverEvent, Message } from "@handover/core";
import { describe, expect, it } from "vitest";
import type { HandoverRecord, PartRecord } from "../store/records.ts";
import { defaultTexts } from "../texts.ts";
import { applyEvents, type EventSurroundings } from "./apply-events.ts";
import { createDraft, type Draft } from "./draft.ts";

type Status = HandoverRecord["status"];
const statuses: readonly Status[] = ["requested", "queued", "active", "ending", "ended"];
const nowMs = Date.UTC(2026, 0, 1, 12);
const endedAtMs = nowMs - 60_000;
const ada: Agent = { id: "a", name: "Ada" };
const bob: Agent = { id: "b", name: "Bob" };

function handover(status: Status, change: Partial<HandoverRecord> = {}): HandoverRecord {
  const isOver = status === "ending" || status === "ended";
  return {
    id: "h",
    conversation: "web/c",
    ordinal: 1,
    status,
    shownStatus: status === "ending" ? "active" : status,
    createdAtMs: 0,
    requestedSeq: 1,
    transcriptAfter: 0,
    takesAfter: 0,
    connections: ["desk"],
    options: {},
    attempt: {
      number: 1,
      connection: "desk",
      provider: "p",
      accountKey: "k",
      phase: status === "ended" ? "over" : "started",
      sinceMs: 0,
      startCalls: 1,
      references: ["r"],
      transcriptThrough: 0,
      liveThrough: 0,
      released: {},
    },
    leaving: [],
    agents: status === "active" || isOver ? [ada] : [],
    entryCount: 3,
    ...(isOver
      ? { ending: { reason: "completed", actor: "agent", sinceMs: 0, closedBy: "us", sendThrough: 4, settledAtMs: 0, hasCaughtUp: false } }
      : {}),
    ...(status === "ended"
      ? { ended: { seq: 9, atMs: endedAtMs, reason: "completed", actor: "agent", takesThrough: 9, undelivered: [] } }
      : {}),
    ...change,
  };
}

function surroundings(change: Partial<EventSurroundings> = {}): EventSurroundings {
  return {
    texts: defaultTexts,
    windowMs: 300,
    isLate: false,
    isOvertaken: false,
    fallBack: () => false,
    findPart: async () => undefined,
    readParts: async () => [],
    findEntry: async () => undefined,
    async *readEntries() {
      // There are none.
    },
    findNotice: async () => undefined,
    findMessage: async () => undefined,
    ...change,
  };
}

async function apply(
  status: Status,
  events: readonly HandoverEvent[],
  change: Partial<EventSurroundings> = {},
  record: Partial<HandoverRecord> = {},
): Promise<Draft> {
  const draft = createDraft(handover(status, record), nowMs, 10);
  await applyEvents(draft, events, surroundings(change));
  return draft;
}

/** What became visible: `status`, `event`, or `role: text`. */
const shown = (draft: Draft) =>
  draft.append.map((entry) => entry.status ?? entry.event ?? `${entry.author?.role ?? ""}: ${entry.text ?? ""}`);
const noted = (draft: Draft) => draft.journal.map((item) => item.what);
const message = (role: Message["author"]["role"], sentAtMs = nowMs): HandoverEvent => ({
  type: "message-received",
  message: { id: "m1", author: role === "agent" ? { role, ...ada } : { role }, text: "words", sentAt: new Date(sentAtMs).toISOString() },
});

/** Every event in every status: the status after it, and what the user sees of it. */
const table: Record<string, { event: HandoverEvent; after: readonly Status[]; shows: readonly (readonly string[])[] }> = {
  queued: {
    event: { type: "queued" },
    after: ["queued", "queued", "queued", "ending", "ended"],
    shows: [["queued"], [], ["queued"], [], []],
  },
  "queue-updated": {
    event: { type: "queue-updated", queue: { position: 2 } },
    after: statuses,
    shows: [["queue-updated"], ["queue-updated"], [], [], []],
  },
  "agent-joined, assigned": {
    event: { type: "agent-joined", agent: bob, hasAccepted: false },
    after: statuses,
    shows: [["agent-joined"], ["agent-joined"], ["agent-joined"], ["agent-joined"], []],
  },
  "agent-joined, accepted": {
    event: { type: "agent-joined", agent: bob, hasAccepted: true },
    after: ["active", "active", "active", "ending", "ended"],
    shows: [["agent-joined", "active"], ["agent-joined", "active"], ["agent-joined"], ["agent-joined"], []],
  },
  "agent-left, the only one": {
    event: { type: "agent-left", agent: ada },
    after: ["requested", "queued", "queued", "ending", "ended"],
    shows: [["agent-left"], ["agent-left"], ["agent-left", "queued"], ["agent-left"], []],
  },
  "agent-left, another is there": {
    event: { type: "agent-left", agent: ada, isAnotherPresent: true },
    after: statuses,
    shows: [["agent-left"], ["agent-left"], ["agent-left"], ["agent-left"], []],
  },
  transferred: {
    event: { type: "transferred", queue: { name: "second level" } },
    after: ["requested", "queued", "queued", "ending", "ended"],
    shows: [["transferred"], ["transferred"], ["transferred", "queued"], ["transferred"], []],
  },
  "agent-updated": { event: { type: "agent-updated", agent: ada }, after: statuses, shows: [[], [], [], [], []] },
  "message of an agent": {
    event: message("agent"),
    after: ["active", "active", "active", "ending", "ended"],
    shows: [["active", "agent: words"], ["active", "agent: words"], ["agent: words"], ["agent: words"], []],
  },
  "message of an automation": {
    event: message("system"),
    after: statuses,
    shows: [["system: words"], ["system: words"], ["system: words"], ["system: words"], []],
  },
  "message from before the end": {
    event: message("agent", endedAtMs),
    after: ["active", "active", "active", "ending", "ended"],
    shows: [["active", "agent: words"], ["active", "agent: words"], ["agent: words"], ["agent: words"], ["agent: words"]],
  },
  "message-changed": {
    event: { type: "message-changed", messageId: "m0", change: "deleted" },
    after: statuses,
    shows: [["message-changed"], ["message-changed"], ["message-changed"], ["message-changed"], ["message-changed"]],
  },
  "message-echoed": { event: { type: "message-echoed", idempotencyKey: "k" }, after: statuses, shows: [[], [], [], [], []] },
  "delivery-changed": {
    event: { type: "delivery-changed", target: { vendorMessageIds: ["v"] }, status: "failed" },
    after: statuses,
    shows: [["message-failed"], ["message-failed"], ["message-failed"], ["message-failed"], []],
  },
  "typing-changed": {
    event: { type: "typing-changed", author: { role: "agent" }, isTyping: true },
    after: statuses,
    shows: [[], [], [], [], []],
  },
  "survey-offered": {
    event: { type: "survey-offered", survey: { id: "s", questions: [] } },
    after: statuses,
    shows: [["survey-offered"], ["survey-offered"], ["survey-offered"], ["survey-offered"], ["survey-offered"]],
  },
  reopened: { event: { type: "reopened" }, after: statuses, shows: [[], [], [], [], []] },
  ended: {
    event: { type: "ended", reason: "completed", actor: "agent" },
    after: ["ending", "ending", "ending", "ending", "ended"],
    shows: [[], [], [], [], []],
  },
};

describe("every event in every status", () => {
  const part: PartRecord = {
    handover: "h",
    attempt: 1,
    seq: 4,
    index: 0,
    count: 1,
    key: "k",
    part: { message: { id: "u", author: { role: "user" }, text: "x", sentAt: "" } },
    status: "sending",
    calls: 1,
  };
  const found = { findPart: async () => part, findMessage: async () => 3 };

  it.each(
    Object.entries(table).flatMap(([name, { event, after, shows }]) =>
      statuses.map((status, index) => ({ name, event, status, after: after[index]!, shows: shows[index]! })),
    ),
  )("should make of $name in $status: $after, showing $shows", async ({ event, status, after, shows }) => {
    const draft = await apply(status, [event], found);
    expect(draft.handover.status).toBe(after);
    expect(shown(draft)).toEqual(shows);
  });

  it("should show a private note to the desk alone, in every status [F119 state machine]", async () => {
    for (const status of statuses) {
      const draft = await apply(status, [{ type: "desk-note", id: "n", author: { role: "agent" }, text: "difficult" }]);
      expect(draft.append.map((entry) => entry.audience)).toEqual([["desk"]]);
    }
  });
});

describe("what events leave behind", () => {
  it("should show a state once however often it is told [F027 state machine]", async () => {
    const twice = (event: HandoverEvent) => [event, event];
    const draft = await apply("requested", [
      ...twice({ type: "queued", queue: { position: 1 } }),
      ...twice({ type: "agent-joined", agent: ada, hasAccepted: true }),
      ...twice({ type: "ended", reason: "completed", actor: "agent" }),
    ]);
    expect(shown(draft)).toEqual(["queued", "agent-joined", "active"]);
  });

  it("should forget the accept limit once somebody has accepted", async () => {
    const draft = await apply("queued", [{ type: "agent-joined", agent: ada, hasAccepted: true }], {}, { acceptBeforeMs: 5 });
    expect(draft.handover.acceptBeforeMs).toBeUndefined();
    expect(draft.handover.wasActive).toBe(true);
  });

  it("should keep the first reason of an end, and only learn that the vendor has closed", async () => {
    const draft = await apply("ending", [{ type: "ended", reason: "abandoned", actor: "user" }]);
    expect(draft.handover.ending).toMatchObject({ reason: "completed", actor: "agent", closedBy: "us" });
    expect(draft.handover.attempt.end?.isDone).toBe(true);
  });

  it("should not let an overtaken word about the queue undo what came after it [F034 queue]", async () => {
    const draft = await apply("active", [{ type: "queued" }, { type: "queue-updated", queue: { position: 3 } }], { isOvertaken: true });
    expect(draft.handover.status).toBe("active");
    expect(shown(draft)).toEqual([]);
  });

  it("should send nothing more to a desk that closed and opened again while the handover ends", async () => {
    const draft = await apply("ending", [{ type: "ended", reason: "completed", actor: "agent" }, { type: "reopened" }]);
    expect(draft.handover.ending).toMatchObject({ closedBy: "vendor", sendThrough: 4 });
    expect(draft.handover.attempt.end?.isDone).toBe(false);
    expect((await apply("ending", [{ type: "reopened" }])).handover.ending?.closedBy).toBe("us");
  });

  it("should end at the desk what an overtaken word says was closed: it may have been opened again since", async () => {
    const ended = { type: "ended", reason: "completed", actor: "agent" } as const;
    const during = await apply("active", [ended], { isOvertaken: true });
    expect(during.handover).toMatchObject({ status: "ending", ending: { closedBy: "vendor" } });
    expect(during.handover.attempt.end?.isDone).not.toBe(true);
    const again = await apply("ending", [{ type: "reopened" }, ended], { isOvertaken: true });
    expect(again.handover.attempt.end?.isDone).toBe(false);
    const after = await apply("ended", [{ type: "reopened" }, ended], { isOvertaken: true });
    expect(after.handover.attempt.phase).toBe("leaving");
    expect((await apply("ended", [{ type: "reopened" }, ended])).handover.attempt.phase).toBe("over");
  });

  it("should note what comes after the end and show nothing of it [F034 after the end, F077 state machine]", async () => {
    const draft = await apply("ended", [{ type: "agent-joined", agent: ada, hasAccepted: true }, message("agent")]);
    expect(noted(draft)).toEqual(["event-after-end", "message-after-end"]);
    expect(draft.handover.status).toBe("ended");
  });

  it("should show what was said before the end with the vendor's time, as late", async () => {
    const draft = await apply("ended", [message("agent", endedAtMs)]);
    expect(draft.append[0]).toMatchObject({ isLate: true, at: new Date(endedAtMs).toISOString() });
  });

  it("should leave again what is opened again, also while the end is not shown yet", async () => {
    expect((await apply("ended", [{ type: "reopened" }])).handover.attempt).toMatchObject({ phase: "leaving", end: { isDone: false } });
    const during = await apply("active", [{ type: "ended", reason: "completed", actor: "agent" }, { type: "reopened" }]);
    expect(during.handover.attempt.end).toMatchObject({ isDone: false });
  });

  it.each<[EndReason, "system" | "user", boolean]>([
    ["unavailable", "system", true],
    ["failed", "system", true],
    ["timed-out", "system", true],
    ["timed-out", "user", false],
    ["completed", "system", false],
    ["abandoned", "system", false],
    ["cancelled", "user", false],
  ])("should offer the next desk when it ends as %s by the %s: %s", async (reason, actor, isOffered) => {
    let offers = 0;
    await apply("queued", [{ type: "ended", reason, actor }], { fallBack: () => ((offers += 1), false) });
    expect(offers).toBe(isOffered ? 1 : 0);
  });

  it("should mark the part that an echo speaks of as sent, and pass it", async () => {
    const part: PartRecord = {
      handover: "h",
      attempt: 1,
      seq: 4,
      index: 0,
      count: 1,
      key: "k",
      part: { message: { id: "u", author: { role: "user" }, text: "x", sentAt: "" } },
      status: "unclear",
      calls: 1,
      callUntilMs: 5,
    };
    const draft = await apply("active", [{ type: "message-echoed", idempotencyKey: "k", vendorMessageId: "v" }], {
      findPart: async () => part,
    });
    expect(draft.parts).toMatchObject([{ status: "sent", vendorMessageId: "v" }]);
    expect(draft.handover.attempt.liveThrough).toBe(4);
  });

  it("should take an empty message for none [F130 vendor]", async () => {
    const empty: HandoverEvent = {
      type: "message-received",
      message: { id: "m", author: { role: "agent" }, text: " ", sentAt: new Date(nowMs).toISOString() },
    };
    const draft = await apply("queued", [empty]);
    expect(shown(draft)).toEqual([]);
    expect(draft.handover.status).toBe("queued");
  });

  it("should tell agents apart by id, else by name", async () => {
    const draft = await apply("queued", [
      { type: "agent-joined", agent: { id: "1", name: "Kim" }, hasAccepted: true },
      { type: "agent-joined", agent: { id: "2", name: "Kim" }, hasAccepted: false },
      { type: "agent-joined", agent: { name: "Kim" }, hasAccepted: false },
      { type: "agent-left", agent: { id: "1" } },
    ]);
    expect(draft.handover.agents.map((agent) => agent.id)).toEqual(["2"]);
    expect(draft.handover.status).toBe("active");
  });
});
