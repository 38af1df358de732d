import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { isLoopbackHost } from "../configuration/network.ts";
import { readBody } from "./json-body.ts";
import { writeMetrics } from "./metrics-text.ts";
import { Problem } from "./problem.ts";
import type { ServerContext } from "./server-context.ts";

const checkSchema = z.strictObject({ connection: z.string().optional() });

/** Health, metrics, and what the command line asks a host that runs. */
export function addOperatorRoutes(server: FastifyInstance, context: ServerContext): void {
  const { runtime } = context;

  server.get("/healthz", async () => {
    await context.checkHealth();
    // The runtime takes up anew what stands still: no reason to end the process.
    const stalled = runtime.metrics().find(({ name }) => name === "handover_stalled_conversations")?.value ?? 0;
    return stalled > 0 ? { status: "stalled", stalledConversations: stalled } : { status: "ok" };
  });
  server.get("/readyz", async () => {
    await runtime.checkStore().catch((cause: unknown) => {
      context.logger.error("store does not answer", { error: cause instanceof Error ? cause.message : "unknown" });
      throw new Problem({ status: 503, code: "NOT_READY", detail: "The store does not answer.", headers: { "retry-after": "1" } });
    });
    return { status: "ready" };
  });
  server.get("/metrics", async (request, reply) => {
    checkMetricsAccess(context, request);
    return reply.type("text/plain; version=0.0.4; charset=utf-8").send(writeMetrics([...runtime.metrics(), openStreams(context)]));
  });
  // Webhook URLs hold secrets, so these need a token whoever asks.
  server.get("/operator/connections", async (request, reply) => {
    requireToken(context.operatorTokens, request);
    return reply.header("cache-control", "no-store").send(runtime.connections());
  });
  server.post("/operator/check", async (request) => {
    requireToken(context.operatorTokens, request);
    const { connection } = readBody(checkSchema, request.body ?? {});
    return runtime.checkConnections(connection);
  });
}

function openStreams({ streams }: ServerContext) {
  return {
    name: "handover_open_streams",
    help: "Event streams of clients that are open.",
    type: "gauge" as const,
    labels: {},
    value: streams.size,
  };
}

function checkMetricsAccess({ configuration, operatorTokens }: ServerContext, request: FastifyRequest): void {
  const { metricsToken, listen } = configuration;
  if (metricsToken === undefined && isLoopbackHost(listen.host) && isLocalCaller(request)) return;
  requireToken([...operatorTokens, ...(metricsToken === undefined ? [] : [metricsToken])], request);
}

/** A proxy on this machine calls from here, too, on behalf of the whole world; and so does a page that was lured here by a name. */
function isLocalCaller(request: FastifyRequest): boolean {
  const { headers } = request;
  const isForwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"].some((name) => name in headers);
  const host = URL.canParse(`http://${headers.host ?? ""}`) ? new URL(`http://${headers.host ?? ""}`).hostname : "";
  return !isForwarded && isLoopbackHost(request.socket.remoteAddress ?? "") && isLoopbackHost(host);
}

function requireToken(tokens: readonly string[], request: FastifyRequest): void {
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const isRight = tokens.map((token) => timingSafeEqual(digest(token), digest(given))).includes(true);
  if (isRight) return;
  const detail = "Only for the operator: send Authorization: Bearer <token>, the token from the configuration.";
  throw new Problem({ status: 401, code: "OPERATOR_ONLY", detail, headers: { "www-authenticate": "Bearer" } });
}
