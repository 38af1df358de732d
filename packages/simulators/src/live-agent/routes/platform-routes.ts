import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { addAccount } from "../live-agent-demo.ts";
import { invalidRecord } from "../live-agent-errors.ts";
import { staffAccount } from "../live-agent-people.ts";
import type { Account, JsonObject } from "../live-agent-state.ts";
import { removeConversation } from "../live-agent-state.ts";
import { isObject, toText } from "../live-agent-values.ts";
import { emptyAnswer } from "./api-call.ts";
import type { PlatformCall } from "./platform-call.ts";
import { createPlatformRoutes, findPlatformAccount } from "./platform-call.ts";
import { addPlatformUserRoutes } from "./platform-user-routes.ts";

/** The platform API: accounts, users, who is in an account, bots. */
export function addPlatformRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createPlatformRoutes(context);
  const accounts = "/platform/api/v1/accounts";

  server.post(
    accounts,
    route(({ body }) => {
      const values = readAccount(context, body);
      if (!values.name) throw invalidRecord([{ attribute: "name", message: "Name can't be blank" }]);
      const account = addAccount(state, { ...values, name: values.name, isPlatforms: true });
      staffAccount(state, account);
      return viewAccount(context, account);
    }),
  );
  server.get(
    accounts,
    route(() => [...state.accounts.values()].filter((account) => account.isPlatforms).map((account) => viewAccount(context, account)), {
      since: "platformAccountList",
    }),
  );
  server.get(
    `${accounts}/:account`,
    route((call) => viewAccount(context, findPlatformAccount(context, call))),
  );
  server.patch(
    `${accounts}/:account`,
    route((call) => {
      const account = findPlatformAccount(context, call);
      Object.assign(account, readAccount(context, call.body));
      return viewAccount(context, account);
    }),
  );
  server.delete(
    `${accounts}/:account`,
    route((call) => {
      removeAccount(context, call);
      return emptyAnswer;
    }),
  );
  addPlatformUserRoutes(server, context);
}

/** 1.19 knows an account's name and nothing else. */
function readAccount({ profile }: LiveAgentContext, body: JsonObject): Partial<Account> {
  const name = toText(body["name"]);
  const values: { -readonly [Key in keyof Account]?: Account[Key] } = name === null ? {} : { name };
  if (!profile.has("inboxIdentifier")) return values;
  if (body["locale"] !== undefined) values.locale = toText(body["locale"]) ?? "en";
  if (body["domain"] !== undefined) values.domain = toText(body["domain"]);
  if (body["support_email"] !== undefined) values.supportEmail = toText(body["support_email"]);
  if (body["status"] === "active" || body["status"] === "suspended") values.status = body["status"];
  if (isObject(body["limits"])) values.limits = body["limits"];
  if (isObject(body["features"])) values.features = body["features"];
  if (isObject(body["custom_attributes"])) values.customAttributes = body["custom_attributes"];
  return values;
}

function viewAccount({ profile }: LiveAgentContext, account: Account): JsonObject {
  const { id, name, locale, domain, supportEmail, features, customAttributes, limits, status } = account;
  if (!profile.has("inboxIdentifier")) {
    return { id, name, locale, domain, support_email: supportEmail, feature_flags: 0, auto_resolve_duration: null };
  }
  const attributes = { custom_attributes: customAttributes, limits, status };
  return { id, name, locale, domain, support_email: supportEmail, features, ...attributes };
}

/** The product does it in the background; here it is done at once. */
function removeAccount(context: LiveAgentContext, call: PlatformCall): void {
  const { state } = context;
  const { id } = findPlatformAccount(context, call);
  state.accounts.delete(id);
  for (const user of state.users.values()) user.memberships.delete(id);
  for (const conversation of [...state.conversations.values()]) {
    if (conversation.accountId === id) removeConversation(state, conversation);
  }
  for (const things of [state.inboxes, state.contacts, state.teams, state.labels, state.webhooks]) {
    for (const thing of [...things.values()]) if (thing.accountId === id) things.delete(thing.id);
  }
  context.changes.emit({ kind: "reset" });
}
