import { HandoverError } from "@handover/core";
import type { HandoverRuntime } from "@handover/runtime";
import express, { type Express, type NextFunction, type Request, type Response } from "express";

/** Live Agent's webhooks hold whole messages. */
const largestWebhook = "2mb";

export function createApp(runtime: HandoverRuntime): Express {
  const app = express();
  app.disable("x-powered-by");

  // The bytes as they came: signatures are computed over these. No other parser may be in front of it.
  app.post("/webhooks/:secret", express.raw({ type: () => true, limit: largestWebhook }), async (request, response) => {
    const answer = await runtime.handleWebhook("desk", toWebRequest(request));
    response.status(answer.status).send(await answer.text());
  });

  // What a user writes: {"id": <chosen by the client>, "text": ...}. The same id again does nothing.
  app.post("/chat/:conversation", express.json({ limit: "64kb" }), async (request, response) => {
    const { id, text } = request.body as { readonly id: string; readonly text: string };
    const { seq } = await runtime.receiveMessage({ ...addressOf(request), message: { id, text } });
    response.status(202).json({ seq });
  });

  // What a user reads: everything that was said, then each new entry, as server-sent events.
  app.get("/chat/:conversation", async (request, response) => {
    const closed = new AbortController();
    response.on("close", () => {
      closed.abort();
    });
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).flushHeaders();
    const after = Number(request.get("last-event-id") ?? 0);
    for await (const entry of runtime.follow({ ...addressOf(request), after, signal: closed.signal })) {
      response.write(`id: ${entry.seq}\nevent: entry\ndata: ${JSON.stringify(entry)}\n\n`);
    }
  });

  // The user has had enough.
  app.delete("/chat/:conversation/handover", async (request, response) => {
    await runtime.endHandover(addressOf(request));
    response.status(202).end();
  });

  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const { status = 500 } = error as { readonly status?: number };
    if (HandoverError.isInstance(error)) response.status(400).json({ code: error.code, message: error.message });
    else response.status(status).end();
  });
  return app;
}

function addressOf(request: Request): { readonly endpoint: string; readonly conversation: string } {
  return { endpoint: "chat", conversation: String(request.params["conversation"]) };
}

function toWebRequest(request: Request): globalThis.Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const url = new URL(request.originalUrl, "http://localhost");
  // Without a body there is nothing to parse.
  const body = Buffer.isBuffer(request.body) ? new Uint8Array(request.body) : null;
  return new globalThis.Request(url, { method: request.method, headers, body });
}
