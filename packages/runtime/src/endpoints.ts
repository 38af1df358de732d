import { InvalidConfigError, parseConfig, type ConfigIssue, type Json } from "@handover/core";
import { completeAvailability, type AvailabilityOptions } from "./availability/availability-options.ts";
import type { Bot } from "./bot.ts";
import type { ConnectionRegistry } from "./connections/connection-registry.ts";
import { RuntimeError } from "./errors.ts";
import type { EndpointOptions, HandoverRuntimeOptions } from "./options.ts";
import { findQueueIssues, type QueueOptions } from "./queue/queue-options.ts";
import { defaultTexts, type Texts } from "./texts.ts";

/** An endpoint with its defaults filled in. */
export interface Endpoint {
  readonly token: string;
  readonly bot?: Bot;
  readonly texts: Texts;
  readonly handover?: {
    readonly connections: readonly string[];
    readonly options: Readonly<Record<string, Json>>;
    readonly acceptTimeoutMs?: number;
    readonly queue: QueueOptions;
    readonly repeatHandoverMessage: boolean;
    readonly availability: Required<AvailabilityOptions>;
    readonly detachedAfterMs: number;
    readonly userIdleTimeoutMs?: number;
    readonly agentIdleTimeoutMs?: number;
    readonly connectsMessage?: boolean;
    readonly disconnectsMessage?: boolean;
    readonly cancelWords?: readonly string[];
    readonly surveys?: "vendor" | "bot" | "none";
  };
  readonly channel: "any-time" | "answers-only";
  readonly channelOptions: readonly string[];
}

const day = 24 * 60 * 60 * 1000;

/**
 * Checks the endpoints against the connections.
 * @throws InvalidConfigError with every problem
 */
export function createEndpoints(options: HandoverRuntimeOptions, connections: ConnectionRegistry): ReadonlyMap<string, Endpoint> {
  const issues: ConfigIssue[] = [];
  const endpoints = new Map<string, Endpoint>();
  options.endpoints.forEach((endpoint, index) => {
    const at = (path: string, message: string) => issues.push({ path: ["endpoints", index, path], message });
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(endpoint.token)) at("token", "needs 1 to 64 letters, digits, dashes or underscores");
    if (endpoints.has(endpoint.token)) at("token", `"${endpoint.token}" is used twice`);
    const names = endpoint.handover?.connections ?? [];
    if (endpoint.handover && names.length === 0) at("handover", "names no connection");
    for (const name of names) if (!connections.has(name)) at("handover", `names the connection "${name}", which is not configured`);
    checkIdleTimes(endpoint, (message) => at("handover", message));
    for (const issue of findQueueIssues({ ...endpoint.handover?.queue }))
      issues.push({ ...issue, path: ["endpoints", index, "handover", ...issue.path] });
    endpoints.set(endpoint.token, toEndpoint(endpoint, options.bot));
  });
  if (issues.length > 0) throw new InvalidConfigError({ subject: "The runtime's configuration", issues });
  for (const endpoint of endpoints.values()) mergeOptions(endpoint, connections, []);
  return endpoints;
}

function toEndpoint(endpoint: EndpointOptions, defaultBot: Bot | undefined): Endpoint {
  const bot = endpoint.bot ?? defaultBot;
  const { handover } = endpoint;
  return {
    token: endpoint.token,
    ...(bot ? { bot } : {}),
    texts: { ...defaultTexts, ...handover?.texts },
    ...(handover
      ? {
          handover: {
            connections: [...new Set(handover.connections)],
            options: handover.options ?? {},
            ...(handover.acceptTimeoutMs === undefined ? {} : { acceptTimeoutMs: handover.acceptTimeoutMs }),
            queue: handover.queue ?? {},
            repeatHandoverMessage: handover.repeatHandoverMessage ?? false,
            availability: completeAvailability(handover.availability),
            detachedAfterMs: handover.detachedAfterMs ?? day,
            ...talkOptions(handover),
          },
        }
      : {}),
    channel: endpoint.channel ?? "any-time",
    channelOptions: endpoint.channelOptions ?? [],
  };
}

/** What is said of the talk itself, as it is given. */
function talkOptions(handover: NonNullable<EndpointOptions["handover"]>): Partial<NonNullable<Endpoint["handover"]>> {
  const { userIdleTimeoutMs, agentIdleTimeoutMs, connectsMessage, disconnectsMessage, cancelWords, surveys } = handover;
  const given = { userIdleTimeoutMs, agentIdleTimeoutMs, connectsMessage, disconnectsMessage, cancelWords, surveys };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Units are easily mixed up: what is far from any sense is refused with a hint. */
function checkIdleTimes({ handover }: EndpointOptions, add: (message: string) => void): void {
  for (const key of ["userIdleTimeoutMs", "agentIdleTimeoutMs"] as const) {
    const value = handover?.[key];
    if (value !== undefined && !(value > 0 && value <= 30 * day)) {
      add(`has ${key}: ${value}, which must be milliseconds, more than 0 and at most ${30 * day} (30 days)`);
    }
  }
}

/** Why nobody can be asked for at an endpoint; nothing where it can. */
export function whyNoHandover(endpoint: Endpoint): "HANDOVER_NOT_CONFIGURED" | "CHANNEL_UNSUPPORTED" | undefined {
  if (!endpoint.handover) return "HANDOVER_NOT_CONFIGURED";
  return endpoint.channel === "answers-only" ? "CHANNEL_UNSUPPORTED" : undefined;
}

/** The endpoint with the token. @throws RuntimeError `ENDPOINT_NOT_FOUND` */
export function requireEndpoint(endpoints: ReadonlyMap<string, Endpoint>, token: string): Endpoint {
  const endpoint = endpoints.get(token);
  if (endpoint) return endpoint;
  throw new RuntimeError("ENDPOINT_NOT_FOUND", `There is no endpoint "${token}". Check the URL, or add the endpoint to the configuration.`);
}

/**
 * The endpoint of a conversation that exists. One that was taken out of the configuration meanwhile still has the standard
 * texts, so that its handovers can go on to their end.
 */
export function endpointOf(endpoints: ReadonlyMap<string, Endpoint>, token: string): Endpoint {
  return endpoints.get(token) ?? { token, texts: defaultTexts, channel: "any-time", channelOptions: [] };
}

/**
 * The options of a handover for each of the endpoint's connections. Later layers win: connection, endpoint, then what is
 * given (bot, client). A key that is the name of a connection of this endpoint addresses that connection alone.
 *
 * @throws InvalidConfigError when a connection's provider does not know an option
 */
export function mergeOptions(
  endpoint: Endpoint,
  connections: ConnectionRegistry,
  given: readonly Readonly<Record<string, Json>>[],
): Record<string, Json> {
  const names = endpoint.handover?.connections ?? [];
  const layers = [endpoint.handover?.options ?? {}, ...given];
  const merged: Record<string, Json> = {};
  for (const name of names) {
    const connection = connections.get(name);
    const options = layers.reduce<Record<string, Json>>((sum, layer) => ({ ...sum, ...optionsFor(name, layer, names) }), {
      ...connection.options,
    });
    parseConfig(connection.provider.options, options, `The options of a handover through "${name}" (${connection.provider.name})`);
    merged[name] = options;
  }
  return merged;
}

function optionsFor(name: string, layer: Readonly<Record<string, Json>>, names: readonly string[]): Record<string, Json> {
  const common = Object.fromEntries(Object.entries(layer).filter(([key]) => !names.includes(key)));
  const own = layer[name];
  return own !== null && typeof own === "object" && !Array.isArray(own) ? { ...common, ...(own as Record<string, Json>) } : common;
}
