import type { FastifyInstance } from "fastify";
import { viewConversation } from "../live-agent-api-views.ts";
import { ensureContactInbox } from "../live-agent-contacts.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { createConversation, setPriority } from "../live-agent-conversations.ts";
import { filterConversations } from "../live-agent-conversation-filter.ts";
import { notFound, serverError, unprocessable } from "../live-agent-errors.ts";
import { listConversations } from "../live-agent-listing.ts";
import { readQueueDetails } from "../live-agent-queue.ts";
import type { ContactInbox, Conversation, Priority, Status } from "../live-agent-state.ts";
import { getInbox, sourceKey } from "../live-agent-state.ts";
import { isObject, toFlag, toId, toText } from "../live-agent-values.ts";
import type { ApiCall, Route } from "./api-call.ts";
import { canUseInbox, createRoutes, findContact, findConversation, findInbox, notAllowed } from "./api-call.ts";
import { postMessage } from "./message-routes.ts";

export const conversations = "/api/v1/accounts/:account/conversations";

/** Opening, listing and reading conversations. */
export function addConversationRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const route = createRoutes(context);
  const one = `${conversations}/:conversation`;

  server.post(
    conversations,
    route((call) => viewConversation(context, create(context, call)), { bots: "always" }),
  );
  server.get(
    conversations,
    route((call) => {
      const { page, meta } = listConversations(context, call, call.query);
      return { data: { meta, payload: page.map((conversation) => viewConversation(context, conversation)) } };
    }),
  );
  server.get(
    `${conversations}/meta`,
    route((call) => ({ meta: listConversations(context, call, call.query).meta })),
  );
  server.post(
    `${conversations}/filter`,
    route(
      (call) => {
        const { page, meta } = filterConversations(context, call, call.body["payload"], call.query["page"]);
        return { meta, payload: page.map((conversation) => viewConversation(context, conversation)) };
      },
      { since: "contactFilter" },
    ),
  );
  server.get(
    one,
    forConversation(context, route)((conversation) => viewConversation(context, conversation), { bots: "later" }),
  );
  server.patch(
    one,
    forConversation(context, route)(
      (conversation, { body, actor }) => {
        if ("priority" in body) setPriority(context, conversation, readPriority(body["priority"]), actor);
        return viewConversation(context, conversation);
      },
      { since: "conversationPatch", bots: "later" },
    ),
  );
  server.get(
    `${one}/queue_details`,
    forConversation(
      context,
      route,
    )((conversation) => {
      const details = readQueueDetails(context, conversation);
      if (!details) throw notFound();
      return details;
    }),
  );
}

type ConversationRoute = (
  handle: (conversation: Conversation, call: ApiCall) => unknown,
  options?: Parameters<Route>[1],
) => ReturnType<Route>;

/** A route below one conversation. */
export function forConversation(context: LiveAgentContext, route: Route): ConversationRoute {
  return (handle, options) => route((call) => handle(findConversation(context, call), call), options);
}

function create(context: LiveAgentContext, call: ApiCall): Conversation {
  const { body, user, role, accountId } = call;
  const { profile, state } = context;
  const status = body["status"] === undefined || body["status"] === null ? "open" : readStatus(context, body["status"]);
  const contactInbox = findContactInbox(context, call);
  const assignee = profile.has("conversationAttributes") ? state.users.get(toId(body["assignee_id"]) ?? 0) : undefined;
  const team = profile.has("conversationAttributes") ? state.teams.get(toId(body["team_id"]) ?? 0) : undefined;
  // A token whose user is an agent gets what it opens.
  const owner = role === "agent" && profile.has("agentGetsOwnConversation") ? user : undefined;
  const message = isObject(body["message"]) ? body["message"] : undefined;
  const conversation = createConversation(context, contactInbox, {
    status,
    additionalAttributes: isObject(body["additional_attributes"]) ? body["additional_attributes"] : {},
    customAttributes: isObject(body["custom_attributes"]) ? body["custom_attributes"] : {},
    snoozedUntil: toText(body["snoozed_until"]),
    assigneeId: (assignee?.memberships.has(accountId) ? assignee : owner)?.id ?? null,
    teamId: team?.accountId === accountId ? team.id : null,
  });
  if (message) postMessage(context, conversation, call.actor, message);
  return conversation;
}

/** Inbox and contact name the link, which is made when it is missing; a source id alone finds one. */
function findContactInbox(context: LiveAgentContext, call: ApiCall): ContactInbox {
  const { state, profile } = context;
  const { inbox_id: inboxId, contact_id: contactId } = call.body;
  const sourceId = toText(call.body["source_id"]);
  const inbox = inboxId === undefined ? undefined : findInbox(context, call, inboxId);
  const contact = contactId === undefined ? undefined : findContact(context, call, contactId);
  if (inbox && contact) {
    const existing = sourceId ? state.contactInboxBySource.get(sourceKey(inbox.id, sourceId)) : undefined;
    if (existing && existing.contactId !== contact.id) {
      throw profile.has("duplicateSourceIdIs422") ? unprocessable("source_id should be unique") : serverError();
    }
    return ensureContactInbox(context, contact, inbox, sourceId, toFlag(call.body["hmac_verified"]));
  }
  const found = sourceId ? [...state.contactInboxes.values()].find((contactInbox) => contactInbox.sourceId === sourceId) : undefined;
  if (!found) throw notFound();
  if (!canUseInbox(call, getInbox(state, found.inboxId))) throw notAllowed();
  return found;
}

/** Throws the vendor's 500 for a word that it does not know. */
export function readStatus(context: LiveAgentContext, value: unknown): Status {
  if (value === "open" || value === "resolved" || value === "pending" || value === "snoozed") return value;
  // The old name of pending.
  if (value === "bot" && !context.profile.has("inboxIdentifier")) return "pending";
  if (context.profile.isLiveAgent && value === context.behaviour.abandonedStatus) return "abandoned";
  throw serverError();
}

export function readPriority(value: unknown): Priority | null {
  if (value === null || value === undefined || value === "") return null;
  if (value === "low" || value === "medium" || value === "high" || value === "urgent") return value;
  throw serverError();
}
