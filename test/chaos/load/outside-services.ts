import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isAsking } from "./lines.ts";

/** The bot and the push channel: programs of others, which live through everything. */
export interface OutsideServices {
  readonly botUrl: string;
  readonly pushUrl: string;
  /** What the bot was asked, by conversation, with repeats. */
  readonly turns: ReadonlyMap<string, readonly string[]>;
  /** Numbers of the entries that the push channel took, by conversation, with repeats. */
  readonly pushed: ReadonlyMap<string, readonly number[]>;
  readonly lastCallAtMs: number;
  close(): Promise<void>;
}

interface Turn {
  readonly conversation: string;
  readonly message?: { readonly text?: string };
}

export async function openOutsideServices(): Promise<OutsideServices> {
  const turns = new Map<string, string[]>();
  const pushed = new Map<string, number[]>();
  let lastCallAtMs = Date.now();

  function answerTurn({ conversation, message }: Turn): object {
    const text = message?.text;
    if (text === undefined) return {};
    turns.set(conversation, [...(turns.get(conversation) ?? []), text]);
    return { messages: [{ text: `re ${text}` }], ...(isAsking(text) ? { handover: {} } : {}) };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    lastCallAtMs = Date.now();
    if (request.url === "/push") {
      const { conversation, seq } = body as { conversation: string; seq: number };
      const seqs = pushed.get(conversation) ?? [];
      pushed.set(conversation, seqs);
      seqs.push(seq);
      response.end("{}");
    } else response.setHeader("content-type", "application/json").end(JSON.stringify(answerTurn(body as Turn)));
  }

  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    botUrl: `${url}/bot`,
    pushUrl: `${url}/push`,
    turns,
    pushed,
    get lastCallAtMs() {
      return lastCallAtMs;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
