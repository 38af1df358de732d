import type { Entry, HandoverRecord, JournalItem, StoredEntry } from "@handover/runtime";
import type { DeskLine } from "../desks/desk.ts";
import type { AcceptedLine } from "../load/user-client.ts";

/** A ticket at the end, and what the people said in it. */
export interface TicketFacts {
  readonly id: string;
  readonly isOpen: boolean;
  readonly lines: readonly DeskLine[];
  /** Lines of agents, in the order in which they were said. */
  readonly said: readonly { readonly text: string; readonly atMs: number }[];
  readonly wasClosedByAgent: boolean;
}

/** Everything that is known of one conversation when all is over, from every side. */
export interface ConversationFacts {
  readonly conversation: string;
  /** What the user has an acceptance for. */
  readonly accepted: readonly AcceptedLine[];
  /** What the user's stream brought, as it came. */
  readonly seen: readonly Entry[];
  /** The log as it is stored. */
  readonly log: readonly StoredEntry[];
  /** In the order of their requests. */
  readonly handovers: readonly HandoverRecord[];
  readonly journal: readonly JournalItem[];
  /** Parts that may have been sent twice, as `<handover>/<seq>`. */
  readonly markedParts: ReadonlySet<string>;
  /** Parts that were given up after a call whose outcome nobody could learn, as `<handover>/<seq>`. */
  readonly unsureParts: ReadonlySet<string>;
  /** Handovers that ended while something of theirs was still to be sent. */
  readonly cutShort: ReadonlySet<string>;
  readonly tickets: readonly TicketFacts[];
  /** Two tickets were open at a time, neither of them opened again by the desk. */
  readonly hadTwoTickets: boolean;
  /** Numbers of the entries that the push channel took, as they came. */
  readonly pushed: readonly number[];
  /** Lines that the bot was asked to answer, with repeats. */
  readonly turns: readonly string[];
  /** The vendor can be asked what arrived. */
  readonly canBeAsked: boolean;
}

/** What a finding is about. */
export type FindingKind = "lost" | "reordered" | "repeated" | "unmarked" | "broken";

/** Something that must not be. */
export interface Finding {
  readonly kind: FindingKind;
  readonly what: string;
}

/** What became of one conversation. */
export interface Verdict {
  readonly findings: readonly Finding[];
  /** Lines that the vendor has twice although it should not, each with its mark. */
  readonly markedRepeats: number;
  /** Lines of agents that were learned late, out of their place, and say so. */
  readonly late: number;
  /** Lines of users that were said to be lost because nobody could tell, and had arrived. */
  readonly unsure: number;
  /** Lines that reached the other side. */
  readonly delivered: number;
  readonly handovers: number;
}
