import type { LiveAgentSimulator } from "@handover/simulators";

/** The secret that the webhook URL of `deskConfiguration` ends in. */
export const webhookSecret = "a-secret-for-the-crash-tests";

/** A host with one endpoint, `web`, and one connection, `desk`, to a simulator. `more` is laid over it. */
export function deskConfiguration(port: number, folder: string, desk: LiveAgentSimulator, more: object = {}): string {
  return JSON.stringify({
    plugins: ["live-agent"],
    publicUrl: `http://127.0.0.1:${port}`,
    listen: { port },
    store: { sqlite: `${folder}/handover.db` },
    connections: {
      desk: {
        provider: "live-agent",
        settings: { baseUrl: desk.baseUrl, accountId: desk.accountId, inboxId: desk.inboxId, apiKey: desk.apiKey },
        webhookSecrets: [webhookSecret],
        // The simulator takes whatever comes; the vendor's own limit would make a test of many handovers wait for minutes.
        rateLimit: { calls: 100_000, perSeconds: 60 },
      },
    },
    timing: { callTimeoutSeconds: 2, catchUpIntervalSeconds: 2 },
    endpoints: [{ token: "web", access: "open", bot: { demo: {} }, handover: { connections: ["desk"] } }],
    ...more,
  });
}
