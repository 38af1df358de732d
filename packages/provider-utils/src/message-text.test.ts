import type { Message, TranscriptEntry } from "@handover/core";
import { describe, expect, it } from "vitest";
import { measureText, messageAsText, transcriptAsText } from "./index.ts";

const full: Message = {
  id: "1",
  author: { role: "bot" },
  text: "Which one?",
  cards: [{ title: "Red", text: "A red one", url: "https://shop.example/red", choices: [{ id: "r", title: "Take red" }] }, {}],
  choices: [
    { id: "a", title: "Yes", payload: "YES_1" },
    { id: "b", title: "No" },
  ],
  attachments: [
    { id: "f", name: "price list.pdf", type: "application/pdf" },
    { id: "g", name: "", type: "image/png", url: "https://files.example/g.png" },
  ],
  sentAt: "2026-01-01T10:00:00.000Z",
};

describe("messageAsText", () => {
  it("should write text, cards, choices by title and files [F129] [F131]", () => {
    expect(messageAsText(full)).toBe(
      "Which one?\n\nRed\nA red one\nhttps://shop.example/red\n- Take red\n\n- Yes\n- No\n\nFile: price list.pdf\nFile:\nhttps://files.example/g.png",
    );
  });

  it.each([
    [{}],
    [{ text: null }],
    [{ text: { nested: true } }],
    [{ text: " \n ", cards: "none", choices: [null, 3, { title: null }], attachments: [{}] }],
    [{ cards: [{ title: {}, choices: {} }], somethingElse: [] }],
  ])("should give an empty text for %j [F129] [F130]", (message) => {
    expect(messageAsText(message as never)).toBe("");
  });

  it("should never print null, undefined or an object [F129]", () => {
    const odd = { text: 5, cards: [{ title: undefined, text: null, url: {} }, null], choices: [{ payload: "only payload" }] };
    expect(messageAsText(odd as never)).toBe("5\n\n- only payload");
  });
});

describe("transcriptAsText", () => {
  const entries: TranscriptEntry[] = [
    { seq: 1, message: { id: "u1", author: { role: "user", name: "Ann" }, text: "Hi", sentAt: "2026-01-01T10:00:00.000Z" } },
    { seq: 2, message: { id: "b1", author: { role: "bot" }, text: "Hello", sentAt: "2026-01-01T10:01:00.000Z" } },
    { seq: 3, message: { id: "b2", author: { role: "bot", name: " " }, sentAt: "2026-01-01T10:01:00.000Z" } },
    { seq: 4, message: { id: "u2", author: { role: "user", name: "Ann" }, text: "Help", sentAt: "never" } },
  ];

  it("should name author and original time of each line [F037] [F016]", () => {
    expect(transcriptAsText(entries)).toBe(
      "[2026-01-01 10:00 UTC] Ann:\nHi\n\n[2026-01-01 10:01 UTC] Bot:\nHello\n\n[time unknown] Ann:\nHelp",
    );
    expect(transcriptAsText(entries, { timeZone: "Europe/Berlin", names: { bot: "Roboter" } })).toContain(
      "[2026-01-01 11:01 Europe/Berlin] Roboter:",
    );
  });

  it("should keep the newest and say what is missing [F098]", () => {
    const long = Array.from({ length: 250 }, (_, index) => ({
      seq: index + 1,
      message: { id: String(index), author: { role: "user" as const }, text: `line ${index} 👋`, sentAt: "2026-01-01T10:00:00.000Z" },
    }));
    for (const unit of ["characters", "utf16", "bytes"] as const) {
      const text = transcriptAsText(long, { limit: 1000, unit });
      expect(measureText(text, unit)).toBeLessThanOrEqual(1000);
      const kept = text.match(/line \d+/g) ?? [];
      expect(kept.at(-1)).toBe("line 249");
      expect(text).toMatch(new RegExp(`^\\[${250 - kept.length} earlier messages left out\\]`));
      expect(kept.length).toBeGreaterThan(15);
    }
  });

  it("should show what it can of a single entry over the limit", () => {
    const text = transcriptAsText([{ seq: 1, message: { ...full, text: "word ".repeat(100) } }], { limit: 100 });
    expect(text.length).toBeLessThanOrEqual(100);
    expect(text).toMatch(/^\[2026-01-01 10:00 UTC\] Bot:\n(word ){10,}.*…$/);
  });
});
