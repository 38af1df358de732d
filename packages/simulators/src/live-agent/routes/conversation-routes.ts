import type { FastifyInstance } from "fastify";
import { ensureContactInbox } from "../live-agent-contacts.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { announceChange } from "../live-agent-context.ts";
import { assign, createConversation, setCustomAttributes, setLabels, setPriority, setStatus } from "../live-agent-conversations.ts";
import { notFound, serverError, unauthorized, unprocessable } from "../live-agent-errors.ts";
import { findQueuePosition, listConversations } from "../live-agent-listing.ts";
import type { ContactInbox, Conversation, JsonObject, Priority, Status } from "../live-agent-state.ts";
import { getInbox, sourceKey } from "../live-agent-state.ts";
import { isObject, toFlag, toId, toIso, toText } from "../live-agent-values.ts";
import { viewAgent, viewConversation } from "../live-agent-views.ts";
import { publishTyping } from "../live-agent-webhooks.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, emptyAnswer, findContact, findConversation, findInbox } from "./api-call.ts";
import { postMessage } from "./message-routes.ts";

export interface QueueSettings {
  readonly position?: number;
  readonly estimatedWaitMs?: number;
}

export function addConversationRoutes(server: FastifyInstance, context: LiveAgentContext, readQueue: () => QueueSettings): void {
  const { state, clock } = context;
  const route = createRoutes(context);
  const conversations = "/api/v1/accounts/:account/conversations";
  const one = `${conversations}/:conversation`;
  const withConversation = (handle: (conversation: Conversation, call: ApiCall) => unknown): ReturnType<typeof route> =>
    route((call) => handle(findConversation(context, call), call));

  server.post(
    conversations,
    route((call) => viewConversation(state, create(context, call))),
  );
  server.get(
    conversations,
    route(({ user, query }) => {
      const { page, meta } = listConversations(state, user, query, clock.now());
      return { data: { meta, payload: page.map((conversation) => viewConversation(state, conversation)) } };
    }),
  );
  server.get(
    `${conversations}/meta`,
    route(({ user, query }) => ({ meta: listConversations(state, user, query, clock.now()).meta })),
  );
  server.get(
    one,
    withConversation((conversation) => viewConversation(state, conversation)),
  );
  server.patch(
    one,
    withConversation((conversation, { body, user }) => {
      if ("priority" in body) setPriority(context, conversation, readPriority(body["priority"]), user);
      return viewConversation(state, conversation);
    }),
  );
  server.post(
    `${one}/toggle_status`,
    withConversation((conversation, call) => toggleStatus(context, conversation, call)),
  );
  server.post(
    `${one}/toggle_priority`,
    withConversation((conversation, { body, user }) => {
      setPriority(context, conversation, readPriority(body["priority"]), user);
      return emptyAnswer;
    }),
  );
  server.post(
    `${one}/toggle_typing_status`,
    withConversation((conversation, { body, user }) => {
      const typing = body["typing_status"];
      if (typing === "on" || typing === "off") publishTyping(context, conversation, user, typing === "on", toFlag(body["is_private"]));
      return emptyAnswer;
    }),
  );
  server.post(
    `${one}/assignments`,
    withConversation((conversation, call) => assignFromCall(context, conversation, call)),
  );
  server.get(
    `${one}/labels`,
    withConversation((conversation) => ({ payload: conversation.labels })),
  );
  server.post(
    `${one}/labels`,
    withConversation((conversation, { body, user }) => {
      const labels = Array.isArray(body["labels"]) ? body["labels"].map(String) : [];
      setLabels(context, conversation, labels, user);
      return { payload: conversation.labels };
    }),
  );
  server.post(
    `${one}/custom_attributes`,
    withConversation((conversation, { body }) => {
      setCustomAttributes(context, conversation, isObject(body["custom_attributes"]) ? body["custom_attributes"] : {});
      return { custom_attributes: conversation.customAttributes };
    }),
  );
  server.post(
    `${one}/update_last_seen`,
    withConversation((conversation) => {
      conversation.agentLastSeenAtMs = clock.now();
      announceChange(context, conversation);
      return viewConversation(state, conversation);
    }),
  );
  // Path and shape are not documented (inferred): a position from 1 and milliseconds.
  server.get(
    `${one}/queue_details`,
    withConversation((conversation) => {
      const position = findQueuePosition(state, conversation);
      if (!context.profile.hasQueueDetails || position === undefined) throw notFound();
      const queue = readQueue();
      return { position: queue.position ?? position, estimated_wait_time: queue.estimatedWaitMs ?? null };
    }),
  );
}

