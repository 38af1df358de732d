import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A load balancer in front of several hosts, for what contact centres send: each request goes to the next host that answers. */
export interface Balancer {
  readonly url: string;
  /** From now on only to these. */
  useOnly(urls: readonly string[]): void;
  close(): Promise<void>;
}

/** A host that does not answer in this time is passed over; it may have taken the request all the same. */
const patienceMs = 1_500;

export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  let targets = urls;
  let turn = 0;

  async function forward(path: string, headers: Headers, body: Buffer): Promise<{ status: number; body: string }> {
    turn += 1;
    const inTurn = targets.map((_url, index) => targets[(turn + index) % targets.length] as string);
    for (const url of inTurn) {
      const signal = AbortSignal.timeout(patienceMs);
      const answer = await fetch(new URL(path, url), { method: "POST", headers, body: new Uint8Array(body), signal }).catch(
        () => undefined,
      );
      if (answer && answer.status < 500) return { status: answer.status, body: await answer.text() };
      await answer?.body?.cancel();
    }
    return { status: 502, body: "" };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) {
        if (typeof value === "string" && !["host", "connection", "content-length", "transfer-encoding"].includes(name))
          headers.set(name, value);
      }
      void forward(request.url ?? "/", headers, Buffer.concat(chunks)).then((answer) => response.writeHead(answer.status).end(answer.body));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    useOnly: (next) => void (targets = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
