import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { addInbox } from "../live-agent-demo.ts";
import { invalidRecord, notFound } from "../live-agent-errors.ts";
import { listUsers } from "../live-agent-people.ts";
import type { Inbox, JsonObject } from "../live-agent-state.ts";
import { createToken, findActiveBot, listOfAccount } from "../live-agent-state.ts";
import { isObject, toFlag, toId, toText } from "../live-agent-values.ts";
import { viewAgent, viewAgentBot, viewInbox } from "../live-agent-views.ts";
import { publishInbox } from "../live-agent-webhooks.ts";
import type { ApiCall } from "./api-call.ts";
import { canUseInbox, createRoutes, emptyAnswer, findInbox } from "./api-call.ts";

const account = "/api/v1/accounts/:account";

/** Inboxes, who is in them, and the bot of one. */
export function addInboxRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const show = (call: ApiCall, inbox: Inbox): JsonObject => viewInbox(context, inbox, call.role === "administrator");

  server.get(
    `${account}/inboxes`,
    route((call) => {
      const visible = listOfAccount(state.inboxes, call.accountId).filter((inbox) => canUseInbox(call, inbox));
      return { payload: visible.map((inbox) => show(call, inbox)) };
    }),
  );
  server.get(
    `${account}/inboxes/:inbox`,
    route((call) => show(call, findInbox(context, call, call.params["inbox"]))),
  );
  server.post(
    `${account}/inboxes`,
    route(
      (call) => {
        const inbox = createInbox(context, call);
        publishInbox(context, "inbox_created", inbox);
        return show(call, inbox);
      },
      { onlyAdministrators: true },
    ),
  );
  server.patch(
    `${account}/inboxes/:inbox`,
    route(
      (call) => {
        const inbox = findInbox(context, call, call.params["inbox"]);
        Object.assign(inbox, readInbox(context, call.body));
        publishInbox(context, "inbox_updated", inbox);
        return show(call, inbox);
      },
      { onlyAdministrators: true },
    ),
  );
  server.post(
    `${account}/inboxes/:inbox/reset_secret`,
    route(
      (call) => {
        const inbox = findInbox(context, call, call.params["inbox"]);
        inbox.secret = createToken();
        return show(call, inbox);
      },
      { since: "signedInboxWebhooks", onlyAdministrators: true },
    ),
  );
  addMemberRoutes(server, context);
  addBotRoutes(server, context);
}

function addMemberRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const listMembers = ({ accountId }: ApiCall, inbox: Inbox): JsonObject => {
    const members = listUsers(state, accountId).filter((user) => inbox.memberIds.has(user.id));
    return { payload: members.map((user) => viewAgent(context, user, accountId)) };
  };

  server.get(
    `${account}/inbox_members/:inbox`,
    route((call) => listMembers(call, findInbox(context, call, call.params["inbox"]))),
  );
  for (const method of ["POST", "PATCH", "DELETE"] as const) {
    server.route({
      method,
      url: `${account}/inbox_members`,
      handler: route(
        (call) => {
          const inbox = findInbox(context, call, call.body["inbox_id"]);
          const ids = readUserIds(context, call);
          if (method === "PATCH") inbox.memberIds.clear();
          for (const id of ids) {
            if (method === "DELETE") inbox.memberIds.delete(id);
            else inbox.memberIds.add(id);
          }
          return method === "DELETE" ? emptyAnswer : listMembers(call, inbox);
        },
        { onlyAdministrators: true },
      ),
    });
  }
  server.get(
    `${account}/assignable_agents`,
    route((call) => {
      const { query, accountId } = call;
      const inboxIds = [query["inbox_ids[]"] ?? query["inbox_ids"] ?? []].flat();
      const inboxes = inboxIds.map((id) => findInbox(context, call, id));
      const assignable = listUsers(state, accountId).filter(
        (user) =>
          user.memberships.get(accountId)?.role === "administrator" ||
          (inboxes.length > 0 && inboxes.every((inbox) => inbox.memberIds.has(user.id))),
      );
      return { payload: assignable.map((user) => viewAgent(context, user, accountId)) };
    }),
  );
}

function addBotRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  server.get(
    `${account}/inboxes/:inbox/agent_bot`,
    route((call) => {
      const bot = findActiveBot(state, findInbox(context, call, call.params["inbox"]));
      return { agent_bot: bot ? viewAgentBot(bot) : {} };
    }),
  );
  server.post(
    `${account}/inboxes/:inbox/set_agent_bot`,
    route(
      (call) => {
        const inbox = findInbox(context, call, call.params["inbox"]);
        const wanted = call.body["agent_bot"];
        const bot = state.agentBots.get(toId(wanted) ?? 0);
        const isForeign = bot !== undefined && bot.accountId !== null && bot.accountId !== call.accountId;
        if (wanted !== null && wanted !== undefined && (!bot || isForeign)) throw notFound();
        inbox.agentBotId = bot?.id ?? null;
        return emptyAnswer;
      },
      { onlyAdministrators: true },
    ),
  );
  server.get(
    `${account}/agent_bots`,
    route(({ accountId }) =>
      [...state.agentBots.values()].filter((bot) => bot.accountId === null || bot.accountId === accountId).map(viewAgentBot),
    ),
  );
}

function readUserIds({ state }: LiveAgentContext, { body, accountId }: ApiCall): number[] {
  const ids = Array.isArray(body["user_ids"]) ? body["user_ids"].map(toId) : [];
  return ids.map((id) => {
    if (id === undefined || !state.users.get(id)?.memberships.has(accountId)) throw notFound();
    return id;
  });
}

function createInbox(context: LiveAgentContext, { body, accountId }: ApiCall): Inbox {
  const channel = isObject(body["channel"]) ? body["channel"] : {};
  if (channel["type"] !== "api") throw notFound();
  const name = toText(body["name"]) ?? "";
  if (name.trim() === "") throw invalidRecord([{ attribute: "name", message: "Name can't be blank" }]);
  return addInbox(context.state, {
    name,
    accountId,
    secret: createToken(),
    hmacToken: createToken(),
    ...readInbox(context, body),
  });
}

/** What a call names of an inbox. */
function readInbox(context: LiveAgentContext, body: JsonObject): Partial<Inbox> {
  const channel = isObject(body["channel"]) ? body["channel"] : {};
  const values: { -readonly [Key in keyof Inbox]?: Inbox[Key] } = {};
  if (body["name"] !== undefined) values.name = readName(toText(body["name"]) ?? "");
  if (body["greeting_message"] !== undefined) values.greetingMessage = toText(body["greeting_message"]);
  if (body["greeting_enabled"] !== undefined && !toFlag(body["greeting_enabled"])) values.greetingMessage = null;
  if (body["enable_auto_assignment"] !== undefined) values.enableAutoAssignment = toFlag(body["enable_auto_assignment"]);
  if (body["csat_survey_enabled"] !== undefined) values.csatSurveyEnabled = toFlag(body["csat_survey_enabled"]);
  if (body["working_hours_enabled"] !== undefined) values.workingHoursEnabled = toFlag(body["working_hours_enabled"]);
  if (body["out_of_office_message"] !== undefined) values.outOfOfficeMessage = toText(body["out_of_office_message"]);
  if (body["timezone"] !== undefined) values.timezone = toText(body["timezone"]) ?? "UTC";
  if (body["lock_to_single_conversation"] !== undefined) values.lockToSingleConversation = toFlag(body["lock_to_single_conversation"]);
  if (body["allow_messages_after_resolved"] !== undefined) {
    values.allowMessagesAfterResolved = toFlag(body["allow_messages_after_resolved"]);
  }
  if (channel["webhook_url"] !== undefined) values.webhookUrl = readWebhookUrl(context, toText(channel["webhook_url"]));
  if (channel["hmac_mandatory"] !== undefined) values.hmacMandatory = toFlag(channel["hmac_mandatory"]);
  if (isObject(channel["additional_attributes"])) values.channelAttributes = channel["additional_attributes"];
  return values;
}

function readName(name: string): string {
  if (/^[=]|[<>/\\@]/.test(name)) throw invalidRecord([{ attribute: "name", message: "Name should not start or end with symbols" }]);
  return name;
}

function readWebhookUrl({ profile }: LiveAgentContext, url: string | null): string | null {
  if (!url) return null;
  const longest = profile.has("longWebhookUrls") ? 2048 : 255;
  if (url.length > longest) {
    throw invalidRecord([{ attribute: "webhook_url", message: `Webhook url is too long (maximum is ${longest} characters)` }]);
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw invalidRecord([{ attribute: "webhook_url", message: "Webhook url is invalid" }]);
  }
  return url;
}
