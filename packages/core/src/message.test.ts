import { expect, it } from "vitest";
import { isEmptyMessage, type Message } from "./message.ts";

const frame = { id: "m1", author: { role: "user" }, sentAt: "2026-11-20T10:00:00.000Z" } as const;

it.each<[string, Partial<Message>]>([
  ["nothing", {}],
  ["an empty text", { text: "" }],
  ["white space", { text: " \n\t\u00a0\ufeff" }],
  ["empty lists", { attachments: [], cards: [], choices: [] }],
  ["white space and empty lists", { text: " ", attachments: [], cards: [], choices: [] }],
  ["a format and no text", { format: "markdown" }],
])("should call a message with %s empty [F130 core part]", (_, parts) => {
  expect(isEmptyMessage({ ...frame, ...parts })).toBe(true);
});

it.each<[string, Partial<Message>]>([
  ["a text", { text: "Hello" }],
  ["a number as text", { text: "0" }],
  ["only a file", { attachments: [{ id: "a1", name: "x.pdf", type: "application/pdf" }] }],
  ["only a card", { cards: [{ title: "Plan M" }] }],
  ["only choices", { choices: [{ id: "c1", title: "Yes" }] }],
  ["white space and a file", { text: " ", attachments: [{ id: "a1", name: "x.pdf", type: "application/pdf" }] }],
])("should not call a message with %s empty [F130 core part]", (_, parts) => {
  expect(isEmptyMessage({ ...frame, ...parts })).toBe(false);
});
