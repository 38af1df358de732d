import type { Agent, Card, Choice, EndReason, Json, Message, TextFormat, User } from "@handover/core";
import type { QueueOptions } from "./queue/queue-options.ts";

/** A change of the handover that a bot may be told about. */
export interface BotEvent {
  /** `inactive`: the timer that the bot had set went off. It does not change the handover. */
  readonly type: "queued" | "active" | "ended" | "inactive";
  /** With `ended`. */
  readonly reason?: EndReason;
  /** With `ended`: what the user wrote and the desk never got. */
  readonly undelivered?: readonly Message[];
  /** With `inactive`: how often the timer went off since the user wrote last, from 1. */
  readonly count?: number;
  /** With `ended`, where the endpoint leaves surveys to the bot: who served the user last, and when. */
  readonly served?: {
    readonly agent?: Agent;
    /** Unix milliseconds. */
    readonly requestedAtMs: number;
    /** Absent when it was never active. */
    readonly activeAtMs?: number;
    readonly endedAtMs: number;
  };
}

/** What a bot is asked to answer: a message of the user, or an event. */
export interface BotTurn {
  /** The same when the turn is given again: a bot that has side effects recognises a repeat by it. */
  readonly id: string;
  readonly endpoint: string;
  readonly conversation: string;
  readonly user?: User;
  /** With a public URL each of its attachments has a `url` under which the bot can fetch it for a time. */
  readonly message?: Message;
  readonly event?: BotEvent;
}

/**
 * A file of a bot's answer: one that it has put into the conversation (`runtime.putAttachment`), or a link. Links are shown as they
 * are; a desk that wants bytes gets them through the runtime's `fetchFile`.
 */
export type BotAttachment =
  { readonly id: string } | { readonly name: string; readonly type?: string; readonly sizeBytes?: number; readonly url: string };

/** One message of a bot's answer; id, author and time are added by the runtime. */
export interface BotMessage {
  readonly text?: string;
  readonly format?: TextFormat;
  readonly attachments?: readonly BotAttachment[];
  readonly choices?: readonly Choice[];
  readonly cards?: readonly Card[];
  /** Who gets it. Default: `user-and-agent`. What is not for agents is in no transcript either. */
  readonly destination?: "user-and-agent" | "user-only" | "agent-only";
}

/** What a bot answers. */
export interface BotAnswer {
  readonly messages?: readonly BotMessage[];
  /** Asks for a person. The messages stand before the request. */
  readonly handover?: {
    readonly options?: Readonly<Record<string, Json>>;
    readonly summary?: string;
    /** What this handover does differently from its endpoint while the user waits in the queue. */
    readonly queue?: QueueOptions;
    readonly repeatHandoverMessage?: boolean;
  };
  /** Takes the conversation back. */
  readonly endHandover?: boolean;
  /**
   * With `endHandover`. False: the contact centre's conversation stays open, and whatever comes from it later is ignored.
   * Default: true.
   */
  readonly closeHandoverInProvider?: boolean;
  /**
   * Sets the timer for a user who is silent, in minutes, at most 10 080 (7 days). It runs while the handover is queued or active,
   * goes off once, as an event `inactive`, and begins anew with each message of the user. Whatever `events` says.
   */
  readonly inactivityTimer?: { readonly minutes: number };
}

/** A bot of an endpoint. Its answers are committed at least once and appear once. */
export interface Bot {
  /** Name shown with its messages. */
  readonly name?: string;
  /** Which events it is told. Default: only `ended`. `inactive` comes whenever the bot has set its timer. */
  readonly events?: readonly BotEvent["type"][];
  /**
   * Answers one turn, in order, one turn at a time per conversation. May be asked again for the same turn.
   * @throws anything; the turn is repeated with growing pauses, and given up after the bot's time is over
   */
  answer(turn: BotTurn, call: { readonly signal: AbortSignal }): Promise<BotAnswer>;
}
