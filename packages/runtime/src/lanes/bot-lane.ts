import { withBotFiles } from "../attachments/bot-files.ts";
import type { Bot, BotAnswer, BotTurn } from "../bot.ts";
import { LeaseLostError, transact, type ConversationView } from "../conversation/transact.ts";
import { mergeOptions, whyNoHandover, type Endpoint } from "../endpoints.ts";
import type { NewEntry, StoredEntry } from "../entry.ts";
import { createDraft, draftCommit } from "../handover/draft.ts";
import { beginEnding, requestedReason } from "../handover/ending.ts";
import { draftRequest, requestPatch, transcriptStart } from "../handover/request-handover.ts";
import { checkQueueOptions } from "../queue/check-queue-options.ts";
import { setInactivity, timerOf } from "../inactivity/inactivity-timer.ts";
import { redactAnswer, type RedactedAnswer } from "../redaction/redact-answer.ts";
import type { Commit, ConversationRecord, HandoverRecord, JournalItem } from "../store/records.ts";
import { pauseAfter } from "../support/backoff.ts";
import { errorSummary } from "../support/describe-error.ts";
import { inTime } from "../support/in-time.ts";
import { endText } from "../texts.ts";
import { toEntries, toTurn } from "./bot-turn.ts";
import { again, idle, idleUntil, type LaneScope, type StepResult } from "./lane.ts";

const pageSize = 50;

/** From the log to the bot and back: each entry that is the bot's to answer, one after the other. */
export async function botStep(scope: LaneScope): Promise<StepResult> {
  const { context, key } = scope;
  const conversation = await context.store.readConversation(key);
  if (!conversation) return idle;
  const endpoint = context.endpoints.get(conversation.endpoint);
  if (!endpoint?.bot || conversation.botThrough >= conversation.lastSeq) return idle;
  const retryAtMs = conversation.botRetry?.nextAtMs;
  if (retryAtMs !== undefined && retryAtMs > context.clock.now()) return idleUntil(retryAtMs);
  const entries = await context.store.readEntries(key, { after: conversation.botThrough, limit: pageSize });
  const readHandover = readOnce(scope);
  for (const entry of entries) {
    const owner = await ownerOf(readHandover, conversation, endpoint.bot, entry);
    if (owner === "later") return idle;
    if (owner === "bot") return takeTurn(scope, conversation, endpoint, endpoint.bot, entry);
  }
  if (entries.length < pageSize) return idle;
  return skipTo(scope, entries.at(-1)?.seq ?? conversation.botThrough);
}

type ReadHandover = (id: string) => Promise<HandoverRecord | undefined>;

/** All entries of a step are looked at with the same handovers: while people talk, each entry asks for them. */
function readOnce({ context }: LaneScope): ReadHandover {
  const known = new Map<string, ReturnType<ReadHandover>>();
  return (id) => {
    const handover = known.get(id) ?? context.store.readHandover(id);
    known.set(id, handover);
    return handover;
  };
}

/** Who has to deal with an entry: the bot, nobody here, or it shows only when the handover has ended. */
async function ownerOf(
  readHandover: ReadHandover,
  conversation: ConversationRecord,
  bot: Bot,
  entry: StoredEntry,
): Promise<"bot" | "other" | "later"> {
  if (entry.isErased) return "other";
  if (entry.kind === "handover" && entry.status && entry.status !== "requested") {
    return (bot.events ?? ["ended"]).includes(entry.status) ? "bot" : "other";
  }
  if (entry.kind === "notice" && entry.event === "inactive") return isStillSilent(readHandover, conversation, entry);
  if (!entry.audience.includes("bot") || entry.kind !== "message" || entry.author?.role !== "user" || entry.source === "transcript")
    return "other";
  const handover = await handoverTaking(readHandover, conversation, entry.seq);
  if (!handover) return "bot";
  const isAfterItsEnd = handover.ending?.sendThrough !== undefined && entry.seq > handover.ending.sendThrough;
  return handover.status === "ending" && isAfterItsEnd ? "later" : "other";
}

/** A timer that went off says nothing any more when the handover has ended meanwhile. */
async function isStillSilent(
  readHandover: ReadHandover,
  { currentHandover }: ConversationRecord,
  entry: StoredEntry,
): Promise<"bot" | "other"> {
  if (entry.handover === undefined || entry.handover !== currentHandover) return "other";
  const handover = await readHandover(entry.handover);
  return handover?.status === "queued" || handover?.status === "active" ? "bot" : "other";
}

