import type {
  Answer,
  Attachment,
  Author,
  Card,
  Choice,
  DeliveryStatus,
  EndActor,
  EndReason,
  HandoverStatus,
  QueueInfo,
  Survey,
  TextFormat,
} from "@handover/core";

/** What a `notice` is about. `inactive` is for bots only: the timer that the bot had set went off. */
export type NoticeEvent =
  "agent-joined" | "agent-left" | "transferred" | "queue-updated" | "message-failed" | "message-changed" | "survey-offered" | "inactive";

/** An attachment as a reader sees it: without what only the provider needs. */
export type EntryAttachment = Omit<Attachment, "providerData">;

/** Who or what brought a status about. */
export interface EntryCause {
  readonly actor: EndActor;
  /** Stable code of the error or the vendor's word, for people who look into it. */
  readonly code?: string;
}

/** One line of a conversation's log. What is absent does not apply. */
export interface VisibleEntry {
  /** From 1, without holes: what a reader keys by. */
  readonly seq: number;
  /** The id at the entry's source: the client's own for a user message. */
  readonly id: string;
  readonly kind: "message" | "handover" | "notice";
  /** When it happened, ISO 8601 UTC; for what was learned late, the vendor's time. */
  readonly at: string;
  /** Who wrote a message; whom a notice or the status `active` is about. */
  readonly author?: Author;
  readonly text?: string;
  readonly format?: TextFormat;
  readonly attachments?: readonly EntryAttachment[];
  readonly choices?: readonly Omit<Choice, "providerData">[];
  readonly cards?: readonly Card[];
  /** Kind `handover`. */
  readonly status?: HandoverStatus;
  /** With status `ended`. */
  readonly reason?: EndReason;
  /** Kind `notice`. */
  readonly event?: NoticeEvent;
  readonly queue?: QueueInfo;
  /** Id of the handover it belongs to. */
  readonly handover?: string;
  readonly cause?: EntryCause;
  /** `seq` of the entry whose content this one replaces. */
  readonly replaces?: number;
  /** `seq` of the entry this one speaks of. */
  readonly about?: number;
  readonly survey?: Survey;
  readonly delivery?: DeliveryStatus;
  /** Learned after later entries were already shown. */
  readonly isLate?: true;
  /** May be a repeat of an earlier one: nobody could tell. */
  readonly isPossiblyDuplicated?: true;
}

/** An entry that this reader may not see; it keeps the numbers without holes. */
export interface HiddenEntry {
  readonly seq: number;
  readonly kind: "hidden";
}

/** What a reader of a conversation gets. */
export type Entry = VisibleEntry | HiddenEntry;

/** Who may see an entry. */
export type Audience = "user" | "bot" | "desk";

/** An entry as it is stored. */
export interface StoredEntry extends Omit<VisibleEntry, "attachments" | "choices"> {
  readonly attachments?: readonly Attachment[];
  readonly choices?: readonly Choice[];
  /** Which choice a user's message answers. */
  readonly answer?: Answer;
  /** With `answer`: the handover whose desk offered the choice. Absent for a choice of the bot. */
  readonly answerOf?: string;
  /** With `inactive`: how often the timer went off since the user wrote last. */
  readonly count?: number;
  /** When the desk wrote it by its own clock, where `at` is the time of arrival. */
  readonly sentAt?: string;
  /** `user`, `bot`, `runtime`, or the name of a connection; unique together with `id` within the conversation. */
  readonly source: string;
  /** Nobody may see an entry whose content was erased. */
  readonly audience: readonly Audience[];
  /**
   * What goes to desks in place of what is stored, as `redact.beforeDesk` gave it back when the entry was taken; absent when it was
   * taken without that hook.
   */
  readonly forDesk?: Pick<StoredEntry, "text" | "choices" | "cards">;
  /** The content was erased; number, id and kind stay. */
  readonly isErased?: true;
}

/** An entry that has no number yet. */
export type NewEntry = Omit<StoredEntry, "seq">;

/**
 * The entry as a reader of the given audience may see it.
 * @param linkTo where a file is that has no link of its own
 */
export function entryFor(entry: StoredEntry, reader: Audience, linkTo?: (id: string) => string): Entry {
  if (!entry.audience.includes(reader)) return { seq: entry.seq, kind: "hidden" };
  const { source: _source, audience: _audience, answer: _answer, answerOf: _answerOf, count: _count, sentAt: _sentAt, ...shown } = entry;
  const { isErased: _isErased, forDesk: _forDesk, choices, attachments, cards, ...visible } = shown;
  return {
    ...visible,
    ...(attachments ? { attachments: attachments.map((file) => withLink(withoutProviderData(file), linkTo)) } : {}),
    ...(choices ? { choices: choices.map(withoutProviderData) } : {}),
    ...(cards ? { cards: cards.map((card) => (card.choices ? { ...card, choices: card.choices.map(withoutProviderData) } : card)) } : {}),
  };
}

function withLink(file: EntryAttachment, linkTo: ((id: string) => string) | undefined): EntryAttachment {
  return file.url !== undefined || !linkTo ? file : { ...file, url: linkTo(file.id) };
}

function withoutProviderData<Value extends { readonly providerData?: unknown }>(value: Value): Omit<Value, "providerData"> {
  const { providerData: _providerData, ...visible } = value;
  return visible;
}
