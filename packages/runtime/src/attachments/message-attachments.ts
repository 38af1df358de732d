import type { Attachment } from "@handover/core";
import type { BotAttachment, BotMessage } from "../bot.ts";
import { RuntimeError } from "../errors.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { cleanFileName } from "./file-name.ts";
import { cleanMediaType } from "./media-type.ts";
import { unusedForMs } from "./orphans.ts";
import { toStored } from "./put-attachment.ts";

/** So that a file which is named in a message at the last moment is not taken for one that nobody names. */
const marginMs = 60 * 60 * 1000;

/**
 * The files that a message of a user names.
 *
 * @throws RuntimeError `TOO_MANY_ATTACHMENTS`, `UNKNOWN_ATTACHMENT`
 */
export async function resolveAttachments(
  context: RuntimeContext,
  key: string,
  ids: readonly string[] = [],
): Promise<readonly Attachment[]> {
  const { attachmentsPerMessage } = context.limits;
  if (ids.length > attachmentsPerMessage) {
    throw new RuntimeError("TOO_MANY_ATTACHMENTS", `A message may have ${attachmentsPerMessage} files. Send the others in another one.`);
  }
  return Promise.all([...new Set(ids)].map(async (id) => (await findUpload(context, key, id)) ?? unknownAttachment()));
}

function unknownAttachment(): never {
  throw new RuntimeError(
    "UNKNOWN_ATTACHMENT",
    "The message names a file that this conversation does not have. Send the file first, and the message within a day.",
  );
}

async function findUpload({ store, clock }: RuntimeContext, key: string, id: string): Promise<Attachment | undefined> {
  const found = typeof id === "string" && id.isWellFormed() && id.length <= 100 ? await store.readBlob(key, id) : undefined;
  const isLasting = found && found.blob.createdAtMs > clock.now() - unusedForMs + marginMs;
  return isLasting ? toStored(found.blob) : undefined;
}

/**
 * What a bot may attach: files that it has put into the conversation, by id, and links. Links stay links: readers open them
 * themselves, and the desk's provider gets their bytes through `fetchFile`. What cannot be used is left out.
 */
export async function resolveBotFiles(context: RuntimeContext, key: string, entryId: string, message: BotMessage): Promise<Attachment[]> {
  const given = Array.isArray(message.attachments) ? message.attachments.slice(0, context.limits.attachmentsPerMessage) : [];
  const files = given.map(async (file: BotAttachment | null, index) => {
    if (typeof file !== "object" || file === null) return undefined;
    return "url" in file ? toLink(file, `${entryId}.${index}`) : findUpload(context, key, file.id);
  });
  const usable = (await Promise.all(files)).filter((file) => file !== undefined);
  if (usable.length < (message.attachments?.length ?? 0)) {
    context.logger.warn("A bot attached files that cannot be used: they need the id of a file of the conversation, or an http(s) link.", {
      count: (message.attachments?.length ?? 0) - usable.length,
    });
  }
  return usable;
}

function toLink({ name, type, url, sizeBytes }: Extract<BotAttachment, { url: string }>, id: string): Attachment | undefined {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return undefined;
  const file = { id, name: cleanFileName(name), type: cleanMediaType(type), url };
  return sizeBytes === undefined ? file : { ...file, sizeBytes };
}
