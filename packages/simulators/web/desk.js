// @ts-check

/** @import { Conversation, Overview } from "./desk-api.js" */

import { createApi, listVendors } from "./desk-api.js";
import { readFile } from "./desk-files.js";
import { initials, moveFocus, showLists } from "./desk-list.js";
import { keepEndInView, showTranscript } from "./desk-transcript.js";

const parameters = new URLSearchParams(location.search);
const vendor = parameters.get("vendor") ?? "live-agent";
const api = createApi(vendor);

/** @type {Map<string, Conversation>} */
const conversations = new Map();
/** @type {Overview | undefined} */
let overview;
/** @type {string | undefined} */
let selectedId = parameters.get("conversation") ?? undefined;
let agentName = sessionStorage.getItem("agent") ?? "";
/** What was written but not sent, by conversation. @type {Map<string, string>} */
const drafts = new Map();
/** The id of the last message seen, by conversation. @type {Map<string, string>} */
const seen = new Map();

/**
 * @template {HTMLElement} [Type=HTMLElement]
 * @param {string} id
 * @returns {Type}
 */
function find(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element "${id}".`);
  return /** @type {Type} */ (found);
}

const desk = find("desk");
const lists = find("lists");
const composer = /** @type {HTMLFormElement} */ (find("composer"));
const text = /** @type {HTMLTextAreaElement} */ (find("text"));
const agentSelect = /** @type {HTMLSelectElement} */ (find("agent"));
const vendorSelect = /** @type {HTMLSelectElement} */ (find("vendor"));
const fileInput = /** @type {HTMLInputElement} */ (find("file"));
const transferSelect = /** @type {HTMLSelectElement} */ (find("transfer"));

/* Showing */

function showAll() {
  showSidebar();
  showConversation();
}

function showSidebar() {
  showLists(lists, [...conversations.values()], { selectedId, unread: countUnread, onSelect: select });
  const queued = [...conversations.values()].filter((conversation) => conversation.status === "queued").length;
  document.title = queued > 0 ? `(${queued}) Agent desk` : "Agent desk";
}

function showConversation() {
  const conversation = selectedId === undefined ? undefined : conversations.get(selectedId);
  desk.dataset["view"] = conversation ? "conversation" : "list";
  find("placeholder").hidden = conversation !== undefined;
  find("open").hidden = conversation === undefined;
  if (!conversation) {
    showPlaceholder();
    return;
  }
  markSeen(conversation);
  const name = conversation.user || `Visitor ${conversation.id}`;
  find("user-name").textContent = name;
  find("user-avatar").textContent = initials(name);
  const status = find("status");
  status.textContent = { queued: "Waiting", active: "Active", closed: "Closed" }[conversation.status];
  status.dataset["status"] = conversation.status;
  find("details").textContent = `#${conversation.id}${conversation.agent ? ` · ${conversation.agent}` : ""}`;
  showTranscript(find("transcript"), conversation);
  showActions(conversation);
}

function showPlaceholder() {
  const queued = [...conversations.values()].some((conversation) => conversation.status === "queued");
  const isEmpty = conversations.size === 0;
  find("placeholder-title").textContent = queued ? "Somebody is waiting" : isEmpty ? "Nobody is waiting" : "No conversation selected";
  find("placeholder-text").textContent = queued
    ? "Choose a conversation from the queue and accept it."
    : "When a bot hands a conversation over, it shows up in the queue.";
}

/** @param {Conversation} conversation */
function showActions(conversation) {
  const isMine = conversation.status === "active" && conversation.agent === agentName;
  const isOpen = conversation.status !== "closed";
  const isOthers = conversation.status === "active" && !isMine;
  const can = (/** @type {string} */ ability) => overview?.abilities.includes(ability) ?? false;

  const accept = find("accept");
  accept.hidden = !isOpen || isMine;
  accept.textContent = isOthers && conversation.agent ? "Take over" : "Accept";
  find("leave").hidden = !isMine;
  find("close").hidden = !isOpen;
  find("reopen").hidden = isOpen || !can("reopen");
  find("survey").hidden = !can("survey") || conversation.messages.some((message) => message.contentType === "input_csat");
  find("attach").hidden = !can("attachment") || currentMode() === "note";
  showTransferTargets(isMine && can("transfer"));
  showCustomer(conversation);

  composer.hidden = !isMine;
  const hint = find("hint");
  hint.hidden = isMine;
  if (!isOpen) hint.textContent = "This conversation is closed.";
  else if (isOthers && conversation.agent) hint.textContent = `${conversation.agent} is answering. Take over to write.`;
  else hint.textContent = "Accept the conversation to answer. The customer is waiting.";
}

/**
 * What is known of the customer beside the lines: that they are typing, how they rated.
 * @param {Conversation} conversation
 */
