import { badInput } from "../shared/control-error.ts";
import type { Fields } from "../shared/control-input.ts";
import { readBoolean, readObject, readWholeNumber } from "../shared/control-input.ts";

/** What the vendor's documentation leaves open, and what a receiver must survive. */
export interface EightbyeightBehaviour {
  /** The first webhook of a new conversation is delivered before its 202. Default false. */
  readonly eventsBeforeAnswer: boolean;
  /** A new conversation becomes active by itself; else it stays `created` until an agent comes. Default true. */
  readonly activates: boolean;
  /** More than 200 history messages or 30 additional properties are refused. Default true. */
  readonly enforcesLimits: boolean;
  /** `user.additionalProperties` come back in events and answers. Default true. */
  readonly keepsProperties: boolean;
  /** The echo of a line that was posted for the user has `isEcho: true`, as the bot's always has. Default false. */
  readonly userEchoIsEcho: boolean;
  /** A line of the user after the end puts the conversation into its queue again, or is answered with 400. Default `requeue`. */
  readonly afterEnd: "requeue" | "refuse";
  /** In which order a transfer is told. Default `transfer`, `left`, `queued`. */
  readonly transferOrder: readonly ("transfer" | "left" | "queued")[];
  /** How long after the first event of a transfer each further one leaves. Default 0. */
  readonly transferGapMs: number;
  /** What is told when the customer was removed. Default `user-left`, `agent-left`, `idle`. */
  readonly customerLeaveEvents: readonly ("user-left" | "agent-left" | "idle")[];
  /** What is told when the desk closes a conversation. Default `agent-left`, `idle`. */
  readonly closeEvents: readonly ("agent-left" | "idle")[];
  /** How long after the last agent left the conversation becomes idle; `null` (default): it does not. */
  readonly idleAfterLeaveMs: number | null;
  /** A 401 in the vendor's shape, or in that of the API gateway before it. Default `vendor`. */
  readonly unauthorizedBody: "vendor" | "gateway";
  /** The API product is attached to the key; else every call gets a 403. Default true. */
  readonly keyHasProduct: boolean;
  /** Events name a pre-signed URL, file name and type; else an attachment's id alone, as before April 2026. Default true. */
  readonly hasPreSignedUrl: boolean;
  /** Default 300. */
  readonly preSignedUrlSeconds: number;
  /** The call that verifies a webhook is signed like the others. Default true. */
  readonly signsVerification: boolean;
  /** What is wrong with the signature of webhooks. Default `nothing`. */
  readonly tamper: Tampering;
  /** A header that webhooks lack; `null` by default. */
  readonly withoutHeader: WebhookHeader | null;
  /** Events carry fields that no documentation knows. Default false. */
  readonly hasUnknownFields: boolean;
  /** How often a webhook is tried again. Default 5. */
  readonly webhookRetries: number;
  /** Default 1000. */
  readonly webhookRetryDelayMs: number;
}

export type Tampering = (typeof tamperings)[number];
export type WebhookHeader = (typeof webhookHeaders)[number];

const tamperings = [
  "nothing",
  "wrong-signature",
  "wrong-checksum",
  "wrong-key",
  "unknown-key",
  "alg-none",
  "alg-hs256",
  "without-b64",
  "stale",
  "foreign-tenant",
] as const;

const webhookHeaders = [
  "x-8x8-tenant-id",
  "x-8x8-customer-id",
  "x-8x8-event-id",
  "x-8x8-transmission-time",
  "x-8x8-retry",
  "x-8x8-signature",
] as const;

const minute = { min: 0, max: 60_000 };

export const defaultBehaviour: EightbyeightBehaviour = {
  eventsBeforeAnswer: false,
  activates: true,
  enforcesLimits: true,
  keepsProperties: true,
  userEchoIsEcho: false,
  afterEnd: "requeue",
  transferOrder: ["transfer", "left", "queued"],
  transferGapMs: 0,
  customerLeaveEvents: ["user-left", "agent-left", "idle"],
  closeEvents: ["agent-left", "idle"],
  idleAfterLeaveMs: null,
  unauthorizedBody: "vendor",
  keyHasProduct: true,
  hasPreSignedUrl: true,
  preSignedUrlSeconds: 300,
  signsVerification: true,
  tamper: "nothing",
  withoutHeader: null,
  hasUnknownFields: false,
  webhookRetries: 5,
  webhookRetryDelayMs: 1000,
};

/** The base with what is named; throws a `ControlError` for what is unknown or out of range. */
export function readBehaviour(input: unknown, base: EightbyeightBehaviour): EightbyeightBehaviour {
  const fields: Fields = { ...base, ...readObject(input, Object.keys(defaultBehaviour)) };
  return {
    eventsBeforeAnswer: readBoolean(fields, "eventsBeforeAnswer"),
    activates: readBoolean(fields, "activates"),
    enforcesLimits: readBoolean(fields, "enforcesLimits"),
    keepsProperties: readBoolean(fields, "keepsProperties"),
    userEchoIsEcho: readBoolean(fields, "userEchoIsEcho"),
    afterEnd: readChoice(fields, "afterEnd", ["requeue", "refuse"]),
    transferOrder: readChoices(fields, "transferOrder", ["transfer", "left", "queued"]),
    transferGapMs: readWholeNumber(fields, "transferGapMs", minute),
    customerLeaveEvents: readChoices(fields, "customerLeaveEvents", ["user-left", "agent-left", "idle"]),
    closeEvents: readChoices(fields, "closeEvents", ["agent-left", "idle"]),
    idleAfterLeaveMs: fields["idleAfterLeaveMs"] === null ? null : readWholeNumber(fields, "idleAfterLeaveMs", minute),
    unauthorizedBody: readChoice(fields, "unauthorizedBody", ["vendor", "gateway"]),
    keyHasProduct: readBoolean(fields, "keyHasProduct"),
    hasPreSignedUrl: readBoolean(fields, "hasPreSignedUrl"),
    preSignedUrlSeconds: readWholeNumber(fields, "preSignedUrlSeconds", { min: 1, max: 86_400 }),
    signsVerification: readBoolean(fields, "signsVerification"),
    tamper: readChoice(fields, "tamper", tamperings),
    withoutHeader: fields["withoutHeader"] === null ? null : readChoice(fields, "withoutHeader", webhookHeaders),
    hasUnknownFields: readBoolean(fields, "hasUnknownFields"),
    webhookRetries: readWholeNumber(fields, "webhookRetries", { min: 0, max: 100 }),
    webhookRetryDelayMs: readWholeNumber(fields, "webhookRetryDelayMs", minute),
  };
}

function readChoice<Choice extends string>(fields: Fields, key: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === fields[key]);
  if (found === undefined) throw badInput(`"${key}" must be one of ${choices.join(", ")}.`);
  return found;
}

/** Each at most once, in the given order. */
function readChoices<Choice extends string>(fields: Fields, key: string, choices: readonly Choice[]): Choice[] {
  const values: unknown = fields[key];
  const found = Array.isArray(values) ? values.flatMap((value) => choices.find((choice) => choice === value) ?? []) : [];
  if (!Array.isArray(values) || found.length !== values.length || new Set(found).size !== found.length) {
    throw badInput(`"${key}" must be a list of ${choices.join(", ")}, each at most once.`);
  }
  return found;
}
