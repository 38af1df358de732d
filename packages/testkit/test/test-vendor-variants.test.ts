import { abilityNames, createTestVendor, type TestVendorOptions } from "@handover/testkit";
import { describe, expect, it } from "vitest";
import { failedTests } from "./broken-providers.ts";

const variants: readonly { readonly title: string; readonly options: TestVendorOptions }[] = [
  ...abilityNames.map((name) => ({ title: `without ${name}`, options: { abilities: { [name]: false } } })),
  { title: "with nothing but start", options: { abilities: Object.fromEntries(abilityNames.map((name) => [name, false])) } },
  { title: "with sparse event numbers", options: { eventNumbers: "sparse" } },
  { title: "with webhooks that are only nudges", options: { webhooks: "nudges" } },
  { title: "with access tokens that run out", options: { tokenLifetimeMs: 120_000 } },
  { title: "with a grace time after an agent left", options: { agentLeftGraceSeconds: 30 } },
];

describe("test vendor", () => {
  for (const { title, options } of variants) {
    it(`should pass the conformance suite ${title}`, { timeout: 60_000 }, async () => {
      const variant = await createTestVendor(options);
      try {
        // Transcripts of hundreds of lines are those of the vendor with everything: two dozen of them take their time.
        const backend = { ...variant.backend, transcriptLines: 10 };
        expect(await failedTests({ ...variant, backend }, variant.provider)).toEqual([]);
      } finally {
        await variant.close();
      }
    });
  }
});
