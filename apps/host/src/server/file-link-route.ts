import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendFile } from "./send-file.ts";
import type { ServerContext } from "./server-context.ts";

/** The links that contact centres and bots are given: they need no other proof, and expire. */
export function addFileLinkRoute(server: FastifyInstance, context: ServerContext): void {
  server.options("/files/:token", async (request, reply) => {
    allowDesks(context, request, reply);
    return reply.headers({ "access-control-allow-methods": "GET", "access-control-max-age": "600" }).code(204).send();
  });
  server.get("/files/:token", async (request, reply) => {
    allowDesks(context, request, reply);
    const { token } = request.params as { token: string };
    return sendFile(reply, await context.runtime.openAttachmentLink(token));
  });
}

/** The desk in the agent's browser loads the file from its own origin. */
function allowDesks({ configuration }: ServerContext, request: FastifyRequest, reply: FastifyReply): void {
  const { origin } = request.headers;
  void reply.header("vary", "Origin");
  if (origin === undefined || !configuration.attachments.deskOrigins.includes(origin)) return;
  void reply.header("access-control-allow-origin", origin);
  void reply.header("access-control-expose-headers", "Content-Disposition, Content-Length");
}
