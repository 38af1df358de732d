import { InvalidConfigError, parseConfig } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeSettings } from "./__fixtures__/calls.ts";
import { eightbyeightOptionsSchema, eightbyeightSettingsSchema } from "./eightbyeight-settings.ts";

const required = { baseUrl: "https://api.8x8.com", apiKey: "k", channelId: "c" };

function problemOf(settings: Record<string, unknown>): string {
  try {
    parseConfig(eightbyeightSettingsSchema, settings, "The settings of 8x8");
  } catch (error) {
    if (InvalidConfigError.isInstance(error)) return error.message;
    throw error;
  }
  return "";
}

describe("settings", () => {
  it.each([
    ["https://api.8x8.com", "https://api.8x8.com"],
    [" https://api.8x8.com// ", "https://api.8x8.com"],
    ["https://api.8x8.com/chat-gateway/v1", "https://api.8x8.com"],
    ["https://api.8x8.com/chat-gateway/v1/", "https://api.8x8.com"],
    ["https://api.8x8.com/chat-gateway", "https://api.8x8.com"],
    ["https://proxy.example:8443/to/8x8/", "https://proxy.example:8443/to/8x8"],
    ["https://a--b.example.co:8443/x/", "https://a--b.example.co:8443/x"],
    ["https://[2001:db8::1]/", "https://[2001:db8::1]"],
    ["http://localhost:4100/eightbyeight", "http://localhost:4100/eightbyeight"],
  ])("should read the Base URL %j as %s [F173 part: Base URL, F167 part: URLs]", (given, expected) => {
    expect(makeSettings({ baseUrl: given }).baseUrl).toBe(expected);
  });

  it("should name every field that is missing or wrong [F167 part: 8x8]", () => {
    const problem = problemOf({ baseUrl: "htp:/x", apiKey: " ", tenant: "x".repeat(256), chanelId: "c" });
    for (const words of [
      "baseUrl: must begin with https://",
      "apiKey: is empty",
      "tenant:",
      "channelId: is missing",
      'Did you mean "channelId"?',
    ]) {
      expect(problem).toContain(words);
    }
    expect(problemOf({ ...required, timeZone: "Mars/Olympus" })).toContain("timeZone: is no IANA time zone");
    const local = { baseUrl: "http://localhost", urlToken: "t" };
    expect(problemOf({ ...required, agentAssist: local })).toContain("agentAssist.baseUrl: must begin with https://");
    expect(problemOf({ ...required, agentAssist: { baseUrl: "copilot" } })).toMatch(
      /agentAssist\.baseUrl: is not a URL.*agentAssist\.urlToken: is missing/s,
    );
  });

  it("should need no tenant, no queue and no prefix of the key", () => {
    expect(problemOf(required)).toBe("");
    expect(makeSettings()).toMatchObject({
      verifySignature: true,
      maxSkewMs: 300_000,
      agentLeftGraceMs: 5_000,
      requestTimeoutMs: 15_000,
      sendHistory: true,
    });
  });

  it("should take ids that somebody wrote as numbers", () => {
    expect(makeSettings({ queueId: 101 }).queueId).toBe("101");
  });

  it("should take no secret as an option of a handover, and the JSON properties as people copy them [F167 part: options]", () => {
    const copied = {
      name: null,
      userId: null,
      email: null,
      phone: null,
      company: null,
      caseId: null,
      language: null,
      additionalProperties: [{ key: "Key name", value: "Value from Cognigy" }],
    };
    expect(parseConfig(eightbyeightOptionsSchema, { jsonProperties: copied }, "options").jsonProperties).toEqual(copied);
    expect(() => parseConfig(eightbyeightOptionsSchema, { apiKey: "k" }, "options")).toThrow(/unknown key "apiKey"/);
    expect(parseConfig(eightbyeightOptionsSchema, {}, "options")).toEqual({});
  });
});