function showCustomer({ isUserTyping, survey }) {
  const feedback = survey?.feedback ? `: ${survey.feedback}` : "";
  const line = find("customer");
  line.textContent = isUserTyping ? "The customer is typing …" : survey ? `Rated ${survey.rating} of 5${feedback}` : "";
  line.hidden = line.textContent === "";
}

/** @param {boolean} isPossible */
function showTransferTargets(isPossible) {
  const others = (overview?.agents ?? []).filter((agent) => agent.name !== agentName && agent.isOnline);
  const queues = overview?.queues ?? [];
  transferSelect.hidden = !isPossible || others.length + queues.length === 0;
  const options = [
    { value: "", label: "Transfer to …" },
    ...others.map(({ name }) => ({ value: name, label: name })),
    ...queues.map(({ id, name }) => ({ value: id, label: `Queue ${name}` })),
  ];
  fillSelect(transferSelect, options, "");
}

function showOverview() {
  if (!overview) return;
  const names = overview.agents.map((agent) => agent.name);
  if (!names.includes(agentName)) agentName = names[0] ?? "";
  const options = names.map((name) => ({ value: name, label: name }));
  fillSelect(agentSelect, options, agentName);
  find("vendor-title").textContent = `${overview.title} simulator`;
  const online = overview.agents.filter((agent) => agent.isOnline).length;
  find("agents-online").textContent = String(online);
  /** @type {HTMLButtonElement} */ (find("fewer-agents")).disabled = online === 0;
  find("modes").hidden = !overview.abilities.includes("note");
  showWebhook(overview);
}

/** @param {Overview} current */
function showWebhook({ webhookTarget, lastWebhook }) {
  const webhook = find("webhook");
  webhook.dataset["state"] = webhookTarget === undefined ? "none" : (lastWebhook?.outcome ?? "ready");
  const failure = lastWebhook?.outcome === "failed" ? `: ${lastWebhook.error ?? "failed"}` : "";
  find("webhook-text").textContent = webhookTarget === undefined ? "No webhook set" : `Webhook ${webhookTarget}${failure}`;
}

/**
 * Leaves a select alone that shows the same already: filling it would close it under the person's hand.
 * @param {HTMLSelectElement} select
 * @param {{ value: string, label: string }[]} options
 * @param {string} selected
 */
function fillSelect(select, options, selected) {
  const present = [...select.options].map(({ value, label }) => ({ value, label }));
  if (JSON.stringify(present) !== JSON.stringify(options)) {
    select.replaceChildren(...options.map(({ value, label }) => new Option(label, value)));
  }
  select.value = selected;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let toastTimer;

/** @param {string} message */
function showProblem(message) {
  const toast = find("toast");
  toast.textContent = message;
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.hidden = true), 6000);
}

/* What is read */

/** @param {Conversation} conversation */
function countUnread(conversation) {
  if (conversation.status === "closed") return 0;
  const last = seen.get(conversation.id);
  const first = conversation.messages.findIndex((message) => message.id === last) + 1;
  return conversation.messages.slice(first).filter((message) => message.author === "user").length;
}

/** @param {Conversation} conversation */
function markSeen(conversation) {
  const last = conversation.messages.at(-1)?.id;
  if (last === undefined || seen.get(conversation.id) === last) return;
  seen.set(conversation.id, last);
  showSidebar();
}

/** @param {string | undefined} id */
function select(id) {
  if (selectedId !== undefined) drafts.set(selectedId, text.value);
  forgetFile();
  stopTyping();
  selectedId = id;
  text.value = (id !== undefined && drafts.get(id)) || "";
  fitText();
  showAll();
  if (id === undefined) lists.querySelector("button")?.focus();
  else if (!composer.hidden) text.focus();
  else find("user-name").focus();
}

/* Doing */

/**
 * @param {string} action
 * @param {object} [body]
 */
async function act(action, body) {
  if (selectedId === undefined) return false;
  try {
    await api.act(selectedId, action, body);
    return true;
  } catch (error) {
    showProblem(error instanceof Error ? error.message : "That did not work.");
    return false;
  }
}

async function accept() {
  const conversation = selectedId === undefined ? undefined : conversations.get(selectedId);
  const isOthers = conversation?.status === "active" && conversation.agent !== undefined;
  if (await act(isOthers ? "transfer" : "accept", isOthers ? { to: agentName } : { agent: agentName })) wantsFocus = true;
}

async function send() {
  const written = text.value;
  const isNote = currentMode() === "note";
  const file = isNote ? undefined : fileInput.files?.[0];
  if (written.trim() === "" && !file) return;
  text.value = "";
  fitText();
  stopTyping();
  const isSent = await act(isNote ? "note" : "say", { text: written, ...(file ? { attachment: await readFile(file) } : {}) });
  if (isSent && file) forgetFile();
  if (!isSent && text.value === "") text.value = written;
  if (isNote && isSent) setMode("reply");
  text.focus();
}

