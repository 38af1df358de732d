import type { LiveAgentBehaviour } from "./live-agent-behaviour.ts";
import { defaultBehaviour, readBehaviour } from "./live-agent-behaviour.ts";
import type { LiveAgentProfileName } from "./live-agent-profile.ts";
import { getProfile } from "./live-agent-profile.ts";

/** How a simulated Live Agent is set up; everything is optional. */
export interface LiveAgentSimulatorOptions {
  /** `"live-agent"` (default) behaves like Cognigy Live Agent, the others like that version of Chatwoot. */
  readonly profile?: LiveAgentProfileName;
  /** The Chatwoot release that Live Agent is built on, which nobody publishes. Default `4.12.1` (inferred). */
  readonly baseVersion?: string;
  /** What the vendor leaves open. */
  readonly behaviour?: Partial<LiveAgentBehaviour>;
  /** Default 1. */
  readonly accountId?: number | string;
  /** Default "Acme". */
  readonly accountName?: string;
  /** Default 1. */
  readonly inboxId?: number | string;
  /** Default "Handover". */
  readonly inboxName?: string;
  /** The token of the technical user, an administrator with the id 1. Default `simulator-live-agent-key`. */
  readonly apiKey?: string;
  /** The token of the platform API, 24 characters. Default `SimulatorPlatformToken24`. */
  readonly platformToken?: string;
  /** Where a browser or a host reaches the simulators, without a slash at the end. Default: where they listen. */
  readonly publicUrl?: string;
  /** Where the inbox sends its webhooks; none until set. */
  readonly webhookUrl?: string;
  /** The inbox's signature secret, used where the version signs. Default `simulator-live-agent-secret`. */
  readonly webhookSecret?: string;
  /** Default 5000. */
  readonly webhookTimeoutMs?: number;
  /** More messages than that in one conversation within a minute are refused (since 3.9). Default 200. */
  readonly messagesPerMinute?: number;
  /** A template message after the first line of the customer; none by default. */
  readonly greetingMessage?: string;
  /** A further conversation of the same contact inbox is the last one again. Default false. */
  readonly lockToSingleConversation?: boolean;
  /** Added to every id: a simulator that starts anew beside a host that kept its data must not give out old ids again. Default 0. */
  readonly idOffset?: number;
}

export interface LiveAgentSetup {
  readonly profile: LiveAgentProfileName;
  readonly accountId: number;
  readonly accountName: string;
  readonly inboxId: number;
  readonly inboxName: string;
  readonly baseVersion: string | undefined;
  readonly behaviour: LiveAgentBehaviour;
  readonly apiKey: string;
  readonly platformToken: string;
  readonly publicUrl: string | undefined;
  readonly webhookUrl: string | null;
  readonly webhookSecret: string;
  readonly webhookTimeoutMs: number;
  readonly messagesPerMinute: number;
  readonly greetingMessage: string | null;
  readonly lockToSingleConversation: boolean;
  readonly idOffset: number;
}

export function readOptions(options: LiveAgentSimulatorOptions): LiveAgentSetup {
  const profile = options.profile ?? "live-agent";
  const { baseVersion, publicUrl } = options;
  return {
    profile,
    baseVersion,
    behaviour: readBehaviour(options.behaviour ?? {}, defaultBehaviour(getProfile(profile, baseVersion))),
    accountId: readId("accountId", options.accountId ?? 1),
    accountName: options.accountName ?? "Acme",
    inboxId: readId("inboxId", options.inboxId ?? 1),
    inboxName: options.inboxName ?? "Handover",
    apiKey: options.apiKey ?? "simulator-live-agent-key",
    platformToken: options.platformToken ?? "SimulatorPlatformToken24",
    publicUrl,
    webhookUrl: options.webhookUrl ?? null,
    webhookSecret: options.webhookSecret ?? "simulator-live-agent-secret",
    webhookTimeoutMs: options.webhookTimeoutMs ?? 5000,
    messagesPerMinute: options.messagesPerMinute ?? 200,
    greetingMessage: options.greetingMessage ?? null,
    lockToSingleConversation: options.lockToSingleConversation ?? false,
    idOffset: options.idOffset ?? 0,
  };
}

function readId(name: string, value: number | string): number {
  const id = Number(value);
  if (!Number.isSafeInteger(id) || id < 1) throw new TypeError(`The simulator's ${name} must be a whole number above 0.`);
  return id;
}
