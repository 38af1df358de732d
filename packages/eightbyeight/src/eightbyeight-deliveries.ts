import type { Json, Reference, VendorDelivery } from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import type { Facts, MessageFacts, SnapshotFacts } from "./eightbyeight-facts.ts";
import type { WireAttachment, WireConversation, WireMessage, WireParticipant } from "./eightbyeight-wire.ts";

/** What a JavaScript date can hold. */
const latestMs = 8.64e15;

/** Most specific first. The marker comes back in the customer values (inferred from the shapes of the reference page). */
export function referencesOf(conversationId: string, marker?: string): Reference[] {
  return [`conversation:${conversationId}`, ...(marker === undefined ? [] : [`handover:${marker}`])];
}

/** A customer value of a conversation: our marker, or what else stands there. */
export function readCustomerValue(user: WireConversation["user"], key: string): string | undefined {
  return user?.additionalProperties?.find((property) => property.key === key && property.value !== undefined)?.value;
}

/** Things that an event or the API tells, in one shape. */
export function toDelivery(facts: Facts, references: readonly Reference[], id: string | undefined): VendorDelivery {
  return { ...(id === undefined ? {} : { id }), references, payload: facts as Json };
}

/** A message of an agent, from the listing. */
export function messageDelivery(
  message: WireMessage,
  files: ReadonlyMap<string, WireAttachment>,
  references: readonly Reference[],
  fallbackMs: number,
): VendorDelivery {
  const facts: MessageFacts = {
    kind: "message",
    id: message.id,
    atMs: timeOf(message) ?? fallbackMs,
    ...withoutEmpty({
      sender: message.author.id,
      text: message.text,
      attachments: message.attachments?.map(({ id }) => {
        const file = files.get(id);
        return { id, ...withoutEmpty({ name: file?.filename ?? file?.fileName, sizeBytes: file?.sizeInBytes }) };
      }),
      cards: message.cards?.map((card) => withoutEmpty({ contentType: card.contentType, content: card.content })),
    }),
  };
  // Undefined inside would not survive the store.
  return toDelivery(JSON.parse(JSON.stringify(facts)) as Facts, references, `message:${message.id}`);
}

/** How it stands. Nothing in it names the moment, so it has no id: it is true again each time. */
export function snapshotDelivery(
  conversation: WireConversation,
  participants: readonly WireParticipant[],
  references: readonly Reference[],
  atMs: number,
): VendorDelivery {
  const { state, assignment } = conversation;
  const customers = participants.filter(({ type }) => type === "user");
  const facts: SnapshotFacts = {
    kind: "snapshot",
    atMs,
    ...withoutEmpty({ state, assignment: toAssignment(assignment) }),
    agents: participants
      .filter(({ type }) => type === "agent")
      // Only who is said to have gone has gone.
      .map(({ id, removed }) => ({ id, isIn: removed !== true })),
    isCustomerGone: customers.length > 0 && customers.every(({ removed }) => removed === true),
  };
  return toDelivery(facts, references, undefined);
}

export function toAssignment(assignment: WireConversation["assignment"]): { type: string; id?: string } | undefined {
  if (assignment?.type === undefined) return undefined;
  return { type: assignment.type, ...(assignment.id === undefined ? {} : { id: assignment.id }) };
}

/** When a message was written, in Unix milliseconds. */
export function timeOf({ createdAt }: WireMessage): number | undefined {
  const ms = Date.parse(createdAt ?? "");
  return Math.abs(ms) <= latestMs ? ms : undefined;
}
