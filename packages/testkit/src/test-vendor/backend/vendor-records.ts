/** Who wrote a line, in the test vendor's own words. */
export type VendorAuthor = "customer" | "bot" | "agent" | "automation";

/** A file that an agent sent. */
export interface VendorFile {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A line of a conversation. */
export interface VendorMessage {
  readonly id: string;
  /** The id that the integration gave it. */
  readonly externalId?: string;
  readonly author: VendorAuthor;
  readonly agent?: string;
  text: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** `team` is a note among agents. */
  readonly audience: "customer" | "team";
  readonly files: readonly VendorFile[];
  isDeleted?: true;
}

/** One thing that happened, as webhooks and the listing carry it. `number` is absent for what is not kept. */
export interface VendorEvent {
  readonly id: string;
  readonly number?: number;
  readonly type: string;
  readonly at: string;
  readonly conversation: { readonly id: string; readonly external_id?: string };
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the integration told the desk beside messages, for assertions. */
export interface VendorSignals {
  readonly typing: boolean[];
  readonly presence: boolean[];
  readonly receipts: { readonly messages: readonly string[]; readonly status: string; readonly upTo?: string }[];
  readonly surveyAnswers: Readonly<Record<string, unknown>>[];
  readonly changes: Readonly<Record<string, unknown>>[];
}

/** A conversation as the test vendor keeps it. */
export interface VendorConversation {
  readonly id: string;
  readonly externalId?: string;
  status: "queued" | "assigned" | "active" | "closed";
  readonly customer: Readonly<Record<string, unknown>>;
  /** Queue, skills, priority and subject as they came. */
  readonly routing: Readonly<Record<string, unknown>>;
  readonly messages: VendorMessage[];
  readonly events: VendorEvent[];
  readonly signals: VendorSignals;
  readonly agents: Set<string>;
  lastNumber: number;
  changedAt: number;
}

/** A person at the desk. */
export interface VendorAgent {
  readonly id: string;
  readonly name: string;
  readonly picture: string;
}
