import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { startSimulators } from "../src/index.ts";
import type { LiveAgentSimulator, LiveAgentSimulatorOptions, SimulatorClock } from "../src/index.ts";

/** An answer or webhook as a test reads it: every field that tests look at, whatever the level. What is there is the test's business. */
export interface Loose extends ReadonlyArray<Loose> {
  readonly additional_attributes: Loose;
  readonly assignee: Loose;
  readonly availability_status: string;
  readonly changed_attributes: Loose;
  readonly code: string;
  readonly contact: Loose;
  readonly contact_inbox: Loose;
  readonly contact_inboxes: Loose;
  readonly content: string;
  readonly content_attributes: Loose;
  readonly conversation: Loose;
  readonly created_at: number;
  readonly current_status: string;
  readonly custom_attributes: Loose;
  readonly data: Loose;
  readonly error: string;
  readonly event: string;
  readonly first_reply_created_at: number;
  readonly id: number;
  readonly identifier: string;
  readonly inbox_identifier: string;
  readonly message: string;
  readonly message_type: number | string;
  readonly messages: Loose;
  readonly meta: Loose;
  readonly method: string;
  readonly name: string;
  readonly path: string;
  readonly payload: Loose;
  readonly priority: string | null;
  readonly private: boolean;
  readonly secret: string;
  readonly sender: Loose;
  readonly source_id: string;
  readonly status: string;
  readonly text: string;
  readonly author: string;
  readonly waiting_since: number;
  readonly accounts: Loose;
  readonly agent_bot: Loose;
  readonly attachments: Loose;
  readonly blob_id: string;
  readonly file_url: string;
  readonly data_url: string;
  readonly thumb_url: string;
  readonly file_type: string;
  readonly extension: string | null;
  readonly file_size: number;
  readonly access_token: string;
  readonly labels: Loose;
  readonly position: number;
  readonly estimated_wait_time: number | null;
  readonly queue_details: Loose;
  readonly queue_position: number;
  readonly team: Loose;
  readonly unread_count: number;
  readonly url: string;
  readonly uuid: string;
  readonly webhook: Loose;
  readonly webhooks: Loose;
  readonly role: string;
  readonly account: Loose;
  readonly account_id: number;
  readonly inbox: Loose;
  readonly inbox_id: number;
  readonly conversation_id: number;
  readonly subject: string;
  readonly type: string;
  readonly user: Loose;
  readonly pubsub_token: string;
  readonly hmac_token: string;
  readonly channel_type: string;
  readonly webhook_url: string;
  readonly title: string;
  readonly contact_last_seen_at: number;
  readonly subscriptions: Loose;
  readonly external_error: string;
  readonly email: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Loose;
}

export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: Loose;
}

export interface Receiver {
  readonly url: string;
  readonly received: ReceivedWebhook[];
  /** Answers each webhook; 200 when left alone. */
  respond: (response: ServerResponse, webhook: ReceivedWebhook) => void;
  /** Resolves with the webhooks once so many came. */
  waitForCount(count: number): Promise<ReceivedWebhook[]>;
}

export interface Bench {
  readonly url: string;
  readonly liveAgent: LiveAgentSimulator;
  readonly receiver: Receiver;
  /** A call of the account API with the technical user's token. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Any call of the simulators' server. */
  http(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The answer of the same call, which must be a 200. */
  ok(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Loose>;
  /** What came since the last time it was asked, once all is delivered. */
  told(): Promise<Loose[]>;
  /** A contact and a conversation of it; returns the conversation's id. */
  converse(sourceId?: string, fields?: object): Promise<number>;
}

export async function startBench(options: LiveAgentSimulatorOptions = {}, clock?: SimulatorClock): Promise<Bench> {
  const receiver = await startReceiver();
  const simulators = await startSimulators({
    liveAgent: { webhookUrl: `${receiver.url}/hook`, ...options },
    ...(clock ? { clock } : {}),
  });
  onTestFinished(() => simulators.close());
  const { url, liveAgent } = simulators;

  const http: Bench["http"] = (method, path, body, headers = {}) => call(method, `${url}${path}`, body, headers);
  const api: Bench["api"] = (method, path, body, headers = { api_access_token: liveAgent.apiKey }) =>
    http(method, `/live-agent/api/v1/accounts/${liveAgent.accountId}${path}`, body, headers);
  let seen = 0;
  return {
    url,
    liveAgent,
    receiver,
    api,
    http,
    async ok(method, path, body, headers) {
      const { status, json, text } = await api(method, path, body, headers);
      if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${text}`);
      return json;
    },
    async told() {
      await liveAgent.webhooksIdle();
      const fresh = receiver.received.slice(seen);
      seen = receiver.received.length;
      return fresh.map(({ body }) => body);
    },
    async converse(sourceId = "session-abc", fields = {}) {
      const inbox = { inbox_id: liveAgent.inboxId, source_id: sourceId };
      const created = await api("POST", "/contacts", { ...inbox, name: "Uma User", identifier: `user of ${sourceId}` });
      const conversation = await api("POST", "/conversations", { ...inbox, contact_id: created.json.payload.contact.id, ...fields });
      return conversation.json.id;
    },
  };
}

export async function call(method: string, url: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): Loose {
  try {
    return JSON.parse(text) as Loose;
  } catch {
    return [] as unknown as Loose;
  }
}

export async function startReceiver(): Promise<Receiver> {
  const received: ReceivedWebhook[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const raw = Buffer.concat(chunks).toString("utf8");
      const webhook = { path: request.url ?? "", headers: request.headers, raw, body: parse(raw) };
      received.push(webhook);
      for (const check of waiting) check();
      receiver.respond(response, webhook);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    respond: (response) => response.end(),
    waitForCount: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (received.length < count) return;
          waiting.delete(check);
          resolve(received);
        };
        waiting.add(check);
        check();
      }),
  };
  return receiver;
}

export interface ManualClock extends Required<SimulatorClock> {
  advance(ms: number): void;
  readonly pendingTimers: number;
}

/** A clock that stands still until a test moves it. */
export function createManualClock(startMs = Date.UTC(2026, 0, 1, 10)): ManualClock {
  let nowMs = startMs;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  return {
    now: () => nowMs,
    get pendingTimers() {
      return timers.size;
    },
    setTimer(callback, delayMs) {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      nowMs += ms;
      for (const timer of [...timers]) {
        if (timer.dueMs > nowMs) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
  };
}

export function eventsOf(webhooks: readonly ReceivedWebhook[]): string[] {
  return webhooks.map((webhook) => webhook.body.event);
}
