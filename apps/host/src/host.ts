import type { AddressInfo } from "node:net";
import { HandoverError, type Logger } from "@handover/core";
import type { HandoverRuntime, RedactionOptions } from "@handover/runtime";
import { createFileFetcher } from "@handover/provider-utils";
import type { FastifyInstance } from "fastify";
import type { HostConfiguration, StoreConfiguration } from "./configuration/host-configuration.ts";
import { createHostRuntime } from "./create-host-runtime.ts";
import { createHostStore } from "./host-store.ts";
import { createConsoleLogger } from "./logger.ts";
import { createOperatorToken, removeOperatorFile, writeOperatorFile, type OperatorAccess } from "./operator-file.ts";
import type { EventStreamTimes } from "./server/event-stream.ts";
import { createServer } from "./server/server.ts";

export interface HostOptions {
  readonly logger?: Logger;
  /** Resolves when what this host needs to be alive answers. */
  readonly checkHealth?: () => Promise<void>;
  readonly streamTimes?: EventStreamTimes;
  /** What takes out of texts what must not be kept or must not leave. */
  readonly redact?: RedactionOptions;
}

/** A host that runs. */
export interface Host {
  /** Where it listens, as this machine reaches it; no slash at the end. */
  readonly url: string;
  readonly runtime: HandoverRuntime;
  /** Ends the open streams, finishes what is in flight, closes the store. */
  stop(): Promise<void>;
}

/** Starts runtime and server. @throws HandoverError `PORT_IN_USE`, `ADDRESS_NOT_USABLE`, `STORE_IN_USE`, `STORE_FAILED` and what the runtime says */
export async function startHost(configuration: HostConfiguration, options: HostOptions = {}): Promise<Host> {
  const logger = options.logger ?? createConsoleLogger();
  const files = createFileFetcher(configuration.attachments.allowPrivateLinks ? { allowsAddress: () => true } : {});
  const runtime = await createHostRuntime(configuration, {
    store: createHostStore(configuration.store, logger),
    logger,
    fetchFile: files.fetch,
    ...(options.redact ? { redact: options.redact } : {}),
  });
  const token = createOperatorToken();
  const server = await createServer({ ...options, configuration, runtime, logger, operatorTokens: [token] });
  await runtime.start();
  const url = await listen(server, configuration.listen).catch(async (error: unknown) => {
    await runtime.stop();
    throw error;
  });
  const access = { url, token };
  const shutCommandLineOut = await letCommandLineIn(configuration.store, access, logger);
  let stopping: Promise<void> | undefined;
  return {
    url,
    runtime,
    stop() {
      stopping ??= stop(server, runtime, shutCommandLineOut).finally(() => files.close());
      return stopping;
    },
  };
}

/** Beside SQLite the file must be there. With a server the command line opens the store itself, so a read-only disk is no reason to stop. */
async function letCommandLineIn(store: StoreConfiguration, access: OperatorAccess, logger: Logger): Promise<() => Promise<void>> {
  try {
    await writeOperatorFile(store, access);
    return () => removeOperatorFile(store, access);
  } catch (error) {
    if (store.kind === "sqlite") throw error;
    const { code = "unknown" } = error as { readonly code?: string };
    logger.warn("the command line will not find this host: its file cannot be written", { folder: store.dataFolder, code });
    return async () => undefined;
  }
}

async function stop(server: FastifyInstance, runtime: HandoverRuntime, shutCommandLineOut: () => Promise<void>): Promise<void> {
  await shutCommandLineOut();
  await server.close();
  await runtime.stop();
}

async function listen(server: FastifyInstance, { host, port }: HostConfiguration["listen"]): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw toListenError(error, { host, port });
  }
  const address = server.server.address() as AddressInfo;
  const isEverywhere = address.address === "0.0.0.0" || address.address === "::";
  const name = isEverywhere ? "127.0.0.1" : address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${name}:${address.port}`;
}

/** One line that says what to do about a port or an address that cannot be had. */
export function toListenError(
  error: unknown,
  { host, port, variable = "HANDOVER_PORT" }: { host: string; port: number; variable?: string },
): unknown {
  const { code } = error as { code?: string };
  if (code === "EADDRINUSE") {
    const message = `Port ${port} is in use already. Stop what uses it, or take another one: ${variable}=${port === 65_535 ? 4000 : port + 1}.`;
    return new HandoverError({ code: "PORT_IN_USE", message, effect: "connection", cause: error });
  }
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const message = `Cannot listen on ${host}, port ${port} (${code}). Use an address of this machine and a port above 1023.`;
    return new HandoverError({ code: "ADDRESS_NOT_USABLE", message, effect: "connection", cause: error });
  }
  return error;
}