function forgetFile() {
  fileInput.value = "";
  showFile();
}

function showFile() {
  find("file-name").textContent = fileInput.files?.[0]?.name ?? "Attach a file";
}

function currentMode() {
  return new FormData(composer).get("mode") === "note" ? "note" : "reply";
}

/** @param {"reply" | "note"} mode */
function setMode(mode) {
  const radio = /** @type {HTMLInputElement} */ (composer.querySelector(`input[value="${mode}"]`));
  radio.checked = true;
  showMode();
}

function showMode() {
  const isNote = currentMode() === "note";
  composer.dataset["mode"] = currentMode();
  text.placeholder = isNote ? "Write a note that only agents see …" : "Write a reply …";
  find("text-label").textContent = isNote ? "Your private note" : "Your reply";
  find("send").textContent = isNote ? "Add note" : "Send";
  find("attach").hidden = isNote || !(overview?.abilities.includes("attachment") ?? false);
  if (isNote) stopTyping();
}

/* Typing: on with the first key, off after a pause, on sending and on leaving the field */

const pauseMs = 4000;
/** @type {string | undefined} */
let typingIn;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typingTimer;

function noteTyping() {
  if (currentMode() === "note" || selectedId === undefined) return;
  if (text.value === "") {
    stopTyping();
    return;
  }
  clearTimeout(typingTimer);
  typingTimer = setTimeout(stopTyping, pauseMs);
  if (typingIn === selectedId) return;
  typingIn = selectedId;
  void api.act(selectedId, "type", { isTyping: true }).catch(() => undefined);
}

function stopTyping() {
  clearTimeout(typingTimer);
  if (typingIn === undefined) return;
  void api.act(typingIn, "type", { isTyping: false }).catch(() => undefined);
  typingIn = undefined;
}

function fitText() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, 160)}px`;
}

/* Wiring */

// The field appears with the event that follows an accepted conversation.
let wantsFocus = false;

api.follow({
  onSnapshot(current, listed) {
    overview = current;
    conversations.clear();
    for (const conversation of listed) conversations.set(conversation.id, conversation);
    desk.classList.remove("is-offline");
    showOverview();
    showAll();
  },
  onConversation(conversation) {
    conversations.set(conversation.id, conversation);
    showSidebar();
    if (conversation.id !== selectedId) {
      if (selectedId === undefined) showPlaceholder();
      return;
    }
    showConversation();
    if (wantsFocus && !composer.hidden) {
      wantsFocus = false;
      text.focus();
    }
  },
  onOverview(current) {
    overview = current;
    showOverview();
    const conversation = selectedId === undefined ? undefined : conversations.get(selectedId);
    if (conversation) showActions(conversation);
  },
  onLost() {
    desk.classList.add("is-offline");
    find("vendor-title").textContent = "Connection lost, trying again …";
  },
});

agentSelect.addEventListener("change", () => {
  agentName = agentSelect.value;
  sessionStorage.setItem("agent", agentName);
  showAll();
});
find("accept").addEventListener("click", () => void accept());
find("leave").addEventListener("click", () => void act("leave"));
find("close").addEventListener("click", () => void act("close"));
find("survey").addEventListener("click", () => void act("survey"));
fileInput.addEventListener("change", showFile);
find("reopen").addEventListener("click", () => void act("reopen"));
find("back").addEventListener("click", () => select(undefined));
transferSelect.addEventListener("change", () => {
  if (transferSelect.selectedIndex > 0) void act("transfer", { to: transferSelect.value });
});
composer.addEventListener("submit", (event) => {
  event.preventDefault();
  void send();
});
for (const radio of composer.querySelectorAll("input[name=mode]")) radio.addEventListener("change", showMode);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  void send();
});
text.addEventListener("input", () => {
  fitText();
  noteTyping();
});
text.addEventListener("blur", stopTyping);
lists.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  moveFocus(lists, event.key === "ArrowDown" ? 1 : -1);
});
for (const [id, step] of /** @type {const} */ ([
  ["fewer-agents", -1],
  ["more-agents", 1],
])) {
  find(id).addEventListener("click", () => {
    const online = Number(find("agents-online").textContent);
    void api.setAgents(Math.max(0, online + step)).catch((error) => showProblem(String(error)));
  });
}
/** A choice only where there is more than one. */
async function showVendors() {
  const vendors = await listVendors();
  const options = vendors.map(({ vendor: value, title: label }) => ({ value, label }));
  fillSelect(vendorSelect, options, vendor);
  find("vendor-choice").hidden = vendors.length < 2;
}

vendorSelect.addEventListener("change", () => location.assign(`?${new URLSearchParams({ vendor: vendorSelect.value })}`));
showVendors().catch((error) => showProblem(String(error)));
keepEndInView(find("transcript"));
setInterval(showSidebar, 30_000);
