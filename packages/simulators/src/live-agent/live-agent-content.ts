import { unprocessable } from "./live-agent-errors.ts";
import type { JsonObject } from "./live-agent-state.ts";
import { isObject } from "./live-agent-values.ts";

export const contentTypes = [
  "text",
  "input_text",
  "input_textarea",
  "input_email",
  "input_select",
  "cards",
  "form",
  "article",
  "incoming_email",
  "input_csat",
  "integrations",
  "sticker",
  "voice_call",
];

const itemKeys: Readonly<Record<string, readonly string[]>> = {
  input_select: ["title", "value"],
  cards: ["title", "description", "media_url", "actions"],
  form: ["type", "placeholder", "label", "name", "options", "default", "required", "pattern", "title", "pattern_error"],
  article: ["title", "description", "link"],
};
const actionKeys = ["text", "type", "payload", "uri"];

/** Messages with choices, cards, fields or articles need items with the known keys. Throws the vendor's 422. */
export function refuseInvalidItems(contentType: string | number, attributes: JsonObject): void {
  const known = itemKeys[String(contentType)];
  if (!known) return;
  const items: unknown = attributes["items"];
  if (!Array.isArray(items) || items.length === 0) throw invalid("At least one item is required.");
  for (const item of items) {
    if (!isObject(item)) throw invalid("Item is not valid");
    refuseUnknownKeys(item, known);
    if (contentType === "cards") refuseInvalidActions(item["actions"]);
  }
}

function refuseInvalidActions(actions: unknown): void {
  if (!Array.isArray(actions)) throw invalid("contains items missing actions");
  for (const action of actions) refuseUnknownKeys(isObject(action) ? action : {}, actionKeys);
}

function refuseUnknownKeys(item: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(item).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw invalid(`contains invalid keys for items : [${unknown.map((key) => `:${key}`).join(", ")}]`);
}

function invalid(problem: string): Error {
  return unprocessable(`Validation failed: Content attributes ${problem}`);
}

/** Before 4.9 other keys vanish. */
const keptKeys = [
  "items",
  "in_reply_to",
  "in_reply_to_external_id",
  "deleted",
  "external_created_at",
  "external_error",
  "submitted_values",
];

export function keepKnownAttributes(attributes: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => keptKeys.includes(key)));
}
