import { defineConfig } from "vitest/config";

/** Kills hosts under load: it needs the machine for itself, and would disturb whatever waits for something else. */
const chaos = "test/chaos/short.test.ts";

export default defineConfig({
  test: {
    pool: "threads",
    isolate: false,
    testTimeout: 20_000,
    reporters: ["default", "./tools/count-reporter.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "tests",
          include: [
            "packages/*/src/**/*.test.ts",
            "packages/*/test/**/*.test.ts",
            "apps/*/src/**/*.test.ts",
            "apps/*/test/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          exclude: ["**/node_modules/**", chaos],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "chaos", include: [chaos], sequence: { groupOrder: 1 } } },
    ],
  },
});
