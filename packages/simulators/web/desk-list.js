// @ts-check

/** @import { Conversation, Message } from "./desk-api.js" */

const sections = /** @type {const} */ ([
  { status: "queued", title: "Queue", empty: "Nobody is waiting." },
  { status: "active", title: "Active", empty: "Accept a conversation to start." },
  { status: "closed", title: "Closed", empty: "" },
]);

/**
 * Shows the conversations by state: the longest waiting first, then the latest activity first.
 * @param {HTMLElement} container
 * @param {Conversation[]} conversations
 * @param {{ selectedId: string | undefined, unread(conversation: Conversation): number, onSelect(id: string): void }} options
 */
export function showLists(container, conversations, options) {
  const focusedId = container.contains(document.activeElement)
    ? /** @type {HTMLElement} */ (document.activeElement).dataset["id"]
    : undefined;
  const shown = sections.flatMap(({ status, title, empty }) => {
    const members = conversations.filter((conversation) => conversation.status === status).sort(status === "queued" ? byAge : byActivity);
    if (members.length === 0 && empty === "") return [];
    return [showSection(status, title, empty, members, options)];
  });
  container.replaceChildren(...shown);
  if (focusedId !== undefined) findItem(container, focusedId)?.focus();
}

/**
 * Moves the focus to the item above or below.
 * @param {HTMLElement} container
 * @param {1 | -1} step
 */
export function moveFocus(container, step) {
  const items = /** @type {HTMLElement[]} */ ([...container.querySelectorAll(".item")]);
  const index = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  items[index + step]?.focus();
}

/**
 * @param {string} status
 * @param {string} title
 * @param {string} empty
 * @param {Conversation[]} members
 * @param {Parameters<typeof showLists>[2]} options
 */
function showSection(status, title, empty, members, options) {
  const section = element("section", `list ${status}`);
  const heading = element("h2", "", title);
  heading.append(element("span", "count", String(members.length)));
  section.append(heading);
  if (members.length === 0) section.append(element("p", "empty", empty));
  const list = element("ul", "");
  list.append(...members.map((conversation) => showItem(conversation, options)));
  section.append(list);
  return section;
}

/**
 * @param {Conversation} conversation
 * @param {Parameters<typeof showLists>[2]} options
 */
function showItem(conversation, options) {
  const last = lastSpoken(conversation);
  const unread = options.unread(conversation);
  const button = /** @type {HTMLButtonElement} */ (element("button", "item"));
  button.type = "button";
  button.dataset["id"] = conversation.id;
  if (conversation.id === options.selectedId) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => options.onSelect(conversation.id));

  const top = element("span", "line");
  top.append(element("strong", "", conversation.user || `Visitor ${conversation.id}`), element("span", "when", describeTime(conversation)));
  const bottom = element("span", "line");
  bottom.append(element("span", "preview", last ? `${speaker(last.author)}${describe(last)}` : "No messages yet"));
  if (unread > 0) {
    const badge = element("span", "unread", String(unread));
    badge.append(element("span", "hidden", unread === 1 ? " new message" : " new messages"));
    bottom.append(badge);
  }
  const text = element("span", "text");
  text.append(top, bottom);
  const avatar = element("span", "avatar", initials(conversation.user || "?"));
  avatar.setAttribute("aria-hidden", "true");
  button.append(avatar, text);
  const item = document.createElement("li");
  item.append(button);
  return item;
}

/** @param {Conversation} conversation */
function describeTime(conversation) {
  if (conversation.status !== "queued") return formatTime(lastSpoken(conversation)?.at ?? conversation.createdAt);
  const minutes = Math.floor((Date.now() - Date.parse(conversation.createdAt)) / 60_000);
  if (minutes < 1) return "just now";
  return minutes < 60 ? `waits ${minutes} min` : `waits ${Math.floor(minutes / 60)} h`;
}

/** @param {Conversation} conversation */
function lastSpoken(conversation) {
  return conversation.messages.findLast((message) => message.author !== "system");
}

/** @param {Message} message */
function describe({ text, attachments = [] }) {
  return text || attachments.map((attachment) => attachment.name).join(", ");
}

/** @param {string} author */
function speaker(author) {
  if (author === "agent") return "Agent: ";
  return author === "bot" ? "Bot: " : "";
}

/**
 * @param {Conversation} left
 * @param {Conversation} right
 */
function byAge(left, right) {
  return left.createdAt.localeCompare(right.createdAt);
}

/**
 * @param {Conversation} left
 * @param {Conversation} right
 */
function byActivity(left, right) {
  const activity = (/** @type {Conversation} */ { messages, createdAt }) =>
    Math.max(Date.parse(createdAt), Date.parse(messages.at(-1)?.at ?? createdAt));
  return activity(right) - activity(left);
}

/**
 * @param {HTMLElement} container
 * @param {string} id
 */
function findItem(container, id) {
  return /** @type {HTMLElement | null} */ (container.querySelector(`[data-id="${CSS.escape(id)}"]`));
}

/** @param {string} at */
export function formatTime(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/);
  return words
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase() ?? "")
    .join("");
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
export function element(tag, className, text) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  if (text !== undefined) created.textContent = text;
  return created;
}
