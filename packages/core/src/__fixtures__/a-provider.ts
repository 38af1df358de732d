import { z } from "zod";
import type { HandoverProvider } from "../provider.ts";

/** The smallest provider: it can start a handover and nothing else. */
export function aProvider(overrides: Partial<HandoverProvider> = {}): HandoverProvider {
  return {
    specificationVersion: "v1",
    name: "acme",
    title: "Acme Desk",
    settings: z.strictObject({}),
    options: z.strictObject({}),
    state: { version: 1, schemas: { 1: z.strictObject({}) } },
    connect: () => ({
      accountKey: "acme|1",
      start: async () => ({ references: ["conversation:1"], state: {}, transcriptThrough: 0, relay: "both" }),
    }),
    ...overrides,
  };
}
