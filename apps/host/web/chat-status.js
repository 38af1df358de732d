// @ts-check
// <chat-status>: who the user is talking to, in one line.
import { element } from "./message-view.js";

/** @import { StatusView } from "./chat-types.d.ts" */

export class ChatStatus extends HTMLElement {
  #text = element("span", "status-text");

  connectedCallback() {
    this.setAttribute("role", "status");
    const dot = element("span", "dot");
    dot.setAttribute("aria-hidden", "true");
    this.append(dot, this.#text);
  }

  /** @param {StatusView} status */
  show(status) {
    this.dataset["mode"] = status.mode;
    if (this.#text.textContent !== status.text) this.#text.textContent = status.text;
  }
}
customElements.define("chat-status", ChatStatus);
