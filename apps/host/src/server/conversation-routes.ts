import { createHash } from "node:crypto";
import type { User } from "@handover/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { largestCookieBytes, writeAccessCookie } from "../access/access-cookie.ts";
import { addAttachmentRoutes } from "./attachment-routes.ts";
import { addAvailabilityRoute } from "./availability-route.ts";
import { addCorsHeaders } from "./cors.ts";
import { handoverSchema, messageSchema, readBody, typingSchema } from "./json-body.ts";
import { Problem } from "./problem.ts";
import { addReadAndSurveyRoutes } from "./read-and-survey-routes.ts";
import { serveEvents } from "./serve-events.ts";
import type { ServerContext } from "./server-context.ts";
import { enter, findEndpoint, readConversation, type Visit } from "./visit.ts";

/** The channel API: what a client of a conversation can do. */
export function addConversationRoutes(server: FastifyInstance, context: ServerContext): void {
  const { runtime } = context;
  const base = "/endpoints/:token/conversations/:conversation";

  server.addHook("onRequest", async (request, reply) => {
    const { token } = request.params as { token?: string };
    addCorsHeaders(request, reply, context.endpoints.get(token ?? "")?.configuration);
  });
  server.options("/endpoints/:token", async (_request, reply) => reply.code(204).send());
  server.options("/endpoints/:token/*", async (_request, reply) => reply.code(204).send());

  server.get("/endpoints/:token", async (request) => describeEndpoint(context, request));

  addAvailabilityRoute(server, context);

  server.post(`${base}/messages`, async (request, reply) => {
    const visit = await enter(context, request, "message");
    const { id, text, attachments, answer, user } = readBody(messageSchema, request.body);
    const message = { id, ...(text === undefined ? {} : { text }), ...(answer ? { answer } : {}), ...(attachments ? { attachments } : {}) };
    const { seq } = await runtime.receiveMessage({ ...visit.address, message, ...userOf(visit, user) });
    return reply.code(202).send({ seq });
  });

  server.get(`${base}/events`, { exposeHeadRoute: false }, (request, reply) => serveEvents(context, request, reply));

  server.post(`${base}/typing`, async (request, reply) => {
    const visit = await enter(context, request, "typing");
    const { isTyping } = readBody(typingSchema, request.body);
    await runtime.setTyping({ ...visit.address, isTyping });
    return reply.code(204).send();
  });

  server.post(`${base}/handover`, async (request, reply) => {
    const visit = await enter(context, request, "message");
    const { options } = readBody(handoverSchema, request.body ?? {});
    refuseForeignOptions(visit, options ?? {});
    const { handover } = await runtime.requestHandover({ ...visit.address, ...(options ? { options } : {}), ...userOf(visit) });
    return reply.code(202).send({ handover });
  });

  server.delete(`${base}/handover`, async (request, reply) => {
    const visit = await enter(context, request, "message");
    const { handover } = await runtime.endHandover({ ...visit.address, actor: "user" });
    return reply.code(202).send({ handover });
  });

  server.post(`${base}/access`, async (request, reply) => {
    const cookie = await exchangeAccess(context, request);
    return reply.code(204).header("set-cookie", cookie).header("cache-control", "no-store").send();
  });

  addReadAndSurveyRoutes(server, context, base);
  addAttachmentRoutes(server, context, base);
}

function describeEndpoint(context: ServerContext, request: FastifyRequest): object {
  const { configuration, guard } = findEndpoint(context, request);
  const { token, title, handover } = configuration;
  return { token, ...(title === undefined ? {} : { title }), access: guard.kind, handover: handover !== undefined };
}

/** With signed access the token says who it is, and nobody else. */
function userOf(
  { address, endpoint, visitor }: Visit,
  claimed?: { readonly [key in keyof User]?: User[key] | undefined },
): { user?: User } {
  if (visitor.user) {
    if (claimed)
      throw new Problem({ status: 400, code: "USER_NOT_ALLOWED", detail: "The user comes from the token here. Leave user out." });
    return { user: visitor.user };
  }
  if (!claimed || endpoint.guard.kind === "signed") return {};
  const known = Object.entries(claimed).filter(([, value]) => value !== undefined);
  return { user: { id: visitorId(address.conversation), ...(Object.fromEntries(known) as Partial<User>), isVerified: false } };
}

/** Without an id of their own users are whoever has the conversation. Its own id is a secret and goes nowhere. */
function visitorId(conversation: string): string {
  return `visitor-${createHash("sha256").update(conversation).digest("base64url").slice(0, 16)}`;
}

function refuseForeignOptions({ endpoint }: Visit, options: Readonly<Record<string, unknown>>): void {
  const allowed = endpoint.configuration.channelOptions;
  const refused = Object.keys(options).find((key) => !allowed.includes(key));
  if (refused === undefined) return;
  const list = allowed.length === 0 ? "none" : allowed.join(", ");
  const detail = `A client may not set every option; allowed here: ${list}. The operator can add to channelOptions of the endpoint.`;
  throw new Problem({ status: 400, code: "OPTION_NOT_ALLOWED", detail });
}

async function exchangeAccess(context: ServerContext, request: FastifyRequest): Promise<string> {
  const { guard, configuration } = findEndpoint(context, request);
  const conversation = readConversation(request);
  context.limit({ endpoint: configuration.token, conversation, address: request.ip, kind: "message" });
  const { token, expiresAtSeconds } = await guard.exchange(conversation, request.headers);
  const { publicUrl } = context.configuration;
  const cookie = writeAccessCookie(
    { endpoint: configuration.token, conversation },
    {
      value: token,
      lifetimeSeconds: expiresAtSeconds - Date.now() / 1000,
      isSecure: publicUrl?.startsWith("https:") ?? false,
      basePath: publicUrl === undefined ? "" : new URL(publicUrl).pathname.replace(/\/$/, ""),
    },
  );
  if (cookie.length <= largestCookieBytes) return cookie;
  throw new Problem({ status: 400, code: "TOKEN_TOO_LONG", detail: "The token is too long for a cookie. Put fewer claims into it." });
}
