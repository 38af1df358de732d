import { readFileSync } from "node:fs";
import { describeSettings, type JsonSchema } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeContext, makeSettings } from "./__fixtures__/calls.ts";
import { buildAgentAssistLink, eightbyeightProvider } from "./index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("should name every setting, option and ability, and no ability that is not there", () => {
    const { settings, options } = describeSettings(eightbyeightProvider);
    const keysOf = (schema: JsonSchema): string[] => Object.keys(schema["properties"] as object);
    for (const key of [...keysOf(settings), ...keysOf(options)]) expect(readme).toContain(`\`${key}\``);

    const abilities = readme.slice(readme.indexOf("## Abilities"), readme.indexOf("Agents' quick replies"));
    const rows = abilities
      .split("\n")
      .slice(4)
      .map((row) => row.split("|")[1] ?? "");
    const named = [...rows.join().matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const made = eightbyeightProvider.connect(makeSettings({ hasQueueStatistics: true }), makeContext());
    const { accountKey: _accountKey, ...connection } = made;
    expect(named.sort()).toEqual(Object.keys(connection).sort());
  });

  it("should give the default of every setting that has one", () => {
    const properties = describeSettings(eightbyeightProvider).settings["properties"] as Record<string, { default?: unknown }>;
    for (const [key, { default: value }] of Object.entries(properties)) {
      if (value === undefined || Array.isArray(value)) continue;
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${key}\``));
      expect(row, key).toContain(`\`${JSON.stringify(value).replaceAll('"', "")}\``);
    }
  });

  it("should show the link that comes out of its example", () => {
    const link = buildAgentAssistLink({ baseUrl: "https://copilot.example/", sessionId: "session-1", userId: "user-1", urlToken: "0a67" });
    expect(readme).toContain(`console.log(link); // ${link ?? "nothing"}`);
  });
});
