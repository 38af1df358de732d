import type {
  Agent,
  Attachment,
  DeliveryOrder,
  DeliveryStatus,
  EndActor,
  EndReason,
  Json,
  MessagePart,
  QueueInfo,
  Reference,
  StoredState,
  Survey,
  SurveyAnswers,
  User,
} from "@handover/core";
import type { NewEntry } from "../entry.ts";
import type { QueueOptions } from "../queue/queue-options.ts";

/** A conversation: who reads how far, and which handover runs. */
export interface ConversationRecord {
  /** `<endpoint>/<percent-encoded conversation id>`: printable ASCII. */
  readonly key: string;
  readonly endpoint: string;
  readonly conversation: string;
  /** Goes up with every commit that changes the conversation, a handover or a part; not with entries alone. */
  readonly version: number;
  /** Goes up with everything that gives a worker something to do; see `Store.release`. */
  readonly activity: number;
  /** Number of the newest entry. */
  readonly lastSeq: number;
  readonly user?: User;
  /** The bot has dealt with every entry up to here. */
  readonly botThrough: number;
  /** Tries of the turn after `botThrough`, and when the next one is due. */
  readonly botRetry?: { readonly attempts: number; readonly firstAtMs: number; readonly nextAtMs: number };
  /** The listener of `onEntry` has had every entry up to here. */
  readonly pushedThrough: number;
  /** How many handovers there were. */
  readonly handoverCount: number;
  /** The handover that has not ended. */
  readonly currentHandover?: string;
  /** The handover that ended last. */
  readonly lastHandover?: string;
}

/** How far the start of an attempt is. */
export type AttemptPhase =
  /** A call of `start` may be running or will be made. */
  | "starting"
  /** A call of `start` had no clear outcome. */
  | "in-doubt"
  | "started"
  /** Given up; what it left at the vendor is being ended. */
  | "leaving"
  /** Nothing is left to do. */
  | "over";

/** One try of a handover at one connection. */
export interface AttemptRecord {
  /** From 1. */
  readonly number: number;
  readonly connection: string;
  readonly provider: string;
  readonly accountKey: string;
  readonly phase: AttemptPhase;
  readonly sinceMs: number;
  /** Calls of `start` so far. */
  readonly startCalls: number;
  /** Why the last one did not succeed. */
  readonly lastErrorCode?: string;
  /** A call of `start` is running, or had no clear outcome: the vendor may still carry it out until then. */
  readonly callUntilMs?: number;
  /** Since when the start is in doubt. */
  readonly doubtSinceMs?: number;
  readonly nextTryAtMs?: number;
  readonly references: readonly Reference[];
  /** What `checkpoint` saved of an unfinished start. */
  readonly progress?: Json;
  /** Absent until the start has returned. */
  readonly state?: StoredState;
  readonly relay?: "both" | "none";
  /** Transcript entries up to this `seq` are at the desk. */
  readonly transcriptThrough: number;
  /** Live entries up to this `seq` have been dealt with. */
  readonly liveThrough: number;
  /** The desk said of all live entries up to this `seq` that they were delivered, or read. */
  readonly receipts?: { readonly deliveredThrough?: number; readonly readThrough?: number };
  readonly catchUp?: {
    readonly cursor?: Json;
    readonly dueAtMs: number;
    readonly failures: number;
    /** The process that compared it with the vendor last: another one compares at once. */
    readonly by: string;
    /** The newest entry at that time. */
    readonly seq?: number;
    /** The account said that the conversation changed, and it was not compared since. */
    readonly isNamed?: true;
  };
  /** The provider's own timer. */
  readonly wakeAtMs?: number;
  /** The highest position that was released, by order group. */
  readonly released: Readonly<Record<string, number>>;
  /** A delivery asked for `catchUp` before the next one is translated. */
  readonly mustPull?: true;
  /** A handover whose messages the vendor carries itself is left alone after this time. */
  readonly detachAtMs?: number;
  /** When the vendor is asked about its queue again, by what is asked for. Absent: at once. */
  readonly queuePoll?: { readonly positionDueAtMs?: number; readonly waitDueAtMs?: number };
  /** Tries of `end`, and when the next one is due. `isRequested`: the vendor has taken it and will say when it is over. */
  readonly end?: {
    readonly calls: number;
    readonly firstAtMs: number;
    readonly nextTryAtMs: number;
    readonly isRequested?: true;
    readonly isDone: boolean;
  };
}

