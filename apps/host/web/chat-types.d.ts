// The shapes that the modules of the chat page hand to each other. Nothing here runs; the modules name these types in JSDoc.

export type AuthorRole = "user" | "bot" | "agent" | "system";
export interface Author {
  readonly role: AuthorRole;
  readonly id?: string;
  readonly name?: string;
}
export type HandoverStatus = "requested" | "queued" | "active" | "ended";
export interface QueueInfo {
  readonly position?: number;
  readonly estimatedWaitMs?: number;
  readonly name?: string;
  readonly text?: string;
}
export interface Choice {
  readonly id: string;
  readonly title: string;
}
export interface Attachment {
  readonly id: string;
  readonly name?: string;
  readonly type?: string;
  readonly sizeBytes?: number;
  readonly url?: string;
  /** Served by this host as a file of this conversation: its link was made by the page itself. */
  readonly isOfConversation?: boolean;
}
export interface Card {
  readonly title?: string;
  readonly text?: string;
  readonly url?: string;
  readonly imageUrl?: string;
  readonly choices?: readonly Choice[];
}
export type Delivery = "delivered" | "read" | "failed";
export interface SurveyQuestion {
  readonly id: string;
  readonly text: string;
  readonly type: "rating" | "choice" | "text";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly Choice[];
  readonly isRequired?: boolean;
}
export interface Survey {
  readonly id: string;
  readonly questions: readonly SurveyQuestion[];
  readonly openUntilMs?: number;
}

/** One entry of the Channel API, as the server sends it. Whatever is missing or unknown is tolerated. */
export interface Entry {
  readonly seq: number;
  readonly kind: string;
  readonly id?: string;
  readonly at?: string;
  readonly author?: Author;
  readonly text?: string;
  readonly format?: string;
  readonly attachments?: readonly Attachment[];
  readonly choices?: readonly Choice[];
  readonly cards?: readonly Card[];
  readonly status?: string;
  readonly reason?: string;
  readonly event?: string;
  readonly queue?: QueueInfo;
  readonly replaces?: number;
  readonly about?: number;
  readonly survey?: Survey;
  readonly delivery?: Delivery;
  readonly isLate?: boolean;
  readonly isPossiblyDuplicated?: boolean;
}
export interface TypingEvent {
  readonly author?: Author;
  readonly isTyping: boolean;
}
export interface Receipt {
  readonly seq: number;
  readonly delivery: Delivery;
}

/** What a client may know of an endpoint. Every key but the token may be missing. */
export interface EndpointInfo {
  readonly token?: string;
  readonly title?: string;
  readonly greeting?: string;
  readonly access?: string;
  readonly handover?: boolean;
}

/** A message of the log, with what later entries said about it. */
export interface LoggedMessage {
  readonly entry: Entry;
  text: string | undefined;
  delivery: Delivery | undefined;
  failure: string | undefined;
  isEdited: boolean;
  isDeleted: boolean;
}
export interface LoggedLine {
  readonly entry: Entry;
  readonly line: string;
  readonly tone: "info" | "warning";
}
/** A survey that was offered. */
export interface LoggedSurvey {
  readonly entry: Entry;
  readonly survey: Survey;
  readonly title: string;
}
/** Everything the entries so far have said. Changed in place by the functions of `chat-model.js`. */
export interface Chat {
  lastSeq: number;
  rows: (LoggedMessage | LoggedLine | LoggedSurvey)[];
  messages: Map<number, LoggedMessage>;
  status: HandoverStatus | undefined;
  queue: QueueInfo | undefined;
  /** The entry whose choices take the request back, while they do. */
  cancelSeq: number | undefined;
  /** People of the desk who are in the conversation, the one who acted last at the end. */
  agents: Author[];
}

export interface OutboxRecord {
  readonly id: string;
  readonly text: string;
  readonly answer?: { readonly seq: number; readonly choice: string };
  readonly attachments?: readonly Attachment[];
  /** Position among the unsent messages of this conversation. */
  readonly order: number;
  readonly writtenAtMs: number;
  /** Start of the time limit: when it was written or tried again. */
  readonly sinceMs: number;
  readonly state: "pending" | "accepted" | "failed";
  readonly seq?: number;
  readonly failure?: string;
}
export type SendResult =
  | { readonly kind: "accepted"; readonly seq: number | undefined }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "retry"; readonly afterMs?: number };
export interface KeyValueStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}
export interface Clock {
  nowMs(): number;
  /** Resolves after the time, or at once when the signal fires. */
  wait(delayMs: number, signal: AbortSignal): Promise<void>;
}
export interface OutboxOptions {
  readonly storage: KeyValueStorage;
  /** Names the conversation in the storage. */
  readonly scope: string;
  readonly send: (record: OutboxRecord, signal: AbortSignal) => Promise<SendResult>;
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly newId?: () => string;
  /** Runs the work while no other tab runs its own. */
  readonly exclusively?: (work: () => Promise<void>) => Promise<void>;
  readonly limitMs?: number;
}
export interface Outbox {
  add(text: string, answer?: { seq: number; choice: string }, attachments?: readonly Attachment[]): OutboxRecord;
  list(): OutboxRecord[];
  retry(id: string): void;
  discard(id: string): void;
  /** The entry came by the stream: what it confirms leaves the outbox. */
  confirm(entry: Entry): void;
  /** Something changed outside: another tab wrote, or the network is back. */
  wake(): void;
  stop(): void;
}

