export type LiveAgentProfileName = "live-agent" | "4.15";

/** What one version of the product does differently. */
export interface LiveAgentProfile {
  readonly name: LiveAgentProfileName;
  readonly title: string;
  /** What `GET /api` says. */
  readonly version: string;
  /** An incoming message reopens a resolved or snoozed conversation, and agents can reopen one. */
  readonly canReopen: boolean;
  /** Inbox webhooks carry an HMAC signature (4.13), and administrators can read the inbox's secret. */
  readonly signsWebhooks: boolean;
  readonly hasAbandonedStatus: boolean;
  /** `GET conversations/{id}/queue_details`. */
  readonly hasQueueDetails: boolean;
  /** The key `account` inside a conversation of a webhook (4.14.2). */
  readonly hasAccountInConversation: boolean;
  /** Webhooks follow redirects (4.14). */
  readonly followsRedirects: boolean;
}

const profiles: Readonly<Record<LiveAgentProfileName, LiveAgentProfile>> = {
  // Its base is not published. 4.12.1 has everything the handover needs and, like Live Agent as far as is known, no inbox signature.
  "live-agent": {
    name: "live-agent",
    title: "Cognigy Live Agent",
    version: "4.12.1",
    canReopen: false,
    signsWebhooks: false,
    hasAbandonedStatus: true,
    hasQueueDetails: true,
    hasAccountInConversation: false,
    followsRedirects: false,
  },
  "4.15": {
    name: "4.15",
    title: "Chatwoot 4.15",
    version: "4.15.1",
    canReopen: true,
    signsWebhooks: true,
    hasAbandonedStatus: false,
    hasQueueDetails: false,
    hasAccountInConversation: true,
    followsRedirects: true,
  },
};

export function getProfile(name: LiveAgentProfileName): LiveAgentProfile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (!profile) throw new TypeError(`Unknown Live Agent profile "${name}"; known: ${Object.keys(profiles).join(", ")}.`);
  return profile;
}
