import type { FastifyInstance, FastifyReply } from "fastify";
import { addAttachment, isValidPreSignedUrl } from "../eightbyeight-attachments.ts";
import type { EightbyeightContext } from "../eightbyeight-context.ts";
import { ApiError, badRequest, notFound } from "../eightbyeight-errors.ts";
import { listPage } from "../eightbyeight-listing.ts";
import type { Attachment, Conversation } from "../eightbyeight-state.ts";
import { viewAttachment } from "../eightbyeight-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, findConversation, gateway, ok, readCall } from "./api-call.ts";

/** Documented is no limit; this one is the simulator's. */
const largestUploadBytes = 20_971_520;

/** A part of a multipart body. In the log it is its name and size. */
export interface UploadedFile {
  readonly name: string;
  readonly type: string;
  readonly content: Uint8Array<ArrayBuffer>;
  toJSON(): unknown;
}

export function addAttachmentRoutes(server: FastifyInstance, context: EightbyeightContext): void {
  const route = createRoutes(context);
  const all = `${gateway}/conversations/:conversation/attachments`;

  server.get(
    all,
    route((call) => {
      const attachments = [...findConversation(context, call).attachments.values()].map(viewAttachment);
      return ok(listPage(attachments, { plural: "attachments", path: call.path, query: call.query }));
    }),
  );
  server.post(
    all,
    { bodyLimit: largestUploadBytes },
    route((call) => {
      const conversation = findConversation(context, call);
      const { attachment, authorType } = call.body as { attachment?: UploadedFile | string; authorType?: unknown };
      if (authorType !== "user" && authorType !== "bot") throw badRequest("invalid_parameter", "The authorType must be user or bot.");
      if (typeof attachment !== "object") throw badRequest("invalid_parameter", "The part attachment must be a file.");
      const { name, type, content } = attachment;
      return ok(viewAttachment(addAttachment(context, conversation, { name, type, content })));
    }),
  );
  server.get(
    `${all}/:attachment`,
    route((call) => ok(viewAttachment(findAttachment(findConversation(context, call), call)))),
  );
  server.get(`${all}/:attachment/content`, (request, reply) => {
    const call = readCall(context, request);
    return sendContent(reply, findAttachment(findConversation(context, call), call), "application/octet-stream");
  });

  // Where pre-signed URLs lead: no key, but a signature and an end.
  server.get("/files/:conversation/:attachment", (request, reply) => {
    const { conversation: id = "", attachment = "" } = request.params as Record<string, string>;
    const { expires = "", signature = "" } = request.query as Record<string, string>;
    if (!isValidPreSignedUrl(context, `/files/${id}/${attachment}`, expires, signature)) {
      throw new ApiError(403, "forbidden", "The address is not valid, or no longer.");
    }
    const found = context.state.conversations.get(id)?.attachments.get(attachment);
    if (!found) throw notFound("attachment");
    return sendContent(reply, found, found.type);
  });
}

function findAttachment({ attachments }: Conversation, { params }: ApiCall): Attachment {
  const attachment = attachments.get(params["attachment"] ?? "");
  if (!attachment) throw notFound("attachment");
  return attachment;
}

function sendContent(reply: FastifyReply, { name, content }: Attachment, type: string): FastifyReply {
  const plainName = name.replaceAll(/[^\x20-\x7e]|["\\]/g, "_");
  const disposition = `attachment; filename="${plainName}"; filename*=UTF-8''${encodeURIComponent(name)}`;
  return reply.type(type).headers({ "content-disposition": disposition, "x-content-type-options": "nosniff" }).send(Buffer.from(content));
}
