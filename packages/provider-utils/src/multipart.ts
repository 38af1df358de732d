import { randomBytes } from "node:crypto";
import type { MultipartBody, MultipartFile } from "./http-types.ts";

/** A body as it goes out, piece by piece, and what stands in its headers. */
export interface EncodedMultipart {
  readonly body: AsyncIterable<Uint8Array>;
  readonly contentType: string;
  /** Absent when the size of a file is not known. */
  readonly contentLength?: number;
}

/**
 * Writes a form as `multipart/form-data` (RFC 7578) without holding a file in memory. Names are quoted as browsers do it.
 */
export function encodeMultipart(form: MultipartBody): EncodedMultipart {
  const boundary = `handover-${randomBytes(18).toString("hex")}`;
  const fields = Object.entries(form.fields ?? {}).map(([name, value]) =>
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"\r\n\r\n${value}\r\n`),
  );
  const heads = form.files.map((file) => Buffer.from(headOf(boundary, file)));
  const end = Buffer.from(`--${boundary}--\r\n`);
  const isSizeKnown = form.files.every(({ sizeBytes }) => sizeBytes > 0);
  const overhead = [...fields, ...heads, end].reduce((sum, piece) => sum + piece.length, 0);
  const contents = form.files.reduce((sum, { sizeBytes }) => sum + sizeBytes + lineEnd.length, 0);
  return {
    body: pieces(fields, heads, form.files, end),
    contentType: `multipart/form-data; boundary=${boundary}`,
    ...(isSizeKnown ? { contentLength: overhead + contents } : {}),
  };
}

const lineEnd = Buffer.from("\r\n");

async function* pieces(
  fields: readonly Uint8Array[],
  heads: readonly Uint8Array[],
  files: readonly MultipartFile[],
  end: Uint8Array,
): AsyncGenerator<Uint8Array> {
  yield* fields;
  for (const [index, file] of files.entries()) {
    yield heads[index] ?? new Uint8Array();
    yield* file.stream;
    yield lineEnd;
  }
  yield end;
}

function headOf(boundary: string, { field, name, type }: MultipartFile): string {
  const disposition = `form-data; name="${quoted(field)}"; filename="${quoted(name)}"`;
  return `--${boundary}\r\nContent-Disposition: ${disposition}\r\nContent-Type: ${type.replace(/[^\x20-\x7e]/g, "")}\r\n\r\n`;
}

function quoted(name: string): string {
  return name.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
