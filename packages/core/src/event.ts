import type { EndActor, EndReason } from "./handover.ts";
import type { Author, Message } from "./message.ts";
import type { Survey } from "./survey.ts";

/** A human agent, as the vendor shows one to customers. */
export interface Agent {
  readonly id?: string;
  /** A name that may be shown; left out when the vendor has none to show. */
  readonly name?: string;
  readonly avatarUrl?: string;
}

/** What is known of the queue. Unknown values are absent, never 0 or -1. */
export interface QueueInfo {
  /** 1 for the next in line. */
  readonly position?: number;
  readonly estimatedWaitMs?: number;
  readonly name?: string;
  readonly text?: string;
}

/** State of messages that we sent to the desk, or, in reports, of messages that the desk sent to us. */
export type DeliveryStatus = "delivered" | "read" | "failed";

/** Which messages a delivery state is about: named ones, everything up to a time, or all. */
export type DeliveryTarget = { readonly vendorMessageIds: readonly string[] } | { readonly upToMs: number } | { readonly all: true };

interface EventBase {
  /** When it happened at the vendor, in Unix milliseconds. Without it the runtime takes the time of arrival. */
  readonly atMs?: number;
}

/** The desk has put the user in a queue, or back into one. */
export interface QueuedEvent extends EventBase {
  readonly type: "queued";
  readonly queue?: QueueInfo;
}
/** The queue's numbers changed. */
export interface QueueUpdatedEvent extends EventBase {
  readonly type: "queue-updated";
  readonly queue: QueueInfo;
}
/** An agent is there. `hasAccepted` makes the handover active; an assignment alone does not. */
export interface AgentJoinedEvent extends EventBase {
  readonly type: "agent-joined";
  readonly agent: Agent;
  readonly hasAccepted: boolean;
}
/** An agent is gone. This does not end a handover. */
export interface AgentLeftEvent extends EventBase {
  readonly type: "agent-left";
  readonly agent?: Agent;
  /** True when somebody else is still there or will come, so that the handover stays active. */
  readonly isAnotherPresent?: boolean;
}
/** The desk moved the conversation to another agent or queue. */
export interface TransferredEvent extends EventBase {
  readonly type: "transferred";
  readonly agent?: Agent;
  readonly queue?: QueueInfo;
}
/** A name or picture became known or changed. */
export interface AgentUpdatedEvent extends EventBase {
  readonly type: "agent-updated";
  readonly agent: Agent;
}
/**
 * A message for the user. `message.id` is the vendor's id, `message.author.role` is `agent` only for a human being: the first
 * such message makes the handover active.
 */
export interface MessageReceivedEvent extends EventBase {
  readonly type: "message-received";
  readonly message: Message;
}
/** A message that the user already has was edited or deleted. */
export interface MessageChangedEvent extends EventBase {
  readonly type: "message-changed";
  readonly messageId: string;
  readonly change: "edited" | "deleted";
  /** The new content of an edited message. */
  readonly text?: string;
}
/**
 * One of our own messages, seen again: proof that it arrived. At least one of the two keys is there; a vendor whose echoes
 * carry neither reports none.
 */
export interface MessageEchoedEvent extends EventBase {
  readonly type: "message-echoed";
  /** The `call.idempotencyKey` of the send, where the vendor carries it. */
  readonly idempotencyKey?: string;
  readonly vendorMessageId?: string;
}
/** Somebody at the desk types, or stopped. Never stored. */
export interface TypingChangedEvent extends EventBase {
  readonly type: "typing-changed";
  readonly author: Author;
  readonly isTyping: boolean;
}
/** Messages of ours were delivered, read, or could not be shown. */
export interface DeliveryChangedEvent extends EventBase {
  readonly type: "delivery-changed";
  readonly target: DeliveryTarget;
  readonly status: DeliveryStatus;
}
/** The vendor asks the user for feedback. */
export interface SurveyOfferedEvent extends EventBase {
  readonly type: "survey-offered";
  readonly survey: Survey;
}
/** A private note of the desk: kept for the record, never shown to the user or the bot. */
export interface DeskNoteEvent extends EventBase {
  readonly type: "desk-note";
  readonly id: string;
  readonly author: Author;
  readonly text: string;
}
/** The vendor opened a conversation again that was over. The runtime ends it again. */
export interface ReopenedEvent extends EventBase {
  readonly type: "reopened";
}
/** The conversation is over at the vendor. */
export interface EndedEvent extends EventBase {
  readonly type: "ended";
  readonly reason: EndReason;
  readonly actor: EndActor;
  /** The vendor's own word for it, kept in the journal. */
  readonly vendorReason?: string;
  /** An error is a reason of its own (`failed`), never an addition to another one. */
  readonly error?: never;
}

/** Everything a provider can report about a handover. What fits none of these is left out and named in `Translation.ignored`. */
export type HandoverEvent =
  | QueuedEvent
  | QueueUpdatedEvent
  | AgentJoinedEvent
  | AgentLeftEvent
  | TransferredEvent
  | AgentUpdatedEvent
  | MessageReceivedEvent
  | MessageChangedEvent
  | MessageEchoedEvent
  | TypingChangedEvent
  | DeliveryChangedEvent
  | SurveyOfferedEvent
  | DeskNoteEvent
  | ReopenedEvent
  | EndedEvent;
