import { HandoverError } from "@handover/core";
import { conversationAddress } from "../conversation/conversation-key.ts";
import type { StoredEntry } from "../entry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { textsForDesk } from "./redact.ts";

/**
 * An entry on its way to a desk. One that was taken before there was a hook for desks passes it now: what is switched on holds for
 * everything that leaves from then on.
 *
 * @param key of the conversation
 * @returns nothing when the hook refuses it
 */
export async function redactOlder(context: RuntimeContext, key: string, entry: StoredEntry): Promise<StoredEntry | undefined> {
  if (!context.redact?.beforeDesk || entry.forDesk) return entry;
  const author = entry.author?.role ?? "system";
  try {
    const forDesk = await textsForDesk(context, entry, { kind: "message", author, ...conversationAddress(key) });
    return forDesk ? { ...entry, forDesk } : entry;
  } catch (error) {
    if (HandoverError.isInstance(error) && error.code === "REDACTION_FAILED") return undefined;
    throw error;
  }
}
