import type { AttachmentContent } from "@handover/core";

/** A picture of one pixel. */
export const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);

/** The bytes of a file as text. */
export async function textOf(content: AttachmentContent | undefined): Promise<string> {
  return new Response(content?.stream).text();
}

/** A file as a connection gives it. */
export function fileOf(bytes: string | Uint8Array, facts: Partial<AttachmentContent> = {}): AttachmentContent {
  const content = Buffer.from(bytes);
  return { name: "file", type: "text/plain", sizeBytes: content.length, stream: new Blob([content]).stream(), ...facts };
}
