import type { Handover, Translation, VendorDelivery } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { agentTexts, countEvents, isActive, receivedMessages, type DrivenHandover } from "./driven-handover.ts";
import { deepFreeze } from "./expectations.ts";
import { mutationsOf } from "./mutations.ts";
import { canForge, forgedDeliveries } from "./forged-webhooks.ts";
import { newMessage, newTranscript } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const secretNote = "between us: be careful";

/** What a delivery means: for people, for the state, and that it cannot do harm. */
export function translateTests(suite: Suite): readonly DrivenTest[] {
  if (!suite.has("translate") || !suite.hears) return [];
  const { backend } = suite;
  return [
    test("should show the user what an agent writes, with id, author and time", async (driver) => {
      const driven = await driver.start();
      await says(driver, driven, "How can I help?");
      const [message] = receivedMessages(driven).filter(({ author }) => author.role === "agent");
      expect(message?.text).toBe("How can I help?");
      expect(message?.id).toBeTruthy();
      expect(new Date(message?.sentAt ?? "").toISOString()).toBe(message?.sentAt);
    }),
    test("should show three equal texts of an agent three times, and each once [F025 part: incoming]", async (driver) => {
      const driven = await driver.start();
      for (let count = 0; count < 3; count += 1) await backend.agentSays(driven.deskId, "ok");
      await driver.observe();
      expect(agentTexts(driven)).toEqual(["ok", "ok", "ok"]);
      expect(new Set(receivedMessages(driven).map(({ id }) => id)).size).toBe(receivedMessages(driven).length);
    }),
    test("should never show a login or an e-mail address as a name [F123 part: provider]", async (driver) => {
      const driven = await driver.start();
      await backend.agentAccepts(driven.deskId);
      await says(driver, driven, "hello");
      for (const name of namesIn(driven)) expect(name).not.toContain("@");
    }),
    ...when(
      suite.has("sendMessage"),
      test("should not show our own messages to the user when they come back [F019 part: provider]", async (driver) => {
        const driven = await driver.start({ transcript: newTranscript(4) });
        for (const role of ["user", "bot", "system"] as const) await driver.send(driven, newMessage({ role, text: `from the ${role}` }));
        await driver.observe();
        await driver.catchUp(driven);
        expect(receivedMessages(driven).map(({ text }) => text ?? "")).not.toContainEqual(expect.stringMatching(/from the |line \d of/));
        expect(isActive(driven)).toBe(false);
      }),
    ),
    ...when(
      backend.agentWritesNote,
      test("should never show a private note to the user [F119 part: note]", async (driver) => {
        const driven = await driver.start();
        await backend.agentAccepts(driven.deskId);
        await backend.agentWritesNote?.(driven.deskId, secretNote);
        await driver.observe();
        await driver.catchUp(driven);
        expect(shownTexts(driven.events)).not.toContain(secretNote);
        expect(isActive(driven) && agentTexts(driven).length > 0).toBe(false);
      }),
      ...when(
        canForge(suite),
        test(
          "should not show a note either when the webhook is incomplete or has unknown values [F119 part: unknown audience]",
          hidesOddNotes,
        ),
      ),
    ),
    ...when(
      backend.agentIsAssigned,
      test("should not take an assignment for an answer [F053 part: assigned is not active]", async (driver) => {
        const driven = await driver.start();
        await backend.agentIsAssigned?.(driven.deskId);
        await driver.observe();
        expect(isActive(driven)).toBe(false);
      }),
    ),
    test("should be active with the first message of an agent [F053 part: first message]", async (driver) => {
      const driven = await driver.start();
      expect(isActive(driven)).toBe(false);
      await says(driver, driven, "here I am");
      expect(isActive(driven)).toBe(true);
    }),
    ...when(
      backend.systemSays,
      test("should show automatic messages as system, and not be active by them [F152 part: provider]", async (driver) => {
        const driven = await driver.start();
        await backend.systemSays?.(driven.deskId, "We are open from nine to five.");
        await driver.observe();
        const shown = receivedMessages(driven).filter(({ text }) => text === "We are open from nine to five.");
        expect(shown.every(({ author }) => author.role === "system")).toBe(true);
        expect(isActive(driven)).toBe(false);
      }),
    ),
    ...when(
      backend.agentTypes,
      test("should not keep typing, and show it as typing only", async (driver) => {
        const driven = await driver.start();
        await backend.agentTypes?.(driven.deskId, true);
        await driver.observe();
        const typing = driver.deliveries.filter((delivery) => typesOf(driver, driven, delivery).includes("typing-changed"));
        expect(typing.every(({ isEphemeral }) => isEphemeral)).toBe(true);
        expect(receivedMessages(driven).filter(({ author }) => author.role === "agent")).toEqual([]);
      }),
    ),
    test("should report the end once, with reason and actor [F054 part: provider]", async (driver) => {
      const driven = await driver.start();
      await says(driver, driven, "good bye");
      await backend.agentCloses(driven.deskId);
      await driver.observe();
      await driver.catchUp(driven);
      expect(driven.events.filter(({ type }) => type === "ended")).toEqual([
        expect.objectContaining({ reason: expect.stringMatching(/completed|abandoned/) as string, actor: expect.any(String) as string }),
      ]);
    }),
    test("should give the last message whether it is translated before or after the end [F033 part: provider]", async (driver) => {
      const driven = await driver.start();
      await says(driver, driven, "hello");
      await backend.agentCloses(driven.deskId);
      await driver.observe();
      const messages = driver.deliveries.filter((delivery) => typesOf(driver, driven, delivery).includes("message-received"));
      const ended = driven.handover;
      expect(countEvents(driven, "ended")).toBe(1);
      expect(messages.flatMap((delivery) => translate(driver, ended, delivery).events).map(({ type }) => type)).toContain(
        "message-received",
      );
      expect(agentTexts(driven)).toEqual(["hello"]);
    }),
    ...when(
      backend.deskRefuses,
      test("should never call a refused request completed [F059 part: provider]", async (driver) => {
        const driven = await driver.start();
        await backend.deskRefuses?.(driven.deskId);
        await driver.observe();
        expect(driven.events.filter(({ type }) => type === "ended")).toEqual([
          expect.objectContaining({ reason: expect.stringMatching(/^(unavailable|failed)$/) as string }),
        ]);
      }),
    ),
    test("should keep what formats a text: signs, angle brackets, lines [F095 part: from the agent]", async (driver) => {
      const driven = await driver.start();
      const text = "*one* _two_ <b>three</b>\nsecond line with 2 < 3 & 4 > 1\nthird: `x` #1 - [a](b)";
      await says(driver, driven, text);
      const [message] = receivedMessages(driven).filter(({ author }) => author.role === "agent");
      expect(message?.text).toBe(text);
      expect([undefined, "plain", "markdown"]).toContain(message?.format);
    }),
    test("should name who comes, or nobody: never an id or a login [F141 part: the join, F151 part: each its own author]", async (driver) => {
      const driven = await driver.start();
      await backend.agentAccepts(driven.deskId);
      await says(driver, driven, "hello");
      for (const event of driven.events) {
        if (event.type !== "agent-joined" || event.agent.name === undefined) continue;
        expect(event.agent.name.trim()).not.toBe("");
        expect(event.agent.name).not.toBe(event.agent.id);
        expect(event.agent.name).not.toContain("@");
      }
    }),
    ...when(
      backend.agentTransfers,
      test("should give each message its own author, also after a transfer within seconds [F151 part: each its own author]", ownAuthors),
    ),
    test("should not let what was said before the end open it again [F034 part: older states]", async (driver) => {
      const driven = await driver.start();
      await backend.agentIsAssigned?.(driven.deskId);
      await backend.agentAccepts(driven.deskId);
      await says(driver, driven, "hello");
      await backend.agentLeaves?.(driven.deskId);
      const before = [...driver.receiver.requests];
      await backend.agentCloses(driven.deskId);
      await driver.observe();
      expect(countEvents(driven, "ended")).toBe(1);
      const again: VendorDelivery[] = [];
      for (const request of before) {
        const received = await driver.connection.receiveWebhook?.(request, driver.call());
        again.push(...(received?.deliveries ?? []));
      }
      for (const delivery of again) {
        const types = translate(driver, driven.handover, delivery).events.map(({ type }) => type);
        expect(types.filter((type) => type === "reopened" || type === "ended")).toEqual([]);
      }
    }),
    ...when(
      backend.agentLeaves,
      test("should not end when an agent leaves [F058 part: agent-left is not ended]", (driver) => staysOpen(driver, "agentLeaves")),
    ),
    ...when(
      backend.agentTransfers,
      test("should not end when the conversation is transferred [F057 part: transfer]", (driver) => staysOpen(driver, "agentTransfers")),
    ),
    test("should be pure: the same arguments give the same answer and are not changed [F157 part: translate]", async (driver) => {
      const driven = await driver.start();
      await tour(driver, driven);
      for (const delivery of forHandover(driver, driven)) {
        const [handover, argument] = [deepFreeze(structuredClone(driven.handover)), deepFreeze(structuredClone(delivery))];
        const first = translate(driver, handover, argument);
        expect(translate(driver, handover, argument)).toEqual(first);
        expect(JSON.parse(JSON.stringify(first))).toEqual(first);
      }
    }),
    test("should survive deliveries of which something is missing or of another value [F091 part: never thrown]", async (driver) => {
      const driven = await driver.start();
      await tour(driver, driven);
      for (const delivery of forHandover(driver, driven)) {
        for (const payload of mutationsOf(delivery.payload, "same-type", 200)) {
          expect(translate(driver, driven.handover, { ...delivery, payload })).toHaveProperty("events");
        }
      }
    }),
    ...when(
      canForge(suite),
      test("should survive webhooks of which something is missing or of another type [F091 part: never thrown]", async (driver) => {
        const driven = await driver.start();
        await tour(driver, driven);
        for await (const delivery of forgedDeliveries(driver, driver.receiver.requests, 60)) {
          expect(translate(driver, driven.handover, delivery)).toHaveProperty("events");
        }
      }),
    ),
    test("should survive deliveries after the end [F034 part: late events]", async (driver) => {
      const driven = await driver.start();
      await tour(driver, driven);
      await driver.translate(driven, { references: driven.started.references, payload: { surprise: true } });
      for (const delivery of forHandover(driver, driven)) translate(driver, driven.handover, delivery);
      if (driven.wakeAtMs !== null) await driver.translate(driven, { wake: true, atMs: driven.wakeAtMs });
      expect(countEvents(driven, "ended")).toBeGreaterThan(0);
    }),
  ];
}

