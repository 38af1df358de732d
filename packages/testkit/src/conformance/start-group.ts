import type { Message, User } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { agentTexts } from "./driven-handover.ts";
import { expectInOrder } from "./expectations.ts";
import { newMessage, newTranscript } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const oddCharacters = "a/%+ é😀?#&=..";

/** Putting the user in the queue, once, with everything that was said before. */
export function startTests(suite: Suite): readonly DrivenTest[] {
  return [
    test("should open one conversation that is not closed [F050 part: a fresh one]", async (driver) => {
      const driven = await driver.start();
      expect((await driver.desk(driven)).status).not.toBe("closed");
      expect(await driver.backend.conversations()).toHaveLength(1);
    }),
    test("should give references, unless the vendor carries the messages itself", async (driver) => {
      const { started } = await driver.start();
      if (started.relay === "both") expect(started.references.length).toBeGreaterThan(0);
      expect(started.references.every((reference) => reference !== "")).toBe(true);
    }),
    test("should check-point the same references whenever the same start is tried [F043 part: deterministic]", async (driver) => {
      const request = driver.request();
      const first = await driver.attemptStart(request);
      await driver.backend.reset();
      const second = await driver.attemptStart(request);
      expect(second.checkpoints[0]?.references ?? []).toEqual(first.checkpoints[0]?.references ?? []);
    }),
    test(
      "should save references that are known beforehand before it opens the conversation [F041 part: early events]",
      savesReferencesFirst,
    ),
    test("should go on after a crash behind each checkpoint without a second conversation [F157 part: the start]", resumesEverywhere),
    test("should call nobody when the call is already aborted", async (driver) => {
      const { error } = await driver.attemptStart(driver.request(), { signal: AbortSignal.abort() });
      expect(error).toBeDefined();
      expect(await driver.backend.conversations()).toHaveLength(0);
    }),
    ...when(
      suite.has("sendMessage"),
      test("should hand over the transcript in order, authors apart [F016 part, F036 part, F088 part: transcript]", async (driver) => {
        const transcript = newTranscript(6);
        const driven = await driver.start({ transcript });
        const { messages } = await driver.desk(driven);
        expectInOrder(
          messages,
          transcript.map(({ message }) => textOf(message)),
        );
        for (const { text, author } of messages) {
          const entry = transcript.find(({ message }) => message.text === text);
          if (entry) expect(author).toBe(entry.message.author.role);
        }
      }),
      test("should hand over a transcript of 60 lines whole [F016 part: many turns, F098 part: more than one call takes]", async (driver) => {
        const transcript = newTranscript(60);
        const driven = await driver.start({ transcript });
        expect(driven.started.transcriptThrough).toBeLessThanOrEqual(60);
        expectInOrder(
          (await driver.desk(driven)).messages,
          transcript.map(({ message }) => textOf(message)),
        );
      }),
    ),
    test("should start without a transcript", async (driver) => {
      const { started } = await driver.start({ transcript: [] });
      expect(started.transcriptThrough).toBe(0);
    }),
    ...[1, 44, 45, 256].map((length) =>
      test(`should start, relay and end with ids of ${length} characters [F085 part: provider]`, (driver) => runWithIds(driver, length)),
    ),
    test("should keep two conversations apart whose long ids differ at their end [F085 part: hashed ids]", async (driver) => {
      const prefix = "x".repeat(255);
      const first = await driver.start({ conversation: `${prefix}1`, handoverId: `${prefix}1` });
      const second = await driver.start({ conversation: `${prefix}2`, handoverId: `${prefix}2` });
      expect(first.deskId).not.toBe(second.deskId);
      expect(first.started.references.some((reference) => second.started.references.includes(reference))).toBe(false);
    }),
    test("should leave out optional fields that are absent, empty, null or white space [F048]", leavesOutEmptyFields),
    test("should keep every digit of ids that look like numbers [F086 part: provider]", async (driver) => {
      await driver.start({ user: { id: "9007199254740993", name: "Ada", attributes: { customerNumber: "0101" } } });
      const sent = driver.gateway.calls.map(({ url, body }) => url + body).join("\n");
      expect(sent).not.toContain("9007199254740992");
      expect(sent).not.toMatch(/customerNumber"\s*:\s*\d/);
    }),
    ...when(
      suite.has("end"),
      test("should open a new conversation for the next handover of the same user [F078 part: never the old one]", async (driver) => {
        const request = driver.request();
        const first = await driver.start(request);
        await driver.connection.end?.(first.handover, { reason: "completed", actor: "user" }, driver.call());
        const second = await driver.start({ ...request, ordinal: 2, handoverId: `${request.handoverId}-2` });
        expect(second.deskId).not.toBe(first.deskId);
        expect((await driver.desk(second)).status).not.toBe("closed");
      }),
    ),
  ];
}

/** What two runs of the same start have in common was known before the vendor gave ids. */
async function savesReferencesFirst(driver: Driver): Promise<void> {
  const request = driver.request();
  const first = await driver.attemptStart(request);
  await driver.backend.reset();
  const second = await driver.attemptStart(request);
  const known = second.started?.references.filter((reference) => first.started?.references.includes(reference)) ?? [];
  const calls = driver.gateway.calls.length;
  for (let lost = 1; lost <= calls; lost += 1) {
    await driver.backend.reset();
    driver.gateway.setFaults((_call, index) => (index >= lost ? { kind: "lose-answer" } : undefined));
    const { progress } = await driver.attemptStart(request);
    driver.gateway.setFaults(undefined);
    if ((await driver.backend.conversations()).length === 0) continue;
    expect(
      known.filter((reference) => !progress.references.includes(reference)),
      "not saved when the conversation was opened",
    ).toEqual([]);
    return;
  }
}

async function resumesEverywhere(driver: Driver): Promise<void> {
  const { checkpoints } = await driver.attemptStart(driver.request());
  for (let crashAfterCheckpoint = 1; crashAfterCheckpoint <= checkpoints.length; crashAfterCheckpoint += 1) {
    await driver.backend.reset();
    const request = driver.request();
    const { progress, error } = await driver.attemptStart(request, { crashAfterCheckpoint });
    expect(error, "a checkpoint that fails must stop the start").toBeDefined();
    const { started } = await driver.attemptStart({ ...request, resume: progress });
    expect(started, `resume after checkpoint ${crashAfterCheckpoint}`).toBeDefined();
    expect(await driver.backend.conversations()).toHaveLength(1);
  }
}

async function runWithIds(driver: Driver, length: number): Promise<void> {
  const id = oddCharacters
    .repeat(Math.ceil(length / oddCharacters.length))
    .slice(0, length)
    .toWellFormed();
  const driven = await driver.start({ conversation: id, user: { id, name: "Ada" } });
  await driver.send(driven, newMessage({ text: `ids of ${length}` }));
  if (driver.connection.sendMessage) {
    expect((await driver.desk(driven)).messages.some(({ text }) => text === `ids of ${length}`)).toBe(true);
  }
  await driver.backend.agentSays(driven.deskId, "I have your id.");
  await driver.observe();
  if (driver.connection.translate && (driver.connection.receiveWebhook ?? driver.connection.catchUp)) {
    expect(agentTexts(driven)).toEqual(["I have your id."]);
  }
  if (!driver.connection.end) return;
  await driver.connection.end(driven.handover, { reason: "completed", actor: "user" }, driver.call());
  await driver.observe();
  expect((await driver.desk(driven)).status).toBe("closed");
}

async function leavesOutEmptyFields(driver: Driver): Promise<void> {
  for (const empty of ["", "   ", null, undefined]) {
    const before = driver.gateway.calls.length;
    const user = { id: "user-with-little", name: empty, email: empty, phone: empty, language: empty, attributes: { note: empty } };
    await driver.start({ user: user as unknown as User, summary: empty as string });
    for (const { body } of driver.gateway.calls.slice(before)) expectNothingEmpty(body);
  }
}

function expectNothingEmpty(body: string): void {
  if (!body.startsWith("{")) return;
  JSON.parse(body, (key, value: unknown) => {
    expect(value, `"${key}" is null`).not.toBeNull();
    if (typeof value === "string") expect(value.trim(), `"${key}" is empty`).not.toBe("");
    return value;
  });
}

function textOf(message: Message): string {
  return message.text ?? "";
}
