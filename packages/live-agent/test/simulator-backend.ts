import { createHmac } from "node:crypto";
import type { LiveAgentSimulator } from "@handover/simulators";
import type { ConformanceBackend } from "@handover/testkit";

/** The simulated Live Agent as the conformance suite sees it. With a secret it signs, as Chatwoot does. */
export function createSimulatorBackend(simulator: LiveAgentSimulator, secret?: string): ConformanceBackend {
  return {
    webhookProof: secret === undefined ? "url-secret" : "both",
    reset: () => simulator.reset(),
    setWebhookUrl: (url) => simulator.setWebhookUrl(url, secret),
    settle: () => simulator.webhooksIdle(),
    conversations: () => simulator.conversations(),
    // Live Agent knows no acceptance: a person is assigned, and answers or not.
    agentAccepts: (id) => void simulator.accept(id),
    agentIsAssigned: (id) => void simulator.accept(id),
    agentSays: (id, text) => void simulator.say(id, { text }),
    agentCloses: (id) => void simulator.close(id),
    agentWritesNote: (id, text) => void simulator.note(id, { text }),
    agentTypes: (id, isTyping) => void simulator.type(id, { isTyping }),
    agentLeaves: (id) => void simulator.leave(id),
    agentTransfers: (id) => void simulator.transfer(id, { to: otherAgent(simulator, id) }),
    setAgentsOnline: (count) => void simulator.setAgents({ online: count }),
    // Cognigy's Live Agent has no way to open a conversation again.
    ...(simulator.profile === "live-agent" ? {} : { agentReopens: (id) => void simulator.reopen(id) }),
    ...(secret === undefined ? {} : { signWebhook: (body) => sign(body, secret) }),
  };
}

function otherAgent(simulator: LiveAgentSimulator, id: string): string {
  const { agent } = simulator.conversation(id);
  const other = simulator.overview().agents.find(({ name, isOnline }) => isOnline && name !== agent);
  if (!other) throw new Error("The simulator has no second agent at work.");
  return other.name;
}

function sign(body: Uint8Array, secret: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
  return { "x-chatwoot-timestamp": timestamp, "x-chatwoot-signature": `sha256=${signature}` };
}
