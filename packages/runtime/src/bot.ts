import type { Card, Choice, EndReason, Json, Message, TextFormat, User } from "@handover/core";

/** A change of the handover that a bot may be told about. */
export interface BotEvent {
  readonly type: "queued" | "active" | "ended";
  /** With `ended`. */
  readonly reason?: EndReason;
  /** With `ended`: what the user wrote and the desk never got. */
  readonly undelivered?: readonly Message[];
}

/** What a bot is asked to answer: a message of the user, or an event. */
export interface BotTurn {
  /** The same when the turn is given again: a bot that has side effects recognises a repeat by it. */
  readonly id: string;
  readonly endpoint: string;
  readonly conversation: string;
  readonly user?: User;
  readonly message?: Message;
  readonly event?: BotEvent;
}

/** One message of a bot's answer; id, author and time are added by the runtime. */
export interface BotMessage {
  readonly text?: string;
  readonly format?: TextFormat;
  readonly choices?: readonly Choice[];
  readonly cards?: readonly Card[];
}

/** What a bot answers. */
export interface BotAnswer {
  readonly messages?: readonly BotMessage[];
  /** Asks for a person. The messages stand before the request. */
  readonly handover?: { readonly options?: Readonly<Record<string, Json>>; readonly summary?: string };
  /** Takes the conversation back. */
  readonly endHandover?: boolean;
}

/** A bot of an endpoint. Its answers are committed at least once and appear once. */
export interface Bot {
  /** Name shown with its messages. */
  readonly name?: string;
  /** Which events it is told. Default: only `ended`. */
  readonly events?: readonly BotEvent["type"][];
  /**
   * Answers one turn, in order, one turn at a time per conversation. May be asked again for the same turn.
   * @throws anything; the turn is repeated with growing pauses, and given up after the bot's time is over
   */
  answer(turn: BotTurn, call: { readonly signal: AbortSignal }): Promise<BotAnswer>;
}
