import { HandoverError, type Message } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import type { DrivenHandover } from "./driven-handover.ts";
import { deepFreeze, expectInOrder, expectReadable } from "./expectations.ts";
import { newMessage } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const family = "👩‍👩‍👧‍👦";

/** From the user and the bot to the desk. */
export function sendTests(suite: Suite): readonly DrivenTest[] {
  if (!suite.has("sendMessage")) return [];
  return [
    test("should send the text of a user exactly as it was written", async (driver) => {
      const driven = await driver.start();
      const texts = ["Grüße, 你好 😀", "a < b && c > d", "line 1\nline 2\n\nline 4", 'quotes " and \\ backslashes'];
      for (const text of texts) await driver.send(driven, newMessage({ text }));
      expect(await liveTexts(driver, driven)).toEqual(texts);
    }),
    test("should show user and bot apart [F088 part: live messages]", async (driver) => {
      const driven = await driver.start();
      await driver.send(driven, newMessage({ role: "user", text: "from the user" }));
      await driver.send(driven, newMessage({ role: "bot", text: "from the bot" }));
      const { messages } = await driver.desk(driven);
      expect(messages.find(({ text }) => text.includes("from the user"))?.author).toBe("user");
      expect(messages.find(({ text }) => text.includes("from the bot"))?.author).toBe("bot");
    }),
    test("should send three equal texts three times [F025 part: outgoing]", async (driver) => {
      const driven = await driver.start();
      for (let count = 0; count < 3; count += 1) await driver.send(driven, newMessage({ text: "ok" }));
      expect(await liveTexts(driver, driven)).toEqual(["ok", "ok", "ok"]);
    }),
    test("should keep the order of what is sent [F010 part: while queued]", async (driver) => {
      const driven = await driver.start();
      const texts = Array.from({ length: 10 }, (_, index) => `message number ${index + 1}.`);
      for (const text of texts) await driver.send(driven, newMessage({ text }));
      expect(await liveTexts(driver, driven)).toEqual(texts);
    }),
    test("should give each message an id of its own, when it gives ids", async (driver) => {
      const driven = await driver.start();
      const ids: string[] = [];
      for (const text of ["one", "two"]) {
        const sent = await driver.connection.sendMessage?.(driven.handover, { message: newMessage({ text }) }, driver.call());
        if (sent?.vendorMessageId !== undefined) ids.push(sent.vendorMessageId);
      }
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).not.toContain("");
    }),
    test("should show every kind of message as readable text [F129]", async (driver) => {
      const driven = await driver.start();
      for (const { message, words } of richMessages()) {
        const before = (await driver.desk(driven)).messages.length;
        await driver.send(driven, message);
        const text = (await driver.desk(driven)).messages
          .slice(before)
          .map((line) => line.text)
          .join("\n");
        expectReadable(text);
        expectInOrder([{ author: "user", text }], words);
      }
    }),
    test("should not break on a message of an unknown kind [F129 part: unknown]", async (driver) => {
      const driven = await driver.start();
      await driver.send(driven, { ...newMessage({ text: "with a surprise" }), surprise: { deep: [1, null] } } as Message);
      expect((await driver.desk(driven)).messages.some(({ text }) => text.includes("with a surprise"))).toBe(true);
      for (const { text } of (await driver.desk(driven)).messages) expectReadable(text);
    }),
    test("should send a long text whole and never break what a reader sees as one character [F100 part: long texts]", async (driver) => {
      const driven = await driver.start();
      const text = family.repeat(1500);
      await driver.send(driven, newMessage({ text }));
      const parts = (await liveTexts(driver, driven)).filter((part) => part.includes("👩"));
      expect(parts.join("")).toBe(text);
      for (const part of parts) expect(part.replaceAll(family, "")).toBe("");
    }),
    test("should send words of a long text whole [F100 part: long texts]", async (driver) => {
      const driven = await driver.start();
      const words = Array.from({ length: 2000 }, (_, index) => `word${index}`);
      await driver.send(driven, newMessage({ text: words.join(" ") }));
      expect((await liveTexts(driver, driven)).join(" ").split(/\s+/)).toEqual(words);
    }),
    test("should say that a send to a conversation that is over concerns the handover [F073 part: the error]", async (driver) => {
      const driven = await driver.start();
      await driver.backend.agentCloses(driven.deskId);
      await Promise.resolve()
        .then(() => driver.send(driven, newMessage({ text: "too late" })))
        .catch((error: unknown) => {
          expect(HandoverError.isInstance(error)).toBe(true);
          expect((error as HandoverError).effect).toBe("handover");
        });
    }),
    ...when(suite.has("planMessage"), ...planTests()),
  ];
}

function planTests(): readonly DrivenTest[] {
  return [
    test("should plan a message the same way each time, as JSON, without changing it", async (driver) => {
      const driven = await driver.start();
      for (const { message } of richMessages()) {
        const first = driver.plan(driven, deepFreeze(message));
        expect(driver.plan(driven, message)).toEqual(first);
        expect(JSON.parse(JSON.stringify(first))).toEqual(first);
      }
    }),
    test("should send nothing for a message without anything to show [F130 part: provider]", async (driver) => {
      const driven = await driver.start();
      const before = (await driver.desk(driven)).messages.length;
      for (const text of [undefined, "", "  \n "]) await driver.send(driven, newMessage(text === undefined ? {} : { text }));
      const added = (await driver.desk(driven)).messages.slice(before);
      expect(added.filter(({ text }) => text.trim() === "")).toEqual([]);
    }),
  ];
}

/** The live lines as the desk has them: without the transcript, and without what the desk says of itself. */
async function liveTexts(driver: Driver, driven: DrivenHandover): Promise<string[]> {
  const transcript = driven.request.transcript.map(({ message }) => message.text);
  const { messages } = await driver.desk(driven);
  const said = messages.filter(({ author }) => author !== "system");
  return said.map(({ text }) => text).filter((text) => !transcript.some((line) => line !== undefined && text.includes(line)));
}

function richMessages(): readonly { readonly message: Message; readonly words: readonly string[] }[] {
  const choices = Array.from({ length: 6 }, (_, index) => ({ id: `choice-${index}`, title: `Option ${index + 1}` }));
  return [
    {
      message: newMessage({ role: "bot", text: "Choose one:", choices }),
      words: ["Choose one:", ...choices.map(({ title }) => title)],
    },
    {
      message: newMessage({
        role: "bot",
        cards: [
          { title: "Blue shoe", text: "42 euro", imageUrl: "https://shop.example/shoe.png", choices: [{ id: "buy", title: "Buy it" }] },
        ],
      }),
      words: ["Blue shoe", "42 euro", "Buy it"],
    },
    { message: newMessage({ role: "bot", cards: [{ text: "a card without a title" }] }), words: ["a card without a title"] },
    { message: newMessage({ role: "bot", text: "**bold** and _thin_", format: "markdown" }), words: ["bold", "thin"] },
    {
      message: newMessage({ text: "See the plan", attachments: [{ id: "file-1", name: "plan.txt", type: "text/plain", sizeBytes: 19 }] }),
      words: ["See the plan"],
    },
    {
      message: newMessage({ text: "Option 2", answer: { messageId: "message-of-the-bot", choice: "choice-1" } }),
      words: ["Option 2"],
    },
  ];
}
