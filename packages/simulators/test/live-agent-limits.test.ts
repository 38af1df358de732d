import { describe, expect, test } from "vitest";
import type { LiveAgentSimulatorOptions } from "../src/index.ts";
import { createClock } from "../src/shared/clock.ts";
import type { LiveAgentContext } from "../src/live-agent/live-agent-context.ts";
import { createRateLimits } from "../src/live-agent/live-agent-limits.ts";
import { getProfile } from "../src/live-agent/live-agent-profile.ts";
import { createManualClock, startBench } from "./harness.ts";

const behaviour: LiveAgentSimulatorOptions["behaviour"] = { rateLimits: true };

describe("rate limits", () => {
  test("should answer 429 with plain text, with Retry-After only where the server sends it, until the minute is over", async () => {
    const clock = createManualClock();
    const { api, liveAgent } = await startBench({ behaviour }, clock);
    const meta = (): ReturnType<typeof api> => api("GET", "/conversations/meta");
    for (let index = 0; index < 30; index += 1) expect((await meta()).status).toBe(200);
    const refused = await meta();
    expect([refused.status, refused.text, refused.headers.get("retry-after")]).toEqual([429, "Retry later\n", null]);
    expect(refused.headers.get("content-type")).toMatch(/^text\/plain/);
    expect((await api("GET", "/inboxes")).status, "others are not hit").toBe(200);
    liveAgent.setBehaviour({ rateLimits: true, sendsRetryAfter: true });
    clock.advance(20_000);
    expect((await meta()).headers.get("retry-after")).toBe("40");
    clock.advance(40_000);
    expect((await meta()).status).toBe(200);
    expect(liveAgent.requests().filter(({ status }) => status === 429)).toHaveLength(2);
  });

  test("should be off unless told so", async () => {
    const { api } = await startBench({}, createManualClock());
    for (let index = 0; index < 31; index += 1) expect((await api("GET", "/conversations/meta")).status).toBe(200);
  });

  test.each([
    ["1.19", "GET", "/api/v1/profile", 300],
    ["2.16", "GET", "/api/v1/profile", 300],
    ["3.16", "GET", "/api/v1/profile", 3000],
    ["live-agent", "POST", "/platform/api/v1/accounts", 3000],
    ["4.15", "GET", "/api/v1/accounts/1/contacts/search", 100],
    ["4.15", "POST", "/api/v1/accounts/1/upload", 60],
    ["4.15", "POST", "/api/v1/accounts/1/conversations/7/transcript", 1000],
    ["4.15", "GET", "/api/v1/accounts/1/conversations/meta", 30],
    ["4.2", "GET", "/api/v1/accounts/1/conversations/meta", 3000],
  ] as const)("should let %s through %s %s as often as documented", (profile, method, path, limit) => {
    const limits = createRateLimits();
    const clock = createClock(createManualClock());
    const context = { profile: getProfile(profile), clock } as LiveAgentContext;
    const call = { method, path, address: "127.0.0.1", token: "t" };
    for (let index = 0; index < limit; index += 1) expect(limits.count(context, call)).toBeUndefined();
    expect(limits.count(context, call)).toBeGreaterThan(0);
    const isPerAddress = limit === 300 || limit === 3000;
    expect(limits.count(context, { ...call, path: "/api/v1/profile" }) === undefined).toBe(!isPerAddress);
  });
});
