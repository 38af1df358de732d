import { expect, it } from "vitest";
import type { RuntimeContext } from "../runtime-context.ts";
import { callVendor } from "./call-vendor.ts";
import type { Connection } from "./connection-registry.ts";

it("should not begin a call when the runtime has stopped waiting for calls, and leave no timer behind", async () => {
  let timers = 0;
  let calls = 0;
  const after = () => ((timers += 1), () => void (timers -= 1));
  const context = { clock: { now: () => 0, after }, timing: { callTimeoutMs: 15_000 }, stopSignal: AbortSignal.abort() } as unknown;
  const connection = { name: "desk", provider: { title: "Desk" }, handle: {} } as unknown as Connection;
  const request = { connection, method: "end", idempotencyKey: "k", isOffline: true } as const;
  const called = callVendor(context as RuntimeContext, request, () => {
    calls += 1;
    return new Promise(() => undefined);
  });
  await expect(called).rejects.toMatchObject({ outcome: "unknown" });
  expect({ timers, calls }).toEqual({ timers: 0, calls: 0 });
});
