// @ts-check
// One item of the log as elements. Text from outside only ever becomes a text node.
import { toAttachmentElement } from "./attachment-view.js";
import { parseMarkdown, safeHref } from "./markdown.js";
import { toSurveyElement } from "./survey-view.js";
import { toClockTime } from "./time-words.js";

/** @import { Card, Choice, LineItem, MarkdownNode, MessageItem, ViewItem } from "./chat-types.d.ts" */

/** @type {Readonly<Record<string, string>>} */
const stateWords = { pending: "Sending ...", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered" };

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {string} className @param {(Node | string)[]} children
 */
export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** @param {ViewItem} item @returns {HTMLElement} */
export function toElement(item) {
  if (item.kind === "message") return toMessageElement(item);
  return item.kind === "survey" ? toSurveyElement(item) : toLineElement(item);
}

/** @param {LineItem} item */
function toLineElement(item) {
  if (item.kind === "day") return element("div", "day", element("span", "", item.text));
  const line = element("div", `line ${item.tone}`, element("span", "", item.text));
  line.append(" ", toTimeElement(item.at));
  if (item.choices?.length) line.append(toChoicesElement(item.choices, { seq: item.seq, chosen: item.chosen }));
  return line;
}

/** @param {MessageItem} item */
function toMessageElement(item) {
  const bubble = element("div", `bubble${item.isDeleted ? " deleted" : ""}`);
  if (item.text) bubble.append(toTextElement(item));
  bubble.append(...item.cards.map((card) => toCardElement(card)), ...item.attachments.map(toAttachmentElement));
  const body = element("div", "body");
  if (!item.isContinued) body.append(element("div", "author", element("span", "name", item.name), " ", toTimeElement(item.at)));
  body.append(bubble);
  const choices = [...item.choices, ...item.cards.flatMap((card) => card.choices ?? [])];
  if (choices.length > 0) body.append(toChoicesElement(choices, item));
  body.append(...toFootElements(item));
  const row = element("article", `message ${item.side} ${item.role}${item.isContinued ? " continued" : ""} ${item.state ?? ""}`);
  row.setAttribute("aria-label", `${item.name}, ${toClockTime(item.at)}`);
  if (item.seq !== undefined) row.dataset["seq"] = String(item.seq);
  // Nobody needs to have read out what they just wrote; a failure speaks for itself.
  if (item.side === "own") row.setAttribute("aria-live", "off");
  else row.append(toAvatarElement(item));
  row.append(body);
  return row;
}

/** @param {MessageItem} item */
function toAvatarElement(item) {
  const avatar = element("span", `avatar tone-${String(item.tone)}`, item.isContinued ? "" : item.initials);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

/** @param {MessageItem} item */
function toTextElement(item) {
  const text = element("div", "text");
  text.dir = "auto";
  if (item.format === "markdown") text.append(...parseMarkdown(item.text).map(toMarkdownElement));
  else text.append(item.text);
  return text;
}

/** @param {MarkdownNode} node @returns {Node | string} */
function toMarkdownElement(node) {
  if (node.type === "text") return node.text;
  if (node.type === "break") return document.createElement("br");
  if (node.type === "code") return element("code", node.text.includes("\n") ? "block" : "", node.text);
  const children = node.children.map(toMarkdownElement);
  if (node.type === "link") return toLinkElement(node.href, children);
  return element(node.type === "bold" ? "strong" : "em", "", ...children);
}

/** @param {string} href one that `safeHref` let through @param {(Node | string)[]} children */
export function toLinkElement(href, children) {
  const link = element("a", "", ...children);
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return link;
}

/** @param {Card} card */
function toCardElement(card) {
  const box = element("div", "card");
  const href = safeHref(card.url ?? "");
  if (card.title) box.append(element("div", "card-title", href ? toLinkElement(href, [card.title]) : card.title));
  if (card.text) box.append(element("div", "", card.text));
  if (href && !card.title) box.append(toLinkElement(href, [href]));
  // Pictures of others are not loaded: whoever has them would learn who reads here.
  const picture = safeHref(card.imageUrl ?? "");
  if (picture) box.append(element("div", "", toLinkElement(picture, ["Picture"])));
  return box;
}

/** @param {readonly Choice[]} choices @param {{ seq?: number | undefined, chosen?: string | undefined }} item */
function toChoicesElement(choices, item) {
  const group = element("div", "choices");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Suggested answers");
  for (const choice of choices) {
    const button = element("button", `choice${choice.id === item.chosen ? " chosen" : ""}`, choice.title);
    button.type = "button";
    button.disabled = item.chosen !== undefined;
    button.onclick = () => emit(button, "choose", { seq: item.seq, choice });
    group.append(button);
  }
  return group;
}

/** What is said below a message: its state, and anything unusual. @param {MessageItem} item */
function toFootElements(item) {
  const words = [];
  if (item.isEdited) words.push("Edited");
  if (item.isLate) words.push("Arrived late");
  if (item.isPossiblyDuplicated) words.push("May have been delivered twice");
  if (item.state && item.state !== "failed") words.push(stateWords[item.state] ?? "");
  const feet = [];
  if (item.state === "failed") feet.push(toFailureElement(item));
  else if (item.failure) feet.push(element("div", "foot failure", item.failure));
  if (words.length > 0) feet.push(element("div", "foot", words.join(" · ")));
  return feet;
}

/** @param {MessageItem} item */
function toFailureElement(item) {
  const foot = element("div", "foot failure", element("strong", "", item.outboxId ? "Not sent" : "Not delivered"));
  if (item.failure) foot.append(". ", item.failure);
  foot.setAttribute("role", "alert");
  const { outboxId } = item;
  if (outboxId === undefined) return foot;
  foot.append(toFootButton("Try again", () => emit(foot, "retry", { id: outboxId })));
  foot.append(toFootButton("Remove", () => emit(foot, "discard", { id: outboxId })));
  return foot;
}

/** @param {string} label @param {() => void} onClick */
function toFootButton(label, onClick) {
  const button = element("button", "link", label);
  button.type = "button";
  button.onclick = onClick;
  return button;
}

/** @param {string} at */
function toTimeElement(at) {
  const time = element("time", "", toClockTime(at));
  time.dateTime = at;
  return time;
}

/** False when the listener could not do what was asked. @param {HTMLElement} from @param {string} type @param {unknown} detail */
export function emit(from, type, detail) {
  return from.dispatchEvent(new CustomEvent(type, { bubbles: true, cancelable: true, detail }));
}
