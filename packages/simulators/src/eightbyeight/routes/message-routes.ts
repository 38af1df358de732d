import type { FastifyInstance } from "fastify";
import type { EightbyeightContext } from "../eightbyeight-context.ts";
import { badRequest, notFound } from "../eightbyeight-errors.ts";
import { listPage } from "../eightbyeight-listing.ts";
import { postMessage, readMessage } from "../eightbyeight-messages.ts";
import type { Card, Conversation, JsonObject, Message } from "../eightbyeight-state.ts";
import { viewCard, viewMessage } from "../eightbyeight-views.ts";
import type { ApiAnswer, ApiCall } from "./api-call.ts";
import { createRoutes, findConversation, gateway, noContent, ok, readRange, readText } from "./api-call.ts";

/** Messages with their cards, and the signals that leave no line: typing, thinking, read, what comes after the agents. */
export function addMessageRoutes(server: FastifyInstance, context: EightbyeightContext): void {
  const route = createRoutes(context);
  const one = `${gateway}/conversations/:conversation`;
  const newest = { defaultSort: "createdAt:desc", hasFilter: false };
  const withConversation = (handle: (conversation: Conversation, call: ApiCall) => ApiAnswer): ReturnType<typeof route> =>
    route((call) => handle(findConversation(context, call), call));

  server.get(
    `${one}/messages`,
    withConversation(({ messages }, { path, query }) =>
      ok(listPage(messages.map(viewMessage), { plural: "messages", path, query, ...newest })),
    ),
  );
  server.post(
    `${one}/messages`,
    withConversation((conversation, { body }) => {
      postMessage(context, conversation, readMessage(body));
      return { status: 202 };
    }),
  );
  server.get(
    `${one}/messages/:message`,
    withConversation((conversation, call) => ok(viewMessage(findMessage(conversation, call)))),
  );
  server.get(
    `${one}/messages/:message/cards`,
    withConversation((conversation, call) => {
      const { path, query } = call;
      return ok(listPage(findMessage(conversation, call).cards.map(viewCard), { plural: "cards", path, query, ...newest }));
    }),
  );
  // Beside the gateway's own path.
  server.put(
    "/api/v1/tenant/:tenant/conversations/:conversation/cards/:card/:action",
    withConversation((conversation, call) => {
      actOnCard(conversation, call);
      return noContent;
    }),
  );

  server.post(
    `${one}/typing`,
    withConversation((_conversation, { body }) => {
      readAuthor(body, ["user", "bot"]);
      return noContent;
    }),
  );
  server.post(
    `${one}/thinking`,
    withConversation((_conversation, { body }) => {
      if (body["authorType"] !== undefined) readAuthor(body, ["bot"]);
      readRange(body, "maxThinkingTimeSeconds", 1, 600);
      return noContent;
    }),
  );
  server.post(
    `${one}/read-receipt`,
    withConversation((_conversation, { body }) => {
      readAuthor(body, ["user", "bot"]);
      if (body["readAt"] === undefined) throw badRequest("invalid_parameter", "readAt is missing.");
      readRange(body, "readAt", 0, 8.64e15);
      return noContent;
    }),
  );
  server.post(
    `${one}/post-agent-assignment`,
    withConversation((conversation, call) => {
      conversation.nextHolder = { type: "webhook", id: readNextHolder(context, call) };
      return { status: 201 };
    }),
  );
}

function findMessage({ messages }: Conversation, { params }: ApiCall): Message {
  const message = messages.find(({ id }) => id === params["message"]);
  if (!message) throw notFound("message");
  return message;
}

function actOnCard({ messages }: Conversation, { tenant, params, body }: ApiCall): void {
  const card: Card | undefined = messages.flatMap(({ cards }) => cards).find(({ id }) => id === params["card"]);
  const { action } = params;
  if (!card || params["tenant"] !== tenant) throw notFound("card");
  readText(body, "name", 255);
  if (action === "action-submit") card.isSubmitted = true;
  else if (action === "action-execute") card.isExecuted = true;
  else throw notFound("action");
}

function readNextHolder({ state }: EightbyeightContext, { tenant, body }: ApiCall): string {
  const id = readText(body, "id", 255);
  if (body["type"] !== "webhook" || state.webhooks.get(id)?.tenant !== tenant) {
    throw badRequest("invalid_parameter", "There is no such webhook.");
  }
  const configuration = (body["configuration"] ?? {}) as JsonObject;
  readRange(configuration, "maxTotalMinutes", 20, 600);
  readRange(configuration, "userTimeoutInMinutes", 10, 300);
  const notify = configuration["notifyChannelWebhookIfExists"];
  if (notify !== undefined && typeof notify !== "string") {
    throw badRequest("invalid_parameter", "notifyChannelWebhookIfExists must be a text.");
  }
  return id;
}

function readAuthor(fields: JsonObject, allowed: readonly string[]): void {
  const author = fields["authorType"];
  if (typeof author !== "string" || !allowed.includes(author)) {
    throw badRequest("invalid_parameter", `The authorType must be ${allowed.join(" or ")}.`);
  }
}
