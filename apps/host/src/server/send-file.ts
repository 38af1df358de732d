import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import type { AttachmentContent } from "@handover/core";
import { harmlessTypes } from "@handover/runtime";
import type { FastifyReply } from "fastify";

/** Types that no browser runs anything of. Whatever else a file is, it leaves here as bytes of an unknown type. */
const passive = /^(audio|video)\/[a-z0-9.+-]+$|^application\/(pdf|zip|gzip|json|rtf|msword|vnd\.[a-z0-9.-]+)$|^text\/(plain|csv)$/;

/**
 * Sends a file of a stranger. Only pictures that were looked at may be shown in a page; everything else is saved. Nothing of it can
 * run: the type is not guessed, and a page that is made of it is in a sandbox.
 */
export function sendFile(reply: FastifyReply, { name, type, sizeBytes, stream }: AttachmentContent): FastifyReply {
  const isHarmless = harmlessTypes.includes(type);
  return reply
    .headers({
      "content-type": isHarmless || passive.test(type) ? type : "application/octet-stream",
      "content-length": String(sizeBytes),
      "content-disposition": contentDisposition(isHarmless ? "inline" : "attachment", name),
      "content-security-policy": "default-src 'none'; sandbox",
      "x-content-type-options": "nosniff",
      "cache-control": "private, max-age=3600",
      "referrer-policy": "no-referrer",
    })
    .send(Readable.fromWeb(stream as ReadableStream));
}

/** RFC 6266: the name in ASCII for old readers, and as it is for all others. */
function contentDisposition(kind: "inline" | "attachment", name: string): string {
  const plain = name.normalize("NFKD").replace(/[^\x20-\x7e]|["\\%<>]/g, "_");
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
