import { AuthenticationError, type HandoverError } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import type { GatewayFault } from "./gateway.ts";
import { newMessage } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const oddBodies = ["", "<html><body>502 Bad Gateway</body></html>", '{"id":', "null", "[]", '"text"', "{}"];

/** Errors say what to do: repeat or not, wait how long, what must stop, and whether it was perhaps done. */
export function errorTests(suite: Suite): readonly DrivenTest[] {
  return [
    test("should give typed errors for odd answers to a start [F049 part: missing fields, F094 part: odd bodies]", async (driver) => {
      for (const body of oddBodies) {
        for (const status of [200, 500]) {
          await startFails(driver, { kind: "answer", status, body, headers: { "content-type": "application/json" } });
        }
      }
    }),
    test("should tell refused credentials from other errors and stop the connection [F109 part: provider]", async (driver) => {
      for (const status of [401, 403]) {
        const error = await startFails(driver, { kind: "answer", status, body: "{}" });
        expect(AuthenticationError.isInstance(error), `${status}`).toBe(true);
        expect(error.effect).toBe("connection");
        expect(error.outcome).toBe("not-applied");
      }
    }),
    test("should ask for a pause when the vendor asks for one [F101 part: Retry-After]", async (driver) => {
      const error = await startFails(driver, { kind: "answer", status: 429, headers: { "retry-after": "7" } });
      expect(error).toMatchObject({ isRetryable: true, outcome: "not-applied", retryAfterMs: 7000 });
    }),
    test("should say that nothing was done after a 503, and that a repeat can help", async (driver) => {
      const error = await startFails(driver, { kind: "answer", status: 503 });
      expect(error).toMatchObject({ isRetryable: true, outcome: "not-applied" });
    }),
    ...when(
      suite.has("sendMessage"),
      test("should not know what became of a send after 500, 502, 504 and a lost answer", async (driver) => {
        const lost = [500, 502, 504].map((status): GatewayFault => ({ kind: "answer", status }));
        for (const fault of [...lost, { kind: "cut" } as const]) {
          expect(await sendFails(driver, fault)).toMatchObject({ isRetryable: true, outcome: "unknown" });
        }
      }),
      test("should know that a send was not done after 429 and 503", async (driver) => {
        for (const status of [429, 503]) {
          expect(await sendFails(driver, { kind: "answer", status })).toMatchObject({ isRetryable: true, outcome: "not-applied" });
        }
      }),
      test("should stop the handover when the conversation is gone [F061 part: provider, F073 part: 404]", async (driver) => {
        const error = await sendFails(driver, { kind: "answer", status: 404, body: "{}" });
        expect(error).toMatchObject({ isRetryable: false, effect: "handover" });
      }),
      test("should stop only the message when the vendor does not take it", async (driver) => {
        expect(await sendFails(driver, { kind: "answer", status: 422, body: "{}" })).toMatchObject({ effect: "message" });
      }),
    ),
    test("should put no secret and no word of a user into a URL [F112 part: outgoing calls]", async (driver) => {
      const driven = await driver.start();
      await driver.send(driven, newMessage({ text: "hello" }));
      const secrets = driver.secrets.filter((secret) => secret !== driver.receiver.secret);
      for (const { url } of driver.gateway.calls) expect(secrets.some((secret) => url.includes(encodeURIComponent(secret)))).toBe(false);
    }),
    test("should send every call through the dispatcher that the host gave", async (driver) => {
      await driver.start();
      expect(driver.gateway.calls.length).toBeGreaterThan(0);
    }),
  ];
}

async function startFails(driver: Driver, fault: GatewayFault): Promise<HandoverError> {
  driver.gateway.setFaults(() => fault);
  const connection = driver.connection;
  const error = await driver.failure(() => connection.start(driver.request(), driver.call()));
  driver.gateway.setFaults(undefined);
  return error;
}

async function sendFails(driver: Driver, fault: GatewayFault): Promise<HandoverError> {
  const driven = await driver.start();
  const part = driver.plan(driven, newMessage({ text: "hello" }))[0];
  if (!part) throw new Error("A message with a text has no part.");
  driver.gateway.setFaults(() => fault);
  const error = await driver.failure(() => driver.connection.sendMessage?.(driven.handover, part, driver.call()));
  driver.gateway.setFaults(undefined);
  return error;
}
