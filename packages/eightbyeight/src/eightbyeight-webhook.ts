import { createHash } from "node:crypto";
import {
  WebhookRefusedError,
  type Call,
  type ProviderContext,
  type RawRequest,
  type ReceivedWebhook,
  type VendorDelivery,
} from "@handover/core";
import { readCustomerValue, referencesOf, toAssignment, toDelivery } from "./eightbyeight-deliveries.ts";
import type { Facts } from "./eightbyeight-facts.ts";
import type { KeyRing } from "./eightbyeight-keys.ts";
import type { EightbyeightSettings } from "./eightbyeight-settings.ts";
import { compareSignature, readHeaders, readSignatureHead, refuse, type WebhookHeaders } from "./eightbyeight-signature.ts";
import { rememberFiles } from "./eightbyeight-files.ts";
import {
  activityDataSchema,
  eventSchema,
  memberDataSchema,
  messageDataSchema,
  queuedDataSchema,
  readValueSchema,
  typingValueSchema,
  updateDataSchema,
  type WireEvent,
} from "./eightbyeight-wire.ts";

/** What a webhook is checked with. */
interface WebhookParts {
  readonly settings: EightbyeightSettings;
  readonly context: Pick<ProviderContext, "clock" | "cache">;
  readonly keys: KeyRing;
}

/** The call that verifies a webhook is some hundred bytes long. */
const longestVerification = 2_048;

/** Authenticates a webhook and says what it is about; 8x8 sends one event per body. Sections 4.1 to 4.4 of the reference page. */
export async function receiveWebhook(parts: WebhookParts, request: RawRequest, call: Call): Promise<ReceivedWebhook> {
  // Nobody knows whether 8x8 signs this one; it does nothing.
  if (isVerification(request.body)) return { deliveries: [] };
  const headers = await authenticate(parts, request, call);
  const event = parseEvent(request.body);
  const { conversationId } = event;
  if (conversationId === undefined) return { deliveries: [] };
  const context: EventContext = {
    conversationId,
    atMs: event.timestamp ?? headers?.transmittedAtMs ?? 0,
    sentAtMs: headers?.transmittedAtMs ?? event.timestamp ?? 0,
    tenant: expectedTenant(parts.settings) === undefined ? headers?.tenant : undefined,
    id: headers ? `event:${headers.eventId}` : `event:${hashOf(event)}`,
    parts,
  };
  const deliveries = readEvent(event, context);
  return { deliveries: headers && isSpent(parts, headers, deliveries) ? [] : deliveries };
}

/**
 * Whether the event of this id was another one before. The inbox remembers the ids of what it keeps; here are those of the rest, so
 * that their signatures cannot be used for another body with the same CRC-32. They are good for as long as their time is.
 */
function isSpent({ settings, context }: WebhookParts, { eventId }: WebhookHeaders, deliveries: readonly VendorDelivery[]): boolean {
  const key = `eightbyeight:spent:${eventId}`;
  if (deliveries.some(({ isEphemeral }) => !isEphemeral)) return context.cache.get(key) !== undefined;
  context.cache.set(key, true, 2 * settings.maxSkewMs);
  return false;
}

function isVerification(body: Uint8Array): boolean {
  if (body.length > longestVerification) return false;
  const event = eventSchema.safeParse(parseJson(body)).data;
  return event?.eventType === "WEB_HOOK_VERIFY" && event.conversationId === undefined;
}

/** @throws WebhookRefusedError with a code of its own for each reason */
async function authenticate(
  { settings, context, keys }: WebhookParts,
  request: RawRequest,
  call: Call,
): Promise<WebhookHeaders | undefined> {
  if ((settings.requireUrlSecret || !settings.verifySignature) && !request.hasValidSecret) {
    throw refuse("URL_SECRET_MISSING", "The webhook's URL does not hold the secret of this connection.");
  }
  if (!settings.verifySignature) return undefined;
  const headers = readHeaders(request);
  const head = readSignatureHead(headers.signature);
  const tenant = expectedTenant(settings);
  if (tenant !== undefined && headers.tenant !== tenant) {
    throw refuse("TENANT_FOREIGN", "The webhook is of another 8x8 tenant than the one this connection is for.");
  }
  if (Math.abs(context.clock.now() - headers.transmittedAtMs) > settings.maxSkewMs) {
    throw refuse(
      "TRANSMISSION_TIME_STALE",
      `The webhook left 8x8 more than ${settings.maxSkewMs} ms before or after now. Check both clocks.`,
    );
  }
  const jwk = await keys.find(head.keyId, call.signal);
  const fit = compareSignature(jwk, head, headers, request.body);
  const proof = `RS256 (RSA, SHA-256) by the public key ${head.keyId.slice(0, 40)}`;
  if (fit === "other-content") {
    throw refuse(
      "SIGNATURE_OF_OTHER_CONTENT",
      `The signature is ${proof}, but not of this webhook: the CRC-32 of the body, an id (customer, event, tenant), the try or the transmission time, which was there, is another one. Does something on the way change bodies or headers?`,
    );
  }
  if (fit === "other-key") {
    throw refuse(
      "SIGNATURE_OF_OTHER_KEY",
      `The signature is not ${proof}: it is by another key, or damaged. It would be over the CRC-32 of the body, the ids, the try and the transmission time, which was there.`,
    );
  }
  return headers;
}

