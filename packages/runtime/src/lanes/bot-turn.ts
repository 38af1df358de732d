import { createHash } from "node:crypto";
import { isEmptyMessage, type Attachment, type Message } from "@handover/core";
import { messageForBot } from "../attachments/bot-files.ts";
import type { Bot, BotEvent, BotMessage, BotTurn } from "../bot.ts";
import type { NewEntry, StoredEntry } from "../entry.ts";
import type { RedactedAnswer } from "../redaction/redact-answer.ts";
import type { ConversationRecord, HandoverRecord } from "../store/records.ts";
import { omit } from "../support/omit.ts";
import type { LaneScope } from "./lane.ts";

/** What a bot is asked about an entry. */
export async function toTurn(scope: LaneScope, conversation: ConversationRecord, entry: StoredEntry): Promise<BotTurn> {
  const id = createHash("sha256").update(`${scope.key}#${entry.seq}`).digest("base64url").slice(0, 22);
  const common = {
    id,
    endpoint: conversation.endpoint,
    conversation: conversation.conversation,
    ...(conversation.user ? { user: conversation.user } : {}),
  };
  if (entry.kind === "message") return { ...common, message: withoutProviderData(await messageForBot(scope.context, scope.key, entry)) };
  return { ...common, event: await toBotEvent(scope, entry) };
}

/** What a provider needs to answer for a choice is nobody else's. */
function withoutProviderData(message: Message): Message {
  return message.answer ? { ...message, answer: omit(message.answer, "providerData") } : message;
}

async function toBotEvent(scope: LaneScope, entry: StoredEntry): Promise<BotEvent> {
  if (entry.event === "inactive") return { type: "inactive", count: entry.count ?? 1 };
  const type = entry.status === "queued" || entry.status === "active" ? entry.status : "ended";
  if (type !== "ended") return { type };
  const handover = entry.handover ? await scope.context.store.readHandover(entry.handover) : undefined;
  const undelivered: Message[] = [];
  for (const seq of handover?.ended?.undelivered ?? []) {
    const [missed] = await scope.context.store.readEntries(scope.key, { after: seq - 1, limit: 1 });
    if (missed) undelivered.push(withoutProviderData(await messageForBot(scope.context, scope.key, missed)));
  }
  return {
    type,
    ...(entry.reason ? { reason: entry.reason } : {}),
    ...(undelivered.length > 0 ? { undelivered } : {}),
    ...(handover && asksBot(scope, handover) ? { served: servedBy(handover) } : {}),
  };
}

function asksBot({ context }: LaneScope, { conversation }: HandoverRecord): boolean {
  return context.endpoints.get(conversation.slice(0, conversation.indexOf("/")))?.handover?.surveys === "bot";
}

/** What a bot needs to ask the user how it was. */
function servedBy({ agents, createdAtMs, activeAtMs, ended }: HandoverRecord): NonNullable<BotEvent["served"]> {
  const agent = agents.findLast(({ hasAccepted }) => hasAccepted);
  return {
    ...(agent ? { agent: omit(agent, "hasAccepted", "namelessNotice") } : {}),
    requestedAtMs: createdAtMs,
    ...(activeAtMs === undefined ? {} : { activeAtMs }),
    endedAtMs: ended?.atMs ?? createdAtMs,
  };
}

/** What a bot said, as entries. Their ids are derived from the turn: the same answer again is the same entries. */
export function toEntries(nowMs: number, bot: Bot, turn: BotTurn, { answer, forDesk }: RedactedAnswer, isWithheld: boolean): NewEntry[] {
  const said: NewEntry[] = (answer.messages ?? []).map((message, index) => ({
    id: `${turn.id}:${index}`,
    source: "bot",
    kind: "message",
    at: new Date(nowMs).toISOString(),
    author: { role: "bot", ...(bot.name === undefined ? {} : { name: bot.name }) },
    audience: isWithheld ? [] : audienceOf(message),
    ...contentOf(message),
    ...(forDesk[index] ? { forDesk: forDesk[index] } : {}),
  }));
  return said.filter((entry) => !isEmptyMessage(entry));
}

/** An unknown word hides from nobody what the bot wanted to be seen. */
function audienceOf(message: BotMessage | null): NewEntry["audience"] {
  switch (message?.destination) {
    case "user-only":
      return ["user", "bot"];
    case "agent-only":
      return ["bot", "desk"];
    default:
      return ["user", "bot", "desk"];
  }
}

/** Only what a bot may say: who speaks and who may read it is not for an answer to decide. */
function contentOf(message: BotMessage | null): Pick<NewEntry, "text" | "format" | "choices" | "cards" | "attachments"> {
  const { text, format, choices, cards, attachments } = message ?? {};
  return {
    // As `withBotFiles` has made them of what the bot gave.
    ...(attachments?.length ? { attachments: attachments as readonly Attachment[] } : {}),
    ...(typeof text === "string" ? { text } : {}),
    ...(format === undefined ? {} : { format }),
    ...(Array.isArray(choices) ? { choices } : {}),
    ...(Array.isArray(cards) ? { cards } : {}),
  };
}
