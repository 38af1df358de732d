import { InvalidConfigError, parseConfig, type HandoverProvider, type Json } from "@handover/core";
import type { DeclaredConnection } from "./check-connections.ts";
import type { DeclaredEndpoint } from "./check-endpoints.ts";
import type { Checker } from "./checker.ts";
import type { Path } from "./problem.ts";

type Options = Readonly<Record<string, Json>>;
interface Layer {
  readonly path: Path;
  readonly options: Options;
}

/** Checks what each endpoint would hand to each of its connections, so that a mistake shows with its place in the file. */
export function checkOptions(
  endpoints: readonly DeclaredEndpoint[],
  context: {
    readonly connections: readonly DeclaredConnection[];
    readonly findProvider: (name: string) => HandoverProvider | undefined;
    readonly checker: Checker;
  },
): void {
  const reported = new Set<string>();
  for (const endpoint of endpoints) {
    const names = endpoint.file.handover?.connections ?? [endpoint.file.token];
    for (const name of endpoint.file.handover ? names : []) {
      const connection = context.connections.find((candidate) => candidate.name === name);
      const provider = connection && context.findProvider(connection.file.provider);
      if (!connection || !provider) continue;
      const layers = layersOf(endpoint, connection, names);
      for (const issue of findIssues(provider, layers)) {
        const key = JSON.stringify(issue);
        if (!reported.has(key)) context.checker.add("INVALID_OPTIONS", issue.path, issue.message);
        reported.add(key);
      }
    }
  }
}

/** Later ones win, as they do in the runtime: the connection's, the endpoint's, the endpoint's for this connection. */
function layersOf(endpoint: DeclaredEndpoint, connection: DeclaredConnection, names: readonly string[]): Layer[] {
  const path = ["endpoints", endpoint.index, "handover", "options"];
  const given = endpoint.file.handover?.options ?? {};
  const own = given[connection.name];
  const common = Object.fromEntries(Object.entries(given).filter(([key]) => !names.includes(key)));
  return [
    { path: [...connection.path, "options"], options: connection.file.options ?? {} },
    { path, options: common },
    ...(isOptions(own) ? [{ path: [...path, connection.name], options: own }] : []),
  ];
}

function findIssues(provider: HandoverProvider, layers: readonly Layer[]): { path: Path; message: string }[] {
  const merged: Options = Object.assign({}, ...layers.map(({ options }) => options)) as Options;
  try {
    parseConfig(provider.options, merged, `options of ${provider.name}`);
    return [];
  } catch (error) {
    if (!InvalidConfigError.isInstance(error)) throw error;
    return error.issues.map(({ path, message }) => {
      const layer = layers.findLast(({ options }) => Object.hasOwn(options, String(path[0])));
      return { path: [...(layer?.path ?? layers[0]?.path ?? []), ...path], message };
    });
  }
}

function isOptions(value: Json | undefined): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