/** An end that has been decided but is not yet shown. */
export interface EndingRecord {
  readonly reason: EndReason;
  readonly actor: EndActor;
  readonly code?: string;
  readonly sinceMs: number;
  /** Who closes: `vendor` has closed already, `us` still has to. */
  readonly closedBy: "vendor" | "us";
  /** User entries up to this one still go to the desk; absent when the desk has closed. */
  readonly sendThrough?: number;
  /** What is learned until then is still shown before the end. */
  readonly settledAtMs: number;
  /** The last `catchUp` was made, or there is none. */
  readonly hasCaughtUp: boolean;
  /** Only the user is given back: the desk's conversation stays open, and what comes from it later is ignored. */
  readonly leavesDeskOpen?: true;
}

/** An agent who is there; `hasAccepted`: took the conversation, or wrote in it. */
export type PresentAgent = Agent & {
  readonly hasAccepted?: true;
  /** Id of the notice that showed this agent joining without a name. */
  readonly namelessNotice?: string;
};

/** What the desk was told about whether the user is there. Without one it takes the user for present. */
export interface PresenceRecord {
  /** Number of the attempt whose desk was told. */
  readonly attempt: number;
  readonly isPresent: boolean;
  /** When somebody has to look whether that is still so. */
  readonly checkAtMs?: number;
  /** How many changes the desk was told. */
  readonly changes: number;
  /** Tries of the next one that failed, and since when. */
  readonly failed?: { readonly calls: number; readonly firstAtMs: number };
}

/** A survey that the desk offered. */
export interface SurveyRecord {
  readonly survey: Survey;
  /** Number and connection of the attempt whose desk offered it. */
  readonly attempt: number;
  readonly connection: string;
  /** Id of the entry that shows it. */
  readonly entry: string;
  /** What the user answered, once. */
  readonly answers?: SurveyAnswers["answers"];
  /** How far the answers are on their way to the desk. */
  readonly submission?: {
    readonly status: "pending" | "taken" | "given-up";
    readonly calls: number;
    readonly firstAtMs: number;
    readonly nextTryAtMs: number;
  };
}

/** The bot's timer for a user who is silent; it goes off once. */
export interface InactivityRecord {
  readonly afterMs: number;
  /** Absent when it has gone off, until the bot sets it again; while the desk has not accepted, it does not run. */
  readonly dueAtMs?: number;
  /** How often it went off since the user wrote last. */
  readonly count: number;
  /** What the user wrote up to this `seq` is in `dueAtMs` and `count`. */
  readonly through: number;
}

/** A time limit for somebody's silence. */
export interface IdleRecord {
  /** Since when somebody is there to answer. */
  readonly sinceMs: number;
  readonly dueAtMs: number;
  /** What was said up to this `seq` is in `dueAtMs`. */
  readonly through: number;
}

