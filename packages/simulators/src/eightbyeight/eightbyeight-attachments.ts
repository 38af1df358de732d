import { createHmac, timingSafeEqual } from "node:crypto";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import type { Attachment, Conversation } from "./eightbyeight-state.ts";
import { createId } from "./eightbyeight-state.ts";

export function addAttachment(
  context: EightbyeightContext,
  conversation: Conversation,
  file: Pick<Attachment, "name" | "type" | "content">,
): Attachment {
  // Ids of attachments are far longer than the others.
  const attachment = { id: createId(63), ...file, createdAtMs: context.clock.now() };
  conversation.attachments.set(attachment.id, attachment);
  return attachment;
}

/** An address of the content that needs no key, for a while. */
export function preSignedUrl(context: EightbyeightContext, conversation: Conversation, attachment: Attachment): string {
  const expires = String(context.clock.now() + context.behaviour.preSignedUrlSeconds * 1000);
  const path = `/files/${conversation.id}/${attachment.id}`;
  return `${context.baseUrl}${path}?expires=${expires}&signature=${signatureOf(context, path, expires)}`;
}

export function isValidPreSignedUrl(context: EightbyeightContext, path: string, expires: string, signature: string): boolean {
  const expected = Buffer.from(signatureOf(context, path, expires));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given) && context.clock.now() < Number(expires);
}

function signatureOf(context: EightbyeightContext, path: string, expires: string): string {
  return createHmac("sha256", context.urlSecret).update(`${path} ${expires}`).digest("base64url");
}
