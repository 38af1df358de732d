import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Random } from "./random.ts";

/** What a load balancer does with the vendor's webhooks: each goes to any host, and to another one when nobody listens there. */
export interface Spreader {
  readonly url: string;
  close(): Promise<void>;
}

/** A host that does not answer in time gets no second chance: the vendor learns that it failed. */
const answerMs = 600;

export async function openSpreader(hosts: readonly string[], random: Random): Promise<Spreader> {
  async function forward(host: string, incoming: IncomingMessage, body: Buffer): Promise<{ status: number; body: Buffer } | "nobody"> {
    try {
      const {
        host: _host,
        connection: _connection,
        "content-length": _length,
        "transfer-encoding": _coding,
        ...headers
      } = incoming.headers;
      const answer = await fetch(`${host}${incoming.url ?? "/"}`, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(answerMs),
      });
      return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      return cause?.code === "ECONNREFUSED" ? "nobody" : { status: 504, body: Buffer.alloc(0) };
    }
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const first = Math.floor(random() * hosts.length);
    for (let offset = 0; offset < hosts.length; offset += 1) {
      const answer = await forward(hosts[(first + offset) % hosts.length] ?? "", incoming, Buffer.concat(chunks));
      if (answer === "nobody") continue;
      return void response.writeHead(answer.status).end(answer.body);
    }
    response.writeHead(502).end();
  }

  const server = createServer((incoming, response) => void serve(incoming, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
