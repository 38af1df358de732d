import type { EndReason } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { countEvents, type DrivenHandover } from "./driven-handover.ts";
import { test, type DrivenTest, type Suite } from "./suite.ts";

/** The user or the bot leaves. */
export function endTests(suite: Suite): readonly DrivenTest[] {
  if (!suite.has("end")) return [];
  return [
    test("should end a conversation that still waits [F075 part: cancelled in the queue]", async (driver) => {
      const driven = await driver.start();
      await ends(driver, driven, "cancelled");
      expect((await driver.desk(driven)).status).toBe("closed");
    }),
    test("should end a conversation that an agent has [F070 part: provider]", async (driver) => {
      const driven = await driver.start();
      await driver.backend.agentAccepts(driven.deskId);
      await driver.backend.agentSays(driven.deskId, "hello");
      await driver.observe();
      await ends(driver, driven, "completed");
      expect((await driver.desk(driven)).status).toBe("closed");
    }),
    test("should succeed for what is over already, by us or by the agent", async (driver) => {
      const driven = await driver.start();
      await ends(driver, driven, "completed");
      await ends(driver, driven, "completed");
      const other = await driver.start();
      await driver.backend.agentCloses(other.deskId);
      await ends(driver, other, "completed");
      expect((await driver.desk(other)).status).toBe("closed");
    }),
    test("should take every reason", async (driver) => {
      const reasons: readonly EndReason[] = ["completed", "cancelled", "abandoned", "unavailable", "timed-out", "failed"];
      for (const reason of reasons) await ends(driver, await driver.start(), reason);
      expect((await driver.backend.conversations()).every(({ status }) => status === "closed")).toBe(true);
    }),
    test("should report the end that it asked for when it says that one follows", async (driver) => {
      const driven = await driver.start();
      const outcome = await ends(driver, driven, "completed");
      if (outcome === "requested" && suite.hears) expect(countEvents(driven, "ended")).toBe(1);
      expect(countEvents(driven, "ended")).toBeLessThanOrEqual(1);
    }),
    test("should end only its own conversation", async (driver) => {
      const [first, second] = [await driver.start(), await driver.start()];
      await ends(driver, first, "completed");
      expect((await driver.desk(second)).status).not.toBe("closed");
    }),
  ];
}

async function ends(driver: Driver, driven: DrivenHandover, reason: EndReason): Promise<string | undefined> {
  const outcome = await driver.connection.end?.(driven.handover, { reason, actor: "user" }, driver.call());
  expect(["ended", "requested"]).toContain(outcome);
  await driver.observe();
  return outcome;
}
