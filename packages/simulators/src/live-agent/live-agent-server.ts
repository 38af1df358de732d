import type { FastifyInstance, FastifyReply } from "fastify";
import { addLogAndFaults } from "../shared/api-hooks.ts";
import type { FaultPlan } from "../shared/faults.ts";
import type { RequestLog } from "../shared/request-log.ts";
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
  const { faults, log } = extras;
  const { clock } = context;
  addLogAndFaults(server, { clock, faults, log, failure: (fault) => faultAnswer(fault.status, fault.errorBody) });
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