/** One handover. */
export interface HandoverRecord {
  readonly id: string;
  readonly conversation: string;
  readonly ordinal: number;
  readonly status: "requested" | "queued" | "active" | "ending" | "ended";
  /** The status that was shown last, while it is `ending`. */
  readonly shownStatus: "requested" | "queued" | "active" | "ended";
  readonly createdAtMs: number;
  /** `seq` of the entry that shows the request. */
  readonly requestedSeq: number;
  /** The transcript begins after this `seq`. */
  readonly transcriptAfter: number;
  /** User entries after this one go to the desk: the entry that the bot was answering when it asked. */
  readonly takesAfter: number;
  /** Connections in order of fallback. */
  readonly connections: readonly string[];
  /** Options by connection, as they were merged at the request. */
  readonly options: Readonly<Record<string, Json>>;
  readonly user?: User;
  readonly summary?: string;
  /** Absent once it was active: who has been served may be queued again for as long as it takes. */
  readonly acceptBeforeMs?: number;
  /** A person was there: it no longer gives way to another connection. */
  readonly wasActive?: true;
  readonly attempt: AttemptRecord;
  /** Former attempts whose conversation at the vendor still has to be ended. */
  readonly leaving: readonly AttemptRecord[];
  /** Agents who are there, in the order of joining. */
  readonly agents: readonly PresentAgent[];
  /** What waiting users are told about the queue, as it was merged at the request. */
  readonly queueOptions?: QueueOptions;
  /** The text `accepted` is shown again when the user writes while waiting. */
  readonly repeatsAccepted?: true;
  /** User entries up to this `seq` have been answered with the text `accepted`. */
  readonly repeatedThrough?: number;
  /** Options for the current connection that its desk has not been told. */
  readonly optionsChange?: Json;
  /** How many changes of the user or of the options the desk has been told, or were given up. */
  readonly changesTold?: number;
  /** Tries to tell the next one. */
  readonly changeTries?: { readonly calls: number; readonly firstAtMs: number; readonly nextTryAtMs: number };
  /** What was last said about the queue. */
  readonly queue?: QueueInfo;
  /** Who went last, or where it was transferred to, until somebody comes: what is told twice has happened once. */
  readonly lastDeparture?: string;
  /** How many entries were made about it: part of their ids. */
  readonly entryCount: number;
  /** Files of the desk that are still to be fetched, and those that were given up. */
  readonly files?: readonly DeskFileRecord[];
  /** When it was active first. */
  readonly activeAtMs?: number;
  readonly presence?: PresenceRecord;
  readonly surveys?: readonly SurveyRecord[];
  readonly inactivity?: InactivityRecord;
  /** The endpoint's time limits while it is active. */
  readonly idle?: { readonly user?: IdleRecord; readonly agent?: IdleRecord };
  /** The user has read the desk's messages up to this `seq`, and the desk was told. */
  readonly readThrough?: number;
  /** The handover before this one. */
  readonly previous?: string;
  readonly ending?: EndingRecord;
  readonly ended?: {
    readonly seq: number;
    readonly atMs: number;
    readonly reason: EndReason;
    readonly actor: EndActor;
    /** User entries up to this one were the handover's; later ones are the bot's. */
    readonly takesThrough: number;
    /** Of these, the ones that the desk never got. */
    readonly undelivered: readonly number[];
  };
}

/** A file that the desk sent and that is not stored yet. */
export interface DeskFileRecord {
  /** Our own id: the blob's, and the one in the entry. */
  readonly id: string;
  readonly connection: string;
  /** The vendor's id of its message. */
  readonly message: string;
  /** As the provider gave it. */
  readonly attachment: Attachment;
  readonly tries: number;
  readonly nextTryAtMs: number;
  readonly firstFailedAtMs?: number;
  /** The code of the error with which it was given up. */
  readonly failedAs?: string;
  /** The desk has deleted its message: the file goes too. */
  readonly isDeleted?: true;
}

/** How far one part of one message is on its way to the desk. */
export type PartStatus = "planned" | "sending" | "unclear" | "sent" | "failed";

/** One part of one entry for one attempt of a handover. Planned once, then frozen. */
export interface PartRecord {
  readonly handover: string;
  readonly attempt: number;
  readonly seq: number;
  readonly index: number;
  /** Of how many. */
  readonly count: number;
  /** The idempotency key, unique over everything. */
  readonly key: string;
  readonly part: MessagePart;
  readonly status: PartStatus;
  readonly calls: number;
  readonly firstAtMs?: number;
  /** A call may still be carried out at the vendor until then. */
  readonly callUntilMs?: number;
  readonly nextTryAtMs?: number;
  readonly vendorMessageId?: string;
  readonly isPossiblyDuplicated?: true;
  /** What the desk last said about it. */
  readonly delivery?: DeliveryStatus;
}

