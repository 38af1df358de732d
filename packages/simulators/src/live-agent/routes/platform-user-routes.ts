import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { invalidRecord, railsNotFound, unauthorized } from "../live-agent-errors.ts";
import { addUser, availabilityOf, joinAccount } from "../live-agent-people.ts";
import type { JsonObject, User } from "../live-agent-state.ts";
import { createToken, getAccount, takeId } from "../live-agent-state.ts";
import { isObject, toId, toText } from "../live-agent-values.ts";
import { viewAgentBot } from "../live-agent-views.ts";
import { emptyAnswer } from "./api-call.ts";
import type { PlatformCall } from "./platform-call.ts";
import { createPlatformRoutes, findPlatformAccount, findPlatformUser } from "./platform-call.ts";

/** Users of the platform, their tokens, and their places in accounts. */
export function addPlatformUserRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createPlatformRoutes(context);
  const base = "/platform/api/v1";

  server.post(
    `${base}/users`,
    route((call) => viewUser(context, createUser(context, call))),
  );
  server.get(
    `${base}/users/:user`,
    route(({ params }) => viewUser(context, findPlatformUser(context, params["user"]))),
  );
  server.patch(
    `${base}/users/:user`,
    route(({ params, body }) => {
      const user = findPlatformUser(context, params["user"]);
      user.name = toText(body["name"]) ?? user.name;
      user.displayName = toText(body["display_name"]) ?? user.displayName;
      if (isObject(body["custom_attributes"])) user.customAttributes = body["custom_attributes"];
      return viewUser(context, user);
    }),
  );
  server.delete(
    `${base}/users/:user`,
    route(({ params }) => {
      state.users.delete(findPlatformUser(context, params["user"]).id);
      return emptyAnswer;
    }),
  );
  server.post(
    `${base}/users/:user/token`,
    route(
      ({ params }) => {
        const user = findPlatformUser(context, params["user"]);
        const { id, name, displayName, email, pubsubToken } = user;
        const shown = { id, name, display_name: displayName, email, pubsub_token: pubsubToken };
        return { access_token: user.token, expiry: null, user: shown };
      },
      { since: "platformUserToken" },
    ),
  );
  server.get(
    `${base}/users/:user/login`,
    route(({ params }) => {
      const user = findPlatformUser(context, params["user"]);
      const query = new URLSearchParams({ email: user.email, sso_auth_token: createToken() });
      return { url: `${context.origin}/app/login?${query.toString()}` };
    }),
  );
  addAccountUserRoutes(server, context);
  server.post(
    `${base}/agent_bots`,
    route(({ body }) => {
      const name = toText(body["name"]);
      if (!name) throw invalidRecord([{ attribute: "name", message: "Name can't be blank" }]);
      const bot = {
        id: takeId(state, "agentBot"),
        name,
        description: toText(body["description"]) ?? "",
        accountId: toId(body["account_id"]) ?? null,
        outgoingUrl: toText(body["outgoing_url"]),
        token: createToken(),
        secret: createToken(),
      };
      state.agentBots.set(bot.id, bot);
      return { ...viewAgentBot(bot), access_token: bot.token };
    }),
  );
}

function addAccountUserRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createPlatformRoutes(context);
  const url = "/platform/api/v1/accounts/:account/account_users";
  const view = (user: User, accountId: number): JsonObject => {
    const membership = user.memberships.get(accountId);
    const availability = availabilityOf(user, accountId);
    const place = { id: membership?.id, account_id: accountId, user_id: user.id, role: membership?.role };
    return { ...place, availability, auto_offline: true, inviter_id: null, active_at: null };
  };

  server.post(
    url,
    route((call) => {
      refuseWithoutUsers(context);
      const account = findPlatformAccount(context, call);
      const user = state.users.get(toId(call.body["user_id"]) ?? 0);
      if (!user) throw invalidRecord([{ attribute: "user", message: "User must exist" }]);
      joinAccount(state, user, account.id, call.body["role"] === "administrator" ? "administrator" : "agent");
      return view(user, account.id);
    }),
  );
  server.get(
    url,
    route((call) => {
      const { id } = findPlatformAccount(context, call);
      return [...state.users.values()].filter((user) => user.memberships.has(id)).map((user) => view(user, id));
    }),
  );
  server.delete(
    url,
    route((call) => {
      const { id } = findPlatformAccount(context, call);
      const user = state.users.get(toId(call.body["user_id"]) ?? 0);
      if (!user?.memberships.delete(id)) throw railsNotFound();
      return emptyAnswer;
    }),
  );
}

/** An e-mail address that is known gives that user, and access to it; what else is named is ignored. */
function createUser(context: LiveAgentContext, { body }: PlatformCall): User {
  refuseWithoutUsers(context);
  const { state } = context;
  const email = toText(body["email"])?.toLowerCase() ?? "";
  const known = [...state.users.values()].find((user) => user.email === email);
  if (known) {
    known.isPlatforms = true;
    return known;
  }
  refuseInvalid(email, toText(body["name"]) ?? "", toText(body["password"]) ?? "");
  const user = addUser(state, {
    name: toText(body["name"]) ?? "",
    displayName: toText(body["display_name"]),
    email,
    isPlatforms: true,
    isProgram: true,
  });
  if (isObject(body["custom_attributes"])) user.customAttributes = body["custom_attributes"];
  return user;
}

/** Live Agent has its users from Cognigy; what it answers is inferred. */
function refuseWithoutUsers({ behaviour }: LiveAgentContext): void {
  if (!behaviour.allowsPlatformUsers) throw unauthorized("Non permissible resource");
}

function refuseInvalid(email: string, name: string, password: string): void {
  const problems: { attribute: string; message: string }[] = [];
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) problems.push({ attribute: "email", message: "Email is not an email" });
  if (name === "") problems.push({ attribute: "name", message: "Name can't be blank" });
  if (password.length < 6 || password.length > 128) {
    problems.push({ attribute: "password", message: "Password is too short (minimum is 6 characters)" });
  }
  for (const [pattern, what] of [
    [/[a-z]/, "lowercase letter"],
    [/[A-Z]/, "uppercase letter"],
    [/\d/, "number"],
    [/[^A-Za-z0-9]/, "special character"],
  ] as const) {
    if (!pattern.test(password)) problems.push({ attribute: "password", message: `Password must contain at least 1 ${what}` });
  }
  if (problems.length > 0) throw invalidRecord(problems);
}

function viewUser({ state }: LiveAgentContext, user: User): JsonObject {
  const accounts = [...user.memberships].map(([id, { role }]) => ({ id, name: getAccount(state, id).name, active_at: null, role }));
  return {
    access_token: user.token,
    account_id: accounts[0]?.id ?? null,
    available_name: user.displayName ?? user.name,
    avatar_url: "",
    confirmed: true,
    display_name: user.displayName,
    email: user.email,
    id: user.id,
    name: user.name,
    provider: "email",
    pubsub_token: user.pubsubToken,
    role: accounts[0]?.role ?? null,
    ui_settings: {},
    uid: user.email,
    custom_attributes: user.customAttributes,
    accounts,
  };
}
