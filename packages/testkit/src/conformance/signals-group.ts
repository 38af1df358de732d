import { expect } from "vitest";
import { countEvents, receivedMessages, type DrivenHandover } from "./driven-handover.ts";
import type { Driver } from "./driver.ts";
import { newMessage } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** The smaller abilities: typing, receipts, presence, queue, surveys, profiles, files. */
export function signalTests(suite: Suite): readonly DrivenTest[] {
  const { backend } = suite;
  return [
    ...when(
      suite.has("setTyping"),
      quiet("setTyping", (driver, { handover }) => driver.connection.setTyping?.(handover, true, driver.call())),
    ),
    ...when(
      suite.has("setUserPresence"),
      quiet("setUserPresence", (driver, { handover }) => driver.connection.setUserPresence?.(handover, true, driver.call())),
    ),
    ...when(
      suite.has("reportDelivery") && suite.hears && suite.has("translate"),
      quiet("reportDelivery", async (driver, driven) => {
        await backend.agentSays(driven.deskId, "did you get this?");
        await driver.observe();
        const vendorMessageIds = receivedMessages(driven).map(({ id }) => id);
        await driver.connection.reportDelivery?.(driven.handover, { vendorMessageIds, status: "read", upToMs: Date.now() }, driver.call());
      }),
    ),
    ...when(
      suite.has("setTyping") && backend.signalsAtDesk,
      test("should show the user typing, and not typing any more", async (driver) => {
        const driven = await accepted(driver);
        for (const isTyping of [true, false]) await driver.connection.setTyping?.(driven.handover, isTyping, driver.call());
        const told = (await backend.signalsAtDesk?.(driven.deskId))?.typing;
        if (told) expect(told).toEqual([true, false]);
        expect(countEvents(driven, "typing-changed"), "our own typing must not come back").toBe(0);
      }),
    ),
    ...when(
      suite.has("setUserPresence") && backend.signalsAtDesk,
      test("should tell the desk once that the user has gone, and once that the user is back [F071 part: provider]", async (driver) => {
        const driven = await accepted(driver);
        for (const isPresent of [false, true]) {
          await driver.connection.setUserPresence?.(driven.handover, isPresent, driver.call());
          await driver.observe();
        }
        const told = (await backend.signalsAtDesk?.(driven.deskId))?.presence;
        if (told) expect(told).toEqual([false, true]);
        expect(receivedMessages(driven), "what the desk is told must not come back to the user").toEqual([]);
      }),
    ),
    ...when(
      suite.has("getQueueStatuses") && backend.queueIs,
      test("should give position and wait as the desk has them, in milliseconds [F141 part: the queue, F142 part: units]", async (driver) => {
        await backend.queueIs?.({ position: 3, estimatedWaitMs: 300_000 });
        const driven = await driver.start();
        const statuses = await driver.connection.getQueueStatuses?.([driven.handover], driver.call());
        expect(statuses?.get(driven.handover.id)).toMatchObject({ position: 3, estimatedWaitMs: 300_000 });
        await backend.queueIs?.({});
        const unknown = (await driver.connection.getQueueStatuses?.([driven.handover], driver.call()))?.get(driven.handover.id) ?? {};
        expect(Object.values(unknown).filter((value) => typeof value === "number" && value < 0)).toEqual([]);
        expect(unknown).not.toHaveProperty("estimatedWaitMs");
      }),
    ),
    ...when(
      suite.has("updateHandover"),
      quiet("updateHandover", (driver, { handover, request }) =>
        driver.connection.updateHandover?.(handover, { user: { ...request.user, id: handover.id, name: "Ada Lovelace" } }, driver.call()),
      ),
    ),
    ...when(
      suite.has("getQueueStatuses"),
      test("should give the queue by handover, unknown numbers being absent [F142 part: provider, F145 part: one batch]", givesQueue),
      test(
        "should ask for the queue of 20 handovers at once, and say how long the answer holds [F145 part: calls, minimum interval]",
        asksSparingly,
      ),
    ),
    ...when(
      suite.has("recognizeUserMessage"),
      test("should not see events in what users usually write", async (driver) => {
        const driven = await driver.start();
        for (const text of ["hello", "", "agent", "__init__", "/end"]) {
          expect(driver.connection.recognizeUserMessage?.(driven.handover, newMessage({ text }))).toBeUndefined();
        }
      }),
    ),
    ...when(
      suite.has("getAgentProfile") && suite.hears,
      test("should know the name of an agent, never a login [F123 part: profile, F151 part: provider]", async (driver) => {
        const driven = await driver.start();
        await backend.agentSays(driven.deskId, "hello");
        await driver.observe();
        const agentId = receivedMessages(driven).find(({ author }) => author.role === "agent")?.author.id;
        if (agentId === undefined) return;
        const { name } = (await driver.connection.getAgentProfile?.(agentId, driver.call())) ?? {};
        expect(name ?? "").not.toContain("@");
      }),
      test(
        "should give up a slow name service when it is told to, and ask again the next time [F151 part: a slow name service]",
        givesUpNames,
      ),
    ),
    ...when(
      suite.has("downloadAttachment", "translate") && suite.hears && backend.agentSendsFile,
      test("should show and fetch a file of an agent, with name and type [F132 part: from the agent]", fetchesFile),
    ),
    ...when(
      suite.has("submitSurvey", "translate") && suite.hears && backend.surveyIsOffered,
      test("should offer a survey and take its answers [F082 part: the vendor's survey]", async (driver) => {
        const driven = await driver.start();
        await backend.surveyIsOffered?.(driven.deskId);
        await driver.observe();
        const offered = driven.events.find((event) => event.type === "survey-offered");
        const question = offered?.survey.questions[0];
        expect(question).toBeDefined();
        const value = question?.maximum ?? "good";
        const answers = { survey: offered?.survey.id ?? "", answers: { [question?.id ?? ""]: value } };
        await driver.connection.submitSurvey?.(driven.handover, answers, driver.call());
        const told = (await backend.signalsAtDesk?.(driven.deskId))?.surveyAnswers;
        if (told) expect(told).toEqual([[value]]);
      }),
    ),
    ...when(
      suite.has("prepare"),
      test("should prepare as often as it is asked", async (driver) => {
        await driver.connection.prepare?.(driver.call());
        await driver.start();
      }),
    ),
  ];
}

