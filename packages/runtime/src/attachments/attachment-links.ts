import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { conversationKey } from "../conversation/conversation-key.ts";
import type { ConversationAddress } from "../runtime.ts";
import type { RuntimeContext } from "../runtime-context.ts";

/** Which file a link is for. */
export interface LinkedFile {
  /** The conversation's key. */
  readonly key: string;
  readonly id: string;
}

/** Links to files that are proof by themselves: for vendors and bots, on every instance, for a time. */
export interface AttachmentLinks {
  /** `<publicUrl>/files/<token>`; absent without a public URL. */
  linkTo(file: ConversationAddress & { readonly id: string }): Promise<string | undefined>;
  /** @returns the file of a token that is ours and has not expired */
  open(token: string): Promise<LinkedFile | undefined>;
}

const cipherName = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;
const longestToken = 8_192;

/**
 * Seals conversation, file and expiry into the token, with a key that all instances find in the store. Sealed and not only signed:
 * the id of a conversation opens it, and whoever is given a file must not learn it. GCM compares its tag in constant time.
 */
export function createAttachmentLinks(
  context: Pick<RuntimeContext, "store" | "clock" | "timing"> & { readonly publicUrl?: string },
): AttachmentLinks {
  const { store, clock, timing, publicUrl } = context;
  let known: Buffer | undefined;

  async function keyBytes(): Promise<Buffer> {
    known ??= Buffer.from(
      (await store.claimMemory("attachment-links", "key", randomBytes(32).toString("base64url"))) as string,
      "base64url",
    );
    return known;
  }

  return {
    async linkTo({ endpoint, conversation, id }) {
      if (publicUrl === undefined) return undefined;
      const expiresAtMs = clock.now() + timing.attachmentLinkMs;
      const token = seal(await keyBytes(), JSON.stringify([endpoint, conversation, id, expiresAtMs]));
      return `${publicUrl.replace(/\/+$/, "")}/files/${token}`;
    },
    async open(token) {
      const text = token.length > longestToken ? undefined : unseal(await keyBytes(), token);
      if (text === undefined) return undefined;
      const [endpoint, conversation, id, expiresAtMs] = JSON.parse(text) as [string, string, string, number];
      return clock.now() < expiresAtMs ? { key: conversationKey({ endpoint, conversation }), id } : undefined;
    },
  };
}

function seal(key: Buffer, text: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(cipherName, key, iv);
  const sealed = [cipher.update(text, "utf8"), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString("base64url");
}

function unseal(key: Buffer, token: string): string | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.byteLength <= ivBytes + tagBytes) return undefined;
  const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
  decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
