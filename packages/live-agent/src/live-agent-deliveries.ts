import { createHash } from "node:crypto";
import type { Reference, VendorDelivery } from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import { readOffer } from "./live-agent-content.ts";
import type { ConversationFacts, Facts, MessageFacts, Sender, TypingFacts } from "./live-agent-facts.ts";
import type { LiveAgentAgent } from "./live-agent-state.ts";
import type { WireAttachment, WireConversation, WireMessage, WirePerson } from "./live-agent-wire.ts";

/** Under this key of a message's content attributes its idempotency key is kept: survives since 4.9, `source_id` since 3.4. */
export const markerAttribute = "handover_key";

/** What a JavaScript date can hold. */
const latestMs = 8.64e15;
type Files = NonNullable<MessageFacts["attachments"]>;

const messageTypes = ["incoming", "outgoing", "activity", "template"];

/** Most specific first. The id is that which the API shows, counted per account. */
export function referencesOf(conversationId: string, sourceId: string | undefined): Reference[] {
  return [`conversation:${conversationId}`, ...(sourceId ? [`source:${sourceId}`] : [])];
}

/**
 * A message, however it was learned. Everything but a deletion has one id: nothing else of a message changes that matters, and
 * an update is the second chance for a message whose creation was lost.
 */
export function messageDelivery(message: WireMessage, references: readonly Reference[], names: readonly WirePerson[] = []): VendorDelivery {
  const facts = toMessageFacts(message, names);
  return {
    id: facts.isDeleted ? `message:${facts.id}:deleted` : `message:${facts.id}`,
    references,
    ...orderOf(facts.id),
    payload: facts,
  };
}

/** A message that the API has to be asked for, where it has the id that it would have had here. */
export function incompleteDelivery({ id }: WireMessage, references: readonly Reference[]): VendorDelivery {
  return { id: `message:${id}:incomplete`, references, ...orderOf(id), payload: { kind: "incomplete" } satisfies Facts };
}

/** The text that an updated message has now; beside it goes the message itself, for whoever has not got that. */
export function editDelivery(message: WireMessage, references: readonly Reference[]): VendorDelivery[] {
  const { id, text, isDeleted, isPublic } = toMessageFacts(message, []);
  if (text === undefined || isDeleted || !isPublic) return [];
  const facts: Facts = { kind: "edit", id, text };
  return [{ id: `message:${id}:text:${fingerprintOf(text)}`, references, ...orderOf(id), payload: facts }];
}

/** Tells texts apart without keeping them. */
export function fingerprintOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 12);
}

/** What happens to a message comes after it. */
function orderOf(messageId: string): Pick<VendorDelivery, "order"> {
  return /^\d{1,15}$/.test(messageId) ? { order: { group: "messages", position: Number(messageId) } } : {};
}

/** A conversation as it is at one moment; the same moment has the same id whether the webhook or the API tells of it. */
export function conversationDelivery(conversation: WireConversation, references: readonly Reference[], isListed: boolean): VendorDelivery {
  const facts = toConversationFacts(conversation, isListed);
  const { updatedAt, lastActivityAt, inbox = "-" } = facts;
  // Before 4.0.2 a webhook does not say when: then a listing must not be taken for the repeat of a webhook.
  const moment =
    updatedAt !== undefined ? String(updatedAt) : `activity-${lastActivityAt ?? "unknown"}-${inbox}${isListed ? ":listed" : ""}`;
  return {
    id: ["conversation", conversation.id, facts.status, facts.agent?.id ?? "-", facts.team?.id ?? "-", moment].join(":"),
    references,
    ...(updatedAt === undefined ? {} : { order: { group: "conversation", position: Math.round(updatedAt * 1e6) } }),
    payload: facts,
  };
}

/** An event of its own: its snapshot is made when the webhook leaves, and what happened until then has events that follow. */
export function createdDelivery(conversation: WireConversation, references: readonly Reference[]): VendorDelivery {
  const facts: Facts = { kind: "created", status: conversation.status };
  return { id: `conversation:${conversation.id}:created`, references, payload: facts };
}

export function typingDelivery(facts: Omit<TypingFacts, "kind">, references: readonly Reference[]): VendorDelivery {
  return { references, isEphemeral: true, payload: { kind: "typing", ...facts } satisfies Facts };
}

export function toSender(person: WirePerson | null | undefined, names: readonly WirePerson[] = []): Sender | undefined {
  if (!person) return undefined;
  // A contact has no type since 2.14.
  return { kind: person.type ?? "contact", ...(person.id === undefined ? {} : { person: toAgent(person, person.id, names) }) };
}

