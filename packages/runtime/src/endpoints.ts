import { InvalidConfigError, parseConfig, type ConfigIssue, type Json } from "@handover/core";
import type { Bot } from "./bot.ts";
import type { ConnectionRegistry } from "./connections/connection-registry.ts";
import { RuntimeError } from "./errors.ts";
import type { EndpointOptions, HandoverRuntimeOptions } from "./options.ts";
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
    readonly detachedAfterMs: number;
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
            detachedAfterMs: handover.detachedAfterMs ?? day,
          },
        }
      : {}),
    channel: endpoint.channel ?? "any-time",
    channelOptions: endpoint.channelOptions ?? [],
  };
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
