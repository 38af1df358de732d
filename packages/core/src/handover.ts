/** The statuses of a handover that participants see. `ending` exists only inside the runtime. */
export type HandoverStatus = "requested" | "queued" | "active" | "ended";

/**
 * Why a handover ended.
 *
 * - `completed`: the agent closed it, or the user or bot left an active conversation.
 * - `cancelled`: the user or bot took the request back before anybody answered.
 * - `abandoned`: the desk or the runtime gave the user up as gone.
 * - `unavailable`: nobody there, closed hours, or the desk refused.
 * - `timed-out`: nobody accepted in time.
 * - `failed`: the provider or the vendor failed.
 */
export type EndReason = "completed" | "cancelled" | "abandoned" | "unavailable" | "timed-out" | "failed";

/** Who brought the end about. */
export type EndActor = "user" | "agent" | "bot" | "system";

/** A person on the user's side, as far as the host knows it. */
export interface User {
  /** Stable id of the person at the host, a string even where it looks like a number. */
  readonly id: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
  /** BCP 47, for example `de` or `pt-BR`. */
  readonly language?: string;
  /** True when the host app has proved who this is. Only then may the fields be used to recognise a person again. */
  readonly isVerified?: boolean;
  readonly attributes?: Readonly<Record<string, string>>;
}

/**
 * An address at the vendor under which a handover is found again: `"conversation:42"`, `"source:abc"`. Most specific first,
 * unique within a connection's `accountKey`.
 */
export type Reference = string;

/** One handover as a provider sees it. All of it is read only; `state` changes only by what `start` and `translate` return. */
export interface Handover<Options = unknown, State = unknown> {
  /** Unique over everything. */
  readonly id: string;
  /** 1 for the first handover of the conversation, 2 for the second ... */
  readonly ordinal: number;
  /** The conversation's id as the client gave it: 1 to 256 characters, any Unicode. */
  readonly conversation: string;
  /** Token of the endpoint the conversation belongs to. */
  readonly endpoint: string;
  readonly user?: User;
  readonly options: Options;
  readonly status: HandoverStatus;
  readonly references: readonly Reference[];
  readonly state: State;
}
