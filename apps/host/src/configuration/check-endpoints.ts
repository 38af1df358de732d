import { didYouMean } from "@handover/core";
import type { DeclaredConnection } from "./check-connections.ts";
import { rightPartsOf, type Checker } from "./checker.ts";
import { endpointSchema, spellOut, type EndpointFile } from "./configuration-schema.ts";
import type { EndpointConfiguration } from "./host-configuration.ts";
import { isLoopbackHost } from "./network.ts";

/** An endpoint as it stands in the file. */
export interface DeclaredEndpoint {
  readonly index: number;
  readonly file: EndpointFile;
}

export function readEndpoints(value: unknown, checker: Checker): DeclaredEndpoint[] {
  if (!Array.isArray(value)) return [];
  const endpoints = value.map((raw: unknown, index) => {
    const spelledOut = spellOut(raw);
    return { index, file: checker.read(endpointSchema, spelledOut, ["endpoints", index]) ?? rightParts(spelledOut) };
  });
  const tokens = value.map((raw: unknown) => (raw as { token?: unknown } | null)?.token);
  tokens.forEach((token, index) => {
    if (typeof token !== "string" || tokens.indexOf(token) === index) return;
    checker.add(
      "DUPLICATE_TOKEN",
      ["endpoints", index, "token"],
      `"${token}" is the token of an earlier endpoint already. Each needs its own`,
    );
  });
  return endpoints;
}

/** Enough of an endpoint with mistakes to find the others; it is never used otherwise. */
function rightParts(raw: unknown): EndpointFile {
  return { token: "", access: {}, allowedOrigins: [], bot: {}, channelOptions: [], ...rightPartsOf(endpointSchema, raw) };
}

/** Connections that endpoints bring along themselves; they are named like the endpoint. */
export function inlineConnections(
  endpoints: readonly DeclaredEndpoint[],
  named: readonly string[],
  checker: Checker,
): DeclaredConnection[] {
  return endpoints.flatMap(({ index, file }) => {
    if (file.handover?.provider === undefined) return [];
    const path = ["endpoints", index, "handover"];
    if (named.includes(file.token)) {
      checker.add(
        "DUPLICATE_CONNECTION",
        [...path, "provider"],
        `its connection is named "${file.token}" like the endpoint, and that name is in "connections" already. Rename one of them`,
      );
    }
    return [{ name: file.token, path, file: { provider: file.handover.provider, settings: file.handover.settings ?? {} } }];
  });
}

export function checkConnectionNames(endpoints: readonly DeclaredEndpoint[], names: readonly string[], checker: Checker): void {
  for (const { index, file } of endpoints) {
    file.handover?.connections?.forEach((name, position) => {
      if (names.includes(name)) return;
      const suggestion = didYouMean(name, names);
      const hint = suggestion ? `Did you mean "${suggestion}"?` : `Known connections: ${names.join(", ") || "none"}`;
      const path = ["endpoints", index, "handover", "connections", position];
      checker.add("CONNECTION_NOT_FOUND", path, `endpoint "${file.token}" names the connection "${name}", which is not there. ${hint}`);
    });
  }
}

/** With open access the conversation id is all that protects a conversation. */
export function checkOpenAccess(
  endpoints: readonly DeclaredEndpoint[],
  context: { readonly host: string; readonly allowOpenAccess: boolean; readonly checker: Checker },
): void {
  if (context.allowOpenAccess || isLoopbackHost(context.host)) return;
  for (const { index, file } of endpoints) {
    if (file.access.open === undefined) continue;
    const message = `is open, and the host listens beyond this machine (${context.host}). Use signed access, listen on 127.0.0.1, or set allowOpenAccess: true`;
    context.checker.add("OPEN_ACCESS", ["endpoints", index, "access"], message);
  }
}

export function toEndpoint({ file }: DeclaredEndpoint): EndpointConfiguration {
  const { handover, ...endpoint } = file;
  if (!handover) return endpoint;
  const { connections, provider: _provider, settings: _settings, ...rest } = handover;
  return { ...endpoint, handover: { ...rest, connections: connections ?? [file.token] } };
}
