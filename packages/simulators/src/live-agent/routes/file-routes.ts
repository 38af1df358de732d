import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fileUrl, findSigned, isValidStorageUrl, signedId, storageUrl, storeFile } from "../live-agent-attachments.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { ApiError, railsNotFound, unprocessable } from "../live-agent-errors.ts";
import { isUploadedFile } from "../live-agent-form.ts";
import type { Blob } from "../live-agent-state.ts";
import { toText } from "../live-agent-values.ts";
import { createRoutes, readToken, uploadOptions } from "./api-call.ts";

/** Files go up by form, and down by an address that redirects to the storage. */
export function addFileRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const route = createRoutes(context);

  server.post(
    "/api/v1/accounts/:account/upload",
    uploadOptions,
    route(({ body }) => {
      const { attachment } = body;
      // The simulator is offline, and the product fetches nothing from its own network.
      if (toText(body["external_url"])) throw unprocessable("The external URL is not allowed");
      if (!isUploadedFile(attachment)) throw unprocessable("No file or URL provided");
      const blob = storeFile(context, attachment);
      return { file_url: fileUrl(context, blob, "blobs"), blob_id: signedId(context, blob) };
    }),
  );
  for (const kind of ["blobs", "representations"]) {
    server.get(`/rails/active_storage/${kind}/redirect/:id/:name`, (request, reply) => redirect(context, request, reply));
  }
  server.get("/rails/active_storage/disk/:key/:name", (request, reply) => download(context, request, reply));
}

/** The file may not be there yet: the first call finds nothing. That is for receivers, not for the desk page. */
function redirect(context: LiveAgentContext, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { id = "" } = request.params as Record<string, string>;
  const blob = findSigned(context, id);
  if (!blob) throw railsNotFound();
  const isDesk = (request.query as Record<string, string>)["desk"] !== undefined;
  if (!isDesk) blob.requests += 1;
  if (!isDesk && blob.requests <= context.behaviour.attachmentNotFoundTimes) throw railsNotFound();
  return reply.code(302).header("location", storageUrl(context, blob)).send("");
}

/** A storage refuses a call that proves itself twice, and so does this one: a token has no business there. */
function download(context: LiveAgentContext, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { key = "" } = request.params as Record<string, string>;
  const { expires = "", signature = "" } = request.query as Record<string, string>;
  if (readToken(request) !== "" || request.headers.authorization !== undefined) {
    throw new ApiError(400, "Only one auth mechanism allowed");
  }
  if (!isValidStorageUrl(context, key, expires, signature)) throw new ApiError(403, "Request has expired");
  const blob = context.state.blobs.get(key);
  if (!blob) throw railsNotFound();
  return sendFile(reply, blob);
}

function sendFile(reply: FastifyReply, { name, type, content }: Blob): FastifyReply {
  const plainName = name.replaceAll(/[^\x20-\x7e]|["\\]/g, "_");
  const disposition = `attachment; filename="${plainName}"; filename*=UTF-8''${encodeURIComponent(name)}`;
  return reply.type(type).headers({ "content-disposition": disposition, "x-content-type-options": "nosniff" }).send(Buffer.from(content));
}
