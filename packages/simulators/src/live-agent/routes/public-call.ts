import { createHmac, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { railsNotFound, serverError } from "../live-agent-errors.ts";
import type { Feature } from "../live-agent-features.ts";
import type { Contact, ContactInbox, Conversation, Inbox, JsonObject } from "../live-agent-state.ts";
import { conversationKey, getContact, getContactInbox, sourceKey } from "../live-agent-state.ts";
import { isObject, toId, toText } from "../live-agent-values.ts";
import { answer } from "./api-call.ts";

/** A call of somebody's own client: no token, but the inbox's identifier and the contact's source id. */
export interface PublicCall {
  readonly inbox: Inbox;
  readonly params: Readonly<Record<string, string>>;
  readonly query: JsonObject;
  readonly body: JsonObject;
}

export type PublicRoute = (
  handle: (call: PublicCall) => unknown,
  options?: { readonly since?: Feature },
) => (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

export function createPublicRoutes(context: LiveAgentContext): PublicRoute {
  return (handle, options = {}) =>
    (request, reply) => {
      if (options.since && !context.profile.has(options.since)) throw railsNotFound();
      const params = request.params as Record<string, string>;
      const inbox = [...context.state.inboxes.values()].find(({ identifier, isApi }) => isApi && identifier === params["inbox"]);
      if (!inbox) throw railsNotFound();
      const call = { inbox, params, query: request.query as JsonObject, body: isObject(request.body) ? request.body : {} };
      return answer(context, reply, () => handle(call));
    };
}

export function findContactInbox({ state }: LiveAgentContext, { inbox, params }: PublicCall): ContactInbox {
  const found = state.contactInboxBySource.get(sourceKey(inbox.id, params["source"] ?? ""));
  if (!found) throw railsNotFound();
  return found;
}

export function contactOf({ state }: LiveAgentContext, { contactId }: ContactInbox): Contact {
  return getContact(state, contactId);
}

/** A verified contact sees the conversations of all its inboxes. */
export function listOwnConversations({ state }: LiveAgentContext, contactInbox: ContactInbox): Conversation[] {
  return [...state.conversations.values()].filter((conversation) =>
    contactInbox.hmacVerified
      ? conversation.contactId === contactInbox.contactId
      : getContactInbox(state, conversation.contactInboxId) === contactInbox,
  );
}

export function findOwnConversation(context: LiveAgentContext, call: PublicCall): Conversation {
  const displayId = toId(call.params["conversation"]) ?? 0;
  const key = conversationKey(context.state, call.inbox.accountId, displayId);
  const found = listOwnConversations(context, findContactInbox(context, call)).find((conversation) => conversation.key === key);
  if (!found) throw railsNotFound();
  return found;
}

/** Whether the hash proves the identifier. A wrong one, or none where the inbox wants one, is the vendor's 500. */
export function checkIdentifier({ inbox, body }: PublicCall): boolean {
  const hash = toText(body["identifier_hash"]) ?? "";
  if (hash === "" && !inbox.hmacMandatory) return false;
  const expected = createHmac("sha256", inbox.hmacToken)
    .update(toText(body["identifier"]) ?? "")
    .digest("hex");
  const isRight = hash.length === expected.length && timingSafeEqual(Buffer.from(hash), Buffer.from(expected));
  if (!isRight) throw serverError();
  return true;
}
