import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadPlugins, unpackState } from "@handover/core";
import { conformanceGroups, createTestVendor, type TestVendor, type TestVendorOptions } from "@handover/testkit";
import { describe, expect, it } from "vitest";
import { openDriver, type Driver } from "../src/conformance/driver.ts";
import { agentTexts, countEvents } from "../src/conformance/driven-handover.ts";
import { newMessage } from "../src/conformance/samples.ts";

async function withVendor(options: TestVendorOptions, run: (vendor: TestVendor, driver: Driver) => Promise<void>): Promise<void> {
  const vendor = await createTestVendor(options);
  const driver = await openDriver({ name: "test vendor", ...vendor });
  try {
    await run(vendor, driver);
  } finally {
    await driver.close();
    await vendor.close();
  }
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index + 1}`);

describe("test vendor as a plugin", () => {
  it("should be loaded by its path and take its settings as JSON", async () => {
    await withVendor({}, async (vendor) => {
      const registry = await loadPlugins({ plugins: [vendor.pluginFile], from: import.meta.url });
      const settings = JSON.parse(JSON.stringify(vendor.settings)) as unknown;
      expect(registry.get("test-vendor").settings.safeParse(settings).success).toBe(true);
    });
  });

  it("should work in a program without vitest", async () => {
    const program = 'import { createTestVendor } from "@handover/testkit/test-vendor"; await (await createTestVendor()).close();';
    const folder = fileURLToPath(new URL("../", import.meta.url));
    const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { cwd: folder });
    expect(stderr).not.toContain("rror");
  });
});

describe("test vendor's provider", () => {
  it("should end the handover when nobody has come back within the grace time [F058 part: grace time]", async () => {
    await withVendor({ agentLeftGraceSeconds: 30 }, async ({ backend }, driver) => {
      const driven = await driver.start();
      backend.people.accept(driven.deskId);
      backend.people.leave(driven.deskId);
      await driver.observe();
      const atMs = driven.wakeAtMs ?? 0;
      expect(atMs).toBeGreaterThan(Date.now() + 20_000);
      expect(countEvents(driven, "ended")).toBe(0);
      await driver.translate(driven, { wake: true, atMs });
      expect(driven.events.at(-1)).toMatchObject({ type: "ended", reason: "abandoned", actor: "agent" });
    });
  });

  it("should take the timer away when an agent comes back", async () => {
    await withVendor({ agentLeftGraceSeconds: 30 }, async ({ backend }, driver) => {
      const driven = await driver.start();
      backend.people.accept(driven.deskId);
      backend.people.leave(driven.deskId);
      backend.people.accept(driven.deskId, "agent-2");
      await driver.observe();
      expect(driven.wakeAtMs).toBeNull();
      const late = await driver.translate(driven, { wake: true, atMs: Date.now() });
      expect(late.events).toEqual([]);
    });
  });

  it("should leave the messages to the vendor when an option says so, and hear its word in the user's channel", async () => {
    await withVendor({}, async (_vendor, driver) => {
      const driven = await driver.start({ options: { relay: "none" } });
      expect(driven.started.relay).toBe("none");
      const message = newMessage({ text: "__test_vendor_escalation_failed__" });
      expect(driver.connection.recognizeUserMessage?.(driven.handover, message)).toMatchObject({ type: "ended", reason: "unavailable" });
    });
  });

  it("should read a state that an older version wrote", async () => {
    await withVendor({}, async ({ provider }) => {
      const stored = { provider: "test-vendor", specificationVersion: "v1", version: 1, data: { conversation: "1001", isClosed: false } };
      expect(unpackState(provider, stored)).toEqual({ conversation: "1001", isClosed: false, agents: [] });
    });
  });

  it("should report edits, deletions, receipts, reopening and refusal", async () => {
    await withVendor({}, async ({ backend: { people } }, driver) => {
      const driven = await driver.start();
      const message = people.say(driven.deskId, "first");
      people.edit(driven.deskId, message, "second");
      people.remove(driven.deskId, message);
      people.read(driven.deskId);
      people.close(driven.deskId, "system", "refused");
      people.reopen(driven.deskId);
      await driver.observe();
      expect(driven.events.slice(-5)).toMatchObject([
        { type: "message-changed", messageId: message, change: "edited", text: "second" },
        { type: "message-changed", messageId: message, change: "deleted" },
        { type: "delivery-changed", status: "read" },
        { type: "ended", reason: "unavailable", actor: "system" },
        { type: "reopened" },
      ]);
    });
  });

  it("should tell an account without access, without people and without an answer apart", async () => {
    await withVendor({}, async ({ backend }, driver) => {
      await backend.setAgentsOnline(0);
      expect((await driver.failure(() => driver.connection.start(driver.request(), driver.call()))).code).toBe("UNAVAILABLE");
      backend.rotateApiKey("another-key");
      expect((await driver.failure(() => driver.connection.start(driver.request(), driver.call()))).code).toBe("AUTHENTICATION_FAILED");
      backend.setFaults({ failRate: 1, status: 429, retryAfterSeconds: 3 });
      expect(await driver.failure(() => driver.connection.start(driver.request(), driver.call()))).toMatchObject({ retryAfterMs: 3000 });
    });
  });
});

describe("test vendor's faults", () => {
  it("should send webhooks twice, in another order, or not at all, and the listing still tells everything [F031 part: dense order]", async () => {
    for (const faults of [
      { duplicateWebhookRate: 1 },
      { reorderWebhooks: true },
      { dropWebhookRate: 0.5, seed: 7 },
      { delayWebhooksMs: 5 },
    ]) {
      await withVendor({}, async ({ backend }, driver) => {
        backend.setFaults(faults);
        const driven = await driver.start();
        for (const text of texts(6)) backend.people.say(driven.deskId, text);
        await driver.observe();
        await driver.catchUp(driven);
        expect(agentTexts(driven).sort()).toEqual(texts(6));
      });
    }
  });

  it("should drop about as many webhooks as it was told, the same ones for the same seed", async () => {
    const counts: number[] = [];
    for (const seed of [7, 7]) {
      await withVendor({}, async ({ backend }, driver) => {
        backend.setFaults({ dropWebhookRate: 0.5, seed });
        const driven = await driver.start();
        for (const text of texts(20)) backend.people.say(driven.deskId, text);
        await driver.observe();
        counts.push(driver.receiver.requests.length);
      });
    }
    expect(counts[0]).toBe(counts[1]);
    expect(counts[0]).toBeGreaterThan(3);
    expect(counts[0]).toBeLessThan(18);
  });

  it("should deliver the first event before the answer to the create call [F041 part: provider]", async () => {
    await withVendor({}, async ({ backend }, driver) => {
      backend.setFaults({ eventBeforeStartAnswer: true });
      const request = driver.request();
      const { started, checkpoints } = await driver.attemptStart(request);
      const early = driver.deliveries[0]?.references ?? [];
      expect(driver.deliveries).toHaveLength(1);
      expect(checkpoints[0]?.references?.some((reference) => early.includes(reference))).toBe(true);
      expect(started?.references.some((reference) => early.includes(reference))).toBe(true);
    });
  });

  it("should carry out a call and lose its answer, only where and as often as it was told", async () => {
    await withVendor({}, async ({ backend }, driver) => {
      backend.setFaults({ only: "POST /conversations/:/messages", loseAnswerRate: 1, times: 1 });
      const driven = await driver.start();
      const part = { message: newMessage({ text: "hello" }) };
      const send = () => driver.connection.sendMessage?.(driven.handover, part, driver.call());
      expect((await driver.failure(send)).outcome).toBe("unknown");
      await send();
      const { messages } = await driver.desk(driven);
      expect(messages.filter(({ text }) => text === "hello")).toHaveLength(2);
    });
  });

  it("should let one wait until the desk has something", async () => {
    await withVendor({}, async ({ backend }, driver) => {
      const waiting = backend.waitFor((conversations) => conversations.length === 1);
      await driver.start();
      await expect(waiting).resolves.toHaveLength(1);
      await expect(backend.waitFor(() => false, { timeoutMs: 1 })).rejects.toThrow("Not so after 1 ms");
    });
  });
});

describe("conformance suite", () => {
  it("should leave out the tests of what a provider cannot do", async () => {
    const vendor = await createTestVendor({ abilities: { end: false, catchUp: false } });
    const titles = conformanceGroups({ name: "test vendor", ...vendor }).map(({ title }) => title);
    await vendor.close();
    expect(titles).not.toContain("end");
    expect(titles).not.toContain("catch up");
    expect(titles).toContain("webhooks");
  });
});
