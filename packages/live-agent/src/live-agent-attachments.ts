import { HandoverError, type Attachment, type Call } from "@handover/core";
import type { MultipartFile } from "@handover/provider-utils";
import type { LiveAgentSettings } from "./live-agent-settings.ts";

/** Files of a message, ready to be sent. */
export interface OpenFiles {
  readonly files: readonly MultipartFile[];
  /** What the host no longer has, or has only a link to: named in the text instead. */
  readonly missing: readonly Attachment[];
  /** Frees what was not read. */
  close(): void;
}

/**
 * Opens the files of a message and checks them before anything is sent: what the desk does not take fails at once.
 *
 * @throws HandoverError `ATTACHMENT_TOO_LARGE` with the limit, `ATTACHMENT_TYPE_REFUSED` with the allowed types
 */
export async function openFiles(settings: LiveAgentSettings, attachments: readonly Attachment[], call: Call): Promise<OpenFiles> {
  for (const { type, sizeBytes } of attachments) checkFile(settings, type, sizeBytes);
  const files: MultipartFile[] = [];
  const missing: Attachment[] = [];
  const close = (): void => {
    for (const { stream } of files) if (!stream.locked) void stream.cancel().catch(() => undefined);
  };
  try {
    for (const attachment of attachments) {
      const file = await open(attachment, call);
      if (!file) missing.push(attachment);
      else {
        files.push(file);
        checkFile(settings, file.type, file.sizeBytes);
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  return { files, missing, close };
}

async function open(attachment: Attachment, call: Call): Promise<MultipartFile | undefined> {
  try {
    const { stream, sizeBytes } = await call.readAttachment(attachment.id);
    return { field: "attachments[]", name: attachment.name, type: attachment.type || "application/octet-stream", sizeBytes, stream };
  } catch (error) {
    if (HandoverError.isInstance(error) && error.code === "ATTACHMENT_NOT_FOUND") return undefined;
    throw error;
  }
}

function checkFile({ maxFileBytes, fileTypes }: LiveAgentSettings, type: string, sizeBytes = 0): void {
  if (sizeBytes > maxFileBytes) {
    throw new HandoverError({
      code: "ATTACHMENT_TOO_LARGE",
      message: `Files for this desk may have at most ${Math.floor(maxFileBytes / 1024 / 1024)} MB (maxFileBytes).`,
    });
  }
  if (fileTypes && !fileTypes.some((allowed) => isOfType(type, allowed))) {
    throw new HandoverError({
      code: "ATTACHMENT_TYPE_REFUSED",
      message: `Files for this desk must be of the types ${fileTypes.join(", ")} (fileTypes).`,
    });
  }
}

function isOfType(type: string, allowed: string): boolean {
  const plain = (type.split(";")[0] ?? "").trim().toLowerCase();
  return allowed.endsWith("/*") ? plain.startsWith(allowed.slice(0, -1)) : plain === allowed;
}
