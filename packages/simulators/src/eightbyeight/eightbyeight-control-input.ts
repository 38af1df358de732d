import { badInput } from "../shared/control-error.ts";
import { readFile } from "../shared/control-file.ts";
import { readObject, readOptionalText } from "../shared/control-input.ts";
import type { DeskLine } from "./eightbyeight-desk.ts";
import type { JsonObject } from "./eightbyeight-state.ts";

const largestFileBytes = 20_971_520;

/** What an agent says: text, a file or cards. */
export interface EightbyeightLine {
  readonly text?: string;
  readonly attachment?: unknown;
  readonly cards?: readonly { readonly contentType: string; readonly content: object }[];
  /** Name or id; without it whoever has the conversation. */
  readonly agent?: string;
}

/** A file that an agent sends; its content as bytes or, by HTTP, as base64. */
export interface EightbyeightFile {
  readonly name: string;
  /** Media type; `application/octet-stream` when left out. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
}

export function readLine(input: unknown): DeskLine {
  const fields = readObject(input, ["text", "attachment", "cards", "agent"]);
  const cards = readCards(fields["cards"] ?? []);
  const attachment = fields["attachment"] === undefined ? undefined : readFile(fields["attachment"], largestFileBytes);
  const hasOther = attachment !== undefined || cards.length > 0;
  const text = fields["text"] === "" && hasOther ? undefined : readOptionalText(fields, "text");
  if (text === undefined && !hasOther) throw badInput('"text" must be a text that is not empty.');
  return { agent: readOptionalText(fields, "agent"), text, attachment, cards };
}

function readCards(input: unknown): { contentType: string; content: JsonObject }[] {
  if (!Array.isArray(input)) throw badInput('"cards" must be a list.');
  return input.map((card) => {
    const fields = readObject(card, ["contentType", "content"]);
    const contentType = readOptionalText(fields, "contentType");
    const { content } = fields;
    if (contentType === undefined || typeof content !== "object" || content === null) {
      throw badInput("A card needs its contentType and its content, an object.");
    }
    return { contentType, content: content as JsonObject };
  });
}