/** The name for customers, which only some places of a webhook carry; never an e-mail address. */
function toAgent(person: WirePerson, id: string, names: readonly WirePerson[] = []): LiveAgentAgent {
  const others = names.filter((other) => other.id === id && other.type === person.type);
  const sources = [person, ...others];
  const name = sources.map((source) => source.available_name).find(isName) ?? sources.map((source) => source.name).find(isName);
  const avatarUrl = sources.flatMap((source) => [source.avatar_url, source.thumbnail]).find(isWebUrl);
  return { id, ...(name === undefined ? {} : { name }), ...(avatarUrl === undefined ? {} : { avatarUrl }) };
}

function toMessageFacts(message: WireMessage, names: readonly WirePerson[]): MessageFacts {
  const attributes = message.content_attributes;
  const marker = attributes[markerAttribute];
  const sender = toSender(message.sender, names);
  const { choices, cards, lines } = readOffer(message.content_type, attributes);
  const { text, attachments } = readContent(message, lines);
  return {
    kind: "message",
    id: message.id,
    isDeleted: attributes["deleted"] === true,
    type:
      typeof message.message_type === "number" ? (messageTypes[message.message_type] ?? "unknown") : (message.message_type ?? "unknown"),
    // Whatever is not clearly public is private.
    isPublic: message.private === false,
    hasApiTime: attributes["external_created_at"] !== undefined && attributes["external_created_at"] !== null,
    ...(message.content_type === "input_csat" ? { isSurvey: true } : {}),
    ...withoutEmpty({
      text,
      choices,
      cards,
      sender,
      key: typeof marker === "string" ? marker : message.source_id,
      attachments,
      atMs: toMs(message.created_at),
    }),
  };
}

function toConversationFacts(conversation: WireConversation, isListed: boolean): ConversationFacts {
  const { assignee, assignee_type: assigneeType, team } = conversation.meta;
  const isPerson = assignee?.id !== undefined && (assigneeType ?? "User") === "User";
  return {
    kind: "conversation",
    status: conversation.status,
    isListed,
    ...withoutEmpty({
      agent: isPerson ? toAgent(assignee, assignee.id ?? "") : undefined,
      team: team ? { id: team.id, ...(team.name ? { name: team.name } : {}) } : undefined,
      inbox: conversation.inbox_id,
      agentSeenAt: conversation.agent_last_seen_at,
      updatedAt: conversation.updated_at,
      lastActivityAt: conversation.last_activity_at ?? conversation.timestamp,
    }),
  };
}

/** Text and files. A place or a business card has no file, but a title; what a form asks for has lines. */
function readContent(message: WireMessage, offered: readonly string[] = []): { text: string; attachments: Files } {
  const files = message.attachments ?? [];
  const titles = files.filter((file) => !isWebUrl(file.data_url)).map((file) => file.fallback_title);
  // Before 4.13 a line break typed by an agent came as a backslash and a line break.
  const lines = [message.content?.replaceAll("\\\n", "\n"), ...titles, ...offered];
  return { text: lines.filter((line) => line !== undefined && line.trim() !== "").join("\n"), attachments: files.flatMap(toAttachment) };
}

function toAttachment(file: WireAttachment, index: number): Files {
  if (!isWebUrl(file.data_url)) return [];
  const name = fileName(file.data_url) || `file-${index + 1}`;
  return [
    {
      id: file.id ?? String(index + 1),
      name,
      type: file.content_type?.trim() || guessType(file, name),
      url: file.data_url,
      ...(file.file_size === undefined ? {} : { sizeBytes: file.file_size }),
    },
  ];
}

/** Before 4.13 only the kind of file is told. */
function guessType(file: WireAttachment, name: string): string {
  const extension = (file.extension?.trim() || name.split(".").slice(1).pop() || "").toLowerCase();
  const known: Readonly<Record<string, string>> = { jpg: "image/jpeg", pdf: "application/pdf", mp3: "audio/mpeg", mov: "video/quicktime" };
  if (known[extension]) return known[extension];
  const isMedia = file.file_type === "image" || file.file_type === "audio" || file.file_type === "video";
  return isMedia && /^[a-z0-9]+$/.test(extension) ? `${file.file_type ?? ""}/${extension}` : "application/octet-stream";
}

function fileName(url: string): string {
  const last = new URL(url).pathname.split("/").pop() ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function isWebUrl(value: string | undefined): value is string {
  return value !== undefined && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function isName(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== "" && !value.includes("@");
}

function toMs(time: string | number | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = typeof time === "number" ? time * 1000 : Date.parse(time);
  return Math.abs(ms) <= latestMs ? ms : undefined;
}
