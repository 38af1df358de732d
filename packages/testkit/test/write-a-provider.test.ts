import { readFileSync } from "node:fs";
import { abilityNames } from "@handover/testkit";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/write-a-provider.md", root), "utf8");

/** Each code block of the page with the file that the comment above it names. */
const blocks = [...page.matchAll(/<!-- (\S+) -->\n+```ts\n([\s\S]*?)```/g)].map(([, file = "", code = ""]) => ({ file, code }));

describe("docs/write-a-provider.md", () => {
  it("should show only code that stands in the sources [F178 part: this page]", () => {
    expect(blocks).toHaveLength([...page.matchAll(/```ts/g)].length);
    for (const { file, code } of blocks) {
      expect(withoutSpace(readFileSync(new URL(file, root), "utf8")), file).toContain(withoutSpace(code));
    }
  });

  it("should name every ability", () => {
    expect(abilityNames.filter((name) => !page.includes(`\`${name}\``) && !page.includes(`**\`${name}\`**`))).toEqual([]);
  });

  it("should have at most 150 lines", () => {
    expect(page.split("\n").length).toBeLessThanOrEqual(151);
  });
});

function withoutSpace(code: string): string {
  return code.replaceAll(/\s+/g, "");
}
