import { describeSettings, parseConfig, type InvalidConfigError } from "@handover/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { liveAgentProvider } from "./index.ts";
import { liveAgentOptionsSchema, liveAgentSettingsSchema } from "./live-agent-settings.ts";

const required = { baseUrl: "https://desk.example", accountId: "12345", inboxId: "67", apiKey: "secret-words" };

function problemsOf(settings: Record<string, unknown>): string {
  try {
    parseConfig(liveAgentSettingsSchema, settings, 'connection "support-desk" (live-agent)');
    return "";
  } catch (error) {
    return (error as InvalidConfigError).message;
  }
}

describe("settings", () => {
  it.each([
    ["https://desk.example", "https://desk.example/api/v1"],
    ["https://desk.example/", "https://desk.example/api/v1"],
    ["https://desk.example/api/v1", "https://desk.example/api/v1"],
    [" https://desk.example/api/v1// ", "https://desk.example/api/v1"],
    ["https://liveagent-trial.cognigy.ai/api/v1", "https://liveagent-trial.cognigy.ai/api/v1"],
    ["https://liveagent-app.cognigy.ai", "https://liveagent-app.cognigy.ai/api/v1"],
    ["https://liveagent-app-us.cognigy.ai/api/v1/", "https://liveagent-app-us.cognigy.ai/api/v1"],
    ["https://api-abc123.cognigy.cloud/openapi", "https://api-abc123.cognigy.cloud/api/v1"],
    ["https://live-agent.example.com", "https://live-agent.example.com/api/v1"],
    ["https://desk.example/app/accounts/12345/inbox/67", "https://desk.example/api/v1"],
    ["https://desk.example/app/api/v1", "https://desk.example/app/api/v1"],
    ["https://desk.example/api/v1/accounts/12345/conversations/meta", "https://desk.example/api/v1"],
    ["https://desk.example/live/agent/api/v1/", "https://desk.example/live/agent/api/v1"],
    ["https://a--b.example.co:8443/x/", "https://a--b.example.co:8443/x/api/v1"],
    ["https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example/api/v1"],
    ["https://[2001:db8::1]", "https://[2001:db8::1]/api/v1"],
    ["http://127.0.0.1:4100/live-agent/api/v1", "http://127.0.0.1:4100/live-agent/api/v1"],
    ["http://[::1]:80", "http://[::1]/api/v1"],
    ["http://localhost:3000", "http://localhost:3000/api/v1"],
  ])("should read the base URL %s [F173] [F167]", (baseUrl, expected) => {
    expect(parseConfig(liveAgentSettingsSchema, { ...required, baseUrl }, "test").baseUrl).toBe(expected);
  });

  it.each([
    "htp:/x",
    "desk.example",
    "http://desk.example",
    "http://127.evil.example",
    "https://u:p@desk.example",
    "https://desk.example/?a=1",
    "",
  ])("should refuse the base URL %j [F167]", (baseUrl) => {
    expect(problemsOf({ ...required, baseUrl })).toMatch(/support-desk.*\n {2}baseUrl: /);
  });

  it("should name every missing field at once, and the provider [F167]", () => {
    const problems = problemsOf({});
    expect(problems).toContain("live-agent");
    for (const field of ["baseUrl", "accountId", "apiKey"]) expect(problems).toContain(`  ${field}: is missing`);
    // One that is wrong hides none that is missing.
    expect(problemsOf({ baseUrl: "htp:/x", accountId: 1 })).toMatch(/baseUrl: must begin with https[^]*apiKey: is missing/);
  });

  it("should refuse what are no settings at all", () => {
    for (const value of [null, "https://desk.example", 7, []])
      expect(() => parseConfig(liveAgentSettingsSchema, value, "connection")).toThrow("cannot be used");
  });

  it("should keep ids as digits, whatever they were written as [F086]", () => {
    const parse = (accountId: unknown): string => parseConfig(liveAgentSettingsSchema, { ...required, accountId }, "test").accountId;
    expect([parse(12345), parse(" 0101 "), parse("9007199254740993")]).toEqual(["12345", "0101", "9007199254740993"]);
    for (const wrong of ["12a", "", -1, "../1"])
      expect(problemsOf({ ...required, accountId: wrong })).toContain("accountId: must consist of digits");
    for (const wrong of [1.5, 2 ** 53 + 2])
      expect(problemsOf({ ...required, accountId: wrong })).toContain("accountId: must be a whole number");
  });

  it("should suggest the right key and never show a value", () => {
    const problems = problemsOf({ ...required, apikey: "key-words", apiKey: 5, signatureSecret: "" });
    expect(problems).toContain('Did you mean "apiKey"?');
    expect(problems).not.toContain("words");
  });

  it("should want a secret where a signature is required", () => {
    expect(problemsOf({ ...required, requireSignature: true })).toContain("requireSignature: needs signatureSecret");
    expect(problemsOf({ ...required, requireSignature: true, signatureSecret: "s" })).toBe("");
  });

  it("should describe itself with the vendor's labels and mark secrets", () => {
    const { settings } = describeSettings(liveAgentProvider) as unknown as {
      settings: { properties: Record<string, { title?: string; secret?: boolean }> };
    };
    const titles = Object.fromEntries(Object.entries(settings.properties).map(([key, value]) => [key, value.title]));
    expect(titles).toMatchObject({ baseUrl: "Base URL", accountId: "Account ID", apiKey: "API Key", inboxId: "Inbox ID" });
    const secrets = Object.keys(settings.properties).filter((key) => settings.properties[key]?.secret);
    expect(secrets).toEqual([
      "apiKey",
      "platformApiKey",
      "signatureSecret",
      "previousSignatureSecret",
      "accountWebhookSecret",
      "agentBotSecret",
    ]);
  });

  it("should refuse unknown and wrong options", () => {
    const parse = (options: unknown): unknown => parseConfig(liveAgentOptionsSchema, options, "test");
    expect(parse({ inboxId: 7, priority: "urgent", skills: ["billing"], teamId: 3, assigneeId: "9" })).toEqual({
      inboxId: "7",
      priority: "urgent",
      skills: ["billing"],
      teamId: "3",
      assigneeId: "9",
    });
    // As Cognigy's own form takes them.
    expect(parse({ skills: "technical support, billing", languages: " english ,", labels: "vip" })).toEqual({
      skills: ["technical support", "billing"],
      languages: ["english"],
      labels: ["vip"],
    });
    expect(() => parse({ priority: "highest" })).toThrow(/priority/);
    expect(() => parse({ skill: ["billing"] })).toThrow(/Did you mean "skills"/);
  });
});

