import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { addLogAndFaults } from "../shared/api-hooks.ts";
import type { FaultPlan } from "../shared/faults.ts";
import type { RequestLog } from "../shared/request-log.ts";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import { ApiError, badRequest, describeError, faultAnswer, notFound } from "./eightbyeight-errors.ts";
import type { Conversation } from "./eightbyeight-state.ts";
import { addAccountRoutes } from "./routes/account-routes.ts";
import type { UploadedFile } from "./routes/attachment-routes.ts";
import { addAttachmentRoutes } from "./routes/attachment-routes.ts";
import { addConversationRoutes } from "./routes/conversation-routes.ts";
import { addMessageRoutes } from "./routes/message-routes.ts";
import { addQueueRoutes } from "./routes/queue-routes.ts";

/** The vendor's own API. Register it under a prefix. */
export function addEightbyeightApi(
  server: FastifyInstance,
  context: EightbyeightContext,
  extras: { readonly faults: FaultPlan; readonly log: RequestLog; firstAttempt(conversation: Conversation): Promise<void> },
): void {
  const { faults, log } = extras;
  addParsers(server);
  addLogAndFaults(server, { clock: context.clock, faults, log, failure: faultAnswer });
  server.setErrorHandler((error, request, reply) => sendError(request, reply, error));
  server.setNotFoundHandler((request, reply) => sendError(request, reply, notFound("route")));
  addAccountRoutes(server, context);
  addConversationRoutes(server, context, extras.firstAttempt);
  addMessageRoutes(server, context);
  addAttachmentRoutes(server, context);
  addQueueRoutes(server, context);
}

function addParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("multipart/form-data", { parseAs: "buffer" }, async (request: FastifyRequest, body: Buffer) =>
    parseForm(body, request.headers["content-type"] ?? ""),
  );
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? {} : (JSON.parse(body as string) as unknown));
    } catch {
      done(badRequest("invalid_json_object", "The body is no JSON."));
    }
  });
}

async function parseForm(body: Buffer, contentType: string): Promise<Record<string, unknown>> {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it holds the whole body, and so does a simulator
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData().catch(() => {
    throw badRequest("invalid_parameter", "The body is no multipart form.");
  });
  const entries = [...form.entries()].map(async ([name, value]): Promise<[string, unknown]> => {
    return [name, typeof value === "string" ? value : await readFile(value)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function readFile(file: File): Promise<UploadedFile> {
  const { name } = file;
  const type = file.type || "application/octet-stream";
  const content = new Uint8Array(await file.arrayBuffer());
  return { name, type, content, toJSON: () => ({ name, type, sizeBytes: content.length }) };
}

function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const { statusCode } = error as { statusCode?: number };
  const known =
    error instanceof ApiError
      ? error
      : statusCode !== undefined && statusCode < 500
        ? new ApiError(statusCode, "invalid_parameter", "The call cannot be read.")
        : new ApiError(500, "internal_error", "Something went wrong.");
  const { status, type, body } = describeError(known, request.method, request.url.split("?")[0] ?? "/");
  reply.code(status);
  return body === "" ? reply.send() : reply.type(type).send(body);
}