/** Everything that the probe can do, up to the end. */
async function tour(driver: Driver, { deskId }: DrivenHandover): Promise<void> {
  const { backend } = driver;
  await backend.agentIsAssigned?.(deskId);
  await backend.agentAccepts(deskId);
  await backend.systemSays?.(deskId, "a greeting");
  await backend.agentTypes?.(deskId, true);
  await backend.agentSays(deskId, "hello");
  await backend.agentSendsFile?.(deskId, { name: "plan.txt", type: "text/plain", bytes: Buffer.from("plan") });
  await backend.agentWritesNote?.(deskId, secretNote);
  await backend.surveyIsOffered?.(deskId);
  await backend.agentTransfers?.(deskId);
  await backend.agentLeaves?.(deskId);
  await backend.agentCloses(deskId);
  await backend.agentReopens?.(deskId);
  if (backend.agentReopens) await backend.agentCloses(deskId);
  await driver.observe();
}

async function hidesOddNotes(driver: Driver): Promise<void> {
  const driven = await driver.start();
  await driver.observe();
  await driver.backend.agentWritesNote?.(driven.deskId, secretNote);
  await driver.observe();
  const notes = driver.receiver.requests.filter(({ body }) => Buffer.from(body).includes(secretNote));
  for await (const delivery of forgedDeliveries(driver, notes, 1000)) {
    const { events } = translate(driver, driven.handover, delivery);
    expect(shownTexts(events), "an odd note was shown").not.toContain(secretNote);
  }
}

