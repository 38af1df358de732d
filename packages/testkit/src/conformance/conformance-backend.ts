import type { Json } from "@handover/core";

/** A value now or later. */
export type Awaitable<Value> = Value | Promise<Value>;

/** A line of a conversation as the contact centre has it. */
export interface ConformanceMessage {
  readonly author: "user" | "bot" | "agent" | "system";
  readonly text: string;
  /** When it was said, as people at the desk are shown it: ISO 8601. Left out where the desk shows no times. */
  readonly at?: string;
}

/** A file, as one side sent it or the other got it. */
export interface ConformanceFile {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** What people at the desk see of the user beside messages, oldest first; a part is left out where they are not shown it. */
export interface ConformanceSignals {
  readonly typing?: readonly boolean[];
  readonly presence?: readonly boolean[];
  /** Answers to surveys: the values, whatever the vendor calls them. */
  readonly surveyAnswers?: readonly (readonly (string | number)[])[];
}

/** A conversation as the contact centre has it. */
export interface ConformanceConversation {
  /** The contact centre's own id. */
  readonly id: string;
  /** `closed` once it is over, whatever the vendor calls it. */
  readonly status: "queued" | "active" | "closed";
  /** Oldest first; a handed-over transcript counts. */
  readonly messages: readonly ConformanceMessage[];
}

/** How the vendor's webhooks prove where they come from. `none` when there are no webhooks. */
export type WebhookProof = "signature" | "url-secret" | "both" | "none";

/** How access tokens run out at the vendor. */
export interface ConformanceTokens {
  /** How long each of them works, as the vendor says. */
  readonly lifetimeMs: number;
  /** How many were given out since the reset. */
  issued(): Awaitable<number>;
  /** How many calls came with one that does not work any more, since the reset. */
  refused(): Awaitable<number>;
  /** Lets time pass at the contact centre, without waiting. */
  passTime(durationMs: number): Awaitable<void>;
  /** What was given out so far does not work any more. */
  revoke(): Awaitable<void>;
}

/**
 * How the conformance suite looks into the contact centre and plays its people: an adapter of a few lines over a simulator.
 * A method that is optional is left out where the vendor has nothing like it; the tests that need it are left out then.
 * Every method may be synchronous.
 */
export interface ConformanceBackend {
  readonly webhookProof: WebhookProof;

  /** How many lines of a transcript the vendor takes in one call or minute. Default: 60. */
  readonly transcriptLines?: number;
  /** Files that the vendor refuses from users for what they are, with a word of the reason that the user is told; for vendors that do. */
  readonly refusedFiles?: readonly { readonly file: ConformanceFile; readonly reason: string }[];
  /** Options that name something which the desk does not have, and what it has instead; for vendors that can say. */
  readonly unknownRouting?: readonly { readonly options: Readonly<Record<string, Json>>; readonly known: readonly string[] }[];
  /** For vendors whose API takes access tokens that run out. */
  readonly tokens?: ConformanceTokens;

  /** Empties the contact centre and puts everybody at work. Called before each test. */
  reset(): Awaitable<void>;
  /** Sends webhooks to this URL from now on. */
  setWebhookUrl(url: string): Awaitable<void>;
  /** Resolves when no webhook is queued or under way. */
  settle(): Awaitable<void>;
  /** All conversations, closed ones too, oldest first. */
  conversations(): Awaitable<readonly ConformanceConversation[]>;

  /** A person takes the conversation, as far as the vendor knows such a step. */
  agentAccepts(id: string): Awaitable<void>;
  /** A rule or a person assigns the conversation, and nobody has accepted it yet. */
  agentIsAssigned?(id: string): Awaitable<void>;
  /** A person writes to the user. */
  agentSays(id: string, text: string): Awaitable<void>;
  /** A person ends the conversation, as is usual at that vendor. */
  agentCloses(id: string): Awaitable<void>;
  /** A person writes a note that the user must never see. */
  agentWritesNote?(id: string, text: string): Awaitable<void>;
  agentTypes?(id: string, isTyping: boolean): Awaitable<void>;
  /** The person goes and the conversation stays open. */
  agentLeaves?(id: string): Awaitable<void>;
  /** The conversation moves to another person or queue. */
  agentTransfers?(id: string): Awaitable<void>;
  agentReopens?(id: string): Awaitable<void>;
  agentSendsFile?(id: string, file: ConformanceFile): Awaitable<void>;
  /** One message of a person with a text and several files; for vendors that can. */
  agentSendsFiles?(id: string, text: string, files: readonly ConformanceFile[]): Awaitable<void>;
  /** An automation of the desk writes to the user: a greeting, an out-of-office note. */
  systemSays?(id: string, text: string): Awaitable<void>;
  surveyIsOffered?(id: string): Awaitable<void>;
  /** The desk turns the waiting user away: nobody can take the conversation. */
  deskRefuses?(id: string): Awaitable<void>;
  /** What the queue says from now on to everybody who waits. */
  queueIs?(queue: { readonly position?: number; readonly estimatedWaitMs?: number }): Awaitable<void>;
  /** What was told of the user beside messages. */
  signalsAtDesk?(id: string): Awaitable<ConformanceSignals>;
  /** The files that the user and the bot sent, oldest first; for vendors that take files. */
  filesAtDesk?(id: string): Awaitable<readonly ConformanceFile[]>;
  /** What people at the desk read of a conversation beside its messages: notes, fields. */
  notesAtDesk?(id: string): Awaitable<readonly string[]>;
  /** How many people are at work. */
  setAgentsOnline?(count: number): Awaitable<void>;

  /** The headers with which the vendor would sign this body; for vendors that sign. */
  signWebhook?(body: Uint8Array): Readonly<Record<string, string>>;
  /** The same as if the vendor had signed it at another time (Unix milliseconds); for vendors whose signature has a time. */
  signWebhookAt?(body: Uint8Array, atMs: number): Readonly<Record<string, string>>;
  /** One body that holds the events of several; for vendors that send several events in one request. */
  combineWebhooks?(bodies: readonly Uint8Array[]): Uint8Array;
}
