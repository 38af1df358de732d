import type { FastifyInstance } from "fastify";
import type { EightbyeightContext } from "../eightbyeight-context.ts";
import { addConversation, beginConversation, changeConversation, removeCustomer } from "../eightbyeight-conversations.ts";
import { badRequest } from "../eightbyeight-errors.ts";
import { listAll, listPage } from "../eightbyeight-listing.ts";
import { addHistory, readMessage } from "../eightbyeight-messages.ts";
import type { Assignment, Channel, Conversation, JsonObject } from "../eightbyeight-state.ts";
import { findWebhook } from "../eightbyeight-state.ts";
import { toIso, viewConversation, viewInteraction, viewParticipant } from "../eightbyeight-views.ts";
import type { ApiAnswer, ApiCall } from "./api-call.ts";
import { createRoutes, findConversation, gateway, noContent, ok, ownOf, readCall, readObject, readText, sendAnswer } from "./api-call.ts";

const mostHistory = 200;
const mostProperties = 30;
/** 200 long lines of history fit. */
const largestBodyBytes = 10_485_760;

export function addConversationRoutes(
  server: FastifyInstance,
  context: EightbyeightContext,
  firstAttempt: (conversation: Conversation) => Promise<void>,
): void {
  const route = createRoutes(context);
  const all = `${gateway}/conversations`;
  const one = `${all}/:conversation`;
  const accepted = (body: JsonObject): ApiAnswer => ({ status: 202, body });
  const createNow = route((call) => {
    const conversation = createConversation(context, call);
    beginConversation(context, conversation);
    return accepted(viewCreated(conversation));
  });

  server.get(
    all,
    route((call) => {
      const conversations = ownOf(context.state.conversations, call).map((conversation) => viewConversation(context, conversation));
      return ok(listPage(conversations, { plural: "conversations", path: call.path, query: call.query }));
    }),
  );
  server.post(all, { bodyLimit: largestBodyBytes }, async (request, reply) => {
    if (!context.behaviour.eventsBeforeAnswer) return createNow(request, reply);
    const conversation = createConversation(context, readCall(context, request));
    const isTold = findWebhook(context.state, conversation) ? firstAttempt(conversation) : undefined;
    beginConversation(context, conversation);
    await isTold;
    return sendAnswer(reply, accepted(viewCreated(conversation)));
  });
  server.get(
    one,
    route((call) => ok(viewConversation(context, findConversation(context, call)))),
  );
  server.put(
    one,
    route((call) => {
      const conversation = findConversation(context, call);
      const change = readChange(context, call);
      const channelId = call.body["channelId"] === undefined ? undefined : findChannel(context, call).id;
      changeConversation(context, conversation, { ...change, ...(channelId === undefined ? {} : { channelId }) });
      return accepted(viewConversation(context, conversation));
    }),
  );
  server.patch(
    one,
    route((call) => {
      const conversation = findConversation(context, call);
      const { user, ...change } = readChange(context, call);
      changeConversation(context, conversation, { ...change, ...(user ? { user: { ...conversation.user, ...user } } : {}) });
      return accepted(viewConversation(context, conversation));
    }),
  );
  server.get(
    `${one}/interactions`,
    route((call) => ok(listAll(findConversation(context, call).interactions.map(viewInteraction), "interactions", call.path))),
  );
  server.get(
    `${one}/participants`,
    route((call) => ok(listAll(findConversation(context, call).participants.map(viewParticipant), "participants", call.path))),
  );
  server.patch(
    `${one}/participants/user`,
    route((call) => {
      const conversation = findConversation(context, call);
      if (call.body["removed"] !== true) throw badRequest("invalid_parameter", "removed must be true.");
      removeCustomer(context, conversation);
      return noContent;
    }),
  );
}

function viewCreated({ id, createdAtMs }: Conversation): JsonObject {
  return { conversationId: id, createdAt: toIso(createdAtMs) };
}

function createConversation(context: EightbyeightContext, call: ApiCall): Conversation {
  const { tenant, body } = call;
  const channel = findChannel(context, call);
  const user = readUser(context, body);
  const assignment = body["assignment"] === undefined ? undefined : readAssignment(context, body);
  const queueId = assignment?.type === "queue" ? assignment.id : channel.queueId;
  if (queueId === null) throw badRequest("invalid_queue", "There is no queue.");
  const history = readHistory(context, body).map(readMessage);
  const conversation = addConversation(context, {
    tenant,
    channelId: channel.id,
    user,
    assignment: assignment ?? { type: "queue", id: queueId },
    queueId,
  });
  for (const message of history) addHistory(context, conversation, message);
  return conversation;
}

function findChannel({ state }: EightbyeightContext, { tenant, body }: ApiCall): Channel {
  const channel = state.channels.get(readText(body, "channelId", 255));
  if (channel?.tenant !== tenant) throw badRequest("invalid_channel", "There is no such channel.");
  return channel;
}

function readChange(context: EightbyeightContext, { body }: ApiCall): { user?: JsonObject; assignment?: Assignment } {
  return {
    ...(body["user"] === undefined ? {} : { user: readUser(context, body) }),
    ...(body["assignment"] === undefined ? {} : { assignment: readAssignment(context, body) }),
  };
}

function readAssignment({ state }: EightbyeightContext, fields: JsonObject): Assignment {
  const assignment = readObject(fields, "assignment");
  const type = assignment["type"] ?? "queue";
  if (type !== "queue" && type !== "script") throw badRequest("invalid_assignment", "The type must be queue or script.");
  const id = readText(assignment, "id", 255);
  if (type === "queue" && !state.queues.has(id)) throw badRequest("invalid_queue", "There is no such queue.");
  return { type, id };
}

/** Its texts must be texts: null is none. */
function readUser(context: EightbyeightContext, fields: JsonObject): JsonObject {
  const user = readObject(fields, "user");
  for (const key of ["name", "userId", "email", "phone", "company", "caseId", "language"]) {
    if (user[key] !== undefined && typeof user[key] !== "string") throw badRequest("invalid_parameter", `${key} must be a text.`);
  }
  const properties: unknown = user["additionalProperties"] ?? [];
  const isValid = Array.isArray(properties) && (properties as JsonObject[]).every(isProperty);
  if (!isValid) throw badRequest("invalid_parameter", "additionalProperties must be a list of texts under keys.");
  if (context.behaviour.enforcesLimits && (properties as unknown[]).length > mostProperties) {
    throw badRequest("invalid_parameter", `There can be at most ${mostProperties} additionalProperties.`);
  }
  return user;
}

function isProperty(property: JsonObject | null): boolean {
  return typeof property?.["key"] === "string" && typeof property["value"] === "string";
}

function readHistory(context: EightbyeightContext, fields: JsonObject): JsonObject[] {
  if (fields["history"] === undefined) return [];
  const messages: unknown = readObject(fields, "history")["messages"] ?? [];
  if (!Array.isArray(messages) || messages.some((message) => typeof message !== "object" || message === null)) {
    throw badRequest("invalid_parameter", "The messages of the history must be a list of messages.");
  }
  if (context.behaviour.enforcesLimits && messages.length > mostHistory) {
    throw badRequest("invalid_parameter", `The history can have at most ${mostHistory} messages.`);
  }
  return messages as JsonObject[];
}