describe("the pre-configured account", () => {
  const ready = {
    FEATURE_USE_COGNIGY_LIVE_AGENT: "true",
    COGNIGY_LIVE_AGENT_API_BASE_URL_WITH_PROTOCOL: "https://live-agent.example.com",
    COGNIGY_LIVE_AGENT_PLATFORM_TOKEN: "AbCdEfGhIjKlMnOpQrStUvWx",
  };
  const setEnvironment = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const name of Object.keys(ready)) vi.stubEnv(name, values[name]);
  };
  const made = { usePlatformToken: true, accountId: "7", platformApiKey: "made-key" };

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("should take Base URL and API Key from environment and provisioning, whatever else is written", () => {
    setEnvironment(ready);
    const settings = parseConfig(liveAgentSettingsSchema, { ...made, baseUrl: "https://other.example", apiKey: "other-key" }, "test");
    expect(settings).toMatchObject({ baseUrl: "https://live-agent.example.com/api/v1", accountId: "7", apiKey: "made-key" });
    expect(settings).not.toHaveProperty("platformApiKey");
    const without = parseConfig(liveAgentSettingsSchema, { ...required, platformApiKey: "made-key" }, "test");
    expect(without).toMatchObject({ baseUrl: "https://desk.example/api/v1", apiKey: "secret-words" });
  });

  it.each(Object.keys(ready))("should be refused without %s, and say what to set", (name) => {
    setEnvironment({ ...ready, [name]: undefined });
    const problems = problemsOf(made);
    expect(problems).toMatch(new RegExp(`usePlatformToken: needs the environment: set ${name}\\b`));
    expect(problems).toContain("or switch it off");
  });

  it("should be refused when the feature is off or the URL is none, and show no token", () => {
    setEnvironment({ ...ready, FEATURE_USE_COGNIGY_LIVE_AGENT: "false" });
    expect(problemsOf(made)).toContain("set FEATURE_USE_COGNIGY_LIVE_AGENT=true (");
    setEnvironment({ ...ready, COGNIGY_LIVE_AGENT_API_BASE_URL_WITH_PROTOCOL: "live-agent.example.com" });
    expect(problemsOf(made)).toContain("COGNIGY_LIVE_AGENT_API_BASE_URL_WITH_PROTOCOL is not a URL");
    expect(problemsOf(made)).not.toContain(ready.COGNIGY_LIVE_AGENT_PLATFORM_TOKEN);
  });

  it("should say what provisioning has to make", () => {
    setEnvironment(ready);
    expect(problemsOf({ usePlatformToken: true })).toMatch(/accountId: is missing\n {2}platformApiKey: is missing/);
  });
});
