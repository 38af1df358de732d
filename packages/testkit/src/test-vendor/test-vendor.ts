import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock, HandoverProvider } from "@handover/core";
import { abilityNames, type AbilityName } from "../abilities.ts";
import { startTestVendorBackend, type TestVendorBackend } from "./backend/vendor-backend.ts";
import type { WebhookMode } from "./backend/vendor-webhooks.ts";
import { vendorLimits } from "./vendor-limits.ts";
import { testVendorProvider } from "./provider/test-vendor-provider.ts";

/** How a test vendor is set up; everything is optional. */
export interface TestVendorOptions {
  /** Switches abilities off (`false`). Default: all are on. */
  readonly abilities?: Partial<Readonly<Record<AbilityName, boolean>>>;
  /** Time of the contact centre. Default: the system's. */
  readonly clock?: Clock;
  /** Whether event numbers go up by exactly one, so that a hole is a loss. Default: `dense`. */
  readonly eventNumbers?: "dense" | "sparse";
  /** `events` (default) hold what happened, `nudges` only name the conversation and make the provider pull, `none`. */
  readonly webhooks?: WebhookMode;
  /** The handover ends by itself this long after the last agent left. Default: never. */
  readonly agentLeftGraceSeconds?: number;
  /** Calls need access tokens that work so long. Default: the key itself is sent with each call. */
  readonly tokenLifetimeMs?: number;
}

/** A running contact centre and a provider for it. */
export interface TestVendor {
  readonly provider: HandoverProvider;
  /** Settings of a connection, ready for a runtime or a host's configuration: plain JSON. */
  readonly settings: TestVendorConnectionSettings;
  /** What the connection can do. */
  readonly abilities: readonly AbilityName[];
  readonly backend: TestVendorBackend;
  /** The file of the provider, for a host that loads it as a plugin by its path. */
  readonly pluginFile: string;
  /** Stops the contact centre. */
  close(): Promise<void>;
}

/** Settings of a connection to a test vendor. */
export interface TestVendorConnectionSettings {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly webhookSecret: string;
  readonly eventNumbers: "dense" | "sparse";
  readonly agentLeftGraceSeconds?: number;
  readonly hasAccessTokens?: boolean;
  readonly abilities: readonly AbilityName[];
}

/**
 * Starts a fake contact centre on 127.0.0.1 and gives a provider for it. The provider has every ability of the interface, each
 * of which can be switched off, so that a runtime can be tried against every kind of vendor.
 */
export async function createTestVendor(options: TestVendorOptions = {}): Promise<TestVendor> {
  const abilities = abilityNames.filter((name) => options.abilities?.[name] !== false);
  const secrets = { apiKey: "test-vendor-api-key-4711", webhookSecret: "test-vendor-signing-secret-0815" };
  const eventNumbers = options.eventNumbers ?? "dense";
  const backend = await startTestVendorBackend({
    ...secrets,
    clock: options.clock ?? { now: () => Date.now() },
    areNumbersDense: eventNumbers === "dense",
    webhooks: options.webhooks ?? "events",
    // A provider that does not plan cannot split: its vendor takes texts of any length.
    textCharacters: abilities.includes("planMessage") ? vendorLimits.textCharacters : Infinity,
    ...(options.tokenLifetimeMs === undefined ? {} : { tokenLifetimeMs: options.tokenLifetimeMs }),
  });
  const { agentLeftGraceSeconds } = options;
  return {
    provider: testVendorProvider as unknown as HandoverProvider,
    settings: {
      baseUrl: backend.baseUrl,
      ...secrets,
      eventNumbers,
      ...(agentLeftGraceSeconds === undefined ? {} : { agentLeftGraceSeconds }),
      ...(options.tokenLifetimeMs === undefined ? {} : { hasAccessTokens: true }),
      abilities,
    },
    abilities,
    backend,
    pluginFile: fileURLToPath(new URL(`./plugin${extname(import.meta.url)}`, import.meta.url)),
    close: () => backend.close(),
  };
}
