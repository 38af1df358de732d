import type { Entry } from "@handover/runtime";
import type { FastifyReply, FastifyRequest } from "fastify";
import { openEventStream, type EventStream } from "./event-stream.ts";
import { Problem } from "./problem.ts";
import type { ServerContext } from "./server-context.ts";
import { enter, type Visit } from "./visit.ts";

/** Server-sent events of one conversation, until the reader goes, its access ends, or the host stops. */
export async function serveEvents(context: ServerContext, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const visit = await enter(context, request);
  const after = readAfter(request);
  reply.hijack();
  const stream = openEventStream(reply.raw, { headers: reply.getHeaders() as Record<string, string>, times: context.streamTimes });
  context.streams.add(stream);
  const stopTyping = context.runtime.watchTyping(visit.address, (signal) => stream.sendTyping(signal));
  const stopReceipts = context.runtime.watchReceipts(visit.address, (signal) => stream.sendReceipt(signal));
  const leave = context.readers.arrive(visit.address);
  const stopExpiry = endAtExpiry(stream, visit.visitor.expiresAtMs);
  try {
    await sendEntries(context, visit, after, stream);
  } catch (error) {
    if (!stream.signal.aborted) context.logger.error("event stream failed", { endpoint: visit.address.endpoint, error: String(error) });
  } finally {
    stopTyping();
    stopReceipts();
    leave();
    stopExpiry();
    context.streams.delete(stream);
    stream.end();
  }
}

async function sendEntries(context: ServerContext, { address }: Visit, after: number, stream: EventStream): Promise<void> {
  for await (const entry of context.runtime.follow({ ...address, after, signal: stream.signal })) {
    await stream.sendEntry(entry);
    if (isOfDesk(entry) && !stream.signal.aborted) context.runtime.markDelivered({ ...address, seq: entry.seq });
  }
}

/** Somebody at the desk wants to know whether it arrived. */
function isOfDesk(entry: Entry): boolean {
  return entry.kind === "message" && entry.handover !== undefined && entry.author?.role !== "user" && entry.author?.role !== "bot";
}

/** A browser that reconnects says where it was; the query is for the first time. */
function readAfter(request: FastifyRequest): number {
  const fromHeader = request.headers["last-event-id"];
  const fromQuery = (request.query as { after?: unknown }).after;
  const text = typeof fromHeader === "string" && fromHeader !== "" ? fromHeader : (fromQuery ?? "0");
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new Problem({ status: 400, code: "INVALID_AFTER", detail: "after and Last-Event-ID are the seq of an entry: a whole number." });
}

function endAtExpiry(stream: EventStream, expiresAtMs: number | undefined): () => void {
  if (expiresAtMs === undefined) return () => undefined;
  const timer = setTimeout(() => stream.end(), Math.min(Math.max(0, expiresAtMs - Date.now()), 2 ** 31 - 1));
  return () => clearTimeout(timer);
}
