import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeContext } from "../src/__fixtures__/calls.ts";
import { openDesk, type Desk } from "./desk.ts";

let desk: Desk;
afterEach(() => desk.close());

const webhookUrl = "https://bot.example/handover/liveagent/desk/secret-words";

async function check(settings: Record<string, unknown> = {}, context = makeContext({ webhookUrl })): Promise<string[]> {
  const findings = await desk.connect(settings, context).checkConnection(makeCall());
  expect(JSON.stringify(findings)).not.toMatch(/secret-words|simulator-live-agent-key/);
  for (const finding of findings) expect(finding.message).not.toContain("\n");
  return findings.map((finding) => `${finding.level} ${finding.code}`);
}

describe("checkConnection", () => {
  it("should be content with a desk that is set up", async () => {
    desk = await openDesk();
    desk.simulator.setWebhookUrl(`${webhookUrl}/`);
    expect(await check()).toEqual(["ok ACCOUNT_REACHED", "ok API_KEY_VALID", "ok SERVER_VERSION", "ok INBOX_FOUND", "ok WEBHOOK_SET"]);
    expect(desk.calls()[0]?.path).toBe("/live-agent/api/v1/accounts/1/conversations/meta");
    expect(desk.calls().every((call) => call.method === "GET")).toBe(true);
  });

  it("should find a webhook URL that is missing, elsewhere, or cannot be compared [F173]", async () => {
    desk = await openDesk();
    expect((await check()).at(-1)).toBe("error WEBHOOK_ELSEWHERE");
    expect((await check({}, makeContext())).at(-1)).toBe("warning WEBHOOK_UNCHECKED");
    desk.simulator.setWebhookUrl(null);
    expect((await check()).at(-1)).toBe("error WEBHOOK_MISSING");
  });

  it("should tell a wrong key, account, inbox, path and host apart [F109] [F173]", async () => {
    desk = await openDesk();
    const origin = new URL(desk.simulator.baseUrl).origin;
    expect(await check({ apiKey: "wrong" })).toEqual(["error AUTHENTICATION_FAILED"]);
    expect(await check({ accountId: "55" })).toContain("error ACCOUNT_NOT_FOUND");
    expect(await check({ inboxId: "55" })).toContain("error INBOX_NOT_FOUND");
    expect((await check({ baseUrl: `${origin}/wrong` })).at(-1)).toBe("error WRONG_ADDRESS");
    expect(await check({ baseUrl: "http://127.0.0.1:9" })).toEqual(["error VENDOR_UNREACHABLE"]);
  });

  it("should say that nobody is assigned to the inbox, and not that nobody is at work", async () => {
    desk = await openDesk();
    desk.simulator.setAgents({ online: 0 });
    expect(await check()).not.toContain("warning INBOX_WITHOUT_AGENTS");
    desk.simulator.setAgents({ agents: desk.simulator.overview().agents.map(({ name }) => ({ name, inboxes: [] })) });
    expect((await check()).at(-1)).toBe("warning INBOX_WITHOUT_AGENTS");
  });
});
