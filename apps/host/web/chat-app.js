// @ts-check
// The chat page: finds out which conversation it shows, then ties stream, outbox, model and elements together.
import { createChannelClient } from "./channel-client.js";
import { ChatComposer } from "./chat-composer.js";
import { ChatLog } from "./chat-log.js";
import { addEntry, addReceipt, createChat } from "./chat-model.js";
import { ChatStatus } from "./chat-status.js";
import { toStatusView, toViewItems } from "./chat-view.js";
import { findConversationId, randomId, readAccessToken, rememberConversationId } from "./conversation-id.js";
import { createEntryStream } from "./entry-stream.js";
import { createOutbox } from "./outbox.js";
import { isOutboxKey } from "./outbox-records.js";
import { pageClock } from "./page-clock.js";
import { openPageStorage } from "./page-storage.js";
import { createReadSignal } from "./read-signal.js";
import { createTypingDisplay, createTypingSignal } from "./typing.js";

/** @import { Attachment, EndpointInfo, Entry, TypingEvent } from "./chat-types.d.ts" */

// This file is <base>/chat/assets/chat-app.js, so the host may live below a path.
const baseUrl = new URL("../../", import.meta.url);
const endpoint = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");
const storage = openPageStorage();

const access = readAccessToken(location.hash);
if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
const conversation = access?.conversation
  ? rememberConversationId({ endpoint, storage, conversation: access.conversation })
  : findConversationId({ endpoint, search: location.search, storage });

const client = createChannelClient({ baseUrl, endpoint, conversation });
/** Nothing is read or sent before the token of the host app, if there is one, was exchanged. */
const ready = access ? client.exchangeAccess(access.token) : Promise.resolve();
let isReady = false;
const chat = createChat();
/** @type {EndpointInfo} */
let info = {};

const log = /** @type {ChatLog} */ (find("chat-log"));
const statusBar = /** @type {ChatStatus} */ (find("chat-status"));
const composer = /** @type {ChatComposer} */ (find("chat-composer"));
const actionButton = /** @type {HTMLButtonElement} */ (find("#handover-action"));
const newButton = /** @type {HTMLButtonElement} */ (find("#new-conversation"));

const surveysKey = `handover:surveys:${encodeURIComponent(endpoint)}:${encodeURIComponent(conversation)}`;
const scope = `${encodeURIComponent(endpoint)}:${encodeURIComponent(conversation)}`;
const outbox = createOutbox({
  storage,
  scope,
  clock: pageClock,
  onChange: () => renderSoon(),
  send: async (record, signal) => {
    if (!isReady) return { kind: "retry" };
    const result = await client.sendMessage(record, signal);
    if (result.kind === "accepted" && result.seq !== undefined) stream.expect(result.seq);
    return result;
  },
  // Of several tabs one sends at a time; without locks (plain http) the server's own check of ids keeps a message single.
  ...(navigator.locks ? { exclusively: (work) => navigator.locks.request(`handover:outbox:${scope}`, work) } : {}),
});

const typists = createTypingDisplay({ onChange: () => showTyping() });
const typingSignal = createTypingSignal({
  post: client.sendTyping,
  isWanted: () => isHandoverRunning(),
  nowMs: () => Date.now(),
});

const readSignal = createReadSignal({ post: client.sendRead, isVisible: () => document.visibilityState === "visible", clock: pageClock });

/** Answered in this browser: the log says it only when the desk has the answers. */
const answeredSurveys = new Set(readAnsweredSurveys());

const stream = createEntryStream({
  url: client.eventsUrl,
  onEntry: takeEntry,
  onTyping: takeTyping,
  onReceipt: (receipt) => (addReceipt(chat, receipt), renderSoon()),
  onState: showConnection,
});

/** @param {Entry} entry */
function takeEntry(entry) {
  if (!addEntry(chat, client.withFileLinks(entry))) return;
  outbox.confirm(entry);
  const isFromDesk = entry.kind === "message" && entry.author?.role !== "user";
  if (isFromDesk || entry.event === "agent-left" || entry.status === "ended") typists.clear();
  renderSoon();
}

/** @param {TypingEvent} event */
function takeTyping(event) {
  // What an agent's typing says after the end is of no interest any more.
  if (event.author?.role === "agent" && !isHandoverRunning()) return;
  typists.take(event);
}

function isHandoverRunning() {
  return chat.status !== undefined && chat.status !== "ended";
}

let isRenderPlanned = false;
/** History comes as many entries at once; they are shown together. */
function renderSoon() {
  if (isRenderPlanned) return;
  isRenderPlanned = true;
  setTimeout(() => {
    isRenderPlanned = false;
    render();
  }, 0);
}

function render() {
  log.show(toViewItems(chat, outbox.list().map(client.withFileLinks), { botName: info.title ?? "Assistant", answeredSurveys }));
  const status = toStatusView(chat, { canHandOver: info.handover !== false });
  statusBar.show(status);
  showStrip("#queue", status.mode === "waiting" ? status.detail : "");
  actionButton.hidden = status.action === "none";
  actionButton.dataset["action"] = status.action;
  setText(actionButton, { ask: "Talk to a person", leave: "Leave the conversation", end: "End", none: "" }[status.action]);
}

function showTyping() {
  const names = typists.names();
  const who = names.length > 1 ? `${names.map((name) => name || "Somebody").join(" and ")} are` : `${names[0] || "Somebody"} is`;
  const line = find("#typing");
  line.classList.toggle("is-on", names.length > 0);
  setText(line, names.length > 0 ? `${who} typing ...` : "");
}

