import type { EightbyeightBehaviour } from "./eightbyeight-behaviour.ts";
import { defaultBehaviour, readBehaviour } from "./eightbyeight-behaviour.ts";

/** How a simulated 8x8 Contact Center is set up; everything is optional. */
export interface EightbyeightSimulatorOptions {
  /** Default `simulator-eightbyeight-key`. */
  readonly apiKey?: string;
  /** The first tenant, which has the channel that is named here. Default `acme01`. */
  readonly tenant?: string;
  /** Further tenants of the same customer: with them every call must name its tenant. */
  readonly otherTenants?: readonly string[];
  /** The customer id in the headers of webhooks. Default `customer01`. */
  readonly customerId?: string;
  /** Where the first tenant's channel sends its webhooks; without it there is no webhook until one is set. */
  readonly webhookUrl?: string;
  /** Default 5000. */
  readonly webhookTimeoutMs?: number;
  /** The queues; the first is the channel's. Default `101` Support and `102` Sales. */
  readonly queues?: readonly QueueSetup[];
  /** Whether there is a channel already. Default true; without it there is nothing until a program provisions it. */
  readonly hasChannel?: boolean;
  /** Scheme, host and port in pre-signed URLs. Default: where the simulator listens. */
  readonly publicUrl?: string;
  /** What it behaves like at the start and after a reset. */
  readonly behaviour?: Partial<EightbyeightBehaviour>;
}

interface QueueSetup {
  readonly id: string;
  readonly name: string;
}

const demoQueues: readonly QueueSetup[] = [
  { id: "101", name: "Support" },
  { id: "102", name: "Sales" },
];

export interface EightbyeightSetup {
  readonly apiKey: string;
  readonly tenants: readonly [string, ...string[]];
  readonly customerId: string;
  readonly webhookUrl: string | null;
  readonly webhookTimeoutMs: number;
  readonly queues: readonly [QueueSetup, ...QueueSetup[]];
  readonly hasChannel: boolean;
  readonly publicUrl: string | null;
  readonly behaviour: EightbyeightBehaviour;
}

export function readOptions(options: EightbyeightSimulatorOptions): EightbyeightSetup {
  const [firstQueue, ...otherQueues] = options.queues ?? demoQueues;
  if (!firstQueue) throw new TypeError("The simulator needs a queue.");
  return {
    apiKey: options.apiKey ?? "simulator-eightbyeight-key",
    tenants: [options.tenant ?? "acme01", ...(options.otherTenants ?? [])],
    customerId: options.customerId ?? "customer01",
    webhookUrl: options.webhookUrl ?? null,
    webhookTimeoutMs: options.webhookTimeoutMs ?? 5000,
    queues: [firstQueue, ...otherQueues],
    hasChannel: options.hasChannel ?? true,
    publicUrl: options.publicUrl?.replace(/\/+$/, "") ?? null,
    behaviour: readBehaviour(options.behaviour, defaultBehaviour),
  };
}