function create(context: LiveAgentContext, call: ApiCall): Conversation {
  const { body, user } = call;
  const status = body["status"] === undefined || body["status"] === null ? "open" : readStatus(context, body["status"]);
  const contactInbox = findContactInbox(context, call);
  const assignee = context.state.users.get(toId(body["assignee_id"]) ?? 0);
  const message = isObject(body["message"]) ? body["message"] : undefined;
  const conversation = createConversation(context, contactInbox, {
    status,
    additionalAttributes: isObject(body["additional_attributes"]) ? body["additional_attributes"] : {},
    customAttributes: isObject(body["custom_attributes"]) ? body["custom_attributes"] : {},
    snoozedUntil: toText(body["snoozed_until"]),
    // A token whose user is an agent gets what it opens.
    assigneeId: assignee?.id ?? (user.role === "agent" ? user.id : null),
  });
  if (message) postMessage(context, conversation, user, message);
  return conversation;
}

/** Inbox and contact name the link, which is made when it is missing; a source id alone finds one. */
function findContactInbox(context: LiveAgentContext, call: ApiCall): ContactInbox {
  const { state } = context;
  const { inbox_id: inboxId, contact_id: contactId } = call.body;
  const sourceId = toText(call.body["source_id"]);
  const inbox = inboxId === undefined ? undefined : findInbox(context, call, inboxId);
  const contact = contactId === undefined ? undefined : findContact(context, contactId);
  if (inbox && contact) {
    const existing = sourceId ? state.contactInboxBySource.get(sourceKey(inbox.id, sourceId)) : undefined;
    if (existing && existing.contactId !== contact.id) throw unprocessable("source_id should be unique");
    return ensureContactInbox(context, contact, inbox, sourceId, toFlag(call.body["hmac_verified"]));
  }
  const found = sourceId ? [...state.contactInboxes.values()].find((contactInbox) => contactInbox.sourceId === sourceId) : undefined;
  if (!found) throw notFound();
  if (call.user.role !== "administrator" && !getInbox(state, found.inboxId).memberIds.has(call.user.id)) {
    throw unauthorized("You are not authorized to do this action");
  }
  return found;
}

function toggleStatus(context: LiveAgentContext, conversation: Conversation, call: ApiCall): JsonObject {
  const { body, user } = call;
  const opposite = conversation.status === "open" ? "resolved" : "open";
  const status = body["status"] === undefined || body["status"] === null ? opposite : readStatus(context, body["status"]);
  const wakeAt = toId(body["snoozed_until"]);
  const wasOpen = conversation.status === "open";
  setStatus(context, conversation, status, user, wakeAt === undefined ? null : toIso(wakeAt * 1000));
  if (status === "open" && !wasOpen && user.role === "agent") assign(context, conversation, user, user);
  return {
    meta: {},
    payload: {
      success: true,
      conversation_id: conversation.displayId,
      current_status: conversation.status,
      snoozed_until: conversation.snoozedUntil,
    },
  };
}

function assignFromCall(context: LiveAgentContext, conversation: Conversation, call: ApiCall): JsonObject | null {
  const { body, user } = call;
  // There are no teams: a team is always an unknown one, which changes nothing here.
  if (!("assignee_id" in body)) return null;
  const assignee = context.state.users.get(toId(body["assignee_id"]) ?? 0) ?? null;
  assign(context, conversation, assignee, user);
  return assignee && viewAgent(context.state, assignee);
}

function readStatus(context: LiveAgentContext, value: unknown): Status {
  if (value === "open" || value === "resolved" || value === "pending" || value === "snoozed") return value;
  if (value === "abandoned" && context.profile.hasAbandonedStatus) return value;
  throw serverError();
}

function readPriority(value: unknown): Priority | null {
  if (value === null || value === undefined || value === "") return null;
  if (value === "low" || value === "medium" || value === "high" || value === "urgent") return value;
  throw serverError();
}
