import { HandoverError, ProviderApiError } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import type { DrivenHandover } from "./driven-handover.ts";
import { newMessage } from "./samples.ts";
import { userMark } from "./secrets.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const json = "application/json";
const reference = "reference-4711";

/** Refusals as real services word them, by the shape of their bodies. The last one was cut off. */
const refusals: readonly (readonly [status: number, type: string, body: string])[] = [
  [422, json, `{"message":"${userMark} is invalid","attributes":["email"]}`],
  [422, json, `{"error":{"code":"field_invalid","message":"${userMark}"}}`],
  [400, json, `{"errors":[{"code":"bad","field":"user","message":"${userMark}"}]}`],
  [400, json, `{"errors":["first","${userMark}"]}`],
  [400, json, `{"errors":{"user":["${userMark}"]}}`],
  [400, json, '{"error":null,"errors":[null,1,[]],"code":{},"message":[]}'],
  [429, "text/plain", "Retry later\n"],
  [500, json, '{"fault":{"faultstring":"no route","detail":{"errorcode":"gateway.error"}}}'],
  [502, "text/html", "<html><body>502 Bad Gateway</body></html>"],
  [400, json, ""],
  [400, "text/html", "<!doctype html><p>Bad request"],
  [400, json, `{"errors":[{"code":"bad","mess`],
];

/** Whatever an answer looks like: refusals of every shape, and successes without a body. */
export function answerTests(suite: Suite): readonly DrivenTest[] {
  return [
    test("should keep status, code and reference of a refusal of any shape, and take a success without a body for one [F094]", async (driver) => {
      await expectTyped(driver, () => driver.connection.start(driver.request(), driver.call()));
      const driven = await driver.start();
      if (suite.has("sendMessage")) await expectTyped(driver, () => sendOne(driver, driven, "refused"));
      await takesEmptySuccess(driver, driven);
    }),
    ...when(
      suite.has("sendMessage"),
      test("should not call a message refused whose success has no body [F094 part: an empty success of a message]", async (driver) => {
        const driven = await driver.start();
        const error = await withoutBodies(driver, () => sendOne(driver, driven, "taken without a word")).catch((reason: unknown) => reason);
        if (error !== undefined) expect(HandoverError.isInstance(error) && error.outcome).toBe("unknown");
        const texts = (await driver.desk(driven)).messages.map(({ text }) => text);
        expect(texts.filter((text) => text === "taken without a word")).toHaveLength(1);
      }),
    ),
  ];
}

async function takesEmptySuccess(driver: Driver, driven: DrivenHandover): Promise<void> {
  await driver.backend.agentAccepts(driven.deskId);
  await driver.observe();
  const { connection } = driver;
  const { handover } = driven;
  const outcome = await withoutBodies(driver, async () => {
    await connection.setTyping?.(handover, true, driver.call());
    await connection.setUserPresence?.(handover, false, driver.call());
    await connection.reportDelivery?.(handover, { vendorMessageIds: [], status: "read", upToMs: Date.now() }, driver.call());
    await connection.updateHandover?.(handover, { user: { id: handover.id, name: "Ada Lovelace" } }, driver.call());
    return connection.end?.(handover, { reason: "completed", actor: "user" }, driver.call());
  });
  if (outcome === undefined) return;
  expect(["ended", "requested"]).toContain(outcome);
  expect((await driver.desk(driven)).status).toBe("closed");
}

/** What is written is done, and nothing is said of it. */
async function withoutBodies<Result>(driver: Driver, run: () => Promise<Result>): Promise<Result> {
  driver.gateway.setFaults(({ method }) => (method === "GET" ? undefined : { kind: "empty-answer" }));
  return run().finally(() => driver.gateway.setFaults(undefined));
}

async function expectTyped(driver: Driver, run: () => Promise<unknown>): Promise<void> {
  for (const [status, type, body] of refusals) {
    const headers = { "content-type": type, "x-request-id": reference };
    driver.gateway.setFaults(() => ({ kind: "answer", status, headers, body }));
    const error = await driver.failure(run);
    driver.gateway.setFaults(undefined);
    expect(ProviderApiError.isInstance(error), `${status} ${body}: ${error.code}`).toBe(true);
    expect([status, body, error]).toEqual([status, body, expect.objectContaining({ status, vendorReferenceId: reference })]);
  }
}

async function sendOne(driver: Driver, driven: DrivenHandover, text: string): Promise<void> {
  await driver.connection.sendMessage?.(driven.handover, driver.plan(driven, newMessage({ text }))[0] ?? never(), driver.call());
}

function never(): never {
  throw new Error("A message with a text has no part.");
}
