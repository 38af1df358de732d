import { badInput } from "./control-error.ts";
import { readObject, readOptionalText } from "./control-input.ts";

/** A file that an agent sends. */
export interface ControlFile {
  readonly name: string;
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Its content as bytes or, by HTTP, as base64. */
export function readFile(input: unknown, largestBytes: number): ControlFile {
  const fields = readObject(input, ["name", "type", "content"]);
  const content = fields["content"] ?? "";
  if (typeof content !== "string" && !(content instanceof Uint8Array)) throw badInput('"content" must be base64.');
  const bytes = new Uint8Array(typeof content === "string" ? Buffer.from(content, "base64") : content);
  if (bytes.length > largestBytes) throw badInput(`A file has at most ${largestBytes} bytes.`);
  const name = readOptionalText(fields, "name");
  if (name === undefined) throw badInput('"name" of the attachment is missing.');
  return { name, type: readOptionalText(fields, "type") ?? "application/octet-stream", content: bytes };
}
