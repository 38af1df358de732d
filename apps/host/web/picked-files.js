// @ts-check
// <picked-files>: the files that go with the next message. Each is sent to the server as soon as it was picked; `files-change` tells
// that something changed.
import { element, emit } from "./message-view.js";
import { toSizeWords } from "./size-words.js";

/** @import { Attachment } from "./chat-types.d.ts" */

/**
 * @typedef {object} PickedFile
 * @property {File} file
 * @property {AbortController} abort
 * @property {Attachment} [attachment] what the server made of it
 * @property {string} [failure] why it could not be sent
 */

export class PickedFiles extends HTMLElement {
  /** @type {PickedFile[]} */
  #files = [];
  #list = element("ul", "picked-files");

  /** Sends one file. Set before the first one is picked. @type {(file: File, signal: AbortSignal) => Promise<Attachment>} */
  upload = () => Promise.reject(new Error("Files cannot be sent here."));

  connectedCallback() {
    this.#list.setAttribute("aria-label", "Picked files");
    this.append(this.#list);
    this.#show();
  }

  /** True while the server does not have all of them. */
  get isUploading() {
    return this.#files.some(({ attachment, failure }) => !attachment && failure === undefined);
  }

  /** Those that the server has. @returns {Attachment[]} */
  get attachments() {
    return this.#files.flatMap(({ attachment }) => attachment ?? []);
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      /** @type {PickedFile} */
      const picked = { file, abort: new AbortController() };
      this.#files.push(picked);
      void this.#send(picked);
    }
    this.#changed();
  }

  /** They were sent with a message: only those that failed stay. */
  clear() {
    this.#files = this.#files.filter(({ attachment }) => !attachment);
    this.#changed();
  }

  /** @param {PickedFile} picked */
  async #send(picked) {
    try {
      picked.attachment = await this.upload(picked.file, picked.abort.signal);
    } catch (error) {
      picked.failure = error instanceof Error ? error.message : "It could not be sent.";
    }
    this.#changed();
  }

  /** @param {PickedFile} picked */
  #remove(picked) {
    picked.abort.abort();
    this.#files = this.#files.filter((file) => file !== picked);
    this.#changed();
  }

  #changed() {
    this.#show();
    emit(this, "files-change", undefined);
  }

  #show() {
    this.hidden = this.#files.length === 0;
    this.#list.replaceChildren(...this.#files.map((picked) => this.#toItem(picked)));
  }

  /** @param {PickedFile} picked */
  #toItem(picked) {
    const { file, attachment, failure } = picked;
    const item = element("li", failure === undefined ? "" : "failed", element("span", "file-name", file.name));
    const state = failure ?? (attachment ? toSizeWords(file.size) : "Sending ...");
    const words = element("span", "file-state", state);
    words.setAttribute("role", failure === undefined ? "status" : "alert");
    const remove = element("button", "link", "Remove");
    remove.type = "button";
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.onclick = () => this.#remove(picked);
    item.append(words, remove);
    return item;
  }
}
customElements.define("picked-files", PickedFiles);
