import { HandoverError } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { agentTexts } from "./driven-handover.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** What becomes of a start whose answers are lost, whichever of them it was. */
export function findStartedTests(suite: Suite): readonly DrivenTest[] {
  return [
    test("should never open a second conversation when an answer is lost during the start [F043 part: no blind create]", losesEachAnswer),
    ...when(
      suite.has("findStarted"),
      test("should find nothing before anything was started, and make nothing", async (driver) => {
        const found = await driver.connection.findStarted?.(driver.request(), driver.call());
        expect(["absent", "unknown"]).toContain(found);
        expect(await driver.backend.conversations()).toHaveLength(0);
      }),
      test("should find a lost start among many conversations that came after it [F102 part: conversations]", findsAmongMany),
      test("should not take the conversation of another handover for the lost one", async (driver) => {
        await driver.start();
        const found = await driver.connection.findStarted?.(driver.request(), driver.call());
        expect(["absent", "unknown"]).toContain(found);
      }),
    ),
  ];
}

async function losesEachAnswer(driver: Driver): Promise<void> {
  const { length: calls } = await callsOfStart(driver);
  for (let lost = 1; lost <= calls; lost += 1) {
    await driver.backend.reset();
    const request = driver.request();
    driver.gateway.setFaults((_call, index) => (index === lost ? { kind: "lose-answer" } : undefined));
    const attempt = await driver.attemptStart(request);
    driver.gateway.setFaults(undefined);
    const started = attempt.started ?? (await recover(driver, request, attempt));
    const conversations = await driver.backend.conversations();
    expect(conversations.length, `the answer of call ${lost} was lost`).toBeLessThanOrEqual(1);
    if (started) await expectRelay(driver, request, started, conversations[0]?.id ?? "");
  }
}

/** More of them than a page has at any vendor that we know. */
async function findsAmongMany(driver: Driver): Promise<void> {
  const { request, progress } = await loseCreation(driver);
  const [lost] = await driver.backend.conversations();
  for (let count = 0; count < 30; count += 1) await driver.attemptStart(driver.request({ transcript: [] }));
  const found = await driver.connection.findStarted?.({ ...request, resume: progress }, driver.call());
  expect(found, "it is there").not.toBe("absent");
  if (typeof found === "object") await expectRelay(driver, request, found, lost?.id ?? "");
}

/** A start that loses the answer which tells of its conversation, and whatever comes after it. */
async function loseCreation(driver: Driver): Promise<{ readonly request: Request; readonly progress: Attempt["progress"] }> {
  const { length: calls } = await callsOfStart(driver);
  for (let lost = 1; lost <= calls; lost += 1) {
    await driver.backend.reset();
    const request = driver.request({ transcript: [] });
    driver.gateway.setFaults((_call, index) => (index >= lost ? { kind: "lose-answer" } : undefined));
    const { progress } = await driver.attemptStart(request);
    driver.gateway.setFaults(undefined);
    if ((await driver.backend.conversations()).length === 1) return { request, progress };
  }
  throw new Error("No answer tells of the conversation.");
}

async function callsOfStart(driver: Driver): Promise<readonly unknown[]> {
  const before = driver.gateway.calls.length;
  await driver.attemptStart(driver.request());
  return driver.gateway.calls.slice(before);
}

type Request = Parameters<Driver["attemptStart"]>[0];
type Attempt = Awaited<ReturnType<Driver["attemptStart"]>>;

/** What the runtime does after a start that failed. */
async function recover(driver: Driver, request: Request, { error, progress }: Attempt): Promise<Attempt["started"]> {
  if (!HandoverError.isInstance(error)) throw error;
  const resumed = { ...request, resume: progress };
  if (error.outcome === "unknown") {
    const found = (await driver.connection.findStarted?.(resumed, driver.call())) ?? "unknown";
    if (found !== "absent") return found === "unknown" ? undefined : found;
  }
  return (await driver.attemptStart(resumed)).started;
}

async function expectRelay(driver: Driver, request: Request, started: NonNullable<Attempt["started"]>, deskId: string): Promise<void> {
  if (!driver.connection.translate || started.relay === "none") return;
  const driven = driver.adopt(request, started, deskId);
  await driver.backend.agentSays(deskId, "I found you.");
  await driver.observe();
  if (driver.connection.receiveWebhook ?? driver.connection.catchUp) expect(agentTexts(driven)).toEqual(["I found you."]);
}
