import type { Feature } from "./live-agent-features.ts";
import { hasFeature } from "./live-agent-features.ts";

export type LiveAgentProfileName = "live-agent" | "1.19" | "2.16" | "3.16" | "4.2" | "4.15";

/** What one version of the product does differently. */
export interface LiveAgentProfile {
  readonly name: LiveAgentProfileName;
  readonly title: string;
  /** The Chatwoot release that it is or, for Live Agent, is built on; what `GET /api` says. */
  readonly version: string;
  /** Cognigy's product: no reopening, a state `abandoned`, queue details, further columns. */
  readonly isLiveAgent: boolean;
  has(feature: Feature): boolean;
}

// Live Agent's base is not published. 4.12.1 has everything the handover needs and, like Live Agent as far as is known, no inbox signature.
const versions: Readonly<Record<LiveAgentProfileName, string>> = {
  "live-agent": "4.12.1",
  "1.19": "1.19.0",
  "2.16": "2.16.0",
  "3.16": "3.16.0",
  "4.2": "4.2.0",
  "4.15": "4.15.1",
};

const signatures: readonly Feature[] = ["signedAccountWebhooks", "signedInboxWebhooks"];

export function getProfile(name: LiveAgentProfileName, baseVersion?: string): LiveAgentProfile {
  const known = Object.hasOwn(versions, name) ? versions[name] : undefined;
  if (known === undefined) throw new TypeError(`Unknown Live Agent profile "${name}"; known: ${Object.keys(versions).join(", ")}.`);
  const isLiveAgent = name === "live-agent";
  const version = (isLiveAgent ? baseVersion : undefined) ?? known;
  return {
    name,
    title: isLiveAgent ? "Cognigy Live Agent" : `Chatwoot ${name}`,
    version,
    isLiveAgent,
    has: (feature) => hasFeature(version, feature) && !(isLiveAgent && signatures.includes(feature)),
  };
}
