import { badInput } from "../shared/control-error.ts";
import { readFile } from "../shared/control-file.ts";
import type { Fields } from "../shared/control-input.ts";
import { readObject, readOptionalText } from "../shared/control-input.ts";
import type { DeskLine } from "./live-agent-desk.ts";
import type { JsonObject } from "./live-agent-state.ts";
import { isObject } from "./live-agent-values.ts";

const largestFileBytes = 41_943_040;

/** What an agent says: text, files, or something with `items` that a `contentType` names. */
export interface LiveAgentLine {
  readonly text?: string;
  /** A `LiveAgentFile`. */
  readonly attachment?: unknown;
  /** Several files in one message. */
  readonly attachments?: readonly LiveAgentFile[];
  /** `input_select`, `cards`, `form`, `article`, or what no documentation knows. */
  readonly contentType?: string | number;
  readonly items?: readonly object[];
  /** Name or id; without it whoever has the conversation. */
  readonly agent?: string;
}

/** A file that an agent sends; its content as bytes or, by HTTP, as base64. */
export interface LiveAgentFile {
  readonly name: string;
  /** Media type; `application/octet-stream` when left out. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
}

export function readLine(input: unknown): DeskLine {
  const fields = readObject(input, ["text", "attachment", "attachments", "contentType", "items", "agent"]);
  const listed: unknown = fields["attachments"] ?? [];
  if (!Array.isArray(listed)) throw badInput('"attachments" must be a list.');
  const several = listed as readonly unknown[];
  const given = fields["attachment"] === undefined ? several : [fields["attachment"], ...several];
  const files = given.map((file) => readFile(file, largestFileBytes));
  const items = readItems(fields);
  const hasOther = files.length > 0 || items !== undefined;
  const text = fields["text"] === "" && hasOther ? undefined : readOptionalText(fields, "text");
  if (text === undefined && !hasOther) throw badInput('"text" must be a text that is not empty.');
  const contentType = readContentType(fields);
  return {
    text: text ?? null,
    files,
    agent: readOptionalText(fields, "agent"),
    ...(contentType === undefined ? {} : { contentType }),
    ...(items === undefined ? {} : { attributes: { items } }),
  };
}

export function readContentType(fields: Fields): string | number | undefined {
  const { contentType } = fields;
  return typeof contentType === "number" ? contentType : readOptionalText(fields, "contentType");
}

function readItems({ items }: Fields): JsonObject[] | undefined {
  if (items === undefined) return undefined;
  if (!Array.isArray(items) || !items.every(isObject)) throw badInput('"items" must be a list of objects.');
  return items;
}
