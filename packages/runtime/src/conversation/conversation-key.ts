import { RuntimeError } from "../errors.ts";
import type { ConversationAddress } from "../runtime.ts";

/**
 * The store's key of a conversation: `<endpoint>/<percent-encoded id>`, printable ASCII whatever the id is made of.
 * @throws RuntimeError `INVALID_CONVERSATION`
 */
export function conversationKey(address: ConversationAddress): string {
  const length = Array.from(address.conversation).length;
  if (length < 1 || length > 256) {
    throw new RuntimeError("INVALID_CONVERSATION", `A conversation id has 1 to 256 characters; this one has ${length}.`);
  }
  if (!address.conversation.isWellFormed()) {
    throw new RuntimeError("INVALID_CONVERSATION", "The conversation id is not valid Unicode: it holds half of a surrogate pair.");
  }
  return `${address.endpoint}/${encodeURIComponent(address.conversation)}`;
}

/** The address that a key was made of. */
export function conversationAddress(key: string): ConversationAddress {
  const slash = key.indexOf("/");
  return { endpoint: key.slice(0, slash), conversation: decodeURIComponent(key.slice(slash + 1)) };
}
