import { ProviderApiError, type Call } from "@handover/core";
import { readPages } from "./eightbyeight-catch-up.ts";
import { readCustomerValue } from "./eightbyeight-deliveries.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { WireConversation } from "./eightbyeight-wire.ts";

// A create call whose answer was lost is found again by the handover's id in the customer values. Whether 8x8 gives those back, and
// whether lists can be filtered by them, is not documented: it is learned from the first conversation that was made.

const pageSize = 100;
const learnedKey = "eightbyeight:finds-by-customer-value";
/** A conversation may be listed a moment later than it was made, so what did not work is tried again. */
const notLearnedMs = 600_000;

/** `absent` only where a conversation of ours has been found in this way before. */
export async function findByMarker(parts: EightbyeightParts, marker: string, call: Call): Promise<WireConversation | "absent" | "unknown"> {
  const filtered = await listFiltered(parts, marker, call);
  const found = filtered.find((conversation) => isOurs(parts, conversation, marker));
  if (found) return found;
  if ((await parts.context.memory.account.get(learnedKey)) === true) return "absent";
  return (await lookThroughAll(parts, marker, call)) ?? "unknown";
}

/** Asks for a conversation that is surely there, once per account. Never an error: a start must not fail for it. */
export async function learnWhetherFound(parts: EightbyeightParts, marker: string, call: Call): Promise<void> {
  const { memory, cache } = parts.context;
  try {
    if (cache.get(learnedKey) !== undefined || (await memory.account.get(learnedKey)) === true) return;
    const filtered = await listFiltered(parts, marker, call);
    if (filtered.some((conversation) => isOurs(parts, conversation, marker))) await memory.account.set(learnedKey, true);
    else cache.set(learnedKey, false, notLearnedMs);
  } catch (error) {
    if (call.signal.aborted) throw error;
    call.logger.debug("it could not be learned whether 8x8 finds conversations by their customer values");
  }
}

/** A filter that 8x8 does not know is refused, or ignored: what comes is compared in any case. */
async function listFiltered({ client }: EightbyeightParts, marker: string, call: Call): Promise<readonly WireConversation[]> {
  try {
    const filter = `user.additionalProperties.value==${marker}`;
    return (await client.listConversations({ page: 0, size: pageSize, filter }, call.signal)).items;
  } catch (error) {
    if (ProviderApiError.isInstance(error) && error.status === 400) return [];
    throw error;
  }
}

async function lookThroughAll(parts: EightbyeightParts, marker: string, call: Call): Promise<WireConversation | undefined> {
  let found: WireConversation | undefined;
  await readPages(
    (page) => parts.client.listConversations({ page, size: pageSize }, call.signal),
    (conversations) => {
      found = conversations.find((conversation) => isOurs(parts, conversation, marker));
      return found ? "stop" : "go-on";
    },
  );
  return found;
}

function isOurs({ settings }: EightbyeightParts, { user }: WireConversation, marker: string): boolean {
  return readCustomerValue(user, settings.handoverIdKey) === marker;
}
