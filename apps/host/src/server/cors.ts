import type { FastifyReply, FastifyRequest } from "fastify";
import type { EndpointConfiguration } from "../configuration/host-configuration.ts";

/** Lets the pages of the endpoint's allowed origins read the answer; nobody else's. */
export function addCorsHeaders(request: FastifyRequest, reply: FastifyReply, endpoint: EndpointConfiguration | undefined): void {
  const { origin } = request.headers;
  void reply.header("vary", "Origin");
  if (origin === undefined || !endpoint?.allowedOrigins.includes(origin)) return;
  void reply.header("access-control-allow-origin", origin);
  void reply.header("access-control-expose-headers", "Retry-After");
  if (endpoint.access.signed) void reply.header("access-control-allow-credentials", "true");
  if (request.method !== "OPTIONS") return;
  void reply.header("access-control-allow-methods", "GET, POST, DELETE");
  void reply.header("access-control-allow-headers", "Authorization, Content-Type, Last-Event-ID");
  void reply.header("access-control-max-age", "600");
}
