// @ts-check
// <chat-composer>: where the user writes. Emits `compose` with the text, and `field-change` while the user types.
import { element, emit } from "./message-view.js";

export class ChatComposer extends HTMLElement {
  #field = element("textarea", "");
  #button = element("button", "send", "Send");

  connectedCallback() {
    const form = element("form", "composer");
    const label = element("label", "visually-hidden", "Your message");
    this.#field.id = "message";
    this.#field.rows = 1;
    this.#field.placeholder = "Write a message ...";
    this.#field.dir = "auto";
    this.#field.enterKeyHint = "send";
    label.htmlFor = this.#field.id;
    this.#button.type = "submit";
    form.append(label, this.#field, this.#button);
    form.onsubmit = (event) => (event.preventDefault(), this.#send());
    this.#field.oninput = () => emit(this, "field-change", { isEmpty: this.#text === "" });
    this.#field.onkeydown = (event) => {
      // While an input method composes, Enter picks a word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    };
    this.append(form);
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  disable() {
    this.#field.disabled = true;
    this.#button.disabled = true;
  }

  get #text() {
    return this.#field.value.trim();
  }

  #send() {
    const text = this.#text;
    if (text === "" || this.#field.disabled) return;
    if (!emit(this, "compose", { text })) return;
    this.#field.value = "";
    emit(this, "field-change", { isEmpty: true });
    this.#field.focus();
  }
}
customElements.define("chat-composer", ChatComposer);
