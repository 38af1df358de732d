import type { ConnectionFinding } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeContext } from "../src/__fixtures__/calls.ts";
import { openDesk, type Desk } from "./desk.ts";

let desk: Desk;
afterEach(() => desk.close());

async function check(settings: Record<string, unknown> = {}, webhookUrl?: string): Promise<readonly ConnectionFinding[]> {
  const context = webhookUrl === undefined ? desk.context : makeContext({ webhookUrl });
  return (await desk.connect(settings, context).checkConnection?.(makeCall())) ?? [];
}
const codesOf = (findings: readonly ConnectionFinding[]): string[] => findings.map(({ level, code }) => `${level} ${code}`);

describe("handover check", () => {
  it("should find a good connection good, and change nothing", async () => {
    desk = await openDesk();
    expect(codesOf(await check())).toEqual(["ok API_KEY_VALID", "ok CHANNEL_FOUND", "ok WEBHOOK_SET"]);
    expect(desk.calls().every(({ method }) => method === "GET")).toBe(true);
  });

  it("should explain keys and tenants [F109 part: three errors, F175 part: handover check]", async () => {
    desk = await openDesk({ otherTenants: ["acme02"] });
    expect(codesOf(await check({ apiKey: "wrong" }))).toEqual(["error API_KEY_REFUSED"]);
    expect(codesOf(await check({ tenant: undefined }))).toEqual(["error TENANT_REFUSED"]);
    expect(codesOf(await check({ tenant: "other" }))).toEqual(["error TENANT_REFUSED"]);
    desk.simulator.setBehaviour({ keyHasProduct: false });
    expect(codesOf(await check())).toEqual(["error API_PRODUCT_MISSING"]);
    desk.simulator.setBehaviour({ unauthorizedBody: "gateway" });
    expect(codesOf(await check({ apiKey: "wrong" }))).toEqual(["error API_KEY_REFUSED"]);
  });

  it("should explain channels and queues", async () => {
    desk = await openDesk();
    expect(codesOf(await check({ channelId: "nobody" }))).toEqual(["ok API_KEY_VALID", "error CHANNEL_NOT_FOUND"]);
    expect(codesOf(await check({ queueId: desk.simulator.apiKey }))).toContain("error QUEUE_ID_IS_KEY");
    expect(codesOf(await check({ queueId: "eght_abc" }))).toContain("error QUEUE_ID_IS_KEY");
    const own = desk.simulator.openConversation({ channel: "WhatsApp" });
    const answer = await fetch(`${desk.simulator.baseUrl}/chat-gateway/v1/channels?page=0&size=50`, {
      headers: { "x-api-key": desk.simulator.apiKey },
    });
    const { _embedded } = (await answer.json()) as { _embedded: { channels: { id: string; type: string }[] } };
    expect(own.id).toBeTruthy();
    const other = _embedded.channels.find(({ type }) => type === "WhatsApp")?.id;
    expect(codesOf(await check({ channelId: other }))).toContain("error CHANNEL_NOT_CHAT_API");
  });

  it("should say where webhooks go, without showing any of the URLs [F173 part: webhook URL]", async () => {
    desk = await openDesk();
    const url = desk.context.webhookUrl ?? "";
    expect(codesOf(await check({}, `${url.replace("eightByEight", "eight-by-eight")}/`))).toContain("ok WEBHOOK_SET");
    const elsewhere = await check({}, "https://bot.example.com/handover/eightbyeight/desk/very-secret");
    expect(codesOf(elsewhere)).toContain("error WEBHOOK_ELSEWHERE");
    expect(JSON.stringify(elsewhere)).not.toMatch(/very-secret|bot\.example/);
    expect(codesOf(await check({}, `${url}/new-secret`))).toContain("ok WEBHOOK_SET");
    expect(codesOf(await check({ requireUrlSecret: true }, `${url}/new-secret`))).toContain("error WEBHOOK_WITHOUT_SECRET");
    const { webhookUrl: _none, ...context } = makeContext();
    expect(codesOf((await desk.connect({}, context).checkConnection?.(makeCall())) ?? [])).toContain("warning WEBHOOK_UNCHECKED");
    desk.simulator.setWebhookUrl(null);
    expect(codesOf(await check())).toContain("error WEBHOOK_MISSING");
  });

  it("should say when the statistics of the queue cannot be read, which the settings ask for", async () => {
    desk = await openDesk();
    const statistics = { hasQueueStatistics: true };
    expect(codesOf(await check(statistics))).toEqual(["ok API_KEY_VALID", "ok CHANNEL_FOUND", "ok WEBHOOK_SET"]);
    expect(codesOf(await check({ ...statistics, queueId: "999" }))).toContain("warning QUEUE_STATISTICS_UNREADABLE");
    desk.simulator.setFaults({ failRate: 1, status: 403, only: "GET /queue/*" });
    expect(codesOf(await check(statistics))).toContain("warning QUEUE_STATISTICS_UNREADABLE");
    expect(codesOf(await check())).not.toContain("warning QUEUE_STATISTICS_UNREADABLE");
  });

  it("should warn where nobody says which tenant is meant", async () => {
    desk = await openDesk();
    expect(codesOf(await check({ tenant: undefined }))).toContain("warning TENANT_NOT_NAMED");
    expect(codesOf(await check({ tenant: undefined, expectedTenant: "acme01" }))).not.toContain("warning TENANT_NOT_NAMED");
  });

  it("should tell a server that is not 8x8", async () => {
    desk = await openDesk();
    const { origin } = new URL(desk.simulator.baseUrl);
    expect(codesOf(await check({ baseUrl: origin }))).toEqual(["error WRONG_ADDRESS"]);
    expect(codesOf(await check({ baseUrl: "http://127.0.0.1:1" }))).toEqual(["error VENDOR_UNREACHABLE"]);
    desk.simulator.setFaults({ failRate: 1, status: 500, errorBody: "html" });
    expect(codesOf(await check())).toEqual(["error VENDOR_FAILED"]);
  });
});
