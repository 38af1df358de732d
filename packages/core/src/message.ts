import type { Json } from "./json.ts";

/** Who wrote a message. Automations, greetings, surveys and bots of the desk are `system`, never `agent`. */
export type AuthorRole = "user" | "bot" | "agent" | "system";

/** The author of one message, as it may be shown to the other side. */
export interface Author {
  readonly role: AuthorRole;
  /** The author's id at its source, a string even where it looks like a number. */
  readonly id?: string;
  /** A display name. Never a login name or an e-mail address. */
  readonly name?: string;
  readonly avatarUrl?: string;
}

/** How `text` is to be read. Without it the text is plain. */
export type TextFormat = "plain" | "markdown";

/** A file of a message. The bytes are fetched through the runtime, never from the message itself. */
export interface Attachment {
  readonly id: string;
  readonly name: string;
  /** Media type; `application/octet-stream` when unknown. */
  readonly type: string;
  /** Absent when the vendor does not say. */
  readonly sizeBytes?: number;
  /**
   * From a provider: where the file is, for a connection without `downloadAttachment`; it is never shown to anybody. To a provider:
   * where a file of a bot is that the bot gave as a link.
   */
  readonly url?: string;
  /** What the provider needs to fetch the file again; opaque to everybody else. */
  readonly providerData?: Json;
}

/** Something the reader can press. People read `title`; a bot gets `payload`, or the title without one. */
export interface Choice {
  readonly id: string;
  readonly title: string;
  readonly payload?: string;
  /** What the provider needs to answer for this choice; opaque to everybody else. */
  readonly providerData?: Json;
}

/** A card: a title with optional text, picture, link and choices. */
export interface Card {
  readonly title?: string;
  readonly text?: string;
  readonly imageUrl?: string;
  readonly url?: string;
  readonly choices?: readonly Choice[];
}

/** Says which choice of which earlier message this message answers. */
export interface Answer {
  /** Id of the message that offered the choice. */
  readonly messageId: string;
  /** Id of the choice. */
  readonly choice: string;
  /** The `payload` of that choice, filled in by the runtime: what a bot goes by. */
  readonly payload?: string;
  /** The `providerData` of that choice, filled in by the runtime. */
  readonly providerData?: Json;
}

/** One message of a user, a bot, an agent or the system. A message without any optional part is empty and is never sent. */
export interface Message {
  /** The id at the message's source: the client's for a user, the vendor's for an agent. */
  readonly id: string;
  readonly author: Author;
  readonly text?: string;
  readonly format?: TextFormat;
  readonly attachments?: readonly Attachment[];
  readonly choices?: readonly Choice[];
  readonly cards?: readonly Card[];
  readonly answer?: Answer;
  /** When it was written: ISO 8601, UTC. */
  readonly sentAt: string;
}

/** True when a message has nothing to show: no text but white space, no file, no card, no choice. */
export function isEmptyMessage(message: Pick<Message, "text" | "attachments" | "cards" | "choices">): boolean {
  // A message that comes from outside may hold null where the type says text.
  const hasText = Boolean((message.text as string | null | undefined)?.trim());
  return !hasText && !message.attachments?.length && !message.cards?.length && !message.choices?.length;
}
