import type { Logger } from "@handover/core";
import {
  createHandoverRuntime,
  type Bot,
  type EndpointOptions,
  type HandoverRuntime,
  type HandoverRuntimeOptions,
  type Limits,
  type Store,
  type Timing,
} from "@handover/runtime";
import { attachmentUrl } from "./attachment-url.ts";
import { createDemoBot } from "./bots/demo-bot.ts";
import { createHttpBot } from "./bots/http-bot.ts";
import type { LimitsConfiguration } from "./configuration/configuration-schema.ts";
import type { EndpointConfiguration, HostConfiguration } from "./configuration/host-configuration.ts";
import { toTalkOptions } from "./configuration/talk-schema.ts";

/** The runtime that a configuration describes, not yet started. */
export async function createHostRuntime(
  configuration: HostConfiguration,
  parts: { readonly store: Store; readonly logger: Logger } & Pick<HandoverRuntimeOptions, "fetchFile" | "redact">,
): Promise<HandoverRuntime> {
  const { publicUrl, limits } = configuration;
  return createHandoverRuntime({
    ...parts,
    providers: configuration.providers,
    connections: Object.fromEntries(configuration.connections.map(({ name, origins: _origins, ...connection }) => [name, connection])),
    endpoints: configuration.endpoints.map(toEndpointOptions),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    attachmentUrl: (file) => attachmentUrl(publicUrl, file),
    timing: toTiming(configuration.timing),
    limits: toLimits(limits),
  });
}

/** Those of the file that are not the host's own; the runtime has a default for each. */
function toLimits({
  perConversation: _1,
  perAddress: _2,
  perEndpoint: _3,
  jsonBytes: _4,
  ...limits
}: LimitsConfiguration): Partial<Limits> {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

/** `callTimeoutSeconds` of the file is `callTimeoutMs` of the runtime. */
function toTiming(timing: HostConfiguration["timing"]): Partial<Timing> {
  return Object.fromEntries(
    Object.entries(timing).flatMap(([key, value]) =>
      value === undefined ? [] : [[key.replace(/Seconds$/, "Ms"), Math.round(value * 1000)]],
    ),
  );
}

function toEndpointOptions(endpoint: EndpointConfiguration): EndpointOptions {
  const { token, handover, channelOptions } = endpoint;
  const bot = toBot(endpoint);
  return {
    token,
    channelOptions,
    ...(bot ? { bot } : {}),
    ...(handover
      ? {
          handover: {
            connections: handover.connections,
            ...(handover.options ? { options: handover.options } : {}),
            ...(handover.texts ? { texts: withoutUndefined(handover.texts) } : {}),
            ...(handover.acceptTimeoutSeconds === undefined ? {} : { acceptTimeoutMs: handover.acceptTimeoutSeconds * 1000 }),
            ...toTalkOptions(handover),
            ...(handover.queue ? { queue: withoutUndefined(handover.queue) } : {}),
            ...(handover.repeatHandoverMessage === undefined ? {} : { repeatHandoverMessage: handover.repeatHandoverMessage }),
            ...(handover.availability ? { availability: withoutUndefined(handover.availability) } : {}),
          },
        }
      : {}),
  };
}

function toBot({ bot }: EndpointConfiguration): Bot | undefined {
  if (bot.http) return createHttpBot(bot.http);
  return bot.demo ? createDemoBot() : undefined;
}

function withoutUndefined<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;
}
