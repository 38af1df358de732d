import type { FastifyInstance } from "fastify";
import type { ServerContext } from "./server-context.ts";
import { findEndpoint } from "./visit.ts";

/** How long a browser or a proxy may show the answer to others. */
const cacheSeconds = 5;

/** Whether people are there: the same answer for everybody, so nobody has to say who asks. */
export function addAvailabilityRoute(server: FastifyInstance, context: ServerContext): void {
  server.get("/endpoints/:token/availability", async (request, reply) => {
    const { token } = findEndpoint(context, request).configuration;
    context.limit({ endpoint: token, address: request.ip, kind: "availability" });
    const { status, agents } = await context.runtime.checkAvailability({ endpoint: token });
    void reply.header("cache-control", `public, max-age=${cacheSeconds}`);
    return { status, ...(agents === undefined ? {} : { agents }) };
  });
}
