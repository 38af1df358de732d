// @ts-check
// Which conversation this page shows. With open access the id is the only secret, so it is long, random, and never in the page's address
// unless the address came with it.

/** 128 random bits, base64url. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** @param {string} endpoint */
const storageKey = (endpoint) => `handover:conversation:${encodeURIComponent(endpoint)}`;

/**
 * The conversation of the address (`?conversation=`), else the remembered one, else a new one that is remembered from now on.
 * @param {{ endpoint: string, search: string, storage: import("./chat-types.d.ts").KeyValueStorage }} options
 */
export function findConversationId({ endpoint, search, storage }) {
  const fromAddress = new URLSearchParams(search).get("conversation");
  if (fromAddress) return fromAddress;
  return storage.getItem(storageKey(endpoint)) ?? rememberConversationId({ endpoint, storage, conversation: randomId() });
}

/** @param {{ endpoint: string, storage: import("./chat-types.d.ts").KeyValueStorage, conversation: string }} options */
export function rememberConversationId({ endpoint, storage, conversation }) {
  storage.setItem(storageKey(endpoint), conversation);
  return conversation;
}

/**
 * The token of `#token=<JWT>` and the conversation it names, or undefined. The claim only says where to look: the server checks the token.
 * @param {string} hash
 */
export function readAccessToken(hash) {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  if (!token) return undefined;
  return { token, conversation: readConversationClaim(token) };
}

/** @param {string} token */
function readConversationClaim(token) {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    /** @type {unknown} */
    const conversation = JSON.parse(new TextDecoder().decode(bytes)).conversation;
    return typeof conversation === "string" && conversation !== "" ? conversation : undefined;
  } catch {
    return undefined;
  }
}
