import multipart, { type MultipartFile } from "@fastify/multipart";
import { HandoverError } from "@handover/core";
import { defaultLimits } from "@handover/runtime";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { attachmentUrl } from "../attachment-url.ts";
import { Problem } from "./problem.ts";
import { sendFile } from "./send-file.ts";
import type { ServerContext } from "./server-context.ts";
import { enter } from "./visit.ts";

/** Files of a conversation: its user puts them there, and opens those of both sides. */
export function addAttachmentRoutes(server: FastifyInstance, context: ServerContext, base: string): void {
  const { runtime, configuration } = context;

  server.get(`${base}/attachments/:id`, async (request, reply) => {
    const { address } = await enter(context, request);
    const { id } = request.params as { id: string };
    return sendFile(reply, await runtime.getAttachment({ ...address, id }));
  });

  void server.register(async (uploads) => {
    uploads.removeAllContentTypeParsers();
    await uploads.register(multipart, { limits: uploadLimits(configuration.limits.attachmentBytes ?? defaultLimits.attachmentBytes) });
    // The rest of a refused upload is read and thrown away, so that its sender gets the answer and can go on.
    uploads.addHook("onResponse", async (request) => void request.raw.resume());
    // Whoever sends something else learns what it has to be.
    uploads.addContentTypeParser("*", (_request, payload, done) => {
      payload.resume();
      done(null);
    });
    uploads.post(`${base}/attachments`, async (request, reply) => {
      const { address } = await enter(context, request, "message");
      const { file: content, filename: name, mimetype: type } = await readFile(request);
      const stored = await runtime.putAttachment({ ...address, name, type, content }).catch((error: unknown) => {
        throw HandoverError.isInstance(error) ? error : brokenUpload();
      });
      return reply.code(201).send({ ...stored, url: attachmentUrl(configuration.publicUrl, { ...address, id: stored.id }) });
    });
  });
}

/** One byte more than is allowed is let through: the runtime refuses it, and says why. */
function uploadLimits(attachmentBytes: number) {
  return { fileSize: attachmentBytes + 1, files: 1, fields: 10, fieldSize: 1_024, fieldNameSize: 100, parts: 11, headerPairs: 50 };
}

/** The first file, whatever its field is called. What comes after it is not looked at. */
async function readFile(request: FastifyRequest): Promise<MultipartFile> {
  if (!request.isMultipart()) {
    const detail = "Send the file as multipart/form-data, in a part with a file name.";
    throw new Problem({ status: 415, code: "UNSUPPORTED_MEDIA_TYPE", detail });
  }
  const file = await request.file().catch(() => {
    throw brokenUpload();
  });
  if (file) return file;
  throw new Problem({ status: 400, code: "NO_FILE", detail: "There is no file in the form: one part needs a file name." });
}

function brokenUpload(): Problem {
  const detail = "The upload was cut off, or is no multipart form with one file and a few small fields. Nothing of it was kept.";
  return new Problem({ status: 400, code: "INVALID_UPLOAD", detail });
}
