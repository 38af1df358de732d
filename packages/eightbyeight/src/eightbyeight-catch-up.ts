import {
  ConversationGoneError,
  ProviderApiError,
  type Cache,
  type Call,
  type CaughtUp,
  type Handover,
  type Json,
  type ProviderContext,
} from "@handover/core";
import { z } from "zod";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import { rememberedName } from "./eightbyeight-files.ts";
import { messageDelivery, referencesOf, snapshotDelivery, timeOf } from "./eightbyeight-deliveries.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";
import type { Page, WireAttachment, WireMessage } from "./eightbyeight-wire.ts";

const cursorSchema = z.object({ afterMs: z.number() });

/** What was read within this time is read again: a message may be listed later than one that was written after it. */
const overlapMs = 60_000;
const pageSize = 100;
const mostPages = 100;

type EightbyeightHandover = Handover<EightbyeightOptions, EightbyeightState>;
type Sources = Pick<ProviderContext, "clock" | "cache"> & { readonly client: EightbyeightClient };

/**
 * All messages of agents since the cursor, then who is there and how it stands. Sections 3.4 and 4.6 of the reference page.
 *
 * @throws ConversationGoneError when the conversation itself is not there any more
 */
export async function catchUp(
  client: EightbyeightClient,
  { clock, cache }: Pick<ProviderContext, "clock" | "cache">,
  handover: EightbyeightHandover,
  cursor: Json | undefined,
  call: Call,
): Promise<CaughtUp> {
  try {
    return await readAll({ client, clock, cache }, handover, cursor, call);
  } catch (error) {
    if (!ConversationGoneError.isInstance(error)) throw error;
    // That the lists can be missing is not documented: only the conversation's own absence is the end.
    await client.getConversation(handover.state.conversationId, call.signal);
    throw new ProviderApiError({
      code: "VENDOR_REFUSED_CALL",
      message: "8x8 has the conversation, but not its messages or participants.",
      status: 404,
      isRetryable: true,
      cause: error,
    });
  }
}

async function readAll(
  { client, clock, cache }: Sources,
  handover: EightbyeightHandover,
  cursor: Json | undefined,
  call: Call,
): Promise<CaughtUp> {
  const { conversationId, marker, relay } = handover.state;
  const references = referencesOf(conversationId, marker);
  const afterMs = cursorSchema.safeParse(cursor).data?.afterMs;
  const messages = relay === "none" ? [] : await readMessages(client, conversationId, afterMs, call.signal);
  // A line that stands for one of another network (X) has no text of its own, and is that network's.
  const shown = messages.filter(({ author, externalProvider }) => author.type === "agent" && !externalProvider);
  const files = await readFiles({ client, cache }, conversationId, shown, call.signal);
  const askedAtMs = clock.now();
  const participants = await client.listParticipants(conversationId, call.signal);
  const conversation = await client.getConversation(conversationId, call.signal);
  const newestMs = Math.max(afterMs ?? 0, ...messages.map((message) => timeOf(message) ?? 0));
  return {
    deliveries: [
      ...shown.map((message) => messageDelivery(message, files, references, askedAtMs)),
      snapshotDelivery(conversation, participants, references, askedAtMs),
    ],
    cursor: { afterMs: newestMs },
    hasMore: false,
  };
}

/** Oldest first. The listing is newest first, so what comes meanwhile makes repeats and no gaps. */
async function readMessages(
  client: EightbyeightClient,
  conversationId: string,
  afterMs: number | undefined,
  signal: AbortSignal,
): Promise<WireMessage[]> {
  const untilMs = afterMs === undefined ? -Infinity : afterMs - overlapMs;
  const found = new Map<string, WireMessage>();
  const isOld = (message: WireMessage): boolean => (timeOf(message) ?? Infinity) < untilMs;
  await readPages(
    (page) => client.listMessages(conversationId, { page, size: pageSize }, signal),
    (messages) => {
      for (const message of messages) if (!found.has(message.id) && !isOld(message)) found.set(message.id, message);
      return messages.some(isOld) ? "stop" : "go-on";
    },
  );
  return [...found.values()].reverse();
}

/** Names and sizes; the listing of messages has only ids. */
async function readFiles(
  { client, cache }: { readonly client: EightbyeightClient; readonly cache: Cache },
  conversationId: string,
  messages: readonly WireMessage[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, WireAttachment>> {
  const files = new Map<string, WireAttachment>();
  const ids = new Set(messages.flatMap(({ attachments }) => attachments ?? []).map(({ id }) => id));
  for (const id of ids) {
    const fileName = rememberedName(cache, id);
    if (fileName !== undefined) files.set(id, { id, fileName });
  }
  const isKnown = (): boolean => [...ids].every((id) => files.has(id));
  if (isKnown()) return files;
  try {
    await readPages(
      (page) => client.listAttachments(conversationId, { page, size: pageSize }, signal),
      (items) => {
        for (const item of items) files.set(item.id, item);
        return isKnown() ? "stop" : "go-on";
      },
    );
  } catch (error) {
    // A file without its name is better than none.
    if (!ProviderApiError.isInstance(error) || error.status !== 404) throw error;
  }
  return files;
}

/** Reads page after page until there is no more, or somebody has seen enough. @returns whether all was read */
export async function readPages<Item>(
  read: (page: number) => Promise<Page<Item>>,
  take: (items: readonly Item[]) => "go-on" | "stop",
): Promise<boolean> {
  for (let number = 0; number < mostPages; number += 1) {
    const { items, page } = await read(number);
    if (items.length === 0 || take(items) === "stop") return true;
    if (page?.totalPages !== undefined && number + 1 >= page.totalPages) return true;
  }
  return false;
}
