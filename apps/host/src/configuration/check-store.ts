import { dirname, resolve } from "node:path";
import { defaultTiming } from "@handover/runtime";
import type { Checker } from "./checker.ts";
import { postgresSchema, postgresUrl, type TimingConfiguration } from "./configuration-schema.ts";
import type { StoreConfiguration } from "./host-configuration.ts";
import type { Environment } from "./interpolate.ts";

/** Finds out where conversations are kept. Nothing is returned for a store with problems. */
export function readStore(
  value: unknown,
  context: { readonly path: string; readonly environment: Environment; readonly checker: Checker },
): StoreConfiguration | undefined {
  const folder = dirname(context.path);
  const dataFolder = resolve(context.environment["HANDOVER_DATA"] || resolve(folder, "data"));
  const { sqlite, postgres } = (value ?? {}) as { readonly sqlite?: unknown; readonly postgres?: unknown };
  if (postgres !== undefined) return readPostgres(postgres, dataFolder, context.checker);
  return { kind: "sqlite", path: typeof sqlite === "string" ? resolve(folder, sqlite) : resolve(dataFolder, "handover.db") };
}

/** Hosts that share a database take over from each other; a call has to be over by then. */
export function checkLease(store: StoreConfiguration | undefined, timing: TimingConfiguration | undefined, checker: Checker): void {
  if (store?.kind !== "postgres") return;
  const { callTimeoutSeconds = defaultTiming.callTimeoutMs / 1000, leaseSeconds = defaultTiming.leaseMs / 1000 } = timing ?? {};
  if (callTimeoutSeconds * 3 <= leaseSeconds * 2) return;
  const given = timing?.leaseSeconds === undefined ? "callTimeoutSeconds" : "leaseSeconds";
  const message = `leaseSeconds (${leaseSeconds}) must be at least one and a half times callTimeoutSeconds (${callTimeoutSeconds}): a call has to end before another host takes over`;
  checker.add("INVALID_CONFIG", ["timing", given], message);
}

function readPostgres(value: unknown, dataFolder: string, checker: Checker): StoreConfiguration | undefined {
  const path = ["store", "postgres"];
  if (typeof value === "string") {
    const url = checker.read(postgresUrl, value, path);
    return url === undefined ? undefined : { kind: "postgres", url, dataFolder };
  }
  const given = checker.read(postgresSchema, value, path);
  return given && { kind: "postgres", ...given, dataFolder };
}
