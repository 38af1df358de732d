import type { Card, Message } from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import { z } from "zod";
import type { CardFacts, ChoiceFacts, MessageFacts } from "./live-agent-facts.ts";

// What a message holds besides text and files: `content_type` and `content_attributes.items`. Section 3.4 of the reference page.

/** What a message of the desk offers, and the lines that say what has no place of its own. */
export interface OfferedContent extends Pick<MessageFacts, "choices" | "cards"> {
  readonly lines?: readonly string[];
}

/** What a message of ours is at the desk, besides its text. */
export interface SentContent {
  readonly contentType: string;
  readonly items: readonly Readonly<Record<string, unknown>>[];
}

const word = z
  .union([z.string(), z.number().transform(String)])
  .optional()
  .catch(undefined)
  .transform((value) => (value?.trim() ? value : undefined));
const actionSchema = z.object({ text: word, type: word, payload: word, uri: word });
const optionSchema = z.object({ label: word, title: word, value: word });
const listOf = <Item extends z.ZodType>(item: Item) =>
  z
    .array(item.nullable().catch(null))
    .catch([])
    .transform((items) => items.filter((entry) => entry !== null));
const itemSchema = z.object({
  title: word,
  value: word,
  description: word,
  media_url: word,
  link: word,
  label: word,
  name: word,
  placeholder: word,
  actions: listOf(actionSchema),
  options: listOf(optionSchema),
});
const itemsSchema = listOf(itemSchema);

type Item = z.output<typeof itemSchema>;

/** More than this is not read of one message. */
const mostItems = 50;

/** Types that nobody knows offer nothing: their text is all that is shown. */
export function readOffer(contentType: string | undefined, attributes: Readonly<Record<string, unknown>>): OfferedContent {
  const items = itemsSchema.parse(attributes["items"]).slice(0, mostItems);
  switch (contentType) {
    case "input_select":
      return withoutEmpty({ choices: items.flatMap(toChoice) });
    case "cards":
      return withoutEmpty({ cards: items.map(toCard).filter(isFilled), lines: items.flatMap(otherLinks) });
    case "article":
      return withoutEmpty({ cards: items.map(toArticle).filter(isFilled) });
    case "form":
      return withoutEmpty({ lines: items.flatMap(toFormLine) });
    default:
      return {};
  }
}

/** How the desk can show a message of the bot, beside the text that says the same; nothing where text is all there is. */
export function toSentContent(message: Message): SentContent | undefined {
  if (message.author.role !== "bot" || message.attachments?.length) return undefined;
  if (message.cards?.length) {
    const items = message.cards.map(toCardItem);
    return message.choices?.length || items.some(({ actions }) => actions.length === 0) ? undefined : { contentType: "cards", items };
  }
  const items = (message.choices ?? []).map(({ title, payload }) => ({ title, value: payload ?? title }));
  return items.length > 0 ? { contentType: "input_select", items } : undefined;
}

function toChoice(item: Item, index: number): ChoiceFacts[] {
  const title = item.title ?? item.value;
  if (title === undefined) return [];
  const value = item.value ?? title;
  return [{ id: String(index + 1), title, payload: value, providerData: { title, value } }];
}

function toCard(item: Item, index: number): CardFacts {
  const [link] = item.actions.filter(({ uri }) => isWebUrl(uri));
  const choices = item.actions.flatMap((action, place): ChoiceFacts[] => {
    const title = action.text ?? action.payload;
    if (isWebUrl(action.uri) || title === undefined) return [];
    const value = action.payload ?? title;
    return [{ id: `${index + 1}.${place + 1}`, title, payload: value, providerData: { title, value } }];
  });
  return withoutEmpty({
    title: item.title,
    text: item.description,
    imageUrl: isWebUrl(item.media_url) ? item.media_url : undefined,
    url: link?.uri,
    choices: choices.length > 0 ? choices : undefined,
  });
}

/** A card of ours has room for one link. */
function otherLinks(item: Item): string[] {
  const links = item.actions.filter(({ uri }) => isWebUrl(uri)).slice(1);
  return links.map(({ text, uri = "" }) => (text === undefined ? uri : `${text}: ${uri}`));
}

function toArticle(item: Item): CardFacts {
  return withoutEmpty({ title: item.title, text: item.description, url: isWebUrl(item.link) ? item.link : undefined });
}

function toFormLine(item: Item): string[] {
  const label = item.label ?? item.title ?? item.placeholder ?? item.name;
  const options = item.options.flatMap((option) => option.label ?? option.title ?? option.value ?? []);
  if (label === undefined) return options.length > 0 ? [`- ${options.join(" / ")}`] : [];
  return [`- ${label}${options.length > 0 ? `: ${options.join(" / ")}` : ""}`];
}

function toCardItem(card: Card) {
  const link = isWebUrl(card.url) ? [{ type: "link", text: card.title ?? card.url, uri: card.url }] : [];
  const buttons = (card.choices ?? []).map(({ title, payload }) => ({ type: "postback", text: title, payload: payload ?? title }));
  return {
    ...withoutEmpty({ title: card.title ?? card.text ?? card.url, description: card.text, media_url: card.imageUrl }),
    actions: [...link, ...buttons],
  };
}

function isFilled(card: CardFacts): boolean {
  return Object.keys(card).length > 0;
}

function isWebUrl(value: string | undefined): value is string {
  return value !== undefined && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