export interface MessageItem {
  readonly key: string;
  readonly kind: "message";
  readonly side: "own" | "other";
  readonly role: AuthorRole;
  readonly name: string;
  readonly initials: string;
  readonly tone: number;
  /** True when the item before is of the same author, so that name and avatar are not repeated. */
  readonly isContinued: boolean;
  readonly at: string;
  readonly text: string;
  readonly format: "plain" | "markdown";
  readonly attachments: readonly Attachment[];
  readonly cards: readonly Card[];
  readonly choices: readonly Choice[];
  readonly chosen: string | undefined;
  readonly seq: number | undefined;
  readonly outboxId: string | undefined;
  readonly state: "pending" | "sent" | "delivered" | "read" | "failed" | undefined;
  readonly failure: string | undefined;
  readonly isEdited: boolean;
  readonly isDeleted: boolean;
  readonly isLate: boolean;
  readonly isPossiblyDuplicated: boolean;
}
export interface LineItem {
  readonly key: string;
  readonly kind: "line" | "day";
  readonly text: string;
  readonly at: string;
  readonly tone: "info" | "warning";
  readonly seq?: number;
  readonly choices?: readonly Choice[];
  readonly chosen?: string | undefined;
}
export interface SurveyItem {
  readonly key: string;
  readonly kind: "survey";
  readonly seq: number;
  readonly at: string;
  /** What it is about. */
  readonly text: string;
  readonly survey: string;
  readonly questions: readonly SurveyQuestion[];
  readonly state: "open" | "answered" | "closed";
}
export type ViewItem = MessageItem | LineItem | SurveyItem;
export interface StatusView {
  readonly mode: "bot" | "waiting" | "active" | "ended";
  readonly text: string;
  readonly detail: string;
  readonly action: "ask" | "leave" | "end" | "none";
}

export type MarkdownNode =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "bold" | "italic"; readonly children: MarkdownNode[] }
  | { readonly type: "link"; readonly href: string; readonly children: MarkdownNode[] };

// One interface per module with logic of its own, so that tests and the other modules see the same signatures.

export interface ChatModelModule {
  createChat(): Chat;
  /** Takes the next entry. False when it was there already or is not the next one; then nothing changed. */
  addEntry(chat: Chat, entry: Entry): boolean;
  addReceipt(chat: Chat, receipt: Receipt): void;
}
export interface ChatViewModule {
  toViewItems(
    chat: Chat,
    outbox: readonly OutboxRecord[],
    options: { botName: string; language?: string; nowMs?: number; answeredSurveys?: ReadonlySet<string> },
  ): ViewItem[];
  toStatusView(chat: Chat, options: { canHandOver: boolean; language?: string }): StatusView;
}
export interface MarkdownModule {
  parseMarkdown(text: string): MarkdownNode[];
  safeHref(href: string): string | undefined;
}
export interface OutboxModule {
  createOutbox(options: OutboxOptions): Outbox;
}
export interface TypingSignal {
  /** The field changed; `isEmpty` after the change or after sending. */
  fieldChanged(isEmpty: boolean): void;
}
export interface TypingDisplay {
  take(event: TypingEvent): void;
  clear(): void;
  names(): string[];
}
export interface TypingModule {
  createTypingSignal(options: { post: (isTyping: boolean) => void; isWanted: () => boolean; nowMs: () => number }): TypingSignal;
  createTypingDisplay(options: { onChange: () => void; expiresAfterMs?: number }): TypingDisplay;
}
export interface ReadSignal {
  /** An entry was on the screen. */
  seen(seq: number): void;
  /** The page can be seen now, or no longer. */
  visibilityChanged(): void;
  stop(): void;
}
export interface ReadSignalModule {
  createReadSignal(options: { post: (seq: number) => void; isVisible: () => boolean; clock: Clock; everyMs?: number }): ReadSignal;
}
export interface EntryStreamOptions {
  readonly url: (after: number) => string;
  readonly onEntry: (entry: Entry) => void;
  readonly onTyping: (event: TypingEvent) => void;
  readonly onReceipt: (receipt: Receipt) => void;
  /** `refused`: the server answered with an error status; the next attempt follows all the same. */
  readonly onState: (state: "open" | "reconnecting" | "refused") => void;
}
export interface EntryStream {
  /** A message with this seq is known to exist: without it after a while the stream is opened anew. */
  expect(seq: number): void;
  /** Connects, or connects anew, from the last entry. */
  connect(): void;
  stop(): void;
}
export interface EntryStreamModule {
  /** Does nothing until `connect`. */
  createEntryStream(options: EntryStreamOptions): EntryStream;
}
