// @ts-check

/** @import { Conversation, Message } from "./desk-api.js" */

import { element, formatTime } from "./desk-list.js";

/** @typedef {Omit<Message, "author"> & { author: Message["author"] | "note" }} Line */

const labels = { user: "Customer", bot: "Bot", agent: "Agent", system: "", note: "Private note" };
const sameSpeakerMs = 120_000;

/**
 * Shows the transcript. What is shown already stays as it is, so that a screen reader hears the new lines only, and somebody who
 * scrolled back is not moved.
 * @param {HTMLElement} container
 * @param {Conversation} conversation
 */
export function showTranscript(container, conversation) {
  const isOther = container.dataset["id"] !== conversation.id;
  const wasAtEnd = isOther || container.scrollHeight - container.scrollTop - container.clientHeight < 60;
  if (isOther) container.replaceChildren();
  container.dataset["id"] = conversation.id;

  /** @type {Line | undefined} */
  let former;
  for (const [index, line] of linesOf(conversation).entries()) {
    showLine(container, index, line, former);
    former = line;
  }
  if (wasAtEnd) container.scrollTop = container.scrollHeight;
}

/**
 * Keeps the last line in view when the window or the field below changes its size.
 * @param {HTMLElement} container
 */
export function keepEndInView(container) {
  let isAtEnd = true;
  container.addEventListener("scroll", () => (isAtEnd = container.scrollHeight - container.scrollTop - container.clientHeight < 60));
  new ResizeObserver(() => {
    if (isAtEnd) container.scrollTop = container.scrollHeight;
  }).observe(container);
}

/**
 * @param {HTMLElement} container
 * @param {number} index
 * @param {Line} line
 * @param {Line | undefined} former
 */
function showLine(container, index, line, former) {
  const version = JSON.stringify([line.id, line.text, line.isFailed, line.isRead, line.attachments?.length, line.at]);
  const present = /** @type {HTMLElement | undefined} */ (container.children[index]);
  if (present?.dataset["version"] === version) return;
  const created = createLine(line, former);
  created.dataset["version"] = version;
  if (present) present.replaceWith(created);
  else container.append(created);
}

/**
 * @param {Conversation} conversation
 * @returns {Line[]}
 */
function linesOf(conversation) {
  if (conversation.notes.length === 0) return conversation.messages;
  const notes = conversation.notes.map((note) => /** @type {Line} */ ({ ...note, author: "note" }));
  return [...conversation.messages, ...notes].sort((left, right) => Number(left.id) - Number(right.id));
}

/**
 * @param {Line} line
 * @param {Line | undefined} former
 */
function createLine(line, former) {
  const continues =
    former?.author === line.author && former.name === line.name && Math.abs(Date.parse(line.at) - Date.parse(former.at)) < sameSpeakerMs;
  const article = element("article", `entry ${line.author}${continues ? " continues" : ""}`);
  if (isOtherDay(line, former)) article.append(element("p", "day", new Date(line.at).toLocaleDateString([], { dateStyle: "full" })));

  const heading = element("p", "meta");
  if (line.author !== "system") heading.append(element("strong", "", line.name || labels[line.author]));
  if (line.name && line.author !== "system") heading.append(element("span", "kind", labels[line.author]));
  const time = /** @type {HTMLTimeElement} */ (element("time", "", formatTime(line.at)));
  time.dateTime = line.at;
  time.title = new Date(line.at).toLocaleString();
  heading.append(time);

  const files = (line.attachments ?? []).map(createFile);
  const body = line.text === "" && files.length > 0 ? files : [element("p", "body", line.text), ...files];
  if (line.isRead) heading.append(element("span", "kind", "Seen"));
  if (line.contentType) heading.append(element("span", "kind", line.contentType));
  if (line.author === "system") article.append(...body, heading);
  else article.append(heading, ...body);
  if (line.isFailed) article.append(element("p", "failed", "Not delivered: the webhook’s receiver did not take it."));
  return article;
}

/** @param {NonNullable<Message["attachments"]>[number]} attachment */
function createFile({ name, url }) {
  const paragraph = element("p", "body", "Attachment: ");
  if (url === undefined) {
    paragraph.append(name);
    return paragraph;
  }
  const link = /** @type {HTMLAnchorElement} */ (element("a", "file", name));
  link.href = url;
  link.target = "_blank";
  link.rel = "noreferrer";
  paragraph.append(link);
  return paragraph;
}

/**
 * @param {Line} line
 * @param {Line | undefined} former
 */
function isOtherDay(line, former) {
  const day = (/** @type {string} */ at) => new Date(at).toDateString();
  return former ? day(former.at) !== day(line.at) : day(line.at) !== new Date().toDateString();
}
