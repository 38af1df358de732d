import { formatPath, toConfigIssues } from "@handover/core";
import type { FastifyInstance } from "fastify";
import { z, type ZodType } from "zod";
import { Problem } from "./problem.ts";

/** JSON is the only kind of body; none at all is fine where a route does not need one. */
export function acceptJsonOnly(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser("error", "error");
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, body as string, done);
  });
}

/** @throws Problem 400 that names every mistake, without the values */
export function readBody<Output>(schema: ZodType<Output>, body: unknown): Output {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issues = toConfigIssues(result.error.issues, schema, body).slice(0, 10);
  const detail = issues.map(({ path, message }) => `${path.length === 0 ? "the body" : formatPath(path)}: ${message}`).join("; ");
  throw new Problem({ status: 400, code: "INVALID_BODY", detail });
}

const userSchema = z.strictObject({
  id: z.string().min(1).max(256).optional(),
  name: z.string().max(256).optional(),
  email: z.string().max(320).optional(),
  phone: z.string().max(64).optional(),
  language: z.string().max(35).optional(),
});

export const messageSchema = z.strictObject({
  id: z.string().min(1).max(128),
  text: z.string().optional(),
  attachments: z.array(z.string()).max(20).optional(),
  answer: z.strictObject({ seq: z.int().min(1), choice: z.string().min(1).max(256) }).optional(),
  user: userSchema.optional(),
});

export const handoverSchema = z.strictObject({ options: z.record(z.string(), z.json()).optional() });

export const typingSchema = z.strictObject({ isTyping: z.boolean() });

export const readSchema = z.strictObject({ seq: z.int().min(1) });

export const surveySchema = z.strictObject({
  survey: z.string().min(1).max(256),
  answers: z.record(z.string().min(1).max(256), z.union([z.string(), z.number()])),
});