function expectedTenant({ expectedTenant: expected, tenant }: EightbyeightSettings): string | undefined {
  return expected ?? tenant;
}

function parseEvent(body: Uint8Array): WireEvent {
  const value = parseJson(body);
  const event = typeof value === "object" && value !== null && !Array.isArray(value) ? eventSchema.safeParse(value).data : undefined;
  if (event) return event;
  throw new WebhookRefusedError({ status: 400, code: "WEBHOOK_MALFORMED", message: "The webhook's body is no JSON object." });
}

interface EventContext {
  readonly conversationId: string;
  readonly atMs: number;
  readonly sentAtMs: number;
  readonly tenant: string | undefined;
  readonly id: string;
  readonly parts: WebhookParts;
}

function readEvent({ eventType, data = {} }: WireEvent, context: EventContext): VendorDelivery[] {
  const { atMs, sentAtMs, tenant, conversationId, id, parts } = context;
  const common = { atMs, ...(tenant === undefined ? {} : { tenant }) };
  const references = referencesOf(conversationId);
  const deliver = (facts: Facts): VendorDelivery[] => [toDelivery(facts, references, id)];
  switch (eventType) {
    case "CONVERSATION_UPDATE": {
      const { state, assignment, user } = updateDataSchema.parse(data);
      const assigned = toAssignment(assignment);
      const facts: Facts = {
        kind: "update",
        ...common,
        ...(state === undefined ? {} : { state }),
        ...(assigned ? { assignment: assigned } : {}),
      };
      return [toDelivery(facts, referencesOf(conversationId, readCustomerValue(user, parts.settings.handoverIdKey)), id)];
    }
    case "QUEUED": {
      const { queueName } = queuedDataSchema.parse(data);
      return deliver({ kind: "queued", ...common, ...(queueName === undefined ? {} : { queueName }) });
    }
    case "TRANSFER":
      return deliver({ kind: "transfer", ...common });
    case "MEMBERS_CHANGED": {
      const { memberType, change, id: member } = memberDataSchema.parse(data);
      if (memberType !== "agent" && memberType !== "user") return [];
      if (change !== "joined" && change !== "left") return [];
      return deliver({ kind: "member", ...common, who: memberType, change, sentAtMs, ...(member === undefined ? {} : { id: member }) });
    }
    case "MESSAGE": {
      const { sender, attachments } = messageDataSchema.parse(data);
      // Echoes of what we posted, and lines of the system, are nobody's answer.
      if (sender?.type !== "agent") return [];
      rememberFiles(parts.context.cache, attachments ?? []);
      return deliver({ kind: "announcement", ...common, sender: sender.id ?? "", sentAtMs });
    }
    case "ACTIVITY":
      return readActivity(data, { common, references, id });
    default:
      return [];
  }
}

/** What a customer presses on 8x8's own channel is 8x8's: it is neither a message nor a reason for the bot to speak. */
function readActivity(
  data: Readonly<Record<string, unknown>>,
  context: {
    readonly common: { readonly atMs: number; readonly tenant?: string };
    readonly references: readonly string[];
    readonly id: string;
  },
): VendorDelivery[] {
  const { common, references, id } = context;
  const { name, value } = activityDataSchema.parse(data);
  if (name === "typing") {
    const users = typingValueSchema.safeParse(value).data?.users ?? [];
    const agent = users.find(({ type }) => type === "agent");
    if (!agent && users.length > 0) return [];
    const facts: Facts = {
      kind: "typing",
      ...common,
      isTyping: agent !== undefined,
      ...(agent?.id === undefined ? {} : { agentId: agent.id }),
    };
    return [{ ...toDelivery(facts, references, undefined), isEphemeral: true }];
  }
  if (name !== "read-receipts") return [];
  const readByAgents = readValueSchema.parse(value).filter(({ users }) => users.some(({ type }) => type === "agent"));
  if (readByAgents.length === 0) return [];
  return [toDelivery({ kind: "read", ...common, upToMs: Math.max(...readByAgents.map(({ timestamp }) => timestamp)) }, references, id)];
}

/** Only where signatures are off can the event's id be missing. */
function hashOf(event: WireEvent): string {
  return createHash("sha256").update(JSON.stringify(event)).digest("base64url");
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}
