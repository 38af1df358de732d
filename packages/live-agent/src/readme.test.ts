import { readFileSync } from "node:fs";
import { describeSettings, type JsonSchema } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeContext, makeSettings } from "./__fixtures__/calls.ts";
import { liveAgentProvider } from "./index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("README", () => {
  it("should name every setting, option and ability, and no ability that is not there", () => {
    const { settings, options } = describeSettings(liveAgentProvider);
    const keysOf = (schema: JsonSchema): string[] => Object.keys(schema["properties"] as object);
    for (const key of [...keysOf(settings), ...keysOf(options)]) expect(readme).toContain(`\`${key}\``);

    const abilities = readme.slice(readme.indexOf("## Abilities"), readme.indexOf("Agents' answers"));
    const rows = abilities
      .split("\n")
      .slice(4)
      .map((row) => row.split("|")[1] ?? "");
    const named = [...rows.join().matchAll(/`(\w+)`/g)].map(([, name]) => name);
    const { accountKey: _accountKey, rateLimit: _rateLimit, ...connection } = liveAgentProvider.connect(makeSettings(), makeContext());
    expect(named.sort()).toEqual(Object.keys(connection).sort());
  });
});
