import type { Answer, User } from "@handover/core";
import { resolveAttachments } from "./attachments/message-attachments.ts";
import { cancelledBy } from "./cancel/cancel-choice.ts";
import { receiveCancel } from "./cancel/receive-cancel.ts";
import { conversationKey } from "./conversation/conversation-key.ts";
import { requireEndpoint } from "./endpoints.ts";
import type { NewEntry, StoredEntry } from "./entry.ts";
import { RuntimeError } from "./errors.ts";
import { redactEntry } from "./redaction/redact.ts";
import { receiveRecognized } from "./recognize-message.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { ConversationAddress, IncomingMessage } from "./runtime.ts";
import type { Commit } from "./store/records.ts";

const idCharacters = 128;

/** Takes a message of a user into the log. The same id again gives the same answer and changes nothing. */
export async function receiveMessage(
  context: RuntimeContext,
  request: ConversationAddress & { readonly message: IncomingMessage; readonly user?: User },
): Promise<{ readonly seq: number }> {
  const endpoint = requireEndpoint(context.endpoints, request.endpoint);
  const key = conversationKey(request);
  const { message } = request;
  checkMessage(context, message);
  const known = await context.store.findEntry(key, "user", message.id);
  if (known) return { seq: known.seq };
  await checkWaiting(context, key);
  const answer = message.answer ? await resolveAnswer(context, key, message.answer) : undefined;
  const attachments = await resolveAttachments(context, key, message.attachments);
  const taken = { ...toEntry(context, message, answer, request.user), ...(attachments.length > 0 ? { attachments } : {}) };
  const { conversation } = request;
  const entry = await redactEntry(context, taken, { kind: "message", author: "user", endpoint: request.endpoint, conversation });
  const cancelledSeq = await receiveCancel(context, key, endpoint, { entry, pressed: answer?.cancels });
  if (cancelledSeq !== undefined) return { seq: cancelledSeq };
  const recognizedSeq = await receiveRecognized(context, key, entry);
  if (recognizedSeq !== undefined) return { seq: recognizedSeq };
  const commit: Commit = {
    conversation: key,
    create: { endpoint: request.endpoint, conversation: request.conversation },
    append: [entry],
    ...(request.user ? { update: { user: request.user } } : {}),
  };
  const outcome = await context.backlog.takeMessage(() => context.store.commit(commit));
  const seq = outcome.status === "committed" ? outcome.seqs[0] : undefined;
  if (seq === undefined)
    throw new RuntimeError("STORE_FAILED", "The store refused a message without saying why. Try again.", { isRetryable: true });
  if (outcome.status === "committed" && outcome.added > 0)
    context.metrics.count("handover_messages_received_total", { endpoint: request.endpoint });
  return { seq };
}

function checkMessage(context: RuntimeContext, message: IncomingMessage): void {
  if (message.id.length < 1 || message.id.length > idCharacters || !message.id.isWellFormed()) {
    throw new RuntimeError("INVALID_MESSAGE", `A message needs an "id" of 1 to ${idCharacters} characters, chosen by the client.`);
  }
  const text = message.text ?? "";
  if (text.trim() === "" && !message.answer && !message.attachments?.length) {
    context.metrics.count("handover_messages_refused_total", { code: "MESSAGE_EMPTY" });
    throw new RuntimeError("MESSAGE_EMPTY", 'The message has nothing in it. Send a "text" that is not only white space, or a file.');
  }
  const length = Array.from(text).length;
  if (length > context.limits.messageCharacters) {
    throw new RuntimeError(
      "MESSAGE_TOO_LONG",
      `The text has ${length} characters, ${context.limits.messageCharacters} are allowed. Send it in several messages.`,
    );
  }
}

/** A desk that takes nothing must not fill the store: the sender is told to wait. */
async function checkWaiting(context: RuntimeContext, key: string): Promise<void> {
  const conversation = await context.store.readConversation(key);
  const handover = conversation?.currentHandover ? await context.store.readHandover(conversation.currentHandover) : undefined;
  const from = handover ? handover.attempt.liveThrough : (conversation?.botThrough ?? 0);
  if (!conversation || conversation.lastSeq - from < context.limits.waitingMessages) return;
  const hasReader = handover ? handover.attempt.relay !== "none" : context.endpoints.get(conversation.endpoint)?.bot !== undefined;
  if (!hasReader) return;
  const waiting = await context.backlog.countMessages(key);
  if (waiting < context.limits.waitingMessages) return;
  context.metrics.count("handover_messages_refused_total", { code: "TOO_MANY_WAITING" });
  throw new RuntimeError(
    "TOO_MANY_WAITING",
    `${waiting} messages of this conversation wait to be delivered. Wait until some of them have been.`,
    {
      isRetryable: true,
    },
  );
}

/** What was pressed. */
interface Pressed {
  readonly title: string;
  readonly answer: Answer;
  /** The handover whose desk offered it. */
  readonly answerOf: string | undefined;
  /** The handover that it takes back. */
  readonly cancels: string | undefined;
}

async function resolveAnswer(context: RuntimeContext, key: string, answer: { seq: number; choice: string }): Promise<Pressed> {
  const [entry] = await context.store.readEntries(key, { after: answer.seq - 1, limit: 1 });
  const isShown = entry?.seq === answer.seq && entry.audience.includes("user");
  const choice = isShown ? choicesOf(entry).find((candidate) => candidate.id === answer.choice) : undefined;
  if (!entry || !choice) {
    throw new RuntimeError(
      "INVALID_MESSAGE",
      `Entry ${answer.seq} offers no such choice. Take "seq" and "choice" from the entry that showed it.`,
    );
  }
  return {
    title: choice.title.trim() === "" ? (choice.payload ?? "") : choice.title,
    answer: {
      messageId: entry.id,
      choice: choice.id,
      ...(choice.payload === undefined ? {} : { payload: choice.payload }),
      ...(choice.providerData === undefined ? {} : { providerData: choice.providerData }),
    },
    answerOf: entry.kind === "message" ? entry.handover : undefined,
    cancels: cancelledBy(entry, choice.id),
  };
}

function choicesOf(entry: StoredEntry) {
  return [...(entry.choices ?? []), ...(entry.cards ?? []).flatMap((card) => card.choices ?? [])];
}

/** What was pressed is shown by its title, whatever payload a bot goes by; by its payload only where it has no title. */
function toEntry(context: RuntimeContext, message: IncomingMessage, pressed: Pressed | undefined, user: User | undefined): NewEntry {
  const text = message.text?.trim() ? message.text : pressed?.title;
  return {
    id: message.id,
    source: "user",
    kind: "message",
    at: new Date(context.clock.now()).toISOString(),
    author: { role: "user", ...(user ? { id: user.id } : {}), ...(user?.name === undefined ? {} : { name: user.name }) },
    audience: ["user", "bot", "desk"],
    ...(text === undefined ? {} : { text }),
    ...(pressed ? { answer: pressed.answer } : {}),
    ...(pressed?.answerOf === undefined ? {} : { answerOf: pressed.answerOf }),
  };
}
