import { createTestVendor, type TestVendor } from "@handover/testkit/test-vendor";
import { afterEach, describe, expect, test } from "vitest";
import { readUntil } from "../../apps/host/test/support/read-events.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "../../apps/host/test/support/test-host.ts";

let host: TestHost | undefined;
let vendor: TestVendor | undefined;
afterEach(async () => {
  await host?.stop();
  await vendor?.close();
  host = undefined;
  vendor = undefined;
});

/** A host with one endpoint in front of a test vendor. */
async function start(handover: object, endpoint: object = {}): Promise<{ host: TestHost; vendor: TestVendor }> {
  vendor = await createTestVendor({ webhooks: "none", abilities: { receiveWebhook: false } });
  host = await startTestHost({
    root: {
      plugins: [vendor.pluginFile],
      connections: { desk: { provider: "test-vendor", settings: vendor.settings } },
      limits: { perConversation: { messages: 3, seconds: 60 } },
    },
    endpoints: [
      { ...supportEndpoint, handover: { connections: ["desk"], ...handover }, ...endpoint },
      { token: "alone", access: "open" },
    ],
  });
  return { host, vendor };
}

describe("GET /endpoints/{token}/availability", () => {
  test("should say whether people are there, to the pages that may know, and let nobody keep it for long", async () => {
    const { host, vendor } = await start({});
    const url = `${host.url}/endpoints/support/availability`;
    const answer = await send("GET", url, undefined, { origin: "https://www.example.com" });
    expect(answer).toMatchObject({ status: 200, json: { status: "available", agents: 2 } });
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://www.example.com");
    expect(answer.headers.get("vary")).toContain("Origin");
    const maxAge = /^public, max-age=(\d+)$/.exec(answer.headers.get("cache-control") ?? "")?.[1];
    expect(Number(maxAge)).toBeGreaterThan(0);
    expect(Number(maxAge)).toBeLessThanOrEqual(10);
    const elsewhere = await send("GET", url, undefined, { origin: "https://elsewhere.example" });
    expect(elsewhere.headers.get("access-control-allow-origin")).toBeNull();
    expect(vendor.backend.calls.filter(({ path }) => path === "/availability")).toHaveLength(1);
    expect(await send("GET", `${host.url}/endpoints/alone/availability`)).toMatchObject({ status: 200, json: { status: "unavailable" } });
    expect(await send("GET", `${host.url}/endpoints/nobody/availability`)).toMatchObject({
      status: 404,
      json: { code: "ENDPOINT_NOT_FOUND" },
    });
  });

  test("should be limited per address, more generously than messages, and say when to come again", async () => {
    const { host } = await start({});
    const url = `${host.url}/endpoints/support/availability`;
    const statuses: number[] = [];
    let refused: Awaited<ReturnType<typeof send>> | undefined;
    while (!refused && statuses.length < 1_000) {
      const answer = await send("GET", url);
      statuses.push(answer.status);
      if (answer.status !== 200) refused = answer;
    }
    expect(statuses.length).toBeGreaterThan(100);
    expect(refused).toMatchObject({ status: 429, json: { code: "TOO_MANY_REQUESTS" } });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(refused?.headers.get("cache-control") ?? "").not.toContain("public");
    expect((await send("POST", `${host.conversation("c")}/messages`, { id: "1", text: "x" })).status).toBe(202);
  });
});

describe("a handover while the user waits", () => {
  test("should do what the configuration says", async () => {
    const { host, vendor } = await start({
      queue: {
        getQueuePosition: true,
        updateIntervalQueuePositionSeconds: 60,
        getEstimatedWaitTime: true,
        updateIntervalEstimatedWaitTimeSeconds: 60,
        alternativeUpdate: true,
        maximumQueuePosition: 5,
        maximumEstimatedWaitTimeMs: 600_000,
        alternativeText: "Today it takes longer.",
      },
      repeatHandoverMessage: true,
      availability: { checkBeforeStart: false, whenUnknown: "stop" },
      texts: { accepted: "One moment.", queuePosition: "Nr. {position}.", estimatedWait: "{minutes} Minuten." },
    });
    vendor.backend.setQueue({ position: 4, estimatedWaitSeconds: 90 });
    const update = async (conversation: string) =>
      (await readUntil(host.conversation(conversation), ({ event }) => event === "queue-updated")).at(-1);
    expect((await send("POST", `${host.conversation("c")}/handover`)).status).toBe(202);
    expect(await update("c")).toMatchObject({ queue: { position: 4, estimatedWaitMs: 90_000 }, text: "Nr. 4. 2 Minuten." });
    await send("POST", `${host.conversation("c")}/messages`, { id: "1", text: "hello?" });
    const repeated = await readUntil(host.conversation("c"), ({ kind, author }) => kind === "message" && author?.role === "system");
    expect(repeated.at(-1)?.text).toBe("One moment.");
    vendor.backend.setQueue({ position: 6, estimatedWaitSeconds: 90 });
    await send("POST", `${host.conversation("d")}/handover`);
    expect(await update("d")).toMatchObject({ queue: { text: "Today it takes longer." }, text: "Today it takes longer." });
    expect(vendor.backend.calls.filter(({ path }) => path === "/availability")).toEqual([]);
  });
});
