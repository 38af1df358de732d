import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadConfiguration } from "../src/configuration/load-configuration.ts";
import { marked } from "./support/test-configuration.ts";

const file = fileURLToPath(new URL("../handover.example.yaml", import.meta.url));

test("should be a configuration that works once its variables are set", async () => {
  const configuration = await loadConfiguration(file, {
    environment: {
      LIVE_AGENT_API_KEY: marked.apiKey,
      SUPPORT_TOKEN_SECRET: marked.signingSecret,
      BOT_SECRET: marked.botSecret,
      METRICS_TOKEN: marked.metricsToken,
    },
  });
  expect(configuration.connections.map(({ name }) => name)).toEqual(["support-desk"]);
});

test("should name every variable that is missing", async () => {
  const names = [...readFileSync(file, "utf8").matchAll(/\$\{([A-Z_]{5,})\}/g)].map((match) => match[1] ?? "");
  const error = await loadConfiguration(file, { environment: {} }).catch((cause: unknown) => cause);
  for (const name of names) expect((error as Error).message).toContain(`needs the environment variable ${name}, which is not set`);
  expect(names).toHaveLength(4);
});
