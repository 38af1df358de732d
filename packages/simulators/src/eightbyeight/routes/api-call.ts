import type { FastifyReply, FastifyRequest } from "fastify";
import { whenAnswered } from "../../shared/api-hooks.ts";
import type { EightbyeightContext } from "../eightbyeight-context.ts";
import { accessDenied, badRequest, forbidden, notFound } from "../eightbyeight-errors.ts";
import type { Conversation, JsonObject } from "../eightbyeight-state.ts";

/** One authenticated call. */
export interface ApiCall {
  readonly tenant: string;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: JsonObject;
  readonly body: JsonObject;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body?: JsonObject;
}

export const gateway = "/chat-gateway/v1";

export const noContent: ApiAnswer = { status: 204 };

export function ok(body: JsonObject): ApiAnswer {
  return { status: 200, body };
}

/**
 * Makes a route of a handler. Handlers do all their work at once; the webhooks that they cause leave when the answer is out, or
 * when its connection is gone.
 */
export function createRoutes(
  context: EightbyeightContext,
): (handle: (call: ApiCall) => ApiAnswer) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (handle) => (request, reply) => {
    const call = readCall(context, request);
    const answered = whenAnswered(reply);
    return sendAnswer(
      reply,
      context.sender.after(answered, () => handle(call)),
    );
  };
}

export function readCall(context: EightbyeightContext, request: FastifyRequest): ApiCall {
  const tenant = authenticate(context, request);
  const { body } = request;
  if (typeof body === "string" || Array.isArray(body)) throw badRequest("invalid_json_object", "The body must be a JSON object.");
  return {
    tenant,
    path: request.url.split("?")[0] ?? "/",
    params: request.params as Record<string, string>,
    query: request.query as JsonObject,
    body: (body ?? {}) as JsonObject,
  };
}

export function sendAnswer(reply: FastifyReply, { status, body }: ApiAnswer): FastifyReply {
  if (body === undefined) return reply.code(status).send();
  return reply.code(status).type("application/hal+json").send(JSON.stringify(body));
}

function authenticate({ setup, behaviour }: EightbyeightContext, request: FastifyRequest): string {
  if (request.headers["x-api-key"] !== setup.apiKey) {
    throw accessDenied(behaviour.unauthorizedBody === "gateway" ? "gateway" : undefined);
  }
  if (!behaviour.keyHasProduct) throw forbidden("The API product is not attached to this key.");
  const named = request.headers["x-8x8-tenant"];
  const tenant = named ?? (setup.tenants.length === 1 ? setup.tenants[0] : undefined);
  if (typeof tenant !== "string" || !setup.tenants.includes(tenant)) {
    throw forbidden(`The header X-8x8-Tenant names no tenant of customerId=${setup.customerId}.`);
  }
  return tenant;
}

export function findConversation({ state }: EightbyeightContext, call: ApiCall): Conversation {
  return findOwn(state.conversations, call, "conversation");
}

/** What another tenant has is not there. */
export function findOwn<Item extends { readonly tenant: string }>(items: ReadonlyMap<string, Item>, call: ApiCall, kind: string): Item {
  const item = items.get(call.params[kind] ?? "");
  if (!item || item.tenant !== call.tenant) throw notFound(kind);
  return item;
}

export function ownOf<Item extends { readonly tenant: string }>(items: ReadonlyMap<string, Item>, call: ApiCall): Item[] {
  return [...items.values()].filter(({ tenant }) => tenant === call.tenant);
}

/** A text of at most `longest` characters. */
export function readText(fields: JsonObject, key: string, longest: number): string {
  const value = fields[key];
  if (typeof value !== "string" || value === "" || value.length > longest) {
    throw badRequest("invalid_parameter", `${key} must be a text of 1 to ${longest} characters.`);
  }
  return value;
}

export function readObject(fields: JsonObject, key: string): JsonObject {
  const value = fields[key];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("invalid_json_object", `${key} must be an object.`);
  }
  return value as JsonObject;
}

export function readRange(fields: JsonObject, key: string, min: number, max: number): void {
  const value = fields[key];
  if (value === undefined) return;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw badRequest("invalid_parameter", `${key} must be a whole number from ${min} to ${max}.`);
  }
}
