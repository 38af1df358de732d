import {
  WebhookRefusedError,
  type Call,
  type ProviderContext,
  type RawRequest,
  type ReceivedWebhook,
  type VendorDelivery,
} from "@handover/core";
import { verifyHmac } from "@handover/provider-utils";
import {
  conversationDelivery,
  createdDelivery,
  editDelivery,
  incompleteDelivery,
  messageDelivery,
  referencesOf,
  toSender,
  typingDelivery,
} from "./live-agent-deliveries.ts";
import type { Facts } from "./live-agent-facts.ts";
import type { LiveAgentSettings } from "./live-agent-settings.ts";
import { isKnownStatus } from "./live-agent-state.ts";
import {
  cloudEventSchema,
  conversationSchema,
  messageSchema,
  nestedConversationSchema,
  webhookSchema,
  type WireMessage,
  type WirePerson,
} from "./live-agent-wire.ts";

/** A text may have 150 000 characters and stands in a body up to three times. */
const maxBodyBytes = 5 * 1024 * 1024;
/** Live Agent sends one event per body; several are taken too. */
const maxEvents = 100;
const signatureLifetimeMs = 300_000;
/** For how long a sign that came twice is known. */
const rememberedMs = 600_000;

type Fields = Readonly<Record<string, unknown>>;

/** What a webhook is read with. */
export interface WebhookParts {
  readonly settings: LiveAgentSettings;
  readonly context: Pick<ProviderContext, "clock" | "cache">;
}

/** Authenticates a webhook and cuts it up. Section 4 of the reference page. */
export function receiveWebhook({ settings, context }: WebhookParts, request: RawRequest, call: Call): ReceivedWebhook {
  authenticate(settings, context.clock, request);
  const events = parseBody(request.body);
  const deliveries = events.flatMap((event): VendorDelivery[] => {
    if (isOfAnotherAccount(event, settings.accountId)) {
      call.logger.warn("a webhook of another Live Agent account was ignored: the webhook URL of this connection is used there too");
      return [];
    }
    return typeof event["specversion"] === "string" ? readCloudEvent(event) : readEvent(event);
  });
  for (const { payload } of deliveries) warnOfStatus(context.cache, payload as unknown as Facts, call);
  return { deliveries: withoutRepeatedSigns(context.cache, request, events, deliveries) };
}

/** The word for an abandoned conversation is not documented, so one that nobody knows may mean an end. Said once an hour. */
function warnOfStatus(cache: ProviderContext["cache"], facts: Facts, call: Call): void {
  if (facts.kind !== "conversation" || isKnownStatus(facts.status)) return;
  const status = facts.status.replace(/[^\w-]+/g, " ").slice(0, 40);
  const key = `live-agent:unknown-status:${status}`;
  if (cache.get(key) === true) return;
  cache.set(key, true, 3_600_000);
  call.logger.warn("a conversation has a status that is not known: its handover goes on", { status });
}

/**
 * Everything that is stored is recognised by what it is about, and one whose write failed must be taken when it comes again.
 * Typing is not stored: of that, the transport's own id is remembered.
 */
function withoutRepeatedSigns(
  cache: ProviderContext["cache"],
  { headers }: RawRequest,
  events: readonly Fields[],
  deliveries: readonly VendorDelivery[],
): readonly VendorDelivery[] {
  const id = headers["x-chatwoot-delivery"] ?? (events.length === 1 ? cloudEventId(events[0]) : undefined);
  if (id === undefined || !deliveries.some(({ isEphemeral }) => isEphemeral)) return deliveries;
  const key = `live-agent:delivery:${id.slice(0, 100)}`;
  if (cache.get(key) === true) return deliveries.filter(({ isEphemeral }) => !isEphemeral);
  cache.set(key, true, rememberedMs);
  return deliveries;
}

function cloudEventId(event: Fields | undefined): string | undefined {
  const { specversion: version, id } = event ?? {};
  return typeof version === "string" && typeof id === "string" ? id : undefined;
}

