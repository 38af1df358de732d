import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** These measure time, or kill hosts under load: each needs the machine for itself, and would disturb whatever waits for something else. */
const alone = { backlog: "test/catalogue/backlog.test.ts", chaos: "test/chaos/short.test.ts" };

export default defineConfig({
  test: {
    pool: "threads",
    isolate: false,
    // More than cores: the tests wait most of the time.
    maxWorkers: Math.max(3, availableParallelism() - 1),
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
            "examples/*/test/**/*.test.ts",
            "test/**/*.test.ts",
          ],
          exclude: ["**/node_modules/**", ...Object.values(alone)],
          sequence: { groupOrder: 0 },
        },
      },
      ...Object.entries(alone).map(([name, file], index) => ({
        extends: true as const,
        test: { name, include: [file], sequence: { groupOrder: index + 1 } },
      })),
    ],
  },
});
