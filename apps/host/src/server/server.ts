import type { Logger } from "@handover/core";
import type { HandoverRuntime } from "@handover/runtime";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { createAccessGuard } from "../access/access.ts";
import type { HostConfiguration } from "../configuration/host-configuration.ts";
import { addChatPage } from "./chat-page.ts";
import { addConversationRoutes } from "./conversation-routes.ts";
import { drainOnClose } from "./drain.ts";
import { eventStreamTimes, type EventStreamTimes } from "./event-stream.ts";
import { addFileLinkRoute } from "./file-link-route.ts";
import { acceptJsonOnly } from "./json-body.ts";
import { createLimits } from "./limits.ts";
import { addOperatorRoutes } from "./operator-routes.ts";
import { Problem, problemBody, toProblem } from "./problem.ts";
import { createReaderCount } from "./reader-count.ts";
import type { ServerContext } from "./server-context.ts";
import { addWebhookRoute } from "./webhook-route.ts";

export interface ServerOptions {
  readonly configuration: HostConfiguration;
  readonly runtime: HandoverRuntime;
  readonly logger: Logger;
  readonly operatorTokens?: readonly string[];
  readonly checkHealth?: () => Promise<void>;
  readonly streamTimes?: EventStreamTimes;
  /** Unix milliseconds, for the rate limits. */
  readonly now?: () => number;
}

/** All routes of the host. Call `listen` on it; `close` ends the open streams first. */
export async function createServer(options: ServerOptions): Promise<FastifyInstance> {
  const context = createContext(options);
  const server = fastify({
    bodyLimit: options.configuration.limits.jsonBytes,
    // A large file on a slow line takes its time.
    requestTimeout: 120_000,
    trustProxy: [...options.configuration.listen.trustedProxies],
    // The longest conversation id, percent-encoded, fits; what is longer is refused by the routes themselves.
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply as FastifyReply, toProblem(error)),
  });
  server.setErrorHandler(async (error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logFailure(context, request.routeOptions.url, problem, error);
    return sendProblem(reply, problem);
  });
  server.setNotFoundHandler(async (_request, reply) => sendProblem(reply, routeNotFound()));
  server.addHook("onRequest", async (_request, reply) => void reply.header("x-content-type-options", "nosniff"));
  drainOnClose(server, context);
  acceptJsonOnly(server);
  await server.register(async (scope) => addConversationRoutes(scope, context));
  await server.register(async (scope) => addWebhookRoute(scope, context));
  await server.register(async (scope) => addFileLinkRoute(scope, context));
  await server.register(async (scope) => addOperatorRoutes(scope, context));
  await server.register(async (scope) => addChatPage(scope, context));
  return server;
}

function createContext(options: ServerOptions): ServerContext {
  const { configuration, runtime, logger } = options;
  return {
    configuration,
    runtime,
    logger,
    endpoints: new Map(
      configuration.endpoints.map((endpoint) => [endpoint.token, { configuration: endpoint, guard: createAccessGuard(endpoint) }]),
    ),
    limit: createLimits(configuration.limits, options.now ?? Date.now),
    streams: new Set(),
    readers: createReaderCount(runtime),
    streamTimes: options.streamTimes ?? eventStreamTimes,
    checkHealth: options.checkHealth ?? (async () => undefined),
    operatorTokens: [
      ...(options.operatorTokens ?? []),
      ...(configuration.operatorToken === undefined ? [] : [configuration.operatorToken]),
    ],
  };
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).headers(problem.headers).type("application/problem+json").send(problemBody(problem));
}

function routeNotFound(): Problem {
  return new Problem({ status: 404, code: "ROUTE_NOT_FOUND", detail: "There is no such route. Check method and path." });
}

/** The route's pattern, never the URL: URLs hold webhook secrets and conversation ids. */
function logFailure(context: ServerContext, route: string | undefined, problem: Problem, error: unknown): void {
  const message = error instanceof Error ? error.message : "unknown";
  context.logger.error("request failed", { route, status: problem.status, code: problem.code, error: message });
}
