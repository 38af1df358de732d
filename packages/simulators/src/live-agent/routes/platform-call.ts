import type { FastifyReply, FastifyRequest } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { railsNotFound, unauthorized } from "../live-agent-errors.ts";
import type { Feature } from "../live-agent-features.ts";
import type { Account, JsonObject, User } from "../live-agent-state.ts";
import { isObject, toId } from "../live-agent-values.ts";
import { answer, readToken } from "./api-call.ts";

export interface PlatformCall {
  readonly params: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

export type PlatformRoute = (
  handle: (call: PlatformCall) => unknown,
  options?: { readonly since?: Feature },
) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

/** Routes that take the platform token. What is not found answers as the framework does. */
export function createPlatformRoutes(context: LiveAgentContext): PlatformRoute {
  return (handle, options = {}) =>
    (request, reply) => {
      if (options.since && !context.profile.has(options.since)) throw railsNotFound();
      if (readToken(request) !== context.setup.platformToken) throw unauthorized("Invalid access_token");
      const params = request.params as Record<string, string>;
      const body = isObject(request.body) ? request.body : {};
      return answer(context, reply, () => handle({ params, body }));
    };
}

/** Throws the 401 of a resource that the platform neither made nor was given. */
export function findPlatformAccount({ state }: LiveAgentContext, { params }: PlatformCall): Account {
  const account = state.accounts.get(toId(params["account"]) ?? 0);
  if (!account) throw railsNotFound();
  if (!account.isPlatforms) throw unauthorized("Non permissible resource");
  return account;
}

export function findPlatformUser({ state }: LiveAgentContext, id: unknown): User {
  const user = state.users.get(toId(id) ?? 0);
  if (!user) throw railsNotFound();
  if (!user.isPlatforms) throw unauthorized("Non permissible resource");
  return user;
}
