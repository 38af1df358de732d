import { badInput } from "../shared/control-error.ts";
import type { Fields } from "../shared/control-input.ts";
import { readBoolean, readObject, readOneOf, readText, readWholeNumber } from "../shared/control-input.ts";
import type { LiveAgentProfile } from "./live-agent-profile.ts";

/** What the documentation leaves open, or an operator can set. Every default that nobody documents is inferred. */
export interface LiveAgentBehaviour {
  /** Throttles as a production server: 3000 calls a minute (300 before 3.1), search, uploads, counts. Default false. */
  readonly rateLimits: boolean;
  /** Throttled answers carry `Retry-After`. Default false (inferred). */
  readonly sendsRetryAfter: boolean;
  /** The webhooks that a call causes are delivered before its answer. Default false. */
  readonly eventsBeforeAnswer: boolean;
  /** Messages and changes of a conversation leave by two queues of their own: one does not wait for the other. Default false. */
  readonly twoQueues: boolean;
  /** How an agent's typing leaves: by webhook (4.2), by Live Agent's event gateway, both, or not at all. Default `webhook`. */
  readonly typing: "webhook" | "cloud-events" | "both" | "none";
  /** The number in a CloudEvent's subject (inferred). Default `display-id`. */
  readonly cloudEventSubject: "display-id" | "internal-id";
  /** Default `application/json`. */
  readonly cloudEventContentType: "application/json" | "application/cloudevents+json";
  /** Where and how the place in the queue is told (inferred). Default `endpoint` in Live Agent, else `none`. */
  readonly queueDetails: "endpoint" | "nested-endpoint" | "conversation" | "conversation-position" | "conversation-queue-position" | "none";
  /** What a message of the customer does to a resolved conversation. Default `stay-closed` in Live Agent (inferred), else `reopen`. */
  readonly afterEnd: "reopen" | "stay-closed" | "refuse";
  /** What Live Agent calls its fourth state (inferred). Default `abandoned`. */
  readonly abandonedStatus: string;
  /** The `channel_type` of API inboxes; Live Agent's documented sample is `Channel:Webchat`. Default `Channel::Api`. */
  readonly channelType: string;
  /** Agents have another name outside. Default false. */
  readonly masksAgents: boolean;
  /** `message_type` of message webhooks as a text or a number. Default `text`. */
  readonly messageTypes: "text" | "number";
  /** An agent's line breaks are `\` and a line feed on the wire, as they can be before 4.13. Default false. */
  readonly hardBreaks: boolean;
  /** Every `conversation_updated` leaves twice. Default false. */
  readonly doublesUpdates: boolean;
  /** Webhooks and answers carry keys that no documentation knows. Default false. */
  readonly hasUnknownFields: boolean;
  /** `GET /api` and `GET /health` are there. Default true. */
  readonly hasVersionRoutes: boolean;
  /** Webhooks to loopback and private addresses are refused, as since 4.14. Default false. */
  readonly blocksPrivateWebhooks: boolean;
  /** How often the address of an attachment answers 404 before it works. Default 1. */
  readonly attachmentNotFoundTimes: number;
  /** How long an attachment's address works; `null` (default): for ever. */
  readonly attachmentUrlSeconds: number | null;
  /** How long the address works that it redirects to. Default 300. */
  readonly storageUrlSeconds: number;
  /** Where the storage is, when it is to look like another host; `null` (default): at the simulator's address. */
  readonly storageOrigin: string | null;
  /** The platform API makes users and gives roles. Default true; Live Agent takes its users from Cognigy and may refuse (inferred). */
  readonly allowsPlatformUsers: boolean;
  /** The platform token works on the account API too (inferred). Default false. */
  readonly allowsPlatformTokenEverywhere: boolean;
}

const queueShapes = [
  "endpoint",
  "nested-endpoint",
  "conversation",
  "conversation-position",
  "conversation-queue-position",
  "none",
] as const;

export function defaultBehaviour(profile: LiveAgentProfile): LiveAgentBehaviour {
  return {
    rateLimits: false,
    sendsRetryAfter: false,
    eventsBeforeAnswer: false,
    twoQueues: false,
    typing: "webhook",
    cloudEventSubject: "display-id",
    cloudEventContentType: "application/json",
    queueDetails: profile.isLiveAgent ? "endpoint" : "none",
    afterEnd: profile.isLiveAgent ? "stay-closed" : "reopen",
    abandonedStatus: "abandoned",
    channelType: "Channel::Api",
    masksAgents: false,
    messageTypes: "text",
    hardBreaks: false,
    doublesUpdates: false,
    hasUnknownFields: false,
    hasVersionRoutes: true,
    blocksPrivateWebhooks: false,
    attachmentNotFoundTimes: 1,
    attachmentUrlSeconds: null,
    storageUrlSeconds: 300,
    storageOrigin: null,
    allowsPlatformUsers: true,
    allowsPlatformTokenEverywhere: false,
  };
}

/** The base with what is named; throws a `ControlError` for what is unknown or out of range. */
export function readBehaviour(input: unknown, base: LiveAgentBehaviour): LiveAgentBehaviour {
  const fields: Fields = { ...base, ...readObject(input, Object.keys(base)) };
  return {
    rateLimits: readBoolean(fields, "rateLimits"),
    sendsRetryAfter: readBoolean(fields, "sendsRetryAfter"),
    eventsBeforeAnswer: readBoolean(fields, "eventsBeforeAnswer"),
    twoQueues: readBoolean(fields, "twoQueues"),
    typing: readOneOf(fields, "typing", ["webhook", "cloud-events", "both", "none"]),
    cloudEventSubject: readOneOf(fields, "cloudEventSubject", ["display-id", "internal-id"]),
    cloudEventContentType: readOneOf(fields, "cloudEventContentType", ["application/json", "application/cloudevents+json"]),
    queueDetails: readOneOf(fields, "queueDetails", queueShapes),
    afterEnd: readOneOf(fields, "afterEnd", ["reopen", "stay-closed", "refuse"]),
    abandonedStatus: readText(fields, "abandonedStatus"),
    channelType: readText(fields, "channelType"),
    masksAgents: readBoolean(fields, "masksAgents"),
    messageTypes: readOneOf(fields, "messageTypes", ["text", "number"]),
    hardBreaks: readBoolean(fields, "hardBreaks"),
    doublesUpdates: readBoolean(fields, "doublesUpdates"),
    hasUnknownFields: readBoolean(fields, "hasUnknownFields"),
    hasVersionRoutes: readBoolean(fields, "hasVersionRoutes"),
    blocksPrivateWebhooks: readBoolean(fields, "blocksPrivateWebhooks"),
    attachmentNotFoundTimes: readWholeNumber(fields, "attachmentNotFoundTimes", { min: 0, max: 100 }),
    attachmentUrlSeconds: readSeconds(fields, "attachmentUrlSeconds"),
    storageUrlSeconds: readWholeNumber(fields, "storageUrlSeconds", { min: 1, max: 86_400 }),
    storageOrigin: fields["storageOrigin"] === null ? null : readOrigin(fields, "storageOrigin"),
    allowsPlatformUsers: readBoolean(fields, "allowsPlatformUsers"),
    allowsPlatformTokenEverywhere: readBoolean(fields, "allowsPlatformTokenEverywhere"),
  };
}

function readSeconds(fields: Fields, key: string): number | null {
  return fields[key] === null ? null : readWholeNumber(fields, key, { min: 1, max: 86_400 });
}

function readOrigin(fields: Fields, key: string): string {
  const value = readText(fields, key);
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) throw badInput(`"${key}" must be an http or https address.`);
  return new URL(value).origin;
}
