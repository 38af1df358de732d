import { ProviderApiError } from "@handover/core";
import { describe, expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { scriptDesks, ticketOf } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();
const callTimeoutMs = 15_000;

const failure = (status: number | undefined) =>
  new ProviderApiError({
    code: "VENDOR_FAILED",
    message: "It failed.",
    isRetryable: true,
    outcome: "unknown",
    ...(status === undefined ? {} : { status }),
  });

/** How long after the failure the same thing was called again. */
async function timeUntilRepeated(status: number | undefined, failing: "start" | "sendMessage"): Promise<number> {
  const clock = createManualClock();
  const calls: number[] = [];
  const failOnce = () => {
    calls.push(clock.now());
    return calls.length === 1 ? failure(status) : undefined;
  };
  const desks = scriptDesks({
    desk: {
      async start(request) {
        const error = failing === "start" ? failOnce() : undefined;
        if (error) throw error;
        return { references: [ticketOf(request)], state: {}, transcriptThrough: 9, relay: "both" };
      },
      async sendMessage() {
        const error = failing === "sendMessage" ? failOnce() : undefined;
        if (error) throw error;
        return {};
      },
      findStarted: async () => "absent",
      findSentMessage: async () => "absent",
    },
  });
  const world = await open({ runtime: { ...desks.runtime, clock }, timing: { callTimeoutMs, echoWaitMs: 500 } });
  const chat = world.record("c");
  await world.say("c", "0", "agent");
  if (failing === "sendMessage") {
    await expect.poll(async () => (await clock.advance(50), chat.statuses()), { interval: 1 }).toContain("queued");
    await world.say("c", "1", "hello");
  }
  await expect.poll(async () => (await clock.advance(50), calls.length), { interval: 1, timeout: 10_000 }).toBe(2);
  return (calls[1] ?? 0) - (calls[0] ?? 0);
}

describe("a call without a clear outcome", () => {
  it.each(["start", "sendMessage"] as const)(
    "should be over when the vendor itself answered that it failed: %s is repeated at once",
    async (method) => {
      expect(await timeUntilRepeated(500, method)).toBeLessThan(3_000);
    },
  );

  it.each([
    ["start", undefined],
    ["sendMessage", undefined],
    ["start", 504],
    ["sendMessage", 504],
  ] as const)("should be waited for while it may still arrive: %s, status %s", async (method, status) => {
    // The call begins a moment after it was announced.
    expect(await timeUntilRepeated(status, method)).toBeGreaterThanOrEqual(callTimeoutMs - 200);
  });
});
