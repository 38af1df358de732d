import {
  UnavailableError,
  type Call,
  type Reference,
  type StartCall,
  type Started,
  type StartRequest,
  type TranscriptEntry,
} from "@handover/core";
import { messageAsText, measureText, stableId, withoutEmpty } from "@handover/provider-utils";
import { vendorLimits } from "../vendor-limits.ts";
import type { TestVendorClient } from "./test-vendor-client.ts";
import { authorOf } from "./test-vendor-messages.ts";
import type { TestVendorOptions } from "./test-vendor-settings.ts";
import type { TestVendorState } from "./test-vendor-state.ts";

type Request = StartRequest<TestVendorOptions>;

const conversationPrefix = "conversation:";

/** Opens a conversation with what can go into the call. Its external id is known beforehand, so it is saved first. */
export async function start(client: TestVendorClient, request: Request, call: StartCall): Promise<Started<TestVendorState>> {
  const externalId = externalIdOf(request);
  const resumed = readConversation(request);
  if (resumed !== undefined) return toStarted(request, resumed);
  await call.checkpoint({ references: [toExternalReference(externalId)] });
  const { lines } = firstLines(request.transcript);
  const { id, ...created } = await client.createConversation(
    withoutEmpty({
      external_id: externalId,
      customer: toCustomer(request),
      queue: request.options.queue,
      skills: request.options.skills,
      priority: request.options.priority,
      subject: request.summary,
      transcript: lines,
    }),
    call.signal,
  );
  await call.checkpoint({ state: { conversation: id } });
  if (created.unknown_skills) {
    const facts = { unknown: created.unknown_skills.join(", "), known: (created.known_skills ?? []).join(", ") };
    call.logger.warn("the desk ignores skills that nobody has", facts);
  }
  return toStarted(request, id);
}

/** Looks for the conversation by its external id. One that is closed by now was ours too, so nothing is opened again. */
export async function findStarted(client: TestVendorClient, request: Request, call: Call): Promise<Started<TestVendorState> | "absent"> {
  const { items } = await client.findConversations({ external_id: externalIdOf(request) }, call.signal);
  const found = items[0];
  if (!found) return "absent";
  if (found.status === "closed") throw new UnavailableError({ message: "The desk has already closed the conversation." });
  return toStarted(request, found.id);
}

function toStarted(request: Request, conversation: string): Started<TestVendorState> {
  return {
    references: [`${conversationPrefix}${conversation}`, toExternalReference(externalIdOf(request))],
    state: { conversation, agents: [], isClosed: false },
    transcriptThrough: firstLines(request.transcript).through,
    relay: request.options.relay ?? "both",
  };
}

/** The same for every repeat of this start, another one for every other. */
function externalIdOf(request: Request): string {
  return stableId("hv_", [request.handoverId, request.attempt], 40);
}

function toExternalReference(externalId: string): Reference {
  return `external:${externalId}`;
}

/** What an earlier try saved, or where a delivery has shown that the conversation of a try without an answer is. */
function readConversation({ resume }: Request): string | undefined {
  const state = resume?.state as Partial<TestVendorState> | undefined;
  const shown = resume?.references.find((reference) => reference.startsWith(conversationPrefix));
  return state?.conversation ?? shown?.slice(conversationPrefix.length);
}

function toCustomer({ user, conversation, endpoint }: Request): object {
  const attributes = withoutEmpty(user?.attributes ?? {});
  return withoutEmpty({
    id: user?.id ?? stableId("visitor_", [endpoint, conversation], 40),
    name: user?.name,
    email: user?.email,
    phone: user?.phone,
    language: user?.language,
    attributes,
  });
}

/** The lines from the first one on that the create call takes; the others are sent as messages. */
function firstLines(transcript: readonly TranscriptEntry[]): { lines: object[]; through: number } {
  const lines: object[] = [];
  let through = 0;
  for (const { seq, message } of transcript.slice(0, vendorLimits.transcriptLines)) {
    const text = messageAsText(message);
    if (measureText(text, "characters") > vendorLimits.textCharacters) break;
    if (text.trim() !== "") lines.push({ author: authorOf(message), text, at: message.sentAt });
    through = seq;
  }
  return { lines, through };
}
