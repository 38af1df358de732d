// @ts-check
// From what is known to what is shown. No page, no network.
import { currentAgentName } from "./chat-model.js";
import { toQueueWords } from "./handover-words.js";
import { toDayName } from "./time-words.js";

/** @import { AuthorRole, Chat, ChatViewModule, LoggedLine, LoggedMessage, LoggedSurvey, MessageItem, OutboxRecord, ViewItem } from "./chat-types.d.ts" */

const avatarTones = 6;

/** @type {ChatViewModule["toViewItems"]} */
export function toViewItems(chat, outbox, { botName, language, nowMs = Date.now(), answeredSurveys = new Set() }) {
  /** @type {ViewItem[]} */
  const items = [];
  const push = (/** @type {ViewItem} */ item) => {
    const day = toDayName(item.at, language);
    const dayBefore = items.at(-1) ? toDayName(/** @type {ViewItem} */ (items.at(-1)).at, language) : undefined;
    if (day && day !== dayBefore) items.push({ key: `day:${item.key}`, kind: "day", text: day, at: item.at, tone: "info" });
    const before = items.at(-1);
    const isContinued =
      item.kind === "message" &&
      before?.kind === "message" &&
      before.side === item.side &&
      before.name === item.name &&
      before.role === item.role;
    items.push(isContinued ? { ...item, isContinued } : item);
  };
  const answers = findAnswers(chat, outbox);
  const loggedIds = new Set();
  for (const row of chat.rows) {
    if (isMessage(row)) {
      if (row.entry.author?.role === "user") loggedIds.add(row.entry.id);
      push(toMessageItem(row, botName, answers));
    } else if ("survey" in row) push(toSurveyItem(row, nowMs, answeredSurveys));
    else push(toLineItem(row, chat, answers));
  }
  for (const record of outbox) if (!loggedIds.has(record.id)) push(toOutboxItem(record));
  return keepLastDelivery(items);
}

/** @type {ChatViewModule["toStatusView"]} */
export function toStatusView(chat, { canHandOver }) {
  if (chat.status === "requested" || chat.status === "queued") {
    return { mode: "waiting", text: "Waiting for an agent ...", detail: toQueueWords(chat.queue), action: "leave" };
  }
  if (chat.status === "active") {
    const name = currentAgentName(chat);
    return { mode: "active", text: name ? `You are talking to ${name}` : "You are connected to an agent", detail: "", action: "end" };
  }
  const action = canHandOver ? "ask" : "none";
  const text = "You are talking to the assistant";
  if (chat.status === "ended") return { mode: "ended", text: "Ended. You are back with the assistant", detail: "", action };
  return { mode: "bot", text, detail: "", action };
}

/** @param {LoggedMessage | LoggedLine | LoggedSurvey} row @returns {row is LoggedMessage} */
const isMessage = (row) => !("line" in row) && !("survey" in row);

/** @param {LoggedLine} row @param {Chat} chat @param {Map<number, string>} answers @returns {ViewItem} */
function toLineItem({ entry, line, tone }, chat, answers) {
  /** @type {ViewItem} */
  const item = { key: `seq:${String(entry.seq)}`, kind: "line", text: line, at: entry.at ?? "", tone };
  // A button that would do nothing any more is not shown.
  if (entry.seq !== chat.cancelSeq) return item;
  return { ...item, seq: entry.seq, choices: entry.choices ?? [], chosen: answers.get(entry.seq) };
}

/** @param {LoggedSurvey} row @param {number} nowMs @param {ReadonlySet<string>} answered @returns {ViewItem} */
function toSurveyItem({ entry, survey, title }, nowMs, answered) {
  const isAnswered = entry.delivery !== undefined || answered.has(survey.id);
  const isClosed = survey.openUntilMs !== undefined && survey.openUntilMs < nowMs;
  return {
    key: `seq:${String(entry.seq)}`,
    kind: "survey",
    seq: entry.seq,
    at: entry.at ?? "",
    text: title,
    survey: survey.id,
    questions: survey.questions,
    state: isAnswered ? "answered" : isClosed ? "closed" : "open",
  };
}

