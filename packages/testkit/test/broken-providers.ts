import type { HandoverConnection, HandoverProvider } from "@handover/core";
import { conformanceGroups, type ConformanceOptions, type TestVendor } from "@handover/testkit";

/** Changes one connection into one that makes a mistake. */
export type Mistake = (connection: HandoverConnection) => Partial<HandoverConnection>;

/** The provider of the test vendor with one mistake. */
export function withMistake(provider: HandoverProvider, mistake: Mistake): HandoverProvider {
  return {
    ...provider,
    connect(settings, context) {
      const connection = provider.connect(settings, context);
      const changed = Object.entries<unknown>({ ...connection, ...mistake(connection) }).filter(([, value]) => value !== undefined);
      return Object.fromEntries(changed) as unknown as HandoverConnection;
    },
  };
}

/** Runs the named groups, or all, of them only the tests with these words in their titles, and gives the titles of those that failed. */
export async function failedTests(
  vendor: TestVendor & Pick<ConformanceOptions, "createStore" | "options">,
  provider: HandoverProvider,
  groups?: readonly string[],
  words: readonly string[] = [""],
): Promise<string[]> {
  const failed: string[] = [];
  for (const { title, tests } of conformanceGroups({ name: "test vendor", ...vendor, provider })) {
    if (groups && !groups.includes(title)) continue;
    const chosen = tests.filter((test) => words.some((part) => test.title.includes(part)));
    for (const test of chosen) await test.run().catch(() => void failed.push(test.title));
  }
  return failed;
}
