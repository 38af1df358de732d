import type { FastifyReply, FastifyRequest } from "fastify";
import { whenAnswered } from "../../shared/api-hooks.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { notFound, notSignedIn, unauthorized } from "../live-agent-errors.ts";
import { canSee } from "../live-agent-listing.ts";
import type { Contact, Conversation, Inbox, JsonObject, User } from "../live-agent-state.ts";
import { isObject, toId } from "../live-agent-values.ts";

/** One authenticated call of the account API. */
export interface ApiCall {
  readonly user: User;
  readonly params: Readonly<Record<string, string>>;
  readonly query: JsonObject;
  readonly body: JsonObject;
}

/** A 200 without a body, as several calls of this product answer. */
export const emptyAnswer = Symbol("empty answer");

/**
 * Makes a route of a handler. Handlers do all their work at once; the webhooks that they cause leave when the answer is out, or
 * when its connection is gone.
 */
export function createRoutes(
  context: LiveAgentContext,
): (handle: (call: ApiCall) => unknown) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (handle) => (request, reply) => {
    const user = authenticate(context, request);
    const params = request.params as Record<string, string>;
    if ("account" in params && toId(params["account"]) !== context.state.account.id) throw notFound();
    const call = { user, params, query: request.query as JsonObject, body: isObject(request.body) ? request.body : {} };
    const answered = whenAnswered(reply);
    const answer = context.sender.after(answered, () => handle(call));
    if (answer === emptyAnswer) return reply.code(200).send();
    return reply.code(200).type("application/json; charset=utf-8").send(JSON.stringify(answer));
  };
}

// Node keeps underscores and dashes apart, the product does not.
function authenticate(context: LiveAgentContext, request: FastifyRequest): User {
  const token = request.headers["api_access_token"] ?? request.headers["api-access-token"];
  if (typeof token !== "string" || token === "") throw notSignedIn();
  for (const user of context.state.users.values()) {
    if (user.token === token) return user;
  }
  throw unauthorized("Invalid Access Token");
}

export function findInbox(context: LiveAgentContext, call: ApiCall, id: unknown): Inbox {
  const inbox = context.state.inboxes.get(toId(id) ?? 0);
  if (!inbox) throw notFound();
  if (call.user.role !== "administrator" && !inbox.memberIds.has(call.user.id)) throw notAllowed();
  return inbox;
}

export function findContact(context: LiveAgentContext, id: unknown): Contact {
  const contact = context.state.contacts.get(toId(id) ?? 0);
  if (!contact) throw notFound();
  return contact;
}

/** By display id. */
export function findConversation(context: LiveAgentContext, call: ApiCall): Conversation {
  const conversation = context.state.conversations.get(toId(call.params["conversation"]) ?? 0);
  if (!conversation) throw notFound();
  if (!canSee(context.state, call.user, conversation)) throw notAllowed();
  return conversation;
}

function notAllowed(): Error {
  return unauthorized("You are not authorized to do this action");
}
