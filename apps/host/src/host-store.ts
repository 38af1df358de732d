import { relative } from "node:path";
import { HandoverError, type Logger } from "@handover/core";
import type { Store } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { createSqliteStore } from "@handover/store-sqlite";
import type { StoreConfiguration } from "./configuration/host-configuration.ts";

/** The store that a configuration names, not yet open. */
export function createHostStore(configuration: StoreConfiguration, logger?: Logger): Store {
  const given = logger ? { logger } : {};
  if (configuration.kind === "sqlite") return createSqliteStore({ path: configuration.path, ...given });
  const { url, listenUrl, schema, poolSize } = configuration;
  const store = createPostgresStore({
    connectionString: url,
    ...(listenUrl === undefined ? {} : { listenConnectionString: listenUrl }),
    ...(schema === undefined ? {} : { schema }),
    ...(poolSize === undefined ? {} : { poolSize }),
    ...given,
  });
  return {
    ...store,
    async open() {
      try {
        await store.open();
      } catch (error) {
        throw explain(error, configuration);
      }
    },
  };
}

/** Says where the data is: a path, or server, database and schema. No user, no password. */
export function describeStore(configuration: StoreConfiguration): string {
  if (configuration.kind === "sqlite") return relative(process.cwd(), configuration.path);
  const { url, schema = "handover" } = configuration;
  const { host, pathname } = new URL(url);
  return `PostgreSQL at ${host}${pathname}, schema ${schema}`;
}

/** Codes of PostgreSQL whose messages say by themselves what to do: no connection left, no room on the disk. */
const hasOwnCure = /^53/;

/** At the start nothing was written yet and nothing is tried again, so the store's own words about that would mislead. */
function explain(error: unknown, configuration: StoreConfiguration): unknown {
  if (!HandoverError.isInstance(error) || error.code !== "STORE_FAILED") return error;
  const cause = (error.cause ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const reason = [cause.code, cause.message].find((said) => typeof said === "string") ?? "unknown";
  const message =
    error.isRetryable && !hasOwnCure.test(reason)
      ? `The database cannot be reached: ${describeStore(configuration)} (${reason}). Start it, or correct store.postgres in the configuration.`
      : `${error.message}${error.cause === undefined ? "" : ` (${reason})`}`;
  return new HandoverError({ code: error.code, message, isRetryable: error.isRetryable, effect: "connection", cause: error });
}
