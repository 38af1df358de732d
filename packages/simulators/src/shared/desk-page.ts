import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";

const files: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  "/": { name: "desk.html", type: "text/html; charset=utf-8" },
  "/desk.js": { name: "desk.js", type: "text/javascript; charset=utf-8" },
  "/desk-api.js": { name: "desk-api.js", type: "text/javascript; charset=utf-8" },
  "/desk-files.js": { name: "desk-files.js", type: "text/javascript; charset=utf-8" },
  "/desk-list.js": { name: "desk-list.js", type: "text/javascript; charset=utf-8" },
  "/desk-transcript.js": { name: "desk-transcript.js", type: "text/javascript; charset=utf-8" },
  "/desk.css": { name: "desk.css", type: "text/css; charset=utf-8" },
  "/desk-icon.svg": { name: "desk-icon.svg", type: "image/svg+xml" },
};

// Demos show the desk in a frame next to the chat page, which another port serves.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*",
].join("; ");

/** The agent desk at `/`: static files, read once. */
export async function addDeskPage(server: FastifyInstance): Promise<void> {
  for (const [path, file] of Object.entries(files)) {
    const content = await readFile(new URL(`../../web/${file.name}`, import.meta.url));
    server.get(path, async (_request, reply) =>
      reply
        .type(file.type)
        .headers({
          "content-security-policy": contentSecurityPolicy,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cache-control": "no-cache",
        })
        .send(content),
    );
  }
}
