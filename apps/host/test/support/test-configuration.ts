import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is there until `remove`. */
export function createFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "handover-host-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Secrets that must never show up in an answer, a log or an error. */
export const marked = {
  apiKey: "MARKED-api-key-5d1f7c",
  signingSecret: "MARKED-signing-secret-0123456789abcdef",
  botSecret: "MARKED-bot-secret-0123456789",
  webhookSecret: "MARKED-webhook-secret-012345",
  operatorToken: "MARKED-operator-token-0123456789",
  metricsToken: "MARKED-metrics-token-0123456789",
};
