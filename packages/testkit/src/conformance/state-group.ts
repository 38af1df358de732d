import { packState, StateIncompatibleError, unpackState } from "@handover/core";
import { expect } from "vitest";
import { test, type DrivenTest, type Suite } from "./suite.ts";

/** What is remembered of a handover outlives the process. */
export function stateTests({ options: { provider } }: Suite): readonly DrivenTest[] {
  return [
    test("should give a state that is JSON and comes back from the store as it was", async (driver) => {
      const { started } = await driver.start();
      expect(JSON.parse(JSON.stringify(started.state))).toEqual(started.state);
      expect(unpackState(provider, JSON.parse(JSON.stringify(packState(provider, started.state))) as never)).toEqual(started.state);
    }),
    test("should keep no secret in its state", async (driver) => {
      const driven = await driver.start();
      await driver.backend.agentSays(driven.deskId, "hello");
      await driver.observe();
      const stored = JSON.stringify([driven.started.state, driven.handover.state]);
      for (const secret of driver.secrets) expect(stored.includes(secret)).toBe(false);
    }),
    test("should work with a connection that has never seen the handover [F155 part: nothing in memory]", async (driver) => {
      const driven = await driver.start();
      const other = driver.connect(provider.settings.parse(driver.options.settings));
      await other.prepare?.(driver.call());
      await driver.backend.agentSays(driven.deskId, "hello");
      await driver.observe();
      for (const delivery of driver.deliveries) {
        expect(other.translate?.(driven.handover, delivery)).toEqual(driver.connection.translate?.(driven.handover, delivery));
      }
      await other.end?.(driven.handover, { reason: "completed", actor: "user" }, driver.call());
      await other.close?.();
    }),
    test("should refuse a state of a newer version", async (driver) => {
      const { started } = await driver.start();
      const newer = { ...packState(provider, started.state), version: 9999 };
      expect(() => unpackState(provider, newer)).toThrow(StateIncompatibleError);
    }),
  ];
}
