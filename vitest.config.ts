import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "apps/*/test/**/*.test.ts",
      "test/**/*.test.ts",
    ],
    pool: "threads",
    isolate: false,
    testTimeout: 20_000,
    reporters: ["default", "./tools/count-reporter.ts"],
  },
});
