// @ts-check
// The part of Markdown that people use in a chat, as plain data: bold, italic, code, links, line breaks. Everything else, HTML above all,
// stays the text that it is.

/** @import { MarkdownModule, MarkdownNode } from "./chat-types.d.ts" */

const allowedProtocols = new Set(["http:", "https:", "mailto:"]);
const longestParsedText = 20_000;
const deepestNesting = 6;

// One alternative per construct. The quantifiers run over classes that exclude their own end, so no text makes them slow.
const construct =
  /\\(?<escaped>[\\`*_[\]()~])|```(?:[a-z]*\n)?(?<block>[^`]+)```|`(?<code>[^`\n]+)`|\[(?<label>[^[\]\n]{1,500})\]\((?<target>[^()\s]{1,2000})\)|\*\*(?<strong>[^\s*](?:[^*\n]*[^\s*])?)\*\*|(?<![\p{L}\p{N}*_])(?<mark>[*_])(?<emphasis>[^\s*_](?:[^*_\n]*[^\s*_])?)\k<mark>(?![\p{L}\p{N}*_])|(?<url>https?:\/\/[^\s<>"']{1,2000})|(?<newline>\r?\n)/gu;

/** @type {MarkdownModule["parseMarkdown"]} */
export function parseMarkdown(text) {
  return text.length > longestParsedText ? splitLines(text) : parse(text, 0);
}

/** @type {MarkdownModule["safeHref"]} */
export function safeHref(href) {
  try {
    const url = new URL(href);
    return allowedProtocols.has(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} text @param {number} depth @returns {MarkdownNode[]} */
function parse(text, depth) {
  if (depth > deepestNesting) return [{ type: "text", text }];
  /** @type {MarkdownNode[]} */
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(construct)) {
    if (match.index > end) nodes.push({ type: "text", text: text.slice(end, match.index) });
    nodes.push(...toNodes(match[0], match.groups ?? {}, depth));
    end = match.index + match[0].length;
  }
  if (end < text.length) nodes.push({ type: "text", text: text.slice(end) });
  return nodes;
}

/** @param {string} source @param {Record<string, string | undefined>} groups @param {number} depth @returns {MarkdownNode[]} */
function toNodes(source, groups, depth) {
  const { escaped, block, code, label, target, strong, emphasis, url, newline } = groups;
  if (escaped !== undefined) return [{ type: "text", text: escaped }];
  if (newline !== undefined) return [{ type: "break" }];
  if (block !== undefined || code !== undefined) return [{ type: "code", text: block?.trimEnd() ?? code ?? "" }];
  if (strong !== undefined) return [{ type: "bold", children: parse(strong, depth + 1) }];
  if (emphasis !== undefined) return [{ type: "italic", children: parse(emphasis, depth + 1) }];
  if (url !== undefined) return toBareLink(url);
  const href = safeHref(target ?? "");
  if (href === undefined || label === undefined) return [{ type: "text", text: source }];
  return [{ type: "link", href, children: [{ type: "text", text: label }] }];
}

/** A full stop or bracket after an address belongs to the sentence. @param {string} url @returns {MarkdownNode[]} */
function toBareLink(url) {
  const address = url.replace(/[.,;:!?)\]*_]{1,20}$/u, "");
  const href = safeHref(address);
  const rest = url.slice(address.length);
  if (href === undefined) return [{ type: "text", text: url }];
  /** @type {MarkdownNode[]} */
  const nodes = [{ type: "link", href, children: [{ type: "text", text: address }] }];
  return rest ? [...nodes, { type: "text", text: rest }] : nodes;
}

/** @param {string} text @returns {MarkdownNode[]} */
function splitLines(text) {
  return text
    .split(/\r?\n/u)
    .flatMap((line, index) => (index === 0 ? [] : [/** @type {MarkdownNode} */ ({ type: "break" })]).concat({ type: "text", text: line }));
}
