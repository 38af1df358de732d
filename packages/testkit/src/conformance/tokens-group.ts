import { AuthenticationError } from "@handover/core";
import { expect } from "vitest";
import type { ConformanceTokens } from "./conformance-backend.ts";
import { agentTexts, type DrivenHandover } from "./driven-handover.ts";
import type { Driver } from "./driver.ts";
import { newMessage } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** Access tokens that run out during a handover. A vendor without `tokens` has a key that works until it is refused. */
export function tokenTests({ backend, has, hears }: Suite): readonly DrivenTest[] {
  const { tokens } = backend;
  if (!tokens || !has("sendMessage")) return [];
  return [
    test("should renew tokens before they run out, once for 50 calls at the same time, and log in at most once for a 401 [F108]", async (driver) => {
      await outlastsTokens(driver, tokens, hears && has("translate"));
      await renewsOnce(driver, tokens);
      await logsInOnce(driver, tokens);
    }),
    ...when(
      has("setTyping"),
      test("should log in at most once for each 401 that stays, and say that the connection is refused [F108 part: at most one]", (driver) =>
        givesUpLogin(driver, tokens)),
    ),
  ];
}

/** Longer than five lifetimes: no call is ever refused. */
async function outlastsTokens(driver: Driver, tokens: ConformanceTokens, isHeard: boolean): Promise<void> {
  const driven = await driver.start();
  const steps = Array.from({ length: 20 }, (_, index) => index + 1);
  for (const step of steps) {
    await driver.passTime(tokens.lifetimeMs / 4);
    await driver.send(driven, newMessage({ text: `from the user ${step}` }));
    await driver.backend.agentSays(driven.deskId, `from the agent ${step}`);
    await driver.observe();
    await driver.catchUp(driven);
  }
  expect(await sentTexts(driver, driven, "from the user")).toEqual(steps.map((step) => `from the user ${step}`));
  if (isHeard) expect(agentTexts(driven)).toEqual(steps.map((step) => `from the agent ${step}`));
  expect(await tokens.refused(), "calls with a token that had run out").toBe(0);
  expect(await tokens.issued()).toBeGreaterThanOrEqual(5);
  expect(await tokens.issued(), "a token for each call").toBeLessThan(steps.length);
}

async function renewsOnce(driver: Driver, tokens: ConformanceTokens): Promise<void> {
  const driven = await driver.start();
  await driver.passTime(tokens.lifetimeMs);
  const before = await tokens.issued();
  const texts = Array.from({ length: 50 }, (_, index) => `at once ${index + 1}`);
  await Promise.all(texts.map((text) => driver.send(driven, newMessage({ text }))));
  expect((await tokens.issued()) - before).toBe(1);
  expect(await tokens.refused()).toBe(0);
  expect((await sentTexts(driver, driven, "at once")).toSorted()).toEqual(texts.toSorted());
}

/** A token that is refused before its time: what was asked is done once. */
async function logsInOnce(driver: Driver, tokens: ConformanceTokens): Promise<void> {
  const driven = await driver.start();
  await tokens.revoke();
  const [issued, refused] = [await tokens.issued(), await tokens.refused()];
  await driver.send(driven, newMessage({ text: "after the revocation" }));
  expect(await sentTexts(driver, driven, "after the revocation")).toHaveLength(1);
  expect([(await tokens.issued()) - issued, (await tokens.refused()) - refused]).toEqual([1, 1]);
}

async function givesUpLogin(driver: Driver, tokens: ConformanceTokens): Promise<void> {
  const driven = await driver.start();
  const before = await tokens.issued();
  driver.gateway.setFaults(({ url }) => (url.includes(driven.deskId) ? { kind: "answer", status: 401, body: "{}" } : undefined));
  const error = await driver.failure(() => driver.connection.setTyping?.(driven.handover, true, driver.call()));
  expect(AuthenticationError.isInstance(error)).toBe(true);
  expect((await tokens.issued()) - before).toBeLessThanOrEqual(1);
}

async function sentTexts(driver: Driver, driven: DrivenHandover, words: string): Promise<string[]> {
  return (await driver.desk(driven)).messages.map(({ text }) => text).filter((text) => text.includes(words));
}
