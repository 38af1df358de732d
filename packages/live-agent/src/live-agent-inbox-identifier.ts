import { AuthenticationError, ProviderApiError, type ProviderContext } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { LiveAgentSettings } from "./live-agent-settings.ts";

/** Identifiers change only when somebody makes another inbox. */
const knownForMs = 3_600_000;

/** What opens the public API of an inbox (1.20 and newer); `undefined` where the server does not tell. */
export async function learnInboxIdentifier(
  parts: {
    readonly settings: LiveAgentSettings;
    readonly context: Pick<ProviderContext, "cache">;
    readonly client: Pick<LiveAgentClient, "listInboxes">;
  },
  chosenInboxId: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { settings, context, client } = parts;
  const inboxId = chosenInboxId ?? settings.inboxId;
  if (inboxId === settings.inboxId && settings.inboxIdentifier !== undefined) return settings.inboxIdentifier;
  const key = `live-agent:inbox-identifier:${inboxId ?? ""}`;
  const known = context.cache.get(key);
  if (typeof known === "string") return known === "" ? undefined : known;
  const identifier = await read(client, inboxId, signal);
  context.cache.set(key, identifier ?? "", knownForMs);
  return identifier;
}

async function read(
  client: Pick<LiveAgentClient, "listInboxes">,
  inboxId: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    return (await client.listInboxes(signal)).find(({ id }) => id === inboxId)?.inbox_identifier;
  } catch (error) {
    // A token without the right to see the inbox, or a server without the call: then there is no public API for us.
    if (!ProviderApiError.isInstance(error)) throw error;
    if (error.isRetryable && !AuthenticationError.isInstance(error)) throw error;
    return undefined;
  }
}