/** Inbox, account and agent bot sign with a secret each, and may all send to the same URL. */
function authenticate(settings: LiveAgentSettings, clock: WebhookParts["context"]["clock"], request: RawRequest): void {
  const { signatureSecret, previousSignatureSecret, accountWebhookSecret, agentBotSecret } = settings;
  const known = [signatureSecret, previousSignatureSecret, accountWebhookSecret, agentBotSecret];
  const secrets = known.filter((secret) => secret !== undefined);
  const signature = request.headers["x-chatwoot-signature"];
  const isSigned = signature !== undefined && secrets.length > 0;
  if (isSigned) checkSignature(secrets, signature, clock, request);
  const isEnough = settings.requireSignature ? isSigned && request.hasValidSecret : isSigned || request.hasValidSecret;
  if (isEnough) return;
  const missing = settings.requireSignature && !isSigned ? "a signature" : "the secret of its URL";
  throw new WebhookRefusedError({
    status: 401,
    code: settings.requireSignature && !isSigned ? "SIGNATURE_MISSING" : "SECRET_INVALID",
    message: `The webhook came without ${missing}. Copy the webhook URL of this connection into the inbox, and check the signature settings.`,
  });
}

function checkSignature(secrets: readonly string[], signature: string, clock: WebhookParts["context"]["clock"], request: RawRequest): void {
  const timestamp = request.headers["x-chatwoot-timestamp"];
  const refuse = (code: string, why: string): never => {
    throw new WebhookRefusedError({
      status: 401,
      code,
      message: `The webhook's signature (HMAC-SHA256 with the inbox's secret over timestamp and body; timestamp ${timestamp === undefined ? "absent" : "present"}) is refused: ${why}.`,
    });
  };
  if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) return refuse("SIGNATURE_INVALID", "there is no timestamp");
  const data = [timestamp, ".", request.body];
  const hex = signature.replace(/^sha256=/i, "");
  const isValid = secrets.some((secret) => verifyHmac({ algorithm: "sha256", encoding: "hex", secret, data }, hex));
  if (!isValid) return refuse("SIGNATURE_INVALID", "it does not match; it is neither the API key nor hmac_token but the inbox's `secret`");
  if (Math.abs(clock.now() - Number(timestamp) * 1000) > signatureLifetimeMs)
    refuse("SIGNATURE_EXPIRED", "its time is more than 5 minutes off");
}

function parseBody(body: Uint8Array): Fields[] {
  if (body.byteLength > maxBodyBytes) {
    throw new WebhookRefusedError({ status: 413, code: "BODY_TOO_LARGE", message: `A webhook body is limited to ${maxBodyBytes} bytes.` });
  }
  const parsed = parseJson(body);
  const events = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  if (events.length <= maxEvents && events.every(isObject)) return events;
  throw new WebhookRefusedError({ status: 400, code: "BODY_INVALID", message: "A webhook body must be a JSON object." });
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown;
  } catch (cause) {
    // The cause of a syntax error quotes the body.
    const reason = cause instanceof Error ? cause.name : "unknown";
    throw new WebhookRefusedError({ status: 400, code: "BODY_INVALID", message: `A webhook body must be JSON (${reason}).` });
  }
}

function readEvent(event: Fields): VendorDelivery[] {
  switch (webhookSchema.parse(event).event) {
    case "message_created":
    case "message_updated":
      return readMessage(event);
    case "conversation_created":
      return readConversation(event, true);
    case "conversation_updated":
    case "conversation_status_changed":
    case "conversation_opened":
    case "conversation_resolved":
      return readConversation(event, false);
    case "conversation_typing_on":
      return readTyping(event, true);
    case "conversation_typing_off":
      return readTyping(event, false);
    default:
      return [];
  }
}

