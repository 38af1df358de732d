// @ts-check
// The Channel API, as far as this page uses it.

/** @import { Attachment, EndpointInfo, OutboxRecord, SendResult } from "./chat-types.d.ts" */

const retriable = new Set([408, 425, 429]);

/** @param {{ baseUrl: URL, endpoint: string, conversation: string }} options */
export function createChannelClient({ baseUrl, endpoint, conversation }) {
  const endpointUrl = new URL(`endpoints/${encodeURIComponent(endpoint)}`, baseUrl).href;
  const conversationUrl = `${endpointUrl}/conversations/${encodeURIComponent(conversation)}`;

  /** @param {string} path @param {unknown} [body] @param {RequestInit} [init] */
  const post = (path, body, init) =>
    fetch(`${conversationUrl}/${path}`, {
      method: "POST",
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
      ...init,
    });

  return {
    /** @param {number} after */
    eventsUrl: (after) => `${conversationUrl}/events?after=${String(after)}`,

    /** Undefined when the endpoint does not exist; throws when nobody answers. @returns {Promise<EndpointInfo | undefined>} */
    async readEndpoint() {
      const response = await fetch(endpointUrl);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`Endpoint answered ${String(response.status)}`);
      return await response.json();
    },

    /** The status with which the stream of events is refused, or 200. */
    async probeEvents() {
      const reading = new AbortController();
      const response = await fetch(this.eventsUrl(0), { signal: reading.signal });
      reading.abort();
      return response.status;
    },

    /** @param {OutboxRecord} record @param {AbortSignal} signal @returns {Promise<SendResult>} */
    async sendMessage({ id, text, answer, attachments }, signal) {
      const files = attachments ? { attachments: attachments.map((attachment) => attachment.id) } : {};
      try {
        return await toSendResult(await post("messages", { id, text, ...(answer ? { answer } : {}), ...files }, { signal }));
      } catch {
        return { kind: "retry" };
      }
    },

    /** Throws an error whose words are for the user. @param {File} file @param {AbortSignal} signal @returns {Promise<Attachment>} */
    async uploadFile(file, signal) {
      const form = new FormData();
      form.append("file", file);
      const response = await expectSuccess(post("attachments", undefined, { body: form, signal }));
      return await response.json();
    },

    /** The entry or record with links to its files that work from here, wherever the server thinks it is. @template {{ readonly attachments?: readonly Attachment[] }} Item @param {Item} item @returns {Item} */
    withFileLinks(item) {
      if (!item.attachments) return item;
      const attachments = item.attachments.map((attachment) => {
        const path = `/attachments/${encodeURIComponent(attachment.id)}`;
        const isOfConversation =
          attachment.url === undefined || isUnder(attachment.url, `/conversations/${encodeURIComponent(conversation)}${path}`);
        return isOfConversation ? { ...attachment, url: conversationUrl + path, isOfConversation } : attachment;
      });
      return { ...item, attachments };
    },

    /** Typing is never worth an error. @param {boolean} isTyping */
    sendTyping: (isTyping) => void post("typing", { isTyping }).catch(() => undefined),

    /** What was read is told again with the next entry. @param {number} seq */
    sendRead: (seq) => void post("read", { seq }).catch(() => undefined),

    /** @param {string} survey @param {Readonly<Record<string, string | number>>} answers */
    sendSurvey: (survey, answers) => expectSuccess(post("survey", { survey, answers })),

    requestHandover: () => expectSuccess(post("handover", {})),
    endHandover: () => expectSuccess(fetch(`${conversationUrl}/handover`, { method: "DELETE" }), 404),

    /** Exchanges the token of the host app for the cookie of this conversation. @param {string} token */
    exchangeAccess: (token) => expectSuccess(post("access", undefined, { headers: { Authorization: `Bearer ${token}` } })),
  };
}

/** @param {string} url @param {string} end */
function isUnder(url, end) {
  return URL.canParse(url, document.baseURI) && new URL(url, document.baseURI).pathname.endsWith(end);
}

/** @param {Response} response @returns {Promise<SendResult>} */
async function toSendResult(response) {
  if (response.ok) {
    const body = await response.json().catch(() => undefined);
    return { kind: "accepted", seq: typeof body?.seq === "number" ? body.seq : undefined };
  }
  if (response.status < 500 && !retriable.has(response.status)) return { kind: "refused", detail: await readProblem(response) };
  const afterMs = readRetryAfterMs(response.headers.get("Retry-After"));
  return { kind: "retry", ...(afterMs === undefined ? {} : { afterMs }) };
}

/** @param {string | null} value seconds or a date */
function readRetryAfterMs(value) {
  if (!value) return undefined;
  const seconds = Number(value);
  const delayMs = Number.isNaN(seconds) ? Date.parse(value) - Date.now() : seconds * 1000;
  return Number.isNaN(delayMs) ? undefined : Math.max(0, delayMs);
}

/** The words of a problem document (RFC 9457), else general ones. @param {Response} response */
async function readProblem(response) {
  const problem = await response.json().catch(() => undefined);
  const words = problem?.detail ?? problem?.title;
  return typeof words === "string" && words !== "" ? words : "The server did not accept this.";
}

/** @param {Promise<Response>} call @param {number} [alsoFine] */
async function expectSuccess(call, alsoFine) {
  const response = await call.catch(() => undefined);
  if (!response) throw new Error("The server cannot be reached. Please try again.");
  if (!response.ok && response.status !== alsoFine) throw new Error(await readProblem(response));
  return response;
}
