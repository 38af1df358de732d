// @ts-check
// <chat-composer>: where the user writes. Emits `compose` with the text and the files, and `field-change` while the user types.
import { element, emit } from "./message-view.js";
import { PickedFiles } from "./picked-files.js";

/** @import { Attachment } from "./chat-types.d.ts" */

export class ChatComposer extends HTMLElement {
  #field = element("textarea", "");
  #button = element("button", "send", "Send");
  #attach = element("button", "attach", "");
  #input = element("input", "");
  #files = new PickedFiles();

  /** Sends one file to the server. @param {(file: File, signal: AbortSignal) => Promise<Attachment>} upload */
  set upload(upload) {
    this.#files.upload = upload;
  }

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
    form.append(this.#prepareAttach(), this.#input, label, this.#field, this.#button);
    this.#files.addEventListener("files-change", () => (this.#button.disabled = this.#field.disabled || this.#files.isUploading));
    form.onsubmit = (event) => (event.preventDefault(), this.#send());
    this.#field.oninput = () => emit(this, "field-change", { isEmpty: this.#text === "" });
    this.#field.onkeydown = (event) => {
      // While an input method composes, Enter picks a word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    };
    this.append(this.#files, form);
    if (matchMedia("(pointer: fine)").matches) this.#field.focus();
  }

  disable() {
    this.#field.disabled = true;
    this.#button.disabled = true;
    this.#attach.disabled = true;
  }

  /** A button in front of the browser's own control, which cannot be given a shape. */
  #prepareAttach() {
    this.#attach.type = "button";
    this.#attach.title = "Attach files";
    this.#attach.setAttribute("aria-label", "Attach files");
    this.#attach.onclick = () => this.#input.click();
    this.#input.type = "file";
    this.#input.multiple = true;
    this.#input.hidden = true;
    this.#input.onchange = () => {
      this.#files.add(this.#input.files ?? []);
      this.#input.value = "";
      this.#field.focus();
    };
    return this.#attach;
  }

  get #text() {
    return this.#field.value.trim();
  }

  #send() {
    const text = this.#text;
    const { attachments, isUploading } = this.#files;
    if (this.#field.disabled || isUploading || (text === "" && attachments.length === 0)) return;
    if (!emit(this, "compose", { text, attachments })) return;
    this.#field.value = "";
    this.#files.clear();
    emit(this, "field-change", { isEmpty: true });
    this.#field.focus();
  }
}
customElements.define("chat-composer", ChatComposer);