function readMessage(event: Fields): VendorDelivery[] {
  const message = messageSchema.safeParse(event).data;
  const conversation = nestedConversationSchema.safeParse(event["conversation"]).data;
  if (!message || !conversation) return [];
  // The nested message is the newest one, perhaps another: only the same one can fill what is missing.
  const nested = conversation.messages.map((item) => messageSchema.safeParse(item).data).find((item) => item?.id === message.id);
  const names = [nested?.sender, conversation.meta.assignee].filter((person): person is WirePerson => Boolean(person));
  const references = referencesOf(conversation.id, conversation.contact_inbox?.source_id);
  if (!nested && mayHaveLostFiles(message, conversation.labels)) return [incompleteDelivery(message, references)];
  return [
    messageDelivery(withNestedFiles(message, nested), references, names),
    ...(event["event"] === "message_updated" ? editDelivery(message, references) : []),
  ];
}

/**
 * Below 2.10 files stand only inside the conversation's newest message, which may be another one by the time the webhook leaves.
 * Conversations in webhooks have labels since 2.11: where there are none, nobody can tell a message without files.
 */
function mayHaveLostFiles(message: WireMessage, labels: unknown): boolean {
  const isOutgoing = message.message_type === "outgoing" || message.message_type === 1;
  return labels === undefined && isOutgoing && message.attachments === undefined && message.content_attributes["deleted"] !== true;
}

/** Attachments are at the top level since 2.10. */
function withNestedFiles(message: WireMessage, nested: WireMessage | undefined): WireMessage {
  if (message.attachments || !nested?.attachments || message.content_attributes["deleted"] === true) return message;
  return { ...message, attachments: nested.attachments };
}

function readConversation(event: Fields, isCreation: boolean): VendorDelivery[] {
  const conversation = conversationSchema.safeParse(event).data;
  if (!conversation) return [];
  const references = referencesOf(conversation.id, conversation.contact_inbox?.source_id);
  if (isCreation) return [createdDelivery(conversation, references)];
  const delivery = conversationDelivery(conversation, references, false);
  const { event: name = "" } = webhookSchema.parse(event);
  if (conversation.updated_at !== undefined) return [delivery];
  // Without a time, what is closed and opened again within a second must not look like a repeat.
  const isStatusChange = name === "conversation_status_changed" || name === "conversation_opened";
  return [{ ...delivery, id: `${delivery.id ?? ""}:${name}`, payload: { ...(delivery.payload as object), isStatusChange } }];
}

function readTyping(event: Fields, isTyping: boolean): VendorDelivery[] {
  const { user, is_private: isPrivate } = webhookSchema.parse(event);
  const conversation = nestedConversationSchema.safeParse(event["conversation"]).data;
  if (!conversation || !user) return [];
  const sender = toSender(user, conversation.meta.assignee ? [conversation.meta.assignee] : []);
  // The key came with 2.18, typing webhooks with 4.2: whatever is not clearly public is private.
  const facts = { isTyping, isPublic: isPrivate === false, ...(sender ? { sender } : {}) };
  return [typingDelivery(facts, referencesOf(conversation.id, conversation.contact_inbox?.source_id))];
}

function readCloudEvent(event: Fields): VendorDelivery[] {
  const cloudEvent = cloudEventSchema.safeParse(event).data;
  const change = /\.conversation\.typing_(on|off)$/.exec(cloudEvent?.type ?? "")?.[1];
  if (!cloudEvent || !change) return [];
  const sessionId = cloudEvent.data.cognigy_session_id;
  const conversationId = /(\d+)$/.exec(cloudEvent.subject ?? "")?.[1];
  // Whether the number in `subject` is the id that the API shows is not documented: it counts only where there is no session.
  const reference = sessionId ? `source:${sessionId}` : conversationId ? `conversation:${conversationId}` : undefined;
  return reference ? [typingDelivery({ isTyping: change === "on", isPublic: true }, [reference])] : [];
}

/** The same conversation id means another conversation in another account. */
function isOfAnotherAccount(event: Fields, accountId: string): boolean {
  const { account, conversation } = webhookSchema.parse(event);
  const nested = nestedConversationSchema.safeParse(conversation).data?.account;
  return [account, nested].some((named) => named !== undefined && named.id !== accountId);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
