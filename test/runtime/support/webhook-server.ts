import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A real HTTP server on 127.0.0.1 that hands requests to a web-standard handler, as an integrator's server would. */
export interface WebhookServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the server; `handle` may answer with any status. */
export async function startWebhookServer(handle: (request: Request) => Promise<Response>): Promise<WebhookServer> {
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const headers = new Headers();
      for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
      const method = incoming.method ?? "GET";
      const body = method === "GET" ? null : Buffer.concat(chunks);
      const response = await handle(new Request(`http://127.0.0.1${incoming.url ?? "/"}`, { method, headers, body }));
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
