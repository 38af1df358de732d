import type { FastifyReply, FastifyRequest } from "fastify";
import type { Change } from "./changes.ts";
import type { VendorSimulator } from "./vendor-simulator.ts";

const keepAliveMs = 15_000;
const longestBacklogBytes = 1_048_576;

/**
 * Server-sent events for the desk page. `snapshot` carries everything, `conversation` one conversation, `overview` the rest.
 * Changes of one moment are sent together; a reader that falls behind is cut and starts again with a snapshot.
 */
export function serveEvents(simulator: VendorSimulator, request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  const stream = reply.raw;
  stream.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-content-type-options": "nosniff" });

  let pending: Change[] = [];
  let scheduled: NodeJS.Immediate | undefined;

  const send = (event: string, data: unknown): void => {
    stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    if (stream.writableLength > longestBacklogBytes) stream.destroy();
  };
  const sendSnapshot = (): void => send("snapshot", { overview: simulator.overview(), conversations: simulator.conversations() });
  const flush = (): void => {
    scheduled = undefined;
    const changes = pending;
    pending = [];
    if (changes.some((change) => change.kind === "reset")) {
      sendSnapshot();
      return;
    }
    const changedIds = new Set(changes.flatMap((change) => (change.kind === "conversation" ? [change.id] : [])));
    for (const id of changedIds) send("conversation", simulator.conversation(id));
    if (changes.some((change) => change.kind === "agents")) send("overview", simulator.overview());
  };

  sendSnapshot();
  const unsubscribe = simulator.changes.subscribe((change) => {
    pending.push(change);
    scheduled ??= setImmediate(flush);
  });
  const keepAlive = setInterval(() => stream.write(": still here\n\n"), keepAliveMs);
  request.raw.once("close", () => stop());
  stream.once("close", () => stop());

  function stop(): void {
    unsubscribe();
    clearInterval(keepAlive);
    clearImmediate(scheduled);
  }
}
