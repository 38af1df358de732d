import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { FaultPlan } from "../shared/faults.ts";
import type { OpenRequest, RequestLog } from "../shared/request-log.ts";
import { maskBody, maskHeaders } from "../shared/request-log.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { ApiError, faultAnswer, serverError, unprocessable } from "./live-agent-errors.ts";
import { toIso } from "./live-agent-values.ts";
import { addAccountRoutes } from "./routes/account-routes.ts";
import { addContactRoutes } from "./routes/contact-routes.ts";
import type { QueueSettings } from "./routes/conversation-routes.ts";
import { addConversationRoutes } from "./routes/conversation-routes.ts";
import { addMessageRoutes } from "./routes/message-routes.ts";

/** The vendor's own API. Register it under a prefix. */
export function addLiveAgentApi(
  server: FastifyInstance,
  context: LiveAgentContext,
  extras: { readonly faults: FaultPlan; readonly log: RequestLog; readQueue(): QueueSettings },
): void {
  addParsers(server);
  addLogAndFaults(server, context, extras.faults, extras.log);
  server.setErrorHandler((error, _request, reply) => sendError(reply, error));
  server.setNotFoundHandler((_request, reply) => sendError(reply, new ApiError(404, { status: 404, error: "Not Found" })));

  server.get("/api", async () => ({
    version: context.profile.version,
    timestamp: toIso(context.clock.now()).slice(0, 19).replace("T", " "),
    queue_services: "ok",
    data_services: "ok",
  }));
  server.get("/health", async () => ({ status: "woot" }));
  addAccountRoutes(server, context);
  addContactRoutes(server, context);
  addConversationRoutes(server, context, extras.readQueue);
  addMessageRoutes(server, context);
}

// The product takes a JSON call without a body.
function addParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? {} : JSON.parse(body as string));
    } catch {
      done(new ApiError(400, { status: 400, error: "Bad Request" }));
    }
  });
  server.addContentTypeParser("multipart/form-data", (_request, payload, done) => {
    payload.resume();
    payload.once("end", () => done(unprocessable("This simulator does not take attachments yet: send JSON")));
  });
  server.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    payload.once("end", () => done(null, {}));
  });
}

function addLogAndFaults(server: FastifyInstance, context: LiveAgentContext, faults: FaultPlan, log: RequestLog): void {
  const entries = new WeakMap<FastifyRequest, OpenRequest>();
  const lost = new WeakSet<FastifyRequest>();

  server.addHook("onRequest", async (request) => {
    const [path = "/"] = request.url.split("?");
    const { method } = request;
    const query = maskBody(request.query) as Record<string, unknown>;
    const headers = maskHeaders(request.headers);
    entries.set(request, log.add({ at: toIso(context.clock.now()), method, path, query, headers }));
  });
  server.addHook("preHandler", async (request) => {
    const entry = entries.get(request);
    if (entry && request.body !== undefined && request.body !== null) entry.body = maskBody(request.body);
    const fault = faults.forCall(request.method, entry?.path ?? "/");
    if (fault.latencyMs > 0) await new Promise<void>((resolve) => context.clock.setTimer(resolve, fault.latencyMs));
    if (fault.failWith !== undefined) throw faultAnswer(fault.failWith);
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

function sendError(reply: FastifyReply, error: unknown): FastifyReply {
  const { statusCode } = error as { statusCode?: number };
  const isFrameworks = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  const known =
    error instanceof ApiError
      ? error
      : isFrameworks
        ? new ApiError(statusCode, { status: statusCode, error: "Bad Request" })
        : serverError();
  const { status, body } = known;
  if (typeof body !== "string") return reply.code(status).type("application/json; charset=utf-8").send(JSON.stringify(body));
  if (body === "") return reply.code(status).send();
  return reply
    .code(status)
    .type(body.startsWith("<") ? "text/html; charset=utf-8" : "text/plain")
    .send(body);
}
