import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { FastifyInstance } from "fastify";
import { Problem } from "./problem.ts";
import type { ServerContext } from "./server-context.ts";

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
};

const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join("; "),
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

interface PageFile {
  readonly content: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** The chat page. Its files are read once at the start: nothing that a client writes becomes a path. */
export async function addChatPage(server: FastifyInstance, context: ServerContext): Promise<void> {
  const files = await readPageFiles();
  server.addHook("onRequest", async (_request, reply) => void reply.headers(securityHeaders));

  server.get("/chat/:endpoint", async (request, reply) => {
    const { endpoint } = request.params as { endpoint: string };
    const page = files.get("chat.html");
    if (!page) throw notFound();
    // The page itself says in words that the endpoint is not there.
    return reply
      .code(context.endpoints.has(endpoint) ? 200 : 404)
      .type(page.type)
      .send(page.content);
  });
  server.get("/chat/assets/:file", async (request, reply) => {
    const file = files.get((request.params as { file: string }).file);
    if (!file || file.type.startsWith("text/html")) throw notFound();
    void reply.header("etag", file.etag);
    if (request.headers["if-none-match"] === file.etag) return reply.code(304).send();
    return reply.type(file.type).send(file.content);
  });
}

async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = new URL("../../web/", import.meta.url);
  const files = new Map<string, PageFile>();
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const type = mediaTypes[extname(item.name)];
    if (!item.isFile() || type === undefined) continue;
    const content = await readFile(new URL(item.name, folder));
    files.set(item.name, { content, type, etag: `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"` });
  }
  return files;
}

function notFound(): Problem {
  return new Problem({ status: 404, code: "NOT_FOUND", detail: "There is no such file." });
}
