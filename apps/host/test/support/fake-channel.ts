import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { EndpointInfo, Entry, Receipt, TypingEvent } from "../../web/chat-types.d.ts";

/** The policy the chat page has to live with. */
export const chatPagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";

const webFolder = new URL("../../web/", import.meta.url);
const contentTypes: Readonly<Record<string, string>> = { js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** A request that reached the fake, with the part of the path below the conversation. */
export interface ChannelRequest {
  readonly method: string;
  readonly conversation: string | undefined;
  readonly route: string;
  readonly after: number | undefined;
  readonly body: Record<string, unknown>;
  readonly authorization: string | undefined;
}

/** How posts to `messages` are answered while `times` lasts. */
export interface PostFault {
  readonly times: number;
  /** Without a status the post is left without an answer; `isCommitted` says whether it took effect before. */
  readonly status?: number;
  readonly isCommitted?: boolean;
  readonly retryAfterSeconds?: number;
  readonly detail?: string;
}

/** The Channel API of a host, in memory, with the levers a test needs. */
export interface FakeChannel {
  readonly url: string;
  readonly requests: ChannelRequest[];
  endpoint: EndpointInfo | undefined;
  /** Why answers of surveys are refused; without a word they are taken. */
  surveyProblem: string | undefined;
  /** When true, events and posts need the cookie that `POST .../access` gives. */
  isAccessSigned: boolean;
  append(conversation: string, entry: Omit<Entry, "seq">): Entry;
  entries(conversation: string): readonly Entry[];
  sendTyping(conversation: string, event: TypingEvent): void;
  sendReceipt(conversation: string, receipt: Receipt): void;
  /** Sends an entry to the open streams only, as if the ones before it had got lost on the way. */
  sendOnly(conversation: string, entry: Entry): void;
  dropStreams(): void;
  /** The open streams stay open and get nothing any more, as behind a network that died silently. */
  silenceStreams(): void;
  /** Further streams are refused with this status; 0 lets them in again. */
  refuseStreams(status: number): void;
  failPosts(fault: PostFault): void;
  /** Posts to `messages` are noted but neither carried out nor answered until the returned function is called. */
  holdPosts(): () => void;
  /** Resolves with the n-th request (from 1) of a route, at once when it was there already. */
  waitForRequest(route: string, count?: number): Promise<ChannelRequest>;
  close(): Promise<void>;
}

interface Stream {
  readonly conversation: string;
  readonly response: ServerResponse;
}

export async function startFakeChannel(): Promise<FakeChannel> {
  const log = new Map<string, Entry[]>();
  const streams = new Set<Stream>();
  const waiting = new Set<() => void>();
  let streamStatus = 0;
  let postGate: Promise<unknown> = Promise.resolve();
  let fault: PostFault = { times: 0 };

  const entriesOf = (conversation: string): Entry[] => log.get(conversation) ?? [];
  const broadcast = (conversation: string, block: string) => {
    for (const stream of streams) if (stream.conversation === conversation) stream.response.write(block);
  };

  const channel: FakeChannel = {
    url: "",
    requests: [],
    endpoint: { token: "support", title: "Support", access: "open", handover: true },
    surveyProblem: undefined,
    isAccessSigned: false,
    append(conversation, content) {
      const entries = entriesOf(conversation);
      const entry: Entry = {
        at: new Date().toISOString(),
        id: `entry-${entries.length + 1}`,
        ...content,
        seq: entries.length + 1,
      };
      log.set(conversation, [...entries, entry]);
      broadcast(conversation, toEntryBlock(entry));
      return entry;
    },
    entries: entriesOf,
    sendTyping: (conversation, event) => broadcast(conversation, `event: typing\ndata: ${JSON.stringify(event)}\n\n`),
    sendReceipt: (conversation, receipt) => broadcast(conversation, `event: receipt\ndata: ${JSON.stringify(receipt)}\n\n`),
    sendOnly: (conversation, entry) => broadcast(conversation, toEntryBlock(entry)),
    dropStreams() {
      for (const stream of streams) stream.response.destroy();
      streams.clear();
    },
    silenceStreams: () => streams.clear(),
    refuseStreams: (status) => (streamStatus = status),
    failPosts: (next) => (fault = next),
    holdPosts() {
      const held = Promise.withResolvers<undefined>();
      postGate = held.promise;
      return () => held.resolve(undefined);
    },
    async waitForRequest(route, count = 1) {
      for (;;) {
        const found = channel.requests.filter((request) => request.route === route)[count - 1];
        if (found) return found;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    async close() {
      channel.dropStreams();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  function note(request: ChannelRequest) {
    channel.requests.push(request);
    for (const resolve of waiting) resolve();
    waiting.clear();
  }

  function receiveMessage({ conversation = "", body }: ChannelRequest, response: ServerResponse) {
    const current = fault.times > 0 ? fault : undefined;
    if (current) fault = { ...current, times: current.times - 1 };
    const seq = !current || current.isCommitted ? commitMessage(channel, conversation, body) : 0;
    if (!current) sendJson(response, 202, { seq });
    else if (current.status === undefined) response.destroy();
    else {
      if (current.retryAfterSeconds !== undefined) response.setHeader("Retry-After", String(current.retryAfterSeconds));
      sendProblem(response, current.status, current.detail);
    }
  }

  function openStream({ conversation = "", after = 0 }: ChannelRequest, response: ServerResponse) {
    if (streamStatus !== 0) {
      sendProblem(response, streamStatus);
      return;
    }
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(":\n\n");
    for (const entry of entriesOf(conversation)) if (entry.seq > after) response.write(toEntryBlock(entry));
    const stream = { conversation, response };
    streams.add(stream);
    response.on("close", () => streams.delete(stream));
  }

  function changeHandover({ method, conversation = "" }: ChannelRequest, response: ServerResponse) {
    const status = entriesOf(conversation).findLast((entry) => entry.kind === "handover")?.status;
    const isRunning = status !== undefined && status !== "ended";
    if (method === "DELETE" && !isRunning) {
      sendProblem(response, 404);
      return;
    }
    if (method === "DELETE") {
      channel.append(conversation, { kind: "handover", status: "ended", reason: status === "active" ? "completed" : "cancelled" });
    } else if (!isRunning) channel.append(conversation, { kind: "handover", status: "requested" });
    response.writeHead(202).end();
  }

  function answerConversation(request: ChannelRequest, cookie: string | undefined, response: ServerResponse) {
    const { route, method } = request;
    if (route === "access") response.writeHead(204, { "Set-Cookie": "access=yes; HttpOnly; SameSite=Strict; Path=/" }).end();
    else if (channel.isAccessSigned && cookie !== "access=yes") sendProblem(response, 404);
    else if (route === "messages" && method === "POST") void postGate.then(() => receiveMessage(request, response));
    else if (route === "events") openStream(request, response);
    else if (route === "handover") changeHandover(request, response);
    else if (route === "survey" && channel.surveyProblem !== undefined) sendProblem(response, 409, channel.surveyProblem);
    else if (route === "typing" || route === "read" || route === "survey") response.writeHead(204).end();
    else sendProblem(response, 404);
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse) {
    const url = new URL(incoming.url ?? "/", "http://fake");
    const [root, first = "", kind, conversation, route = ""] = url.pathname.slice(1).split("/").map(decodeURIComponent);
    const request: ChannelRequest = {
      method: incoming.method ?? "",
      conversation,
      route,
      after: Number(incoming.headers["last-event-id"] ?? url.searchParams.get("after") ?? "0"),
      body: await readBody(incoming),
      authorization: incoming.headers.authorization,
    };
    if (root === "chat") await sendPage(response, first, kind);
    else if (root !== "endpoints" || !channel.endpoint) sendProblem(response, 404);
    else if (kind === undefined) sendJson(response, 200, channel.endpoint);
    else {
      note(request);
      answerConversation(request, incoming.headers.cookie, response);
    }
  }

  const server = createServer((incoming, response) => void answer(incoming, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(channel, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** Writes the message once per id, and says where it is. */
function commitMessage(channel: FakeChannel, conversation: string, body: Record<string, unknown>): number {
  const id = String(body["id"]);
  const known = channel.entries(conversation).find((entry) => entry.id === id && entry.author?.role === "user");
  return (known ?? channel.append(conversation, { kind: "message", id, author: { role: "user" }, text: String(body["text"]) })).seq;
}

async function sendPage(response: ServerResponse, first: string, asset: string | undefined) {
  const file = first === "assets" ? (asset ?? "") : "chat.html";
  const type = first === "assets" ? contentTypes[file.split(".").at(-1) ?? ""] : "text/html; charset=utf-8";
  if (!type || !/^[\w-]+\.\w+$/.test(file)) {
    sendProblem(response, 404);
    return;
  }
  const bytes = await readFile(new URL(file, webFolder)).catch(() => undefined);
  if (!bytes) {
    sendProblem(response, 404);
    return;
  }
  response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": chatPagePolicy, "X-Content-Type-Options": "nosniff" });
  response.end(bytes);
}

async function readBody(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const toEntryBlock = (entry: Entry) => `id: ${entry.seq}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`;

function sendJson(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function sendProblem(response: ServerResponse, status: number, detail?: string) {
  response.writeHead(status, { "Content-Type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title: "Problem", status, ...(detail === undefined ? {} : { detail }) }));
}
