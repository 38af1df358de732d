import type { Changes } from "./changes.ts";
import type { Faults } from "./faults.ts";
import type { LoggedRequest } from "./request-log.ts";
import type { WebhookAttempt } from "./webhook-sender.ts";

/** A line of a conversation as the contact centre has it. */
export interface ControlMessage {
  readonly id: string;
  readonly author: "user" | "bot" | "agent" | "system";
  readonly name?: string;
  readonly text: string;
  /** ISO 8601; for the transcript the time that came with it. */
  readonly at: string;
  /** The vendor could not deliver it to the webhook's receiver. */
  readonly isFailed?: true;
  readonly attachments?: readonly ControlAttachment[];
  /** The user has seen it. */
  readonly isRead?: true;
  /** The vendor's own name of something that is not plain text: choices, cards, a form, a survey. */
  readonly contentType?: string;
}

/** A file of a message. */
export interface ControlAttachment {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly sizeBytes: number;
  /** Where its bytes are, for a browser. */
  readonly url?: string;
}

/** A note among agents. It never reaches the user. */
export interface ControlNote {
  readonly id: string;
  readonly name?: string;
  readonly text: string;
  readonly at: string;
}

/** A conversation as `GET /control/{vendor}/conversations` shows it. */
export interface ControlConversation {
  /** The vendor's own id. */
  readonly id: string;
  /** `queued` until a person accepted or answered, and again after they left; `closed` once ended, whatever the vendor calls it. */
  readonly status: "queued" | "active" | "closed";
  /** Name of the agent it is assigned to. */
  readonly agent?: string;
  readonly user: string;
  readonly createdAt: string;
  readonly messages: readonly ControlMessage[];
  readonly notes: readonly ControlNote[];
  /** The user is typing, as far as the vendor was told. */
  readonly isUserTyping?: true;
  /** What the user answered to the survey. */
  readonly survey?: { readonly rating: number; readonly feedback?: string };
  /** What else the vendor knows of it, under its own words. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface ControlAgent {
  readonly id: string;
  readonly name: string;
  readonly isOnline: boolean;
}

/** What the desk page needs beside the conversations. */
export interface DeskOverview {
  readonly vendor: string;
  readonly title: string;
  readonly profile: string;
  /** What this vendor's desk can do beyond answering and closing. */
  readonly abilities: readonly ("note" | "transfer" | "reopen" | "attachment" | "survey")[];
  readonly agents: readonly ControlAgent[];
  /** Where a conversation can be moved to beside another agent. */
  readonly queues?: readonly { readonly id: string; readonly name: string }[];
  /** Scheme, host and port of the webhook's receiver: its path may hold a secret. */
  readonly webhookTarget?: string;
  readonly lastWebhook?: Pick<WebhookAttempt, "outcome" | "status" | "error">;
}

/**
 * What the control API offers for every vendor. Each takes the body of its route and throws `ControlError` for bad input (400),
 * an unknown conversation (404) and what the vendor does not have or allow (409).
 */
export interface VendorSimulator {
  readonly vendor: string;
  conversations(): ControlConversation[];
  conversation(id: string): ControlConversation;
  accept(id: string, input?: { readonly agent?: string }): ControlConversation;
  say(id: string, input: { readonly text: string; readonly attachment?: unknown }): ControlConversation;
  type(id: string, input: { readonly isTyping: boolean }): ControlConversation;
  note(id: string, input: { readonly text: string }): ControlConversation;
  transfer(id: string, input: { readonly to: string }): ControlConversation;
  leave(id: string, input?: { readonly agent?: string }): ControlConversation;
  close(id: string, input?: { readonly abandon?: boolean }): ControlConversation;
  reopen(id: string): ControlConversation;
  survey(id: string): ControlConversation;
  setAgents(input: { readonly online: number }): object;
  setQueue(input: { readonly position?: number; readonly estimatedWaitMs?: number }): object;
  setFaults(faults: Faults): Faults;
  setWebhook(input: { readonly url: string | null; readonly secret?: string }): { readonly isSet: boolean };
  requests(): readonly LoggedRequest[];
  /** The tries to deliver webhooks, oldest first, the last 1000. */
  webhooks(): readonly WebhookAttempt[];
  /** Resolves when no webhook is queued or under way. */
  webhooksIdle(): Promise<void>;
  /** Resolves with the conversations as soon as the predicate holds for them; rejects after `timeoutMs` (5000) of real time. */
  waitFor(
    predicate: (conversations: readonly ControlConversation[]) => boolean,
    options?: { readonly timeoutMs?: number },
  ): Promise<readonly ControlConversation[]>;
  /** Back to the data it started with. Ids go on counting, as a vendor never gives one out twice; the webhook address stays. */
  reset(): void;
  overview(): DeskOverview;
  readonly changes: Changes;
  /** For vendors whose own channels open conversations. */
  openConversation?(input: object): ControlConversation;
  /** For vendors with behaviour that can be chosen; replaces the whole set. */
  setBehaviour?(input: object): object;
  /** Further settings `PUT /control/{vendor}/{name}` that only this vendor has. */
  readonly ownSettings?: Readonly<Record<string, (body: unknown) => object>>;
  /** Further actions `POST /control/{vendor}/conversations/{id}/{name}` that only this vendor has. */
  readonly ownActions?: Readonly<Record<string, (id: string, body: unknown) => ControlConversation>>;
}
