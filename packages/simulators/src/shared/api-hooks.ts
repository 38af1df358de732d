import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "./clock.ts";
import type { CallFault, FaultPlan } from "./faults.ts";
import type { OpenRequest, RequestLog } from "./request-log.ts";
import { maskBody, maskHeaders } from "./request-log.ts";

/**
 * Logs the calls of a vendor's API and lets the faults hit them. `failure` gives the error of a call that is to fail; the scope's
 * error handler makes the vendor's answer of it.
 */
export function addLogAndFaults(
  server: FastifyInstance,
  parts: {
    readonly clock: Clock;
    readonly faults: FaultPlan;
    readonly log: RequestLog;
    failure(fault: NonNullable<CallFault["failWith"]>): Error;
  },
): void {
  const { clock, faults, log } = parts;
  const entries = new WeakMap<FastifyRequest, OpenRequest>();
  const lost = new WeakSet<FastifyRequest>();

  server.addHook("onRequest", async (request) => {
    const [path = "/"] = request.url.split("?");
    const { method } = request;
    const query = maskBody(request.query) as Record<string, unknown>;
    const headers = maskHeaders(request.headers);
    entries.set(request, log.add({ at: new Date(clock.now()).toISOString(), method, path, query, headers }));
  });
  server.addHook("preHandler", async (request, reply) => {
    const entry = entries.get(request);
    if (entry && request.body !== undefined && request.body !== null) entry.body = maskBody(request.body);
    const fault = faults.forCall(request.method, entry?.path ?? "/");
    if (fault.latencyMs > 0) await new Promise<void>((resolve) => clock.setTimer(resolve, fault.latencyMs));
    if (fault.failWith) {
      const { retryAfterSeconds } = fault.failWith;
      if (retryAfterSeconds !== undefined) reply.header("retry-after", String(retryAfterSeconds));
      throw parts.failure(fault.failWith);
    }
    if (fault.loseAnswer) lost.add(request);
  });
  server.addHook("onSend", async (request, reply, payload) => {
    const entry = entries.get(request);
    if (lost.has(request)) {
      if (entry) entry.isAnswerLost = true;
      request.raw.socket.destroy();
    } else if (entry) {
      entry.status = reply.statusCode;
    }
    return payload;
  });
}

/** Settles when the answer is out or its connection gone. A caller may have gone before its call was carried out. */
export function whenAnswered(reply: FastifyReply): Promise<void> {
  if (reply.raw.closed || reply.raw.destroyed) return Promise.resolve();
  return new Promise((resolve) => reply.raw.once("close", resolve));
}