/** The handover that took, or takes, a user's entry. */
async function handoverTaking(
  readHandover: ReadHandover,
  conversation: ConversationRecord,
  seq: number,
): Promise<HandoverRecord | undefined> {
  let id = conversation.currentHandover ?? conversation.lastHandover;
  while (id) {
    const handover = await readHandover(id);
    if (!handover) return undefined;
    const through = handover.ended?.takesThrough ?? Infinity;
    if (seq > handover.takesAfter && seq <= through) return handover;
    if (seq > through) return undefined;
    id = handover.previous;
  }
  return undefined;
}

async function skipTo(scope: LaneScope, seq: number): Promise<StepResult> {
  const { context, key, fence } = scope;
  await transact(context, { key, fence }, () => ({ commit: { update: { botThrough: seq } }, result: undefined }));
  return again;
}

async function takeTurn(
  scope: LaneScope,
  conversation: ConversationRecord,
  endpoint: Endpoint,
  bot: Bot,
  entry: StoredEntry,
): Promise<StepResult> {
  const { context } = scope;
  const limit = { limitMs: context.timing.botTimeoutMs, late: "The bot did not answer in time." };
  try {
    const turn = await toTurn(scope, conversation, entry);
    const answered = await inTime(context, limit, (signal) => bot.answer(turn, { signal }));
    const { answer, forDesk } = await redactAnswer(context, scope.key, await withBotFiles(context, scope.key, turn.id, answered));
    context.metrics.count("handover_bot_turns_total", { result: "answered" });
    return await commitAnswer(scope, endpoint, bot, { entry, turn, version: conversation.version, forDesk }, answer);
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    context.metrics.count("handover_bot_turns_total", { result: "failed" });
    return await turnFailed(scope, endpoint, entry, error);
  }
}

/** What the bot was asked, and when: the version of the conversation. */
interface AskedTurn {
  readonly entry: StoredEntry;
  readonly turn: BotTurn;
  readonly version: number;
  readonly forDesk: RedactedAnswer["forDesk"];
}

/** Everything that an answer brings about is committed together: messages, a request or an end, and the bot's cursor. */
async function commitAnswer(
  scope: LaneScope,
  endpoint: Endpoint,
  bot: Bot,
  { entry, turn, version, forDesk }: AskedTurn,
  answer: BotAnswer,
): Promise<StepResult> {
  const { context, key, fence } = scope;
  await transact(context, { key, fence }, async (view) => {
    if (!view.conversation || view.conversation.botThrough >= entry.seq) return { result: undefined };
    if (view.conversation.version !== version && (await isErased(scope, entry))) {
      return { commit: { update: { botThrough: entry.seq, botRetry: null } }, result: undefined };
    }
    const isWithheld = await isTaken(scope, view.conversation, entry);
    const messages = toEntries(context.clock.now(), bot, turn, { answer, forDesk }, isWithheld);
    const change = isWithheld
      ? {}
      : answer.handover
        ? await request(scope, endpoint, view, entry, answer, messages.length)
        : changeRunning(scope, endpoint, view, answer, messages.length);
    const commit: Omit<Commit, "conversation"> = {
      ...change,
      append: [...messages, ...(change.append ?? [])],
      journal: [...(change.journal ?? []), ...noteEmpty(scope, (answer.messages?.length ?? 0) - messages.length)],
      update: { ...change.update, botThrough: entry.seq, botRetry: null },
    };
    return { commit, result: undefined };
  });
  return again;
}

/** Empty messages are nothing that anybody gets; how many there were is counted. */
function noteEmpty({ context, key }: LaneScope, count: number): JournalItem[] {
  return Array.from({ length: count }, () => ({ atMs: context.clock.now(), what: "empty-message", conversation: key }));
}

/** What was erased while the bot thought about it must not come back in its answer. */
async function isErased(scope: LaneScope, { seq }: StoredEntry): Promise<boolean> {
  const [entry] = await scope.context.store.readEntries(scope.key, { after: seq - 1, limit: 1 });
  return entry?.isErased === true;
}

/** What a bot says to a user's message is not shown when people have taken that message meanwhile. */
async function isTaken(scope: LaneScope, conversation: ConversationRecord, entry: StoredEntry): Promise<boolean> {
  return entry.kind === "message" && (await handoverTaking(readOnce(scope), conversation, entry.seq)) !== undefined;
}

