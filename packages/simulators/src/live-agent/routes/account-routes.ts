import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { invalidRecord, notFound } from "../live-agent-errors.ts";
import { addUser, joinAccount, listUsers } from "../live-agent-people.ts";
import type { JsonObject, Label, Role, Team, User } from "../live-agent-state.ts";
import { getAccount, listOfAccount, takeId } from "../live-agent-state.ts";
import { isObject, toFlag, toId, toText } from "../live-agent-values.ts";
import { viewAgent, viewProfile, viewTeam } from "../live-agent-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes } from "./api-call.ts";

/** Profile, agents, teams and labels. */
export function addAccountRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const account = "/api/v1/accounts/:account";

  server.get(
    "/api/v1/profile",
    route(({ user }) => showProfile(context, user)),
  );
  server.get(
    `${account}/agents`,
    route(({ accountId }) => listUsers(state, accountId).map((user) => viewAgent(context, user, accountId))),
  );
  server.post(
    `${account}/agents`,
    route((call) => addAgent(context, call), { onlyAdministrators: true }),
  );
  server.get(
    `${account}/teams`,
    route(({ accountId, id }) => listOfAccount(state.teams, accountId).map((team) => viewTeam(team, id))),
  );
  server.get(
    `${account}/teams/:team/team_members`,
    route((call) => {
      const { memberIds } = findTeam(context, call, call.params["team"]);
      const members = listUsers(state, call.accountId).filter((user) => memberIds.has(user.id));
      return members.map((user) => viewAgent(context, user, call.accountId));
    }),
  );
  server.get(
    `${account}/labels`,
    route(({ accountId }) => ({ payload: listOfAccount(state.labels, accountId).map(viewLabel) }), { bots: "later" }),
  );
  server.post(
    `${account}/labels`,
    route((call) => viewLabel(addLabel(context, call)), { bots: "later", onlyAdministrators: true }),
  );
}

function showProfile({ state }: LiveAgentContext, user: User | undefined): JsonObject {
  if (!user) throw notFound();
  const accounts = [...user.memberships.keys()].map((id) => getAccount(state, id));
  return viewProfile(user, accounts);
}

function addAgent(context: LiveAgentContext, { accountId, body }: ApiCall): JsonObject {
  const { state } = context;
  const fields = isObject(body["agent"]) ? body["agent"] : body;
  const email = toText(fields["email"])?.toLowerCase() ?? "";
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw invalidRecord([{ attribute: "email", message: "Email is not an email" }]);
  const known = [...state.users.values()].find((user) => user.email === email);
  const user = known ?? addUser(state, { name: toText(fields["name"]) ?? email, email });
  const role: Role = fields["role"] === "administrator" ? "administrator" : "agent";
  const availability = fields["availability"] === "online" || fields["availability"] === "busy" ? fields["availability"] : "offline";
  joinAccount(state, user, accountId, role, availability);
  return viewAgent(context, user, accountId);
}

export function findTeam({ state }: LiveAgentContext, { accountId }: ApiCall, id: unknown): Team {
  const team = state.teams.get(toId(id) ?? 0);
  if (team?.accountId !== accountId) throw notFound();
  return team;
}

function addLabel({ state }: LiveAgentContext, { accountId, body }: ApiCall): Label {
  const fields = isObject(body["label"]) ? body["label"] : body;
  const title = toText(fields["title"])?.toLowerCase() ?? "";
  if (!/^[\p{L}\p{N}_-]+$/u.test(title)) throw invalidRecord([{ attribute: "title", message: "Title is invalid" }]);
  if (listOfAccount(state.labels, accountId).some((label) => label.title === title)) {
    throw invalidRecord([{ attribute: "title", message: "Title has already been taken" }]);
  }
  const id = takeId(state, "label");
  const description = toText(fields["description"]);
  const label = { id, accountId, title, description, color: toText(fields["color"]) ?? "#1f93ff" };
  const shown = { ...label, showOnSidebar: toFlag(fields["show_on_sidebar"]) };
  state.labels.set(id, shown);
  return shown;
}

function viewLabel({ id, title, description, color, showOnSidebar }: Label): JsonObject {
  return { id, title, description, color, show_on_sidebar: showOnSidebar };
}
