import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { addLogAndFaults } from "../shared/api-hooks.ts";
import type { FaultPlan } from "../shared/faults.ts";
import type { RequestLog } from "../shared/request-log.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { ApiError, faultAnswer, railsNotFound, serverError } from "./live-agent-errors.ts";
import { parseForm } from "./live-agent-form.ts";
import type { RateLimits } from "./live-agent-limits.ts";
import { toIso } from "./live-agent-values.ts";
import { addAccountRoutes } from "./routes/account-routes.ts";
import { addContactRoutes } from "./routes/contact-routes.ts";
import { addConversationRoutes } from "./routes/conversation-routes.ts";
import { addConversationStateRoutes } from "./routes/conversation-state-routes.ts";
import { addFileRoutes } from "./routes/file-routes.ts";
import { addInboxRoutes } from "./routes/inbox-routes.ts";
import { addMessageRoutes } from "./routes/message-routes.ts";
import { addPlatformRoutes } from "./routes/platform-routes.ts";
import { addPublicRoutes } from "./routes/public-routes.ts";
import { addSurveyRoutes } from "./routes/survey-routes.ts";
import { addWebhookRoutes } from "./routes/webhook-routes.ts";

/** The vendor's own API. Register it under a prefix. */
export function addLiveAgentApi(
  server: FastifyInstance,
  context: LiveAgentContext,
  extras: { readonly faults: FaultPlan; readonly log: RequestLog; readonly limits: RateLimits },
): void {
  addParsers(server);
  const { faults, log } = extras;
  const { clock } = context;
  addLogAndFaults(server, { clock, faults, log, failure: (fault) => faultAnswer(fault.status, fault.errorBody) });
  addThrottle(server, context, extras.limits);
  server.setErrorHandler((error, _request, reply) => sendError(reply, error));
  server.setNotFoundHandler((_request, reply) => sendError(reply, railsNotFound()));
  addVersionRoutes(server, context);
  addAccountRoutes(server, context);
  addInboxRoutes(server, context);
  addWebhookRoutes(server, context);
  addContactRoutes(server, context);
  addConversationRoutes(server, context);
  addConversationStateRoutes(server, context);
  addMessageRoutes(server, context);
  addFileRoutes(server, context);
  addPlatformRoutes(server, context);
  addPublicRoutes(server, context);
  addSurveyRoutes(server, context);
}

// Both may be missing in Live Agent; 1.19 knows no state of its services.
function addVersionRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  server.get("/api", async () => {
    if (!context.behaviour.hasVersionRoutes) throw railsNotFound();
    const timestamp = toIso(context.clock.now()).slice(0, 19).replace("T", " ");
    const services = context.profile.has("inboxIdentifier") ? { queue_services: "ok", data_services: "ok" } : {};
    return { version: context.profile.version, timestamp, ...services };
  });
  server.get("/health", async () => {
    if (!context.behaviour.hasVersionRoutes || !context.profile.has("largerRateLimit")) throw railsNotFound();
    return { status: "woot" };
  });
}

function addThrottle(server: FastifyInstance, context: LiveAgentContext, limits: RateLimits): void {
  server.addHook("onRequest", async (request, reply) => {
    if (!context.behaviour.rateLimits) return;
    const [path = ""] = request.url.slice(server.prefix.length).split("?");
    const seconds = limits.count(context, { method: request.method, path, address: request.ip, token: tokenOf(request) ?? "" });
    if (seconds === undefined) return;
    if (context.behaviour.sendsRetryAfter) reply.header("retry-after", String(seconds));
    throw faultAnswer(429);
  });
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  const token = headers["api_access_token"] ?? headers["api-access-token"];
  return typeof token === "string" ? token : undefined;
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
  server.addContentTypeParser("multipart/form-data", { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) =>
    parseForm(body, request.headers["content-type"] ?? ""),
  );
  server.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body as string)));
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
