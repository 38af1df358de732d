import { describe, it } from "vitest";
import { conformanceGroups } from "./conformance-groups.ts";
import type { ConformanceOptions } from "./suite.ts";

/** Time for one test: some start a handover a dozen times. */
const timeoutMs = 30_000;

/**
 * Runs the conformance suite against a provider and its contact centre, as vitest tests. Call it at the top of a test file,
 * with the contact centre already running.
 */
export function describeHandoverProvider(options: ConformanceOptions): void {
  describe(`${options.name}: conformance`, () => {
    for (const { title, tests } of conformanceGroups(options)) {
      describe(title, () => {
        for (const test of tests) it(test.title, { timeout: timeoutMs }, () => test.run());
      });
    }
  });
}
