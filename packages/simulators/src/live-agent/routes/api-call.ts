import type { FastifyReply, FastifyRequest } from "fastify";
import { whenAnswered } from "../../shared/api-hooks.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { notFound, notSignedIn, railsNotFound, unauthorized } from "../live-agent-errors.ts";
import type { Feature } from "../live-agent-features.ts";
import type { Viewer } from "../live-agent-listing.ts";
import { canSee } from "../live-agent-listing.ts";
import type { Account, Actor, AgentBot, Contact, Conversation, Inbox, JsonObject, User } from "../live-agent-state.ts";
import { conversationKey, technicalUserId } from "../live-agent-state.ts";
import { isObject, toId } from "../live-agent-values.ts";

/** One authenticated call of the account API. */
export interface ApiCall extends Viewer {
  readonly actor: Actor;
  /** Not there when a bot calls. */
  readonly user: User | undefined;
  readonly params: Readonly<Record<string, string>>;
  readonly query: JsonObject;
  readonly body: JsonObject;
}

export interface RouteOptions {
  /** The route came with it; before, there is nothing at its address. */
  readonly since?: Feature;
  /** What a bot's token may do, from the beginning or only in later versions. */
  readonly bots?: "always" | "later";
  readonly onlyAdministrators?: true;
}

export type Route = (
  handle: (call: ApiCall) => unknown,
  options?: RouteOptions,
) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

/** A 200 without a body, as several calls of this product answer. */
export const emptyAnswer = Symbol("empty answer");

/** Longest form or JSON of a call with files; a proxy before the product refuses more. */
export const uploadOptions = { bodyLimit: 46_137_344 };

/**
 * Makes a route of a handler. Handlers do all their work at once; the webhooks that they cause leave when the answer is out, or
 * when its connection is gone.
 */
export function createRoutes(context: LiveAgentContext): Route {
  return (handle, options = {}) =>
    (request, reply) => {
      if (options.since && !context.profile.has(options.since)) throw railsNotFound();
      const call = readCall(context, request, options);
      return answer(context, reply, () => handle(call));
    };
}

/** Does the work and answers with what it returns. */
export function answer(context: LiveAgentContext, reply: FastifyReply, work: () => unknown): FastifyReply | Promise<FastifyReply> {
  if (!context.behaviour.eventsBeforeAnswer) return send(reply, context.sender.after(whenAnswered(reply), work));
  const result = work();
  return context.sender.idle().then(() => send(reply, result));
}

function send(reply: FastifyReply, result: unknown): FastifyReply {
  if (result === emptyAnswer) return reply.code(200).send();
  return reply.code(200).type("application/json; charset=utf-8").send(JSON.stringify(result));
}

function readCall(context: LiveAgentContext, request: FastifyRequest, options: RouteOptions): ApiCall {
  const owner = authenticate(context, request);
  const bot = "outgoingUrl" in owner ? owner : undefined;
  const user = "memberships" in owner ? owner : undefined;
  if (bot && !mayBotCall(context, options)) throw unauthorized("Access to this endpoint is not authorized for bots");
  const params = request.params as Record<string, string>;
  const account = "account" in params ? findAccount(context, params["account"], user, bot) : undefined;
  const role = account ? (user?.memberships.get(account.id)?.role ?? "administrator") : "administrator";
  if (options.onlyAdministrators && role !== "administrator") throw notAllowed();
  return {
    actor: { kind: bot ? "agent_bot" : "user", id: owner.id, name: owner.name },
    user,
    id: user?.id,
    role,
    accountId: account?.id ?? context.state.mainAccountId,
    params,
    query: request.query as JsonObject,
    body: isObject(request.body) ? request.body : {},
  };
}

export function readToken({ headers }: FastifyRequest): string {
  // Node keeps underscores and dashes apart, the product does not.
  const token = headers["api_access_token"] ?? headers["api-access-token"];
  return typeof token === "string" ? token : "";
}

function authenticate(context: LiveAgentContext, request: FastifyRequest): User | AgentBot {
  const { state, setup, behaviour } = context;
  const token = readToken(request);
  if (token === "") throw notSignedIn();
  for (const owner of [...state.users.values(), ...state.agentBots.values()]) {
    if (owner.token === token) return owner;
  }
  if (token !== setup.platformToken) throw unauthorized("Invalid Access Token");
  const technicalUser = behaviour.allowsPlatformTokenEverywhere ? state.users.get(technicalUserId) : undefined;
  if (!technicalUser) throw unauthorized("Access to this endpoint is not authorized for bots");
  return technicalUser;
}

function mayBotCall(context: LiveAgentContext, { bots }: RouteOptions): boolean {
  return bots === "always" || (bots === "later" && context.profile.has("widerBotRights"));
}

function findAccount(context: LiveAgentContext, id: unknown, user: User | undefined, bot: AgentBot | undefined): Account {
  const account = context.state.accounts.get(toId(id) ?? 0);
  if (!account) throw notFound();
  if (account.status === "suspended") throw unauthorized("Account is suspended");
  if (user && !user.memberships.has(account.id)) throw unauthorized("You are not authorized to access this account");
  if (bot && bot.accountId !== null && bot.accountId !== account.id) {
    throw unauthorized("Bot is not authorized to access this account");
  }
  return account;
}

export function findInbox(context: LiveAgentContext, call: ApiCall, id: unknown): Inbox {
  const inbox = context.state.inboxes.get(toId(id) ?? 0);
  if (inbox?.accountId !== call.accountId) throw notFound();
  if (!canUseInbox(call, inbox)) throw notAllowed();
  return inbox;
}

export function canUseInbox(call: Viewer, inbox: Inbox): boolean {
  return call.role !== "agent" || inbox.memberIds.has(call.id ?? 0);
}

export function findContact(context: LiveAgentContext, call: ApiCall, id: unknown): Contact {
  const contact = context.state.contacts.get(toId(id) ?? 0);
  if (contact?.accountId !== call.accountId) throw notFound();
  return contact;
}

/** By display id. */
export function findConversation(context: LiveAgentContext, call: ApiCall): Conversation {
  const displayId = toId(call.params["conversation"]) ?? 0;
  const conversation = context.state.conversations.get(conversationKey(context.state, call.accountId, displayId));
  if (!conversation) throw notFound();
  if (!canSee(context.state, call, conversation)) throw notAllowed();
  return conversation;
}

export function notAllowed(): Error {
  return unauthorized("You are not authorized to do this action");
}
