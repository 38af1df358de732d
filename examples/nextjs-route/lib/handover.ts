import liveAgent from "@handover/live-agent";
import { createHandoverRuntime, type HandoverRuntime } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";

// Next.js loads modules anew while you develop; the store may be open once.
const kept = globalThis as typeof globalThis & { handoverRuntime?: Promise<HandoverRuntime> | undefined };

/** The one runtime of this process, started by whoever asks first. */
export function getRuntime(): Promise<HandoverRuntime> {
  return (kept.handoverRuntime ??= startRuntime().catch((error: unknown) => {
    kept.handoverRuntime = undefined;
    throw error;
  }));
}

/** For a shutdown hook, and for tests. */
export async function stopRuntime(): Promise<void> {
  const running = kept.handoverRuntime;
  kept.handoverRuntime = undefined;
  await (await running)?.stop();
}

async function startRuntime(): Promise<HandoverRuntime> {
  const { HANDOVER_DATABASE: path = "handover.db", WEBHOOK_SECRET: webhookSecret = "" } = process.env;
  const runtime = await createHandoverRuntime({
    store: createSqliteStore({ path }),
    providers: [liveAgent],
    connections: {
      desk: {
        provider: "live-agent",
        settings: {
          baseUrl: process.env["LIVE_AGENT_BASE_URL"],
          accountId: process.env["LIVE_AGENT_ACCOUNT_ID"],
          inboxId: process.env["LIVE_AGENT_INBOX_ID"],
          apiKey: process.env["LIVE_AGENT_API_KEY"],
        },
        webhookSecrets: [webhookSecret],
      },
    },
    endpoints: [{ token: "chat", handover: { connections: ["desk"] } }],
  });
  await runtime.start();
  return runtime;
}
