import type { UploadedFile } from "./live-agent-attachments.ts";
import { ApiError } from "./live-agent-errors.ts";

/** Reads a form as the product does: `name[]` is a list, files keep name and type. */
export async function parseForm(body: Buffer, contentType: string): Promise<Record<string, unknown>> {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it holds the whole body, and so does a simulator
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData().catch(() => {
    throw new ApiError(400, { status: 400, error: "Bad Request" });
  });
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form.entries()) {
    const read = typeof value === "string" ? value : await readFile(value);
    if (!name.endsWith("[]")) {
      fields[name] = read;
      continue;
    }
    const key = name.slice(0, -2);
    const list = fields[key];
    fields[key] = Array.isArray(list) ? [...(list as unknown[]), read] : [read];
  }
  return fields;
}

async function readFile(file: File): Promise<UploadedFile> {
  const { name } = file;
  const type = file.type || "application/octet-stream";
  const content = new Uint8Array(await file.arrayBuffer());
  return { name, type, content, toJSON: () => ({ name, type, sizeBytes: content.length }) };
}

export function isUploadedFile(value: unknown): value is UploadedFile {
  return typeof value === "object" && value !== null && "content" in value && value.content instanceof Uint8Array;
}
