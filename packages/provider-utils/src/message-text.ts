import type { Attachment, Card, Choice, Message } from "@handover/core";

/**
 * A message as text that a person can read: text, cards, choices by their titles, files by name and link. For desks that cannot
 * show the rest, and for transcripts. Reads whatever it is given without throwing; what it does not know gives no text, never
 * `null`, `undefined` or `[object Object]`.
 *
 * @returns an empty text when there is nothing to read
 */
export function messageAsText(message: Partial<Pick<Message, "text" | "cards" | "choices" | "attachments">>): string {
  const blocks = [
    readable(message.text),
    ...listOf(message.cards).map(cardAsText),
    choicesAsText(message.choices),
    listOf(message.attachments).map(attachmentAsText).filter(isFilled).join("\n"),
  ];
  return blocks.filter(isFilled).join("\n\n");
}

function cardAsText(card: Partial<Card>): string {
  const lines = [readable(card.title), readable(card.text), readable(card.imageUrl), readable(card.url), choicesAsText(card.choices)];
  return lines.filter(isFilled).join("\n");
}

function choicesAsText(choices: readonly Partial<Choice>[] | undefined): string {
  const titles = listOf(choices).map((choice) => readable(choice.title) || readable(choice.payload));
  return titles
    .filter(isFilled)
    .map((title) => `- ${title}`)
    .join("\n");
}

function attachmentAsText(attachment: Partial<Attachment>): string {
  const name = readable(attachment.name);
  const url = readable(attachment.url);
  if (!name && !url) return "";
  return [name ? `File: ${name}` : "File:", url].filter(isFilled).join("\n");
}

/** What came in may have passed a store or a script: it is not always what its type says. */
function readable(value: unknown): string {
  if (typeof value === "string") return value.trim() === "" ? "" : value;
  return typeof value === "number" && Number.isFinite(value) ? String(value) : "";
}

function listOf<Item extends object>(value: readonly Item[] | undefined): Item[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [];
  return items.filter((item): item is Item => typeof item === "object" && item !== null);
}

function isFilled(text: string): boolean {
  return text !== "";
}
