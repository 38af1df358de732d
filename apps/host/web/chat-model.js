// @ts-check
// What the entries of a conversation add up to. No page, no network, no clock.
import { toHandoverWords, toNoticeWords } from "./handover-words.js";

/** @import { Author, Chat, ChatModelModule, Entry, HandoverStatus, LoggedMessage, Survey } from "./chat-types.d.ts" */

const statuses = new Set(["requested", "queued", "active", "ended"]);

/** @type {ChatModelModule["createChat"]} */
export function createChat() {
  return { lastSeq: 0, rows: [], messages: new Map(), status: undefined, queue: undefined, cancelSeq: undefined, agents: [] };
}

/** @type {ChatModelModule["addEntry"]} */
export function addEntry(chat, entry) {
  if (entry.seq !== chat.lastSeq + 1) return false;
  chat.lastSeq = entry.seq;
  if (entry.kind === "message") addMessage(chat, entry);
  else if (entry.kind === "handover") addHandover(chat, entry);
  else if (entry.kind === "notice") addNotice(chat, entry);
  return true;
}

/** @type {ChatModelModule["addReceipt"]} */
export function addReceipt(chat, receipt) {
  const message = chat.messages.get(receipt.seq);
  if (message) message.delivery = laterDelivery(message.delivery, receipt.delivery);
}

/** Receipts may come in any order; a message that was read stays read. @param {LoggedMessage["delivery"]} known @param {LoggedMessage["delivery"]} news */
function laterDelivery(known, news) {
  return known === "read" && news === "delivered" ? known : news;
}

/** @param {Chat} chat @param {Entry} entry */
function addMessage(chat, entry) {
  if (entry.replaces !== undefined && chat.messages.has(entry.replaces)) return changeMessage(chat, entry);
  /** @type {LoggedMessage} */
  const message = { entry, text: entry.text, delivery: entry.delivery, failure: undefined, isEdited: false, isDeleted: false };
  chat.rows.push(message);
  chat.messages.set(entry.seq, message);
  if (entry.author?.role === "agent") setCurrentAgent(chat, entry.author);
}

/** @param {Chat} chat @param {Entry} entry */
function addHandover(chat, entry) {
  if (!statuses.has(entry.status ?? "")) return;
  chat.status = /** @type {HandoverStatus} */ (entry.status);
  if (chat.status === "active" && entry.author) setCurrentAgent(chat, entry.author);
  addLine(chat, entry, toHandoverWords(entry, currentAgentName(chat)));
  if (chat.status === "queued") chat.cancelSeq = entry.choices?.length ? entry.seq : chat.cancelSeq;
  else chat.cancelSeq = undefined;
  chat.queue = isWaiting(chat) ? (entry.queue ?? chat.queue) : undefined;
  if (chat.status === "requested" || chat.status === "ended") chat.agents = [];
}

/** @param {Chat} chat @param {Entry} entry */
function addNotice(chat, entry) {
  if (entry.event === "queue-updated") {
    // One that comes late, after somebody answered or after the end, says nothing any more.
    if (isWaiting(chat)) chat.queue = { ...entry.queue, ...(entry.text ? { text: entry.text } : {}) };
  } else if (entry.event === "message-failed") failMessage(chat, entry);
  else if (entry.event === "message-changed") changeMessage(chat, entry);
  else if (entry.event === "survey-offered" && entry.survey?.questions?.length) addSurvey(chat, entry, entry.survey);
  else addPersonNotice(chat, entry);
}

/** @param {Chat} chat @param {Entry} entry @param {Survey} survey */
function addSurvey(chat, entry, survey) {
  chat.rows.push({ entry, survey, title: toNoticeWords(entry, undefined) ?? "" });
}

/** @param {Chat} chat @param {Entry} entry */
function addPersonNotice(chat, entry) {
  const name = entry.author?.role === "agent" ? entry.author.name : undefined;
  if (entry.event === "agent-joined" && entry.author) setCurrentAgent(chat, entry.author);
  if (entry.replaces !== undefined && renameLine(chat, entry, toNoticeWords(entry, name))) return;
  addLine(chat, entry, toNoticeWords(entry, name ?? (entry.event === "agent-left" ? currentAgentName(chat) : undefined)));
  if (entry.event === "agent-left") removeAgent(chat, entry.author);
  if (entry.event === "transferred") chat.agents = [];
}

/** The name of an agent came after the agent. @param {Chat} chat @param {Entry} entry @param {string | undefined} line */
function renameLine(chat, entry, line) {
  const index = chat.rows.findIndex((row) => "line" in row && row.entry.seq === entry.replaces);
  const row = chat.rows[index];
  if (!line || !row || !("line" in row)) return false;
  chat.rows[index] = { ...row, line };
  return true;
}

/** @param {Chat} chat @param {Entry} entry */
function failMessage(chat, entry) {
  const message = chat.messages.get(entry.about ?? -1);
  const isOwn = message?.entry.author?.role === "user";
  const words = entry.text ?? (message && !isOwn ? "A file of this message could not be loaded." : "This message did not reach the agent.");
  if (!message) return addLine(chat, entry, words, "warning");
  message.delivery = "failed";
  message.failure = words;
}

/** With new content a message was edited, without any it was deleted. @param {Chat} chat @param {Entry} entry */
function changeMessage(chat, entry) {
  const message = chat.messages.get(entry.replaces ?? entry.about ?? -1);
  if (!message) return;
  message.isDeleted = entry.text === undefined;
  message.isEdited = !message.isDeleted;
  message.text = entry.text;
}

/** @param {Chat} chat @param {Entry} entry @param {string | undefined} line @param {"info" | "warning"} [tone] */
function addLine(chat, entry, line, tone = "info") {
  if (line) chat.rows.push({ entry, line, tone });
}

/** @param {Chat} chat */
const isWaiting = (chat) => chat.status === "requested" || chat.status === "queued";

/** @param {Chat} chat */
export const currentAgentName = (chat) => chat.agents.findLast((agent) => agent.name)?.name;

/** @param {Author} left @param {Author} right */
const isSamePerson = (left, right) => (left.id ?? left.name) === (right.id ?? right.name);

/** @param {Chat} chat @param {Author} author */
function setCurrentAgent(chat, author) {
  const known = chat.agents.find((agent) => isSamePerson(agent, author));
  chat.agents = [...chat.agents.filter((agent) => agent !== known), { ...known, ...author }];
}

/** @param {Chat} chat @param {Author | undefined} author */
function removeAgent(chat, author) {
  const isKnown = author !== undefined && chat.agents.some((agent) => isSamePerson(agent, author));
  // A desk that does not say who left has one agent per conversation.
  chat.agents = author && isKnown ? chat.agents.filter((agent) => !isSamePerson(agent, author)) : [];
}
