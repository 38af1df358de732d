import type { FastifyInstance } from "fastify";
import { readBody, readSchema, surveySchema } from "./json-body.ts";
import type { ServerContext } from "./server-context.ts";
import { enter } from "./visit.ts";

/** What a client tells beside messages: how far the user has read, and the answers of a survey. */
export function addReadAndSurveyRoutes(server: FastifyInstance, context: ServerContext, base: string): void {
  const { runtime } = context;

  server.post(`${base}/read`, async (request, reply) => {
    const visit = await enter(context, request, "typing");
    const { seq } = readBody(readSchema, request.body);
    await runtime.markRead({ ...visit.address, seq });
    return reply.code(204).send();
  });

  server.post(`${base}/survey`, async (request, reply) => {
    const visit = await enter(context, request, "message");
    const { survey, answers } = readBody(surveySchema, request.body);
    await runtime.submitSurvey({ ...visit.address, survey, answers });
    return reply.code(204).send();
  });
}