async function accepted(driver: Driver): Promise<DrivenHandover> {
  const driven = await driver.start();
  await driver.backend.agentAccepts(driven.deskId);
  await driver.observe();
  return driven;
}

/** Signals are no messages: the desk's conversation stays as it is. */
function quiet(name: string, run: (driver: Driver, driven: DrivenHandover) => unknown): DrivenTest {
  return test(`should write nothing into the conversation with ${name}`, async (driver) => {
    const driven = await driver.start();
    await driver.backend.agentAccepts(driven.deskId);
    await driver.observe();
    const own = async () => (await driver.desk(driven)).messages.filter(({ author }) => author === "user" || author === "bot");
    const before = await own();
    await run(driver, driven);
    expect(await own()).toEqual(before);
  });
}

async function givesQueue(driver: Driver): Promise<void> {
  const [first, second] = [await driver.start(), await driver.start()];
  const statuses = (await driver.connection.getQueueStatuses?.([first.handover, second.handover], driver.call())) ?? new Map();
  for (const [id, { position, estimatedWaitMs, validForMs }] of statuses) {
    expect([first.handover.id, second.handover.id]).toContain(id);
    if (position !== undefined) expect(position).toBeGreaterThanOrEqual(1);
    if (estimatedWaitMs !== undefined) expect(estimatedWaitMs).toBeGreaterThanOrEqual(0);
    expect(validForMs).toBeGreaterThan(0);
  }
}

/** At most a call for each where the vendor has no call for all; finding out which it has may take more, once. */
async function asksSparingly(driver: Driver): Promise<void> {
  const waiting: DrivenHandover[] = [];
  for (let count = 0; count < 20; count += 1) waiting.push(await driver.start({ transcript: [] }));
  const handovers = waiting.map(({ handover }) => handover);
  const first = await driver.connection.getQueueStatuses?.(handovers, driver.call());
  const before = driver.gateway.calls.length;
  const second = await driver.connection.getQueueStatuses?.(handovers, driver.call());
  const calls = driver.gateway.calls.slice(before);
  expect(calls.length).toBeLessThanOrEqual(handovers.length);
  expect(new Set(calls.map(({ method, url, body }) => `${method} ${url} ${body}`)).size, "a call that is made twice").toBe(calls.length);
  expect(second, "nothing has changed").toEqual(first);
  for (const { validForMs } of second?.values() ?? []) expect(validForMs, "the shortest interval").toBeGreaterThanOrEqual(1000);
}

/** A name service that answers too late for everybody. */
const slowMs = 10_000;

async function givesUpNames(driver: Driver): Promise<void> {
  const driven = await driver.start();
  await driver.backend.agentSays(driven.deskId, "hello");
  await driver.observe();
  const agentId = receivedMessages(driven).find(({ author }) => author.role === "agent")?.author.id;
  if (agentId === undefined) return;
  const controller = new AbortController();
  driver.gateway.setFaults(() => {
    controller.abort();
    return { kind: "delay", delayMs: slowMs };
  });
  const startedAtMs = Date.now();
  const error = await driver.failure(() => driver.connection.getAgentProfile?.(agentId, driver.call({ signal: controller.signal })));
  expect(Date.now() - startedAtMs, "waits although nobody does").toBeLessThan(slowMs);
  expect(error.outcome).toBe("not-applied");
  driver.gateway.setFaults(undefined);
  const { id } = (await driver.connection.getAgentProfile?.(agentId, driver.call())) ?? {};
  expect(id, "the next one who asks is told").toBe(agentId);
}

async function fetchesFile(driver: Driver): Promise<void> {
  const driven = await driver.start();
  const bytes = Buffer.from("the plan of the house");
  await driver.backend.agentSendsFile?.(driven.deskId, { name: "Grundriß.pdf", type: "application/pdf", bytes });
  await driver.observe();
  const attachment = receivedMessages(driven).flatMap(({ attachments = [] }) => attachments)[0];
  if (!attachment) throw new Error("The user was shown no file.");
  expect(attachment).toMatchObject({ name: "Grundriß.pdf", type: "application/pdf" });
  const content = await driver.connection.downloadAttachment?.(driven.handover, attachment, driver.call());
  if (!content) throw new Error("downloadAttachment gave nothing.");
  expect(Buffer.from(await new Response(content.stream).arrayBuffer())).toEqual(bytes);
}
