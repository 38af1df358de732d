// @ts-check
// One file of a message: its name and size, and what it shows if it is a picture of this conversation.
import { safeHref } from "./markdown.js";
import { element, toLinkElement } from "./message-view.js";
import { toSizeWords } from "./size-words.js";

/** @import { Attachment } from "./chat-types.d.ts" */

const pictures = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** @param {Attachment} attachment */
export function toAttachmentElement(attachment) {
  const name = attachment.name ?? "File";
  const size = attachment.sizeBytes === undefined ? "" : ` (${toSizeWords(attachment.sizeBytes)})`;
  const href = attachment.url === undefined ? undefined : safeHref(new URL(attachment.url, document.baseURI).href);
  const label = [element("span", "file-name", name), size];
  if (!href) return element("div", "attachment", ...label);
  const link = toLinkElement(href, label);
  link.className = "attachment";
  if (attachment.isOfConversation && pictures.has(attachment.type ?? "")) link.prepend(toPreview(href, name));
  return link;
}

/** @param {string} href @param {string} name */
function toPreview(href, name) {
  const image = element("img", "preview");
  image.alt = `Picture: ${name}`;
  image.loading = "lazy";
  image.decoding = "async";
  // What cannot be shown is still a link.
  image.onerror = () => image.remove();
  image.src = href;
  return image;
}
