import { describeSettings, parseConfig, type InvalidConfigError } from "@handover/core";
import { describe, expect, it } from "vitest";
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
    ["https://api-abc123.cognigy.cloud/openapi", "https://api-abc123.cognigy.cloud/api/v1"],
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
    for (const field of ["baseUrl", "accountId", "inboxId", "apiKey"]) expect(problems).toContain(`  ${field}: is missing`);
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
    expect(secrets).toEqual(["apiKey", "signatureSecret", "previousSignatureSecret"]);
  });

  it("should refuse unknown and wrong options", () => {
    const parse = (options: unknown): unknown => parseConfig(liveAgentOptionsSchema, options, "test");
    expect(parse({ inboxId: 7, priority: "urgent", skills: ["billing"] })).toEqual({
      inboxId: "7",
      priority: "urgent",
      skills: ["billing"],
    });
    expect(() => parse({ priority: "highest" })).toThrow(/priority/);
    expect(() => parse({ skill: ["billing"] })).toThrow(/Did you mean "skills"/);
  });
});
