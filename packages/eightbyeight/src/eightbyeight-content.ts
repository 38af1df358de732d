import type { Attachment, Card, Choice, Message } from "@handover/core";
import type { MessageFacts } from "./eightbyeight-facts.ts";

// What an agent's message shows: text, files, quick replies as choices, adaptive cards as cards, anything else as text.

type Content = Pick<Message, "text" | "attachments" | "choices" | "cards">;
type Json = Readonly<Record<string, unknown>>;

const mostChoices = 50;
const mostLines = 100;
const deepest = 12;

/** Nothing when there is nothing to show: data only, a line for another network. */
export function readContent(facts: Pick<MessageFacts, "id" | "text" | "attachments" | "cards">): Content | undefined {
  const parts = (facts.cards ?? []).map((card, index) => readCard(card.contentType ?? "", card.content ?? {}, index));
  const text = [facts.text ?? "", ...parts.map((part) => part.text ?? "")].filter((line) => line.trim() !== "").join("\n\n");
  const attachments = (facts.attachments ?? []).map(toAttachment);
  const choices = parts.flatMap((part) => part.choices ?? []).slice(0, mostChoices);
  const cards = parts.flatMap((part) => part.cards ?? []);
  if (text === "" && attachments.length === 0 && choices.length === 0 && cards.length === 0) return undefined;
  return {
    ...(text === "" ? {} : { text }),
    ...(attachments.length > 0 ? { attachments } : {}),
    ...(choices.length > 0 ? { choices } : {}),
    ...(cards.length > 0 ? { cards } : {}),
  };
}

function readCard(contentType: string, content: Json, index: number): Content {
  const type = contentType.toLowerCase();
  if (type === "application/8x8.quick.replies") return { choices: readQuickReplies(content, index) };
  if (type === "application/vnd.microsoft.card.adaptive") return readAdaptiveCard(content, index);
  return { text: linesIn(content).join("\n") };
}

function readQuickReplies(content: Json, index: number): Choice[] {
  return listOf(content["options"]).flatMap((option, place): Choice[] => {
    const title = textOf(option["title"]);
    const payload = textOf(objectOf(option["data"])["postback"]);
    if (title === undefined && payload === undefined) return [];
    return [choiceOf(`${index}-${place}`, title ?? payload ?? "", payload)];
  });
}

/** Versions up to 1.6: what a reader sees of it, with its buttons. Fields to fill in have no place here. */
function readAdaptiveCard(content: Json, index: number): Content {
  const elements = elementsIn(content["body"]);
  const texts = elements.flatMap(readTexts);
  const images = elements.flatMap((element) => (element["type"] === "Image" ? (webUrl(element["url"]) ?? []) : []));
  const actions = [...listOf(content["actions"]), ...elements.flatMap((element) => listOf(element["actions"]))];
  const links = actions.flatMap((action) => (action["type"] === "Action.OpenUrl" ? [action] : []));
  const choices = actions.flatMap((action, place) => readAction(action, `${index}-${place}`));
  const [title, ...lines] = texts;
  const [link, ...otherLinks] = links;
  const further = otherLinks.flatMap((action) => [[textOf(action["title"]), webUrl(action["url"])].filter(Boolean).join(": ")]);
  const text = [...lines, ...further]
    .filter((line) => line !== "")
    .slice(0, mostLines)
    .join("\n");
  const url = webUrl(link?.["url"]);
  const card: Card = {
    ...(title === undefined ? {} : { title }),
    ...(text === "" ? {} : { text }),
    ...(images[0] === undefined ? {} : { imageUrl: images[0] }),
    ...(url === undefined ? {} : { url }),
    ...(choices.length > 0 ? { choices: choices.slice(0, mostChoices) } : {}),
  };
  if (Object.keys(card).length > 0) return { cards: [card] };
  const fallback = textOf(content["fallbackText"]) ?? textOf(content["speak"]);
  return fallback === undefined ? {} : { text: fallback };
}

function readAction(action: Json, id: string): Choice[] {
  const isAnswer = action["type"] === "Action.Submit" || action["type"] === "Action.Execute";
  const title = textOf(action["title"]);
  if (!isAnswer || title === undefined) return [];
  const { data } = action;
  return [choiceOf(id, title, textOf(data) ?? (data === undefined || data === null ? undefined : JSON.stringify(data)))];
}

function choiceOf(id: string, title: string, payload: string | undefined): Choice {
  return { id, title, ...(payload === undefined ? {} : { payload }), providerData: { title } };
}

/** All elements, however deep they stand in containers, columns and tables. */
function elementsIn(value: unknown, depth = 0): Json[] {
  if (depth > deepest) return [];
  return listOf(value).flatMap((element) => [
    element,
    ...["items", "columns", "rows", "cells", "body"].flatMap((key) => elementsIn(element[key], depth + 1)),
  ]);
}

function readTexts(element: Json): string[] {
  switch (element["type"]) {
    case "TextBlock":
      return [textOf(element["text"]) ?? ""].filter((text) => text !== "");
    case "RichTextBlock": {
      const inlines: unknown[] = Array.isArray(element["inlines"]) ? element["inlines"] : [];
      const text = inlines.map((inline) => textOf(inline) ?? textOf(objectOf(inline)["text"]) ?? "").join("");
      return text === "" ? [] : [text];
    }
    case "FactSet":
      return listOf(element["facts"])
        .flatMap((fact) => [[textOf(fact["title"]), textOf(fact["value"])].filter(Boolean).join(": ")])
        .filter((line) => line !== "");
    default:
      return [];
  }
}

/** Readable words of content of a kind that is not known. */
function linesIn(value: unknown, depth = 0): string[] {
  if (depth > deepest) return [];
  if (Array.isArray(value)) return value.flatMap((item) => linesIn(item, depth + 1)).slice(0, mostLines);
  if (typeof value !== "object" || value === null) return [];
  const readable = ["title", "text", "label", "name", "description", "address", "body", "url"];
  return Object.entries(value)
    .flatMap(([key, inner]) => (readable.includes(key) && textOf(inner) !== undefined ? [textOf(inner) ?? ""] : linesIn(inner, depth + 1)))
    .slice(0, mostLines);
}

function toAttachment({ id, name, sizeBytes }: NonNullable<MessageFacts["attachments"]>[number]): Attachment {
  const shown = name ?? id.slice(0, 20);
  return { id, name: shown, type: guessType(shown), ...(sizeBytes === undefined ? {} : { sizeBytes }) };
}

const knownTypes: Readonly<Record<string, string>> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  svg: "image/svg+xml",
  pdf: "application/pdf",
  txt: "text/plain",
  csv: "text/csv",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  wav: "audio/wav",
  m4a: "audio/mp4",
  mp4: "video/mp4",
  mov: "video/quicktime",
  webm: "video/webm",
  zip: "application/zip",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/** The listing names no type, and the content comes as bytes of any kind. */
function guessType(name: string): string {
  const extension = /\.([a-z0-9]{1,8})$/i.exec(name)?.[1]?.toLowerCase() ?? "";
  return knownTypes[extension] ?? "application/octet-stream";
}

function webUrl(value: unknown): string | undefined {
  if (typeof value !== "string" || !URL.canParse(value)) return undefined;
  return new URL(value).protocol === "https:" ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function listOf(value: unknown): Json[] {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.filter((item): item is Json => typeof item === "object" && item !== null && !Array.isArray(item));
}
