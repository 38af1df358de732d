import { HandoverError, type Message } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import type { DrivenHandover } from "./driven-handover.ts";
import type { GatewayFault } from "./gateway.ts";
import { newMessage } from "./samples.ts";
import { test, type DrivenTest, type Suite } from "./suite.ts";

/** What became of a message whose answer was lost. */
export function findSentTests(suite: Suite): readonly DrivenTest[] {
  if (!suite.has("sendMessage", "findSentMessage")) return [];
  return [
    test("should find a message whose answer was lost [F022 part: read back]", async (driver) => {
      const driven = await driver.start();
      const found = await sendInDoubt(driver, driven, newMessage({ text: "did it arrive?" }), { kind: "lose-answer" });
      expect((await driver.desk(driven)).messages.filter(({ text }) => text === "did it arrive?")).toHaveLength(1);
      expect(found, "it is there").not.toBe("absent");
    }),
    test("should not claim to have found a message that was never taken", async (driver) => {
      const driven = await driver.start();
      const found = await sendInDoubt(driver, driven, newMessage({ text: "lost on its way" }), { kind: "cut" });
      expect(["absent", "unknown"]).toContain(found);
    }),
    test("should not take an earlier message with the same text for the lost one [F025 part: never by text]", async (driver) => {
      const driven = await driver.start();
      await driver.send(driven, newMessage({ text: "ok" }));
      const found = await sendInDoubt(driver, driven, newMessage({ text: "ok" }), { kind: "cut" });
      expect(["absent", "unknown"]).toContain(found);
    }),
  ];
}

async function sendInDoubt(driver: Driver, driven: DrivenHandover, message: Message, fault: GatewayFault): Promise<unknown> {
  const part = driver.plan(driven, message)[0] ?? { message };
  const call = driver.call();
  const firstAttemptAtMs = Date.now();
  driver.gateway.setFaults((_call, index) => (index === 1 ? fault : undefined));
  const error = await driver.failure(() => driver.connection.sendMessage?.(driven.handover, part, call));
  driver.gateway.setFaults(undefined);
  expect(HandoverError.isInstance(error) && error.outcome).toBe("unknown");
  const sent = { part, idempotencyKey: call.idempotencyKey, firstAttemptAtMs };
  return driver.connection.findSentMessage?.(driven.handover, sent, driver.call());
}
