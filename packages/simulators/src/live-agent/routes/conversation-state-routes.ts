import type { FastifyInstance } from "fastify";
import { viewConversation } from "../live-agent-api-views.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { announceChange } from "../live-agent-context.ts";
import {
  assign,
  assignBot,
  setCustomAttributes,
  setLabels,
  setMuted,
  setPriority,
  setStatus,
  setTeam,
} from "../live-agent-conversations.ts";
import { listUsers } from "../live-agent-people.ts";
import { statusOnWire } from "../live-agent-push-views.ts";
import type { Conversation, JsonObject } from "../live-agent-state.ts";
import { publishTyping } from "../live-agent-typing.ts";
import { isObject, toFlag, toId, toIso } from "../live-agent-values.ts";
import { viewAgent, viewAgentBot, viewTeam } from "../live-agent-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, emptyAnswer } from "./api-call.ts";
import { conversations, forConversation, readPriority, readStatus } from "./conversation-routes.ts";

/** What changes a conversation. */
export function addConversationStateRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { clock } = context;
  const one = `${conversations}/:conversation`;
  const route = forConversation(context, createRoutes(context));

  server.post(
    `${one}/toggle_status`,
    route((conversation, call) => toggleStatus(context, conversation, call), { bots: "always" }),
  );
  server.post(
    `${one}/toggle_priority`,
    route(
      (conversation, { body, actor }) => {
        setPriority(context, conversation, readPriority(body["priority"]), actor);
        return emptyAnswer;
      },
      { since: "priority", bots: "later" },
    ),
  );
  server.post(
    `${one}/toggle_typing_status`,
    route(
      (conversation, { body, user }) => {
        const typing = body["typing_status"];
        const isPrivate = context.profile.has("privateTyping") && toFlag(body["is_private"]);
        if (user && (typing === "on" || typing === "off")) publishTyping(context, conversation, user, typing === "on", isPrivate);
        return emptyAnswer;
      },
      { bots: "later" },
    ),
  );
  server.post(
    `${one}/assignments`,
    route((conversation, call) => assignFromCall(context, conversation, call), { bots: "later" }),
  );
  server.get(
    `${one}/labels`,
    route((conversation) => ({ payload: conversation.labels }), { bots: "later" }),
  );
  server.post(
    `${one}/labels`,
    route(
      (conversation, { body, actor }) => {
        setLabels(context, conversation, Array.isArray(body["labels"]) ? body["labels"].map(String) : [], actor);
        return { payload: conversation.labels };
      },
      { bots: "later" },
    ),
  );
  server.post(
    `${one}/custom_attributes`,
    route(
      (conversation, { body }) => {
        setCustomAttributes(context, conversation, isObject(body["custom_attributes"]) ? body["custom_attributes"] : {});
        return { custom_attributes: conversation.customAttributes };
      },
      { since: "conversationAttributes", bots: "later" },
    ),
  );
  for (const [path, seenAtMs] of [
    ["update_last_seen", () => clock.now()],
    ["unread", (conversation: Conversation) => conversation.lastActivityAtMs - 1],
  ] as const) {
    server.post(
      `${one}/${path}`,
      route((conversation) => {
        conversation.agentLastSeenAtMs = seenAtMs(conversation);
        announceChange(context, conversation);
        return viewConversation(context, conversation);
      }),
    );
  }
  for (const [path, isMuted] of [
    ["mute", true],
    ["unmute", false],
  ] as const) {
    server.post(
      `${one}/${path}`,
      route((conversation, { actor }) => {
        setMuted(context, conversation, isMuted, actor);
        return emptyAnswer;
      }),
    );
  }
  server.post(
    `${one}/transcript`,
    route(() => emptyAnswer),
  );
  addParticipantRoutes(server, context);
}

function addParticipantRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = forConversation(context, createRoutes(context));
  const url = `${conversations}/:conversation/participants`;
  const list = ({ participantIds }: Conversation, { accountId }: ApiCall): JsonObject[] =>
    listUsers(state, accountId)
      .filter((user) => participantIds.has(user.id))
      .map((user) => viewAgent(context, user, accountId));

  server.get(url, route(list));
  for (const method of ["POST", "PATCH", "DELETE"] as const) {
    server.route({
      method,
      url,
      handler: route((conversation, call) => {
        const { participantIds } = conversation;
        const ids = Array.isArray(call.body["user_ids"]) ? call.body["user_ids"].map((id) => toId(id) ?? 0) : [];
        if (method === "PATCH") participantIds.clear();
        for (const id of ids) {
          if (method === "DELETE") participantIds.delete(id);
          else participantIds.add(id);
        }
        return list(conversation, call);
      }),
    });
  }
}

function toggleStatus(context: LiveAgentContext, conversation: Conversation, call: ApiCall): JsonObject {
  const { body, actor, user, role } = call;
  const opposite = conversation.status === "open" ? "resolved" : "open";
  const status = body["status"] === undefined || body["status"] === null ? opposite : readStatus(context, body["status"]);
  const wakeAt = toId(body["snoozed_until"]);
  const former = conversation.status;
  setStatus(context, conversation, status, actor, wakeAt === undefined ? null : toIso(wakeAt * 1000));
  if (status === "open" && former !== "open" && role === "agent" && user) assign(context, conversation, user, user);
  // A bot that opens a pending conversation hands it over, which the product answers differently.
  const isHandOff = actor.kind === "agent_bot" && former === "pending" && status === "open";
  return {
    meta: {},
    payload: {
      success: isHandOff ? null : true,
      conversation_id: conversation.displayId,
      current_status: statusOnWire(context, conversation),
      snoozed_until: conversation.snoozedUntil,
    },
  };
}

/** The assignee wins over the team. An id that nobody has takes the assignment away. */
function assignFromCall(context: LiveAgentContext, conversation: Conversation, call: ApiCall): JsonObject | null {
  const { state, profile } = context;
  const { body, actor, accountId, id } = call;
  if (!("assignee_id" in body)) {
    const wanted = state.teams.get(toId(body["team_id"]) ?? 0);
    const team = wanted?.accountId === accountId ? wanted : null;
    setTeam(context, conversation, team, actor);
    return team && viewTeam(team, id);
  }
  if (body["assignee_type"] === "AgentBot" && profile.has("botAssignee")) {
    const bot = state.agentBots.get(toId(body["assignee_id"]) ?? 0);
    if (bot) assignBot(context, conversation, bot);
    else assign(context, conversation, null, actor);
    return bot ? viewAgentBot(bot) : null;
  }
  const wanted = state.users.get(toId(body["assignee_id"]) ?? 0);
  const assignee = wanted?.memberships.has(accountId) ? wanted : null;
  assign(context, conversation, assignee, actor);
  return assignee && viewAgent(context, assignee, accountId);
}
