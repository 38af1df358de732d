import { randomUUID } from "node:crypto";
import type { Json, Logger } from "@handover/core";
import type { LocalSignals } from "@handover/runtime";
import { Client } from "pg";
import type { ClientConfig } from "pg";
import { describeServer } from "./database.ts";
import { changedTexts, hintText, parseHint } from "./hint-text.ts";
import { toStoreError } from "./store-error.ts";

/**
 * The one session of this instance that listens to other instances and talks to them. It is best effort: whoever waits also
 * polls. Hints go out after the commit and together, because `NOTIFY` holds up every other commit that notifies.
 */
export interface HintSession {
  /** @throws RuntimeError when the first connection fails; later it reconnects by itself */
  open(): Promise<void>;
  changed(keys: readonly string[]): void;
  publish(topic: string, data: Json): void;
  /** Sends what is waiting, and ends. */
  close(): Promise<void>;
}

const firstRetryMs = 100;
const longestRetryMs = 5_000;
const statementTimeoutMs = 10_000;
/** Published signals that may wait; more are dropped, the oldest first. */
const waitingSignals = 1_000;
/** Keys that may wait; more are dropped: whoever waits for them polls. */
const waitingKeys = 100_000;

export function createHintSession(config: ClientConfig, schema: string, signals: LocalSignals, logger?: Logger): HintSession {
  const channel = `${schema}_hints`;
  const instance = randomUUID();
  const keys = new Set<string>();
  let published: string[] = [];
  let client: Client | undefined;
  let sending: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let retryMs = firstRetryMs;
  let isClosed = false;

  async function connect(): Promise<void> {
    const connecting = new Client({ ...config, query_timeout: statementTimeoutMs });
    connecting.on("error", () => lose(connecting));
    connecting.on("end", () => lose(connecting));
    connecting.on("notification", ({ payload = "" }) => hear(payload));
    try {
      await connecting.connect();
      await connecting.query(`LISTEN "${channel}"`);
    } catch (error) {
      discard(connecting);
      throw error;
    }
    if (isClosed) return discard(connecting);
    client = connecting;
    retryMs = firstRetryMs;
  }

  function hear(payload: string): void {
    const hint = parseHint(payload);
    if (!hint || hint.from === instance) return;
    if ("changed" in hint) signals.tellChanged(hint.changed);
    else signals.tellTopic(hint.topic, hint.data);
  }

  function lose(lost: Client): void {
    if (client !== lost) return;
    client = undefined;
    discard(lost);
    keys.clear();
    published = [];
    logger?.warn("the session for hints of the store was lost; polling goes on");
    reconnectLater();
  }

  function reconnectLater(): void {
    if (isClosed) return;
    retry = setTimeout(() => void reconnect(), retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  }

  async function reconnect(): Promise<void> {
    try {
      await connect();
      if (client) logger?.info("the session for hints of the store is back");
    } catch {
      reconnectLater();
    }
  }

  /** Collects while the previous ones are on their way. */
  function sendSoon(): void {
    if (sending || !client) return;
    sending = Promise.resolve()
      .then(sendWaiting)
      .finally(() => (sending = undefined));
  }

  async function sendWaiting(): Promise<void> {
    // A turn of the event loop: whatever commits at the same time goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (client && (keys.size > 0 || published.length > 0)) {
      const texts = [...changedTexts(instance, keys), ...published];
      keys.clear();
      published = [];
      const using = client;
      try {
        if (texts.length > 0) await using.query("SELECT pg_notify($1, text) FROM unnest($2::text[]) AS text", [channel, texts]);
      } catch {
        lose(using);
      }
    }
  }

  return {
    async open() {
      try {
        await connect();
      } catch (error) {
        throw toStoreError(error, describeServer(config));
      }
    },
    changed(changed) {
      if (!client) return;
      for (const key of changed) if (keys.size < waitingKeys) keys.add(key);
      sendSoon();
    },
    publish(topic, data) {
      if (!client) return;
      const text = hintText({ from: instance, topic, data });
      if (text === undefined) return logger?.debug("a signal is too long for other instances", { topic });
      published.push(text);
      if (published.length > waitingSignals) published.shift();
      sendSoon();
    },
    async close() {
      isClosed = true;
      clearTimeout(retry);
      await sending;
      const closing = client;
      client = undefined;
      await closing?.end().catch(() => undefined);
    },
  };
}

function discard(client: Client): void {
  client.end().catch(() => undefined);
}
