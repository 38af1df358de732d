import liveAgent from "@handover/live-agent";
import { createHandoverRuntime, type BotAnswer, type BotTurn, type HandoverRuntime } from "@handover/runtime";
import { createSqliteStore } from "@handover/store-sqlite";

/** What this server needs to know, from its environment. */
export interface Environment {
  readonly HANDOVER_DATABASE?: string | undefined;
  readonly LIVE_AGENT_BASE_URL?: string | undefined;
  readonly LIVE_AGENT_ACCOUNT_ID?: string | undefined;
  readonly LIVE_AGENT_INBOX_ID?: string | undefined;
  readonly LIVE_AGENT_API_KEY?: string | undefined;
  readonly WEBHOOK_SECRET?: string | undefined;
}

export function createRuntime(environment: Environment): Promise<HandoverRuntime> {
  const { WEBHOOK_SECRET: webhookSecret } = environment;
  return createHandoverRuntime({
    store: createSqliteStore({ path: environment.HANDOVER_DATABASE ?? "handover.db" }),
    providers: [liveAgent],
    connections: {
      desk: {
        provider: "live-agent",
        settings: {
          baseUrl: environment.LIVE_AGENT_BASE_URL,
          accountId: environment.LIVE_AGENT_ACCOUNT_ID,
          inboxId: environment.LIVE_AGENT_INBOX_ID,
          apiKey: environment.LIVE_AGENT_API_KEY,
        },
        ...(webhookSecret === undefined ? {} : { webhookSecrets: [webhookSecret] }),
      },
    },
    endpoints: [{ token: "chat", bot: { answer }, handover: { connections: ["desk"], options: { priority: "high" } } }],
  });
}

/** Your bot: it answers, or asks for a person. It is silent while a person has the conversation. */
async function answer({ message }: BotTurn): Promise<BotAnswer> {
  if (!message) return {};
  if (/\b(agent|human)\b/i.test(message.text ?? "")) return { handover: { summary: "Wants to talk to a person." } };
  return { messages: [{ text: 'I am a bot. Write "agent" to talk to a person.' }] };
}
