import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { notFound } from "../live-agent-errors.ts";
import { toId } from "../live-agent-values.ts";
import { viewAgent, viewInbox, viewProfile } from "../live-agent-views.ts";
import { createRoutes, findInbox } from "./api-call.ts";

/** Profile, inboxes, agents, and the empty lists of what the demo account does not have. */
export function addAccountRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const account = "/api/v1/accounts/:account";

  server.get(
    "/api/v1/profile",
    route(({ user }) => viewProfile(state, user)),
  );
  server.get(
    `${account}/inboxes`,
    route(({ user }) => {
      const visible = [...state.inboxes.values()].filter((inbox) => user.role === "administrator" || inbox.memberIds.has(user.id));
      return { payload: visible.map((inbox) => viewInbox(context, inbox, user)) };
    }),
  );
  server.get(
    `${account}/inboxes/:inbox`,
    route((call) => viewInbox(context, findInbox(context, call, call.params["inbox"]), call.user)),
  );
  server.get(
    `${account}/agents`,
    route(() => [...state.users.values()].map((user) => viewAgent(state, user))),
  );
  server.get(
    `${account}/inbox_members/:inbox`,
    route((call) => {
      const inbox = findInbox(context, call, call.params["inbox"]);
      const members = [...state.users.values()].filter((user) => inbox.memberIds.has(user.id));
      return { payload: members.map((user) => viewAgent(state, user)) };
    }),
  );
  server.get(
    `${account}/assignable_agents`,
    route(({ query }) => {
      const inboxIds = [query["inbox_ids[]"] ?? query["inbox_ids"] ?? []].flat().map(toId);
      const inboxes = inboxIds.map((id) => state.inboxes.get(id ?? 0));
      if (inboxes.includes(undefined)) throw notFound();
      const assignable = [...state.users.values()].filter(
        (user) => user.role === "administrator" || (inboxes.length > 0 && inboxes.every((inbox) => inbox?.memberIds.has(user.id))),
      );
      return { payload: assignable.map((user) => viewAgent(state, user)) };
    }),
  );
  server.get(
    `${account}/teams`,
    route(() => []),
  );
  server.get(
    `${account}/labels`,
    route(() => ({ payload: [] })),
  );
}