/** @param {LoggedMessage} message @param {string} botName @param {Map<number, string>} answers @returns {MessageItem} */
function toMessageItem({ entry, text, delivery, failure, isEdited, isDeleted }, botName, answers) {
  const role = entry.author?.role ?? "system";
  const name = toName(role, entry.author?.name, botName);
  const isOwn = role === "user";
  return {
    key: isOwn && entry.id ? `own:${entry.id}` : `seq:${String(entry.seq)}`,
    kind: "message",
    side: isOwn ? "own" : "other",
    role,
    name,
    initials: toInitials(name),
    tone: toTone(name),
    isContinued: false,
    at: entry.at ?? "",
    text: isDeleted ? "This message was deleted" : (text ?? ""),
    format: entry.format === "markdown" && !isOwn && !isDeleted ? "markdown" : "plain",
    attachments: isDeleted ? [] : (entry.attachments ?? []),
    cards: isDeleted ? [] : (entry.cards ?? []),
    choices: isDeleted ? [] : (entry.choices ?? []),
    chosen: answers.get(entry.seq),
    seq: entry.seq,
    outboxId: undefined,
    state: isOwn ? (delivery ?? "sent") : undefined,
    failure,
    isEdited,
    isDeleted,
    isLate: entry.isLate === true,
    isPossiblyDuplicated: entry.isPossiblyDuplicated === true,
  };
}

/** @param {OutboxRecord} record @returns {MessageItem} */
function toOutboxItem(record) {
  /** @type {LoggedMessage} */
  const message = {
    entry: {
      seq: record.seq ?? 0,
      kind: "message",
      id: record.id,
      author: { role: "user" },
      at: new Date(record.writtenAtMs).toISOString(),
      ...(record.attachments ? { attachments: record.attachments } : {}),
    },
    text: record.text,
    delivery: undefined,
    failure: record.failure,
    isEdited: false,
    isDeleted: false,
  };
  const state = record.state === "accepted" ? "sent" : record.state;
  return { ...toMessageItem(message, "", new Map()), seq: undefined, outboxId: record.id, state };
}

/**
 * Which choice of which message was taken. Entries do not carry the answer, so the first own words after the choices that are the title
 * of one of them count.
 * @param {Chat} chat @param {readonly OutboxRecord[]} outbox
 */
function findAnswers(chat, outbox) {
  /** @type {Map<number, string>} */
  const answers = new Map();
  /** @type {LoggedMessage[]} */
  let open = [];
  for (const message of chat.messages.values()) {
    if (choicesOf(message).length > 0) open.push(message);
    if (message.entry.author?.role !== "user") continue;
    const isAsked = (/** @type {{ title: string }} */ { title }) => title === message.text;
    const asked = open.findLast((candidate) => choicesOf(candidate).some(isAsked));
    const choice = asked && choicesOf(asked).find(isAsked);
    if (choice) answers.set(asked.entry.seq, choice.id);
    open = open.filter((candidate) => candidate !== asked);
  }
  for (const { answer, state } of outbox) if (answer && state !== "failed") answers.set(answer.seq, answer.choice);
  return answers;
}

/** @param {LoggedMessage} message */
const choicesOf = ({ entry }) => [...(entry.choices ?? []), ...(entry.cards ?? []).flatMap((card) => card.choices ?? [])];

/** "Sent", "delivered" and "read" are shown once, below the last message they hold for. @param {ViewItem[]} items */
function keepLastDelivery(items) {
  const isReached = (/** @type {ViewItem} */ item) =>
    item.kind === "message" && (item.state === "sent" || item.state === "delivered" || item.state === "read");
  const last = items.findLastIndex(isReached);
  return items.map((item, index) => (item.kind === "message" && isReached(item) && index !== last ? { ...item, state: undefined } : item));
}

/** @param {AuthorRole} role @param {string | undefined} name @param {string} botName */
function toName(role, name, botName) {
  if (role === "user") return "You";
  if (role === "bot") return name ?? botName;
  if (role === "agent") return name ?? "Agent";
  return name ?? "Notice";
}

/** @param {string} name */
function toInitials(name) {
  const words = name.split(/[\s._-]+/u).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const first = words[0] ?? name;
  const last = words.length > 1 ? words.at(-1) : undefined;
  return (firstLetter(first) + (last ? firstLetter(last) : "")).toUpperCase() || "?";
}

/** @param {string} word */
const firstLetter = (word) => [...word][0] ?? "";

/** @param {string} name */
function toTone(name) {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % avatarTones;
}