async function request(
  scope: LaneScope,
  endpoint: Endpoint,
  view: ConversationView,
  entry: StoredEntry,
  answer: BotAnswer,
  messageCount: number,
): Promise<Partial<Commit>> {
  const { context, key } = scope;
  const lastSeq = view.conversation?.lastSeq ?? 0;
  if (view.handover) return {};
  if (!endpoint.handover || whyNoHandover(endpoint)) return { append: [refusal(scope, endpoint, entry)] };
  const options = safeOptions(scope, endpoint, answer);
  if (!options) return { append: [refusal(scope, endpoint, entry)] };
  const draft = draftRequest(context, view, {
    key,
    endpoint: { ...endpoint, handover: endpoint.handover },
    options,
    ...(answer.handover?.summary === undefined ? {} : { summary: answer.handover.summary }),
    ...(answer.handover?.queue ? { queue: answer.handover.queue } : {}),
    ...(answer.handover?.repeatHandoverMessage === undefined ? {} : { repeatHandoverMessage: answer.handover.repeatHandoverMessage }),
    takesAfter: entry.seq,
    transcriptAfter: await transcriptStart(context, view),
    lastSeq: lastSeq + messageCount,
  });
  const timerMs = timerOf(answer, endpoint.token, context.logger);
  if (timerMs !== undefined) setInactivity(draft, timerMs);
  return { ...draftCommit(draft), expectLastSeq: lastSeq, update: requestPatch(draft) };
}

function safeOptions(scope: LaneScope, endpoint: Endpoint, answer: BotAnswer): ReturnType<typeof mergeOptions> | undefined {
  try {
    checkQueueOptions(answer.handover?.queue);
    return mergeOptions(endpoint, scope.context.connections, answer.handover?.options ? [answer.handover.options] : []);
  } catch (error) {
    scope.context.logger.error(`A bot asked for a handover with options that cannot be used: ${errorSummary(error)}`, {
      endpoint: endpoint.token,
    });
    return undefined;
  }
}

/** A request that cannot even begin still ends in an entry with a reason. */
function refusal(scope: LaneScope, endpoint: Endpoint, entry: StoredEntry): NewEntry {
  const text = endText(endpoint.texts, "unavailable");
  return {
    id: `refused:${entry.seq}`,
    source: "runtime",
    kind: "handover",
    at: new Date(scope.context.clock.now()).toISOString(),
    status: "ended",
    reason: "unavailable",
    cause: { actor: "system", code: whyNoHandover(endpoint) ?? "INVALID_OPTIONS" },
    audience: ["user", "desk"],
    ...(text === undefined ? {} : { text }),
  };
}

/** A handover that runs may be ended, or get a timer. */
function changeRunning(
  scope: LaneScope,
  endpoint: Endpoint,
  view: ConversationView,
  answer: BotAnswer,
  messageCount: number,
): Partial<Commit> {
  const { handover, conversation } = view;
  if (!handover || !conversation || handover.status === "ending") return {};
  const timerMs = answer.endHandover ? undefined : timerOf(answer, endpoint.token, scope.context.logger);
  if (!answer.endHandover && timerMs === undefined) return {};
  // What the bot says when it ends a handover is still the desk's.
  const draft = createDraft(handover, scope.context.clock.now(), conversation.lastSeq + messageCount);
  if (timerMs !== undefined) setInactivity(draft, timerMs);
  else {
    const leavesDeskOpen = answer.closeHandoverInProvider === false;
    beginEnding(draft, { reason: requestedReason(handover), actor: "bot", closedBy: "us", windowMs: 0, leavesDeskOpen });
  }
  return { ...draftCommit(draft), expectLastSeq: conversation.lastSeq };
}

async function turnFailed(scope: LaneScope, endpoint: Endpoint, entry: StoredEntry, error: unknown): Promise<StepResult> {
  const { context, key, fence } = scope;
  const nowMs = context.clock.now();
  const { result } = await transact(context, { key, fence }, ({ conversation }) => {
    const before = conversation?.botRetry ?? { attempts: 0, firstAtMs: nowMs };
    const attempts = before.attempts + 1;
    const nextAtMs = nowMs + pauseAfter(attempts, context.timing, context.random, error);
    const isOver = nextAtMs > before.firstAtMs + context.timing.botRetryMs && !context.stopSignal.aborted;
    if (isOver) return { commit: givenUp(scope, endpoint, entry), result: undefined };
    return { commit: { update: { botRetry: { attempts, firstAtMs: before.firstAtMs, nextAtMs } } }, result: nextAtMs };
  });
  if (result !== undefined) return idleUntil(result);
  context.logger.error(`A bot did not answer, and its turn was given up: ${errorSummary(error)}`, { endpoint: endpoint.token });
  return again;
}

function givenUp(scope: LaneScope, endpoint: Endpoint, entry: StoredEntry): Omit<Commit, "conversation"> {
  const { messageFailed } = endpoint.texts;
  const notice: NewEntry = {
    id: `bot-failed:${entry.seq}`,
    source: "runtime",
    kind: "notice",
    event: "message-failed",
    at: new Date(scope.context.clock.now()).toISOString(),
    about: entry.seq,
    cause: { actor: "bot", code: "BOT_FAILED" },
    audience: ["user", "desk"],
    ...(messageFailed === "" ? {} : { text: messageFailed }),
  };
  return { ...(entry.kind === "message" ? { append: [notice] } : {}), update: { botThrough: entry.seq, botRetry: null } };
}
