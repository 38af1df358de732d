// @ts-check
// <chat-log>: the messages and lines of the conversation. It keeps the elements of items that did not change, so that a screen reader
// hears only what is new, and stays at the end unless the reader has scrolled up.
import { element, emit, toElement } from "./message-view.js";

/** @import { ViewItem } from "./chat-types.d.ts" */

const nearEndPx = 80;

export class ChatLog extends HTMLElement {
  /** @type {Map<string, { element: HTMLElement, signature: string }>} */
  #shown = new Map();
  #greeting = element("p", "greeting");
  #list = element("div", "list");
  #toEnd = element("button", "to-end", "New messages ↓");
  #isAtEnd = true;
  /** Says which entries were on the screen. */
  #watcher = new IntersectionObserver((seen) => this.#noteSeen(seen), { threshold: 0.5 });

  connectedCallback() {
    this.#list.setAttribute("role", "log");
    this.#list.setAttribute("aria-live", "polite");
    this.#list.setAttribute("aria-label", "Conversation");
    this.#list.tabIndex = 0;
    this.#list.append(this.#greeting);
    this.#toEnd.type = "button";
    this.#toEnd.hidden = true;
    this.#toEnd.onclick = () => this.#scrollToEnd();
    this.#list.addEventListener("scroll", () => this.#noteScroll());
    this.append(this.#list, this.#toEnd);
    new ResizeObserver(() => this.#isAtEnd && this.#scrollToEnd()).observe(this.#list);
  }

  /** @param {string} text */
  greet(text) {
    this.#greeting.textContent = text;
  }

  /** @param {ViewItem[]} items */
  show(items) {
    const shown = new Map();
    let before = /** @type {Element} */ (this.#greeting);
    let hasNews = false;
    for (const item of items) {
      const signature = JSON.stringify(item);
      const known = this.#shown.get(item.key);
      const current = known?.signature === signature ? known.element : toElement(item);
      hasNews ||= !known;
      if (known && known.element !== current) known.element.replaceWith(current);
      if (before.nextElementSibling !== current) before.after(current);
      if (current !== known?.element && item.kind === "message" && item.side === "other") this.#watcher.observe(current);
      before = current;
      shown.set(item.key, { element: current, signature });
    }
    for (const [key, { element: old }] of this.#shown) if (!shown.has(key)) old.remove();
    this.#shown = shown;
    if (this.#isAtEnd || items.at(-1)?.key.startsWith("own:")) this.#scrollToEnd();
    else if (hasNews) this.#toEnd.hidden = false;
  }

  /** @param {IntersectionObserverEntry[]} changes */
  #noteSeen(changes) {
    for (const { target, isIntersecting } of changes) {
      if (!isIntersecting) continue;
      this.#watcher.unobserve(target);
      const seq = target instanceof HTMLElement ? Number(target.dataset["seq"]) : Number.NaN;
      if (Number.isInteger(seq)) emit(this, "seen", { seq });
    }
  }

  #noteScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.#list;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < nearEndPx;
    if (this.#isAtEnd) this.#toEnd.hidden = true;
  }

  #scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
    this.#isAtEnd = true;
    this.#toEnd.hidden = true;
  }
}
customElements.define("chat-log", ChatLog);
