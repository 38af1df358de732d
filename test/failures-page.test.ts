import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "prettier";
import { describe, expect, it } from "vitest";
import { claimsOf, parseTitle } from "../tools/failure-claims.ts";
import { failureGroups, type KnownFailure } from "../tools/failure-ids.ts";
import { openSurfaces } from "../tools/open-surfaces.ts";
import { coverageOf, pageFile, renderOwnPage, renderPage } from "../tools/write-failures-page.ts";

describe("reading claims from titles", () => {
  it.each([
    ["should deliver once [F017]", [{ id: "F017" }]],
    ["should deliver once [F017 part]", [{ id: "F017", part: "part" }]],
    ["should deliver once [F017, F022]", [{ id: "F017" }, { id: "F022" }]],
    ["should deliver once [F017 F022]", [{ id: "F017" }, { id: "F022" }]],
    ["should deliver once [F017, F022 core part]", [{ id: "F017" }, { id: "F022", part: "core part" }]],
    ["should deliver once [F017 part: on one instance, in order]", [{ id: "F017", part: "part: on one instance, in order" }]],
    ["should deliver once [F017] also later [F022: echo]", [{ id: "F017" }, { id: "F022", part: "echo" }]],
    ["should deliver F017 and [17] once", []],
  ])("should read %j", (title, claims) => {
    expect(parseTitle(title)).toEqual(claims);
  });

  const idsOf = (source: string) => claimsOf("a.test.ts", source).map((claim) => claim.id);

  it("should find titles of tests and groups, in tables too", () => {
    expect(idsOf('it("a [F001]", () => {}); test(`b [F002]`, () => {}); describe("c [F003]", () => { it("d [F004]", f); });')).toEqual([
      "F001",
      "F002",
      "F003",
      "F004",
    ]);
    expect(idsOf('it.each([1])("a %i [F005]", f); it.skipIf(x)("b [F006]", f); it.concurrent(`c ${name} [F007]`, f);')).toEqual([
      "F005",
      "F006",
      "F007",
    ]);
  });

  it("should find titles of suites that are made for others", () => {
    expect(idsOf('suite.check("should echo [F019]", run); const tests = [{ title: "should echo [F022]", run }];')).toEqual([
      "F019",
      "F022",
    ]);
  });

  it("should not count what is never run, or is no title", () => {
    expect(idsOf('it.skip("a [F001]", f); it.todo("b [F002]"); describe.skip("c", () => { it("d [F003]", f); });')).toEqual([]);
    expect(idsOf('// it("a [F001]", f)\nconst text = "b [F002]"; print("c [F003]"); it("d", () => parse("it(\'[F004]\')"));')).toEqual([]);
  });
});

describe("the page", () => {
  const failure = (id: string, layers: KnownFailure["layers"] = ["core"]): KnownFailure => ({ id, title: `Failure ${id}`, layers });
  const groups = [
    { name: "First", failures: [failure("F001"), failure("F002", ["core", "provider:*"])] },
    { name: "Second", failures: [failure("F003"), failure("F004", ["not-applicable"])] },
  ];
  const file = "packages/core/src/plugins/load.test.ts";
  const claims = [
    { id: "F001", file, part: "core part" },
    { id: "F001", file: "test/whole.test.ts" },
    { id: "F002", file, part: "core part" },
    { id: "F002", file, part: "types" },
  ];

  it("should call a failure covered, in part, open or not applicable by its titles", () => {
    const states = groups.flatMap((group) => group.failures.map((known) => coverageOf(known, claims)));
    expect(states).toEqual(["covered", "in part", "open", "not applicable"]);
  });

  it.each<[string, KnownFailure["layers"], string]>([
    ["packages/core/src/a.test.ts", ["core", "runtime"], "covered"],
    ["packages/core/src/a.test.ts", ["runtime"], "in part"],
    ["packages/store-sqlite/src/a.test.ts", ["store"], "covered"],
    ["packages/provider-utils/src/a.test.ts", ["provider:*"], "in part"],
    ["packages/testkit/src/a-suite.ts", ["provider:*"], "covered"],
    ["packages/live-agent/test/a.test.ts", ["provider:live-agent"], "covered"],
    ["packages/live-agent/test/a.test.ts", ["provider:liveperson"], "in part"],
    ["apps/host/test/a.test.ts", ["host"], "covered"],
    ["test/a.test.ts", ["runtime", "store"], "covered"],
  ])("should take a whole claim in %s for a failure of %j as %s", (path, layers, state) => {
    expect(coverageOf(failure("F001", layers), [{ id: "F001", file: path }])).toBe(state);
  });

  it("should have counts, a row per failure with links to the tests, and the open surfaces", async () => {
    const page = await renderPage({ groups, claims, surfaces: [{ surface: "`npm run bench`", purpose: "Benchmarks." }] });
    const lines = page.split("\n").map((line) => line.replaceAll(/ +/g, " "));
    expect(lines).toContain("| 1 | 1 | 1 | 1 | 4 |");
    expect(lines).toContain(
      `| F001 | Failure F001 | \`core\` | covered | [core/plugins/load](../${file}) (core part), [test/whole](../test/whole.test.ts) |`,
    );
    expect(lines).toContain(
      `| F002 | Failure F002 | \`core\` \`provider:*\` | in part | [core/plugins/load](../${file}) (core part, types) |`,
    );
    expect(lines).toContain("| F003 | Failure F003 | `core` | open | |");
    expect(lines).toContain("| F004 | Failure F004 | | not applicable | |");
    expect(lines.slice(lines.indexOf("## Open surfaces"))).toContain("| `npm run bench` | Benchmarks. |");
  });

  it("should refuse a title that names an unknown failure, with its file", async () => {
    const wrong = [{ id: "F999", file }];
    await expect(renderPage({ groups, claims: wrong, surfaces: [] })).rejects.toThrow(`F999 in ${file}`);
  });

  it("should be formatted as the repository formats Markdown", async () => {
    const page = await renderPage({ groups, claims, surfaces: openSurfaces });
    expect(await check(page, { parser: "markdown", printWidth: 140 })).toBe(true);
  });
});

describe("the data behind the page", () => {
  const failures = failureGroups.flatMap((group) => group.failures);

  it("should hold every id once, in order, without a hole", () => {
    const ids = failures.map((_, index) => `F${String(index + 1).padStart(3, "0")}`);
    expect(failures.map((failure) => failure.id)).toEqual(ids);
  });

  it("should have short titles and at least one layer", () => {
    for (const { id, title, layers } of failures) {
      expect(title.split(" ").length, id).toBeLessThanOrEqual(12);
      expect(layers.length, id).toBeGreaterThan(0);
    }
  });

  it("should link only to files that are there", async () => {
    for (const [, link] of (await renderOwnPage()).matchAll(/\]\(\.\.\/([^)]+)\)/g)) {
      expect(() => readFileSync(join(pageFile, "../..", link!))).not.toThrow();
    }
  });

  it("should be on the page that is checked in", async () => {
    const isUpToDate = readFileSync(pageFile, "utf8") === (await renderOwnPage());
    expect(isUpToDate, "docs/failures.md is not up to date: run npm run docs").toBe(true);
  });
});