/** @param {"open" | "reconnecting" | "refused"} state */
function showConnection(state) {
  showStrip("#connection", state === "open" ? "" : "Reconnecting ...");
  if (state === "open" && !info.token) void loadEndpoint();
  if (state === "refused" && info.access === "signed") void explainRefusal();
}

async function explainRefusal() {
  const status = await client.probeEvents().catch(() => 200);
  if (status === 401 || status === 403 || status === 404) {
    stop("You are not signed in to this conversation. Open the chat again from the page that brought you here.");
  }
}

async function loadEndpoint() {
  const found = await client.readEndpoint().catch(() => info);
  if (!found) return stop("This chat does not exist.");
  info = found;
  const title = info.title ?? "Chat";
  document.title = title;
  setText(find("#title"), title);
  setText(find(".mark"), [...title][0]?.toUpperCase() ?? "");
  log.greet(info.greeting ?? "Hello! Write a message to start.");
  newButton.hidden = info.access === "signed";
  render();
}

/** Nothing more can be done on this page. @param {string} words */
function stop(words) {
  stream.stop();
  outbox.stop();
  readSignal.stop();
  composer.disable();
  actionButton.disabled = true;
  showStrip("#connection", "");
  showStrip("#problem", words);
}

/** @returns {string[]} */
function readAnsweredSurveys() {
  try {
    const known = JSON.parse(storage.getItem(surveysKey) ?? "[]");
    return Array.isArray(known) ? known.map(String) : [];
  } catch {
    return [];
  }
}

/** @param {{ survey: string, answers: Readonly<Record<string, string | number>>, settle: (problem?: string) => void }} given */
async function sendSurvey({ survey, answers, settle }) {
  try {
    await client.sendSurvey(survey, answers);
  } catch (error) {
    return settle(toWords(error));
  }
  answeredSurveys.add(survey);
  try {
    storage.setItem(surveysKey, JSON.stringify([...answeredSurveys].slice(-50)));
  } catch {
    // Whoever reloads the page may be asked once more; the same answers are a success then.
  }
  renderSoon();
}

async function changeHandover() {
  actionButton.disabled = true;
  showStrip("#problem", "");
  try {
    await (isHandoverRunning() ? client.endHandover() : client.requestHandover());
  } catch (error) {
    showStrip("#problem", toWords(error));
  }
  actionButton.disabled = false;
}

async function startNewConversation() {
  if (isHandoverRunning()) {
    if (!confirm("This ends your conversation with the agent. Start a new one?")) return;
    await client.endHandover().catch(() => undefined);
  }
  rememberConversationId({ endpoint, storage, conversation: randomId() });
  location.assign(location.pathname);
}

/** @param {string} selector @param {string} words */
function showStrip(selector, words) {
  const strip = find(selector);
  strip.hidden = words === "";
  setText(strip, words);
}

/** A status region that is written again is read out again. @param {Element} target @param {string} text */
function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** @param {string} selector @returns {HTMLElement} */
function find(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`The page has no ${selector}.`);
  return found;
}

/** @param {unknown} error */
const toWords = (error) => (error instanceof Error ? error.message : "That did not work. Please try again.");

/** @template T @param {EventTarget} target @param {string} type @param {(detail: T) => void} handle */
function listen(target, type, handle) {
  target.addEventListener(type, (event) => {
    if (!(event instanceof CustomEvent)) return;
    try {
      handle(event.detail);
    } catch {
      // The browser's storage is full: what was typed stays in the field.
      event.preventDefault();
      showStrip("#problem", "This browser could not keep your message. Free some storage and try again.");
    }
  });
}

composer.upload = (file, signal) => ready.then(() => client.uploadFile(file, signal));
listen(composer, "compose", (/** @type {{ text: string, attachments: readonly Attachment[] }} */ { text, attachments }) =>
  outbox.add(text, undefined, attachments),
);
listen(composer, "field-change", (/** @type {{ isEmpty: boolean }} */ { isEmpty }) => typingSignal.fieldChanged(isEmpty));
listen(log, "retry", (/** @type {{ id: string }} */ { id }) => outbox.retry(id));
listen(log, "discard", (/** @type {{ id: string }} */ { id }) => outbox.discard(id));
listen(log, "choose", (/** @type {{ seq: number, choice: { id: string, title: string } }} */ { seq, choice }) =>
  outbox.add(choice.title, { seq, choice: choice.id }),
);
listen(log, "seen", (/** @type {{ seq: number }} */ { seq }) => readSignal.seen(seq));
listen(log, "survey-submit", (/** @type {Parameters<typeof sendSurvey>[0]} */ given) => void sendSurvey(given));
document.addEventListener("visibilitychange", () => readSignal.visibilityChanged());
actionButton.onclick = () => void changeHandover();
newButton.onclick = () => void startNewConversation();
window.addEventListener("storage", (event) => {
  if (!isOutboxKey(event.key)) return;
  outbox.wake();
  renderSoon();
});
window.addEventListener("offline", () => showConnection("reconnecting"));
window.addEventListener("online", () => {
  if (isReady) stream.connect();
  outbox.wake();
});
// A page that comes back from the browser's back-forward cache has a dead stream.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && isReady) stream.connect();
});

ready.then(
  () => {
    isReady = true;
    stream.connect();
    outbox.wake();
  },
  (error) => stop(toWords(error)),
);
void loadEndpoint();
