import type { FastifyInstance } from "fastify";
import type { ServerContext } from "./server-context.ts";

const longestMs = 5_000;

/**
 * When the server closes: ends the streams, lets the requests that are under way finish, then cuts what is left. Node alone would wait for
 * connections on which nothing was ever asked.
 */
export function drainOnClose(server: FastifyInstance, context: ServerContext): void {
  let underWay = 0;
  let onIdle: (() => void) | undefined;
  server.addHook("onRequest", async (_request, reply) => {
    underWay += 1;
    reply.raw.once("close", () => {
      underWay -= 1;
      if (underWay === 0) onIdle?.();
    });
  });
  server.addHook("preClose", async () => {
    for (const stream of context.streams) stream.end();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longestMs);
      onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
      if (underWay === 0) onIdle();
    });
    server.server.closeAllConnections();
  });
}
