import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { openEvents } from "../../apps/host/test/support/read-events.ts";
import { marked } from "../../apps/host/test/support/test-configuration.ts";
import { send, startTestHost, type TestHost } from "../../apps/host/test/support/test-host.ts";

const patient = { perConversation: { messages: 100_000, seconds: 10 } };
let host: TestHost | undefined;

afterEach(async () => {
  await host?.stop();
  host = undefined;
});

describe("a backlog that arrives at once", () => {
  const [conversations, eventsEach] = [1_020, 5];

  it("should be taken with bounded memory and work, in order, each webhook in under a second: 5100 events of 1020 conversations in 1020 webhooks, 20 at a time [F165]", async () => {
    const stub = fileURLToPath(new URL("support/stub-provider.ts", import.meta.url));
    const running = await startTestHost({
      endpoints: [{ token: "support", access: "open", bot: { demo: {} }, handover: { connections: ["stub"] } }],
      root: {
        plugins: [stub],
        connections: { stub: { provider: "stub", webhookSecrets: [marked.webhookSecret] } },
        limits: patient,
      },
    });
    host = running;
    const names = Array.from({ length: conversations }, (_, index) => `c${index}`);
    const metric = (name: string, result?: string) =>
      running.runtime
        .metrics()
        .filter((one) => one.name === name && (result === undefined || one.labels["result"] === result))
        .reduce((sum, { value }) => sum + value, 0);
    for (const name of names) await running.runtime.requestHandover({ endpoint: "support", conversation: name });
    await expect.poll(() => metric("handover_started_total"), { timeout: 15_000 }).toBe(conversations);

    // Each webhook holds one event of each of five conversations.
    const [events, perWebhook] = [conversations * eventsEach, 5];
    const backlog = Array.from({ length: eventsEach }, (_, position) =>
      Array.from({ length: conversations / perWebhook }, (_, group) =>
        names
          .slice(group * perWebhook, (group + 1) * perWebhook)
          .map((conversation) => ({ conversation, position, text: String(position) })),
      ),
    ).flat();
    const before = process.memoryUsage().heapUsed;
    let [slowestMs, mostHeap, mostWorkers, next] = [0, 0, 0, 0];
    const sender = async (): Promise<void> => {
      for (let webhook = backlog[next++]; webhook; webhook = backlog[next++]) {
        const startedAt = performance.now();
        const { status } = await send("POST", `${running.url}/handover/stub/stub/${marked.webhookSecret}`, webhook);
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
        mostHeap = Math.max(mostHeap, process.memoryUsage().heapUsed);
        mostWorkers = Math.max(mostWorkers, metric("handover_workers"));
        expect(status).toBe(200);
      }
    };
    await Promise.all(Array.from({ length: 20 }, sender));
    await expect.poll(() => metric("handover_deliveries_total", "translated"), { timeout: 20_000 }).toBe(events);
    expect(slowestMs).toBeLessThan(1_000);
    // More conversations have something to do than are worked on at once.
    expect(mostWorkers).toBeGreaterThan(500);
    expect(mostWorkers).toBeLessThanOrEqual(1_000);
    expect(mostHeap - before).toBeLessThan(200_000_000);
    for (const name of names.filter((_, index) => index % 102 === 0)) {
      const reader = await openEvents(`${running.conversation(name)}/events`);
      const isAgent = (data: unknown) => (data as { author?: { role: string } } | undefined)?.author?.role === "agent";
      const events = await reader.until(
        (some) => some.filter(({ data, event }) => event === "entry" && isAgent(data)).length === eventsEach,
      );
      reader.close();
      const texts = events.filter(({ data }) => isAgent(data)).map(({ data }) => (data as { text?: string }).text);
      expect(texts.filter((text) => text !== undefined)).toEqual(Array.from({ length: eventsEach }, (_, index) => String(index)));
    }
  }, 30_000);
});
