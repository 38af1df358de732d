import { AuthenticationError, HandoverError, type Availability, type Call, type ConnectionFinding } from "@handover/core";
import type { TestVendorClient } from "./test-vendor-client.ts";

/** One cheap call tells whether the address and the key are right. */
export async function checkConnection(client: TestVendorClient, call: Call): Promise<readonly ConnectionFinding[]> {
  try {
    const { agents_online: agents } = await client.getAccount(call.signal);
    const online: ConnectionFinding =
      agents > 0
        ? { level: "ok", code: "AGENTS_ONLINE", message: `${agents} agents are at work.` }
        : { level: "warning", code: "NO_AGENTS_ONLINE", message: "Nobody is at work: handovers will be refused." };
    return [{ level: "ok", code: "API_REACHED", message: "The API accepts the key." }, online];
  } catch (error) {
    if (!HandoverError.isInstance(error)) throw error;
    const cure = AuthenticationError.isInstance(error) ? "Make a new API key and put it into the settings." : "Check the API URL.";
    return [{ level: "error", code: error.code, message: `${error.message} ${cure}` }];
  }
}

/** Whether somebody is at work. */
export async function checkAvailability(client: TestVendorClient, call: Call): Promise<Availability> {
  const { is_open: isOpen, agents_online: agents } = await client.getAvailability(call.signal);
  return { status: isOpen ? "available" : "unavailable", agents };
}