/** A delivery of a vendor on its way into the log. */
export interface NewDelivery {
  readonly connection: string;
  readonly accountKey: string;
  /** Unique per account; absent: never recognised as a repeat. */
  readonly id?: string;
  readonly references: readonly Reference[];
  readonly order?: DeliveryOrder;
  readonly payload: Json;
  readonly receivedAtMs: number;
  /** Learned by asking, although the vendor should have told us. */
  readonly isHealed?: true;
}

/** A delivery in the inbox that waits to be translated. */
export interface InboxRecord extends NewDelivery {
  readonly number: number;
  readonly handover: string;
}

/** A fact that no participant sees. */
export interface JournalItem {
  readonly atMs: number;
  /** Kebab-case: what happened. */
  readonly what: string;
  readonly conversation?: string;
  readonly handover?: string;
  readonly connection?: string;
  /** Plain values; no message text, no secret. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** What a commit changes about a conversation's own row. */
export type ConversationPatch = Partial<
  Pick<ConversationRecord, "user" | "botThrough" | "pushedThrough" | "handoverCount" | "lastHandover">
> & { readonly currentHandover?: string | null; readonly botRetry?: ConversationRecord["botRetry"] | null };

/**
 * What may change about an entry that is there. Never takes anything back: `delivery` only goes up, from nothing over `delivered`
 * and `failed` to `read` (see `laterDelivery`), so amendments may come twice and in any order.
 */
export interface EntryAmendment {
  /** An entry that is not there is left out. */
  readonly seq: number;
  readonly delivery?: DeliveryStatus;
  readonly isPossiblyDuplicated?: true;
}

/** A file that belongs to a conversation. */
export interface BlobRecord {
  /** The conversation's key. */
  readonly conversation: string;
  /** Unique within the conversation. */
  readonly id: string;
  readonly name: string;
  /** MIME type. */
  readonly type: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
}

/** A file that is about to be kept. */
export interface NewBlob extends Omit<BlobRecord, "sizeBytes"> {
  /** Makes the conversation when it does not exist. */
  readonly create?: Commit["create"];
}

/** One atomic change of one conversation: all of it, or nothing. */
export interface Commit {
  /** The conversation's key. */
  readonly conversation: string;
  /** Makes the conversation when it does not exist. */
  readonly create?: { readonly endpoint: string; readonly conversation: string };
  /** The lease of the worker; a commit under a lost lease is refused as `fenced`. */
  readonly fence?: number;
  /** The version that the change was worked out from; another one refuses the commit as `conflict`. */
  readonly expectVersion?: number;
  /** The number of the newest entry that the change was worked out from; another one refuses the commit as `conflict`. */
  readonly expectLastSeq?: number;
  /** Gets the next numbers. An entry whose (source, id) exists already is not added again and burns no number. */
  readonly append?: readonly NewEntry[];
  /** Changes about entries that are there; neither numbers nor `version` go up for it. */
  readonly amend?: readonly EntryAmendment[];
  readonly update?: ConversationPatch;
  /** New or replaced. */
  readonly handovers?: readonly HandoverRecord[];
  /** New or replaced. */
  readonly parts?: readonly PartRecord[];
  /** Inbox numbers that are dealt with: they stay known by id, their payload goes. */
  readonly consume?: readonly number[];
  /** Addresses of a handover. Parked deliveries that carry one of them are given to it. */
  readonly references?: readonly { readonly accountKey: string; readonly handover: string; readonly references: readonly Reference[] }[];
  /** Deliveries that were fetched; known ids are skipped. */
  readonly deliveries?: readonly NewDelivery[];
  readonly journal?: readonly JournalItem[];
}

/** What became of a commit. `seqs` has a number for each entry of `append`, an old one for a repeat. */
export type CommitResult =
  | {
      readonly status: "committed";
      readonly seqs: readonly number[];
      /** How many entries were new. */
      readonly added: number;
      readonly version: number;
      /** Deliveries that were new. */
      readonly deliveriesAdded: number;
    }
  | { readonly status: "conflict" }
  | { readonly status: "fenced" };
