import type { ConversationAddress } from "../runtime.ts";
import type { RuntimeContext } from "../runtime-context.ts";

/** Where readers of a conversation find its files. */
export function linksFor(
  { attachmentUrl }: Pick<RuntimeContext, "attachmentUrl">,
  { endpoint, conversation }: ConversationAddress,
): ((id: string) => string) | undefined {
  return attachmentUrl && ((id) => attachmentUrl({ endpoint, conversation, id }));
}
