import type { FastifyRequest } from "fastify";
import type { Visitor } from "../access/access.ts";
import { Problem } from "./problem.ts";
import type { ServedEndpoint, ServerContext } from "./server-context.ts";

const longestConversation = 256;

/** A request to one conversation by somebody who may use it. */
export interface Visit {
  readonly endpoint: ServedEndpoint;
  readonly address: { readonly endpoint: string; readonly conversation: string };
  readonly visitor: Visitor;
}

/** @throws Problem 404 */
export function findEndpoint(context: ServerContext, request: FastifyRequest): ServedEndpoint {
  const { token } = request.params as { token: string };
  const endpoint = context.endpoints.get(token);
  if (endpoint) return endpoint;
  throw new Problem({ status: 404, code: "ENDPOINT_NOT_FOUND", detail: "There is no such endpoint. Check the token in the URL." });
}

/** @throws Problem 400 */
export function readConversation(request: FastifyRequest): string {
  const { conversation } = request.params as { conversation: string };
  const length = Array.from(conversation).length;
  if (length >= 1 && length <= longestConversation) return conversation;
  const detail = `A conversation id has 1 to ${longestConversation} characters, percent-encoded in the URL.`;
  throw new Problem({ status: 400, code: "INVALID_CONVERSATION", detail });
}

/** Whoever gets a visit may use the conversation. @throws Problem 400, 401, 404, 429, 503 */
export async function enter(context: ServerContext, request: FastifyRequest, limited?: "message" | "typing"): Promise<Visit> {
  const endpoint = findEndpoint(context, request);
  const address = { endpoint: endpoint.configuration.token, conversation: readConversation(request) };
  const { authorization, cookie } = request.headers;
  const visitor = await endpoint.guard.check(address.conversation, { authorization, cookie });
  if (limited) context.limit({ ...address, address: request.ip, kind: limited });
  return { endpoint, address, visitor };
}
