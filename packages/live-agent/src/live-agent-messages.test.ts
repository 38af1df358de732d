import type { Message } from "@handover/core";
import { describe, expect, it } from "vitest";
import { planMessage } from "./live-agent-messages.ts";

const message: Message = { id: "m1", author: { role: "user", id: "u1", name: "Ann" }, text: "hi", sentAt: "2026-01-01T10:00:00.000Z" };
const textsOf = (fields: Partial<Message>): (string | undefined)[] =>
  planMessage({ ...message, ...fields }).map((part) => part.message.text);

describe("planMessage", () => {
  it("should leave a user's words exactly as they are [F095]", () => {
    const text = "  *a* _b_ <b>c</b>\\\n second\n\nthird ";
    expect(planMessage({ ...message, text })).toEqual([{ message: { ...message, text } }]);
  });

  it("should write choices, cards and files as text [F129]", () => {
    const rich: Partial<Message> = {
      author: { role: "bot" },
      text: "Which?",
      choices: [{ id: "a", title: "Yes", payload: "YES_1" }],
      cards: [{ title: "Red", url: "https://shop.example/red" }],
    };
    expect(textsOf(rich)).toEqual(["Which?\n\nRed\nhttps://shop.example/red\n\n- Yes"]);
  });

  it("should split what is too long, and keep a character on the border whole [F100]", () => {
    const parts = textsOf({ text: `${"x".repeat(149_999)}👨‍👩‍👧` });
    expect(parts.map((part) => part?.length)).toEqual([149_999, "👨‍👩‍👧".length]);
  });

  it("should plan nothing for a message without anything to read [F130]", () => {
    expect(textsOf({ text: " \n" })).toEqual([]);
    expect(planMessage({ id: "x", author: { role: "user" }, sentAt: "" })).toEqual([]);
  });

  it("should name the agents of an earlier handover [F088]", () => {
    expect(textsOf({ author: { role: "agent", name: "Ben" } })).toEqual(["Ben:\nhi"]);
    expect(textsOf({ author: { role: "bot", name: "Botty" } })).toEqual(["hi"]);
    expect(textsOf({ author: { role: "agent", name: "Ben" }, text: "" })).toEqual([]);
  });
});
