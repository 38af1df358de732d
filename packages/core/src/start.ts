import type { Reference, User } from "./handover.ts";
import type { Json } from "./json.ts";
import type { Message } from "./message.ts";

/** One line of what was said before the handover. */
export interface TranscriptEntry {
  readonly seq: number;
  readonly message: Message;
}

/** What a provider is asked to start. */
export interface StartRequest<Options = unknown> {
  readonly handoverId: string;
  /** 1 for the first handover of the conversation. */
  readonly ordinal: number;
  /** Counts the connections tried for this handover, from 1: part of every deterministic id at the vendor. */
  readonly attempt: number;
  readonly conversation: string;
  readonly endpoint: string;
  readonly user?: User;
  readonly options: Options;
  /**
   * What was said since the last handover ended, oldest first, up to and with what the bot said when it asked. Nothing that
   * the user wrote after that: it comes through `sendMessage`.
   */
  readonly transcript: readonly TranscriptEntry[];
  /** A summary that the caller gave. Never invented. */
  readonly summary?: string;
  /** The progress that an earlier, interrupted `start` of the same attempt saved. */
  readonly resume?: { readonly references: readonly Reference[]; readonly state?: Json };
}

/** A handover that the desk has taken. */
export interface Started<State = unknown> {
  /** All addresses under which deliveries find this handover, most specific first. At least one, unless `relay` is `none`. */
  readonly references: readonly Reference[];
  readonly state: State;
  /** `seq` of the last transcript entry that the vendor has now, 0 for none. The rest goes through `sendMessage`. */
  readonly transcriptThrough: number;
  /** `none`: the vendor carries the messages itself; we send none and the status stays at most `queued`. */
  readonly relay: "both" | "none";
}
