import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { agentTexts, countEvents, type DrivenHandover } from "./driven-handover.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** What was missed is found again, in its order and once. */
export function catchUpTests(suite: Suite): readonly DrivenTest[] {
  if (!suite.has("catchUp", "translate")) return [];
  return [
    test("should find all of 150 missed messages in order [F001 part: provider, F102]", async (driver) => {
      const driven = await driver.start();
      const texts = await missMessages(driver, driven, 150);
      await driver.catchUp(driven);
      expect(agentTexts(driven)).toEqual(texts);
    }),
    ...when(
      suite.has("receiveWebhook"),
      test("should give what came by webhook the same ids [F017 part: both roads]", async (driver) => {
        const driven = await driver.start();
        for (const text of ["one", "two", "three"]) await driver.backend.agentSays(driven.deskId, text);
        await driver.observe();
        await driver.catchUp(driven);
        expect(agentTexts(driven)).toEqual(["one", "two", "three"]);
      }),
      test("should fill a hole between messages that came by webhook [F031 part: provider]", async (driver) => {
        const driven = await driver.start();
        await driver.backend.agentSays(driven.deskId, "one");
        await driver.observe();
        await missMessages(driver, driven, 1);
        driver.receiver.isLosing = false;
        await driver.backend.agentSays(driven.deskId, "three");
        await driver.observe();
        await driver.catchUp(driven);
        expect(agentTexts(driven).sort()).toEqual(["missed message 1", "one", "three"]);
      }),
    ),
    test("should repeat and skip nothing when it goes on from its cursor [F024 part: provider, F007 part: provider]", async (driver) => {
      const driven = await driver.start();
      const first = await missMessages(driver, driven, 3);
      await driver.catchUp(driven);
      await driver.catchUp(driven);
      const second = await missMessages(driver, driven, 3, 4);
      await driver.catchUp(driven);
      await driver.catchUp(driven);
      expect(agentTexts(driven)).toEqual([...first, ...second]);
    }),
    test("should give the same ids each time it is asked from the start", async (driver) => {
      const driven = await driver.start();
      await missMessages(driver, driven, 5);
      const first = await driver.catchUp(driven);
      driven.cursor = undefined;
      const again = await driver.catchUp(driven);
      expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
      expect(agentTexts(driven)).toHaveLength(5);
    }),
    test("should find an end that nobody reported, once [F074 part: provider]", async (driver) => {
      const driven = await driver.start();
      await missMessages(driver, driven, 1);
      await driver.backend.agentCloses(driven.deskId);
      await driver.backend.settle();
      await driver.catchUp(driven);
      await driver.catchUp(driven);
      expect(countEvents(driven, "ended")).toBe(1);
      expect(agentTexts(driven)).toEqual(["missed message 1"]);
    }),
    ...when(
      suite.has("findChanged"),
      test("should name all of 30 conversations that changed [F102 part: conversations]", async (driver) => {
        const sinceMs = Date.now() - 1000;
        const all: DrivenHandover[] = [];
        for (let count = 0; count < 30; count += 1) all.push(await driver.start({ transcript: [] }));
        for (const { deskId } of all) await driver.backend.agentSays(deskId, "hello");
        await driver.backend.settle();
        const changed = new Set(await driver.connection.findChanged?.(sinceMs, driver.call()));
        expect(all.filter(({ started }) => !started.references.some((reference) => changed.has(reference)))).toEqual([]);
      }),
      test("should name the conversations that changed [F001 part: one call per account]", async (driver) => {
        const sinceMs = Date.now();
        const driven = await driver.start();
        await driver.backend.agentSays(driven.deskId, "hello");
        const changed = await driver.connection.findChanged?.(sinceMs - 1000, driver.call());
        expect(changed?.some((reference) => driven.started.references.includes(reference))).toBe(true);
      }),
    ),
  ];
}

async function missMessages(driver: Driver, driven: DrivenHandover, count: number, first = 1): Promise<string[]> {
  driver.receiver.isLosing = true;
  const texts = Array.from({ length: count }, (_, index) => `missed message ${first + index}`);
  for (const text of texts) await driver.backend.agentSays(driven.deskId, text);
  await driver.backend.settle();
  return texts;
}