/** All of it has happened before anything of it is translated. */
async function ownAuthors(driver: Driver): Promise<void> {
  const driven = await driver.start();
  await driver.backend.agentAccepts(driven.deskId);
  await driver.backend.agentSays(driven.deskId, "from the first");
  await driver.backend.agentTransfers?.(driven.deskId);
  await driver.backend.agentSays(driven.deskId, "from the second");
  await driver.observe();
  await driver.catchUp(driven);
  const authors = receivedMessages(driven).flatMap(({ author, text }) => (author.role === "agent" ? [{ text, ...author }] : []));
  expect(authors.map(({ text }) => text)).toEqual(["from the first", "from the second"]);
  for (const key of ["id", "name"] as const) {
    const [first, second] = authors.map((author) => author[key]);
    if (first !== undefined || second !== undefined) expect(second, `${key} of both messages`).not.toBe(first);
  }
}

async function staysOpen(driver: Driver, step: "agentLeaves" | "agentTransfers"): Promise<void> {
  const driven = await driver.start();
  await driver.backend.agentAccepts(driven.deskId);
  await says(driver, driven, "one moment");
  await driver.backend[step]?.(driven.deskId);
  await driver.observe();
  expect(countEvents(driven, "ended")).toBe(0);
}

async function says(driver: Driver, driven: DrivenHandover, text: string): Promise<void> {
  await driver.backend.agentSays(driven.deskId, text);
  await driver.observe();
}

function translate(driver: Driver, handover: Handover, delivery: VendorDelivery): Translation {
  return driver.connection.translate?.(handover, delivery) ?? { events: [] };
}

function typesOf(driver: Driver, driven: DrivenHandover, delivery: VendorDelivery): string[] {
  return translate(driver, driven.handover, delivery).events.map(({ type }) => type);
}

function forHandover(driver: Driver, driven: DrivenHandover): VendorDelivery[] {
  return driver.deliveries.filter(({ references }) => references.some((reference) => driven.started.references.includes(reference)));
}

function shownTexts(events: readonly Translation["events"][number][]): string {
  const shown = events.filter(({ type }) => type !== "desk-note");
  return JSON.stringify(shown);
}

function namesIn(driven: DrivenHandover): string[] {
  return driven.events.flatMap((event) => {
    if (event.type === "message-received") return event.message.author.name ?? [];
    return "agent" in event ? (event.agent.name ?? []) : [];
  });
}
