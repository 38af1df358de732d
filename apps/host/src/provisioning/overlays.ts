import { existsSync } from "node:fs";
import { HandoverError, type Json } from "@handover/core";
import type { Overlays, StoreConfiguration } from "../configuration/host-configuration.ts";
import { createHostStore } from "../host-store.ts";

/** Where the store keeps what provisioning made. */
export const provisionedScope = "host:provisioned";

/** What was made for each of the connections. Nothing when another process has the store open: it cannot be known then. */
export async function readOverlays(request: {
  readonly store: StoreConfiguration;
  readonly connections: readonly string[];
}): Promise<Overlays | "unknown"> {
  if (request.store.kind === "sqlite" && !existsSync(request.store.path)) return {};
  const store = createHostStore(request.store);
  try {
    await store.open();
  } catch (error) {
    if (HandoverError.isInstance(error) && error.code === "STORE_IN_USE") return "unknown";
    throw error;
  }
  try {
    const overlays: Record<string, Readonly<Record<string, Json>>> = {};
    for (const name of request.connections) {
      const settings = await store.readMemory(provisionedScope, name);
      if (settings !== undefined) overlays[name] = settings as Record<string, Json>;
    }
    return overlays;
  } finally {
    await store.close();
  }
}
