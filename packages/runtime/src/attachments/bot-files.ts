import type { Message } from "@handover/core";
import type { BotAnswer } from "../bot.ts";
import type { StoredEntry } from "../entry.ts";
import { toMessage } from "../handover/desk-entries.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { resolveBotFiles } from "./message-attachments.ts";
import { withLinks } from "./read-attachment.ts";

/** An entry as a bot gets it: with links to its files. */
export async function messageForBot(context: RuntimeContext, key: string, entry: StoredEntry): Promise<Message> {
  const message = toMessage(entry);
  return message.attachments ? { ...message, attachments: await withLinks(context, key, message.attachments) } : message;
}

/** The answer with the files of its messages as entries hold them. `turnId` is what the ids of its entries begin with. */
export async function withBotFiles(context: RuntimeContext, key: string, turnId: string, answer: BotAnswer): Promise<BotAnswer> {
  if (!answer.messages?.some((message) => (message as typeof message | null)?.attachments)) return answer;
  const messages = answer.messages.map(async (message, index) =>
    (message as typeof message | null)?.attachments
      ? { ...message, attachments: await resolveBotFiles(context, key, `${turnId}:${index}`, message) }
      : message,
  );
  return { ...answer, messages: await Promise.all(messages) };
}
