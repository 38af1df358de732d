import type { ProviderContext } from "@handover/core";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import type { EightbyeightSettings } from "./eightbyeight-settings.ts";

/** What a connection is made of. */
export interface EightbyeightParts {
  readonly settings: EightbyeightSettings;
  readonly context: ProviderContext;
  readonly client: EightbyeightClient;
}
