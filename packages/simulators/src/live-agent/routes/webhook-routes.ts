import type { FastifyInstance } from "fastify";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { invalidRecord, notFound } from "../live-agent-errors.ts";
import type { AccountWebhook, JsonObject } from "../live-agent-state.ts";
import { createToken, listOfAccount, takeId } from "../live-agent-state.ts";
import { listSubscriptions } from "../live-agent-subscriptions.ts";
import { isObject, toId, toText } from "../live-agent-values.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, emptyAnswer } from "./api-call.ts";

/** The account's webhooks. Live Agent has them too, though its documentation no longer says so. */
export function addWebhookRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const webhooks = "/api/v1/accounts/:account/webhooks";
  const view = (webhook: AccountWebhook): JsonObject => viewWebhook(context, webhook);

  server.get(
    webhooks,
    route(({ accountId }) => ({ payload: { webhooks: listOfAccount(state.webhooks, accountId).map(view) } }), {
      onlyAdministrators: true,
    }),
  );
  server.post(
    webhooks,
    route((call) => ({ payload: { webhook: view(createWebhook(context, call)) } }), { onlyAdministrators: true }),
  );
  server.patch(
    `${webhooks}/:webhook`,
    route(
      (call) => {
        const webhook = findWebhook(context, call);
        Object.assign(webhook, readWebhook(context, call, webhook));
        return { payload: { webhook: view(webhook) } };
      },
      { onlyAdministrators: true },
    ),
  );
  server.delete(
    `${webhooks}/:webhook`,
    route(
      (call) => {
        state.webhooks.delete(findWebhook(context, call).id);
        return emptyAnswer;
      },
      { onlyAdministrators: true },
    ),
  );
}

function createWebhook(context: LiveAgentContext, call: ApiCall): AccountWebhook {
  const { state, profile } = context;
  const base = { url: "", name: null, inboxId: null, subscriptions: listSubscriptions(profile) };
  const values = readWebhook(context, call, undefined);
  if (!values.url) throw invalidRecord([{ attribute: "url", message: "Url can't be blank" }]);
  const id = takeId(state, "webhook");
  const webhook = { id, accountId: call.accountId, secret: createToken(), ...base, ...values };
  state.webhooks.set(id, webhook);
  return webhook;
}

function readWebhook(context: LiveAgentContext, call: ApiCall, self: AccountWebhook | undefined): Partial<AccountWebhook> {
  const fields = isObject(call.body["webhook"]) ? call.body["webhook"] : call.body;
  const values: { -readonly [Key in keyof AccountWebhook]?: AccountWebhook[Key] } = {};
  if (fields["url"] !== undefined) values.url = readUrl(context, call, self, toText(fields["url"]) ?? "");
  if (fields["name"] !== undefined) values.name = toText(fields["name"]);
  // Stored, but no filter.
  if (fields["inbox_id"] !== undefined) values.inboxId = toId(fields["inbox_id"]) ?? null;
  if (Array.isArray(fields["subscriptions"])) {
    values.subscriptions = fields["subscriptions"].map(String);
    const known = listSubscriptions(context.profile);
    if (!values.subscriptions.every((name) => known.includes(name))) {
      throw invalidRecord([{ attribute: "subscriptions", message: "Subscriptions Invalid events" }]);
    }
  }
  return values;
}

function readUrl({ state }: LiveAgentContext, { accountId }: ApiCall, self: AccountWebhook | undefined, url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw invalidRecord([{ attribute: "url", message: "Url is invalid" }]);
  }
  if (listOfAccount(state.webhooks, accountId).some((other) => other !== self && other.url === url)) {
    throw invalidRecord([{ attribute: "url", message: "Url has already been taken" }]);
  }
  return url;
}

function findWebhook({ state }: LiveAgentContext, { accountId, params }: ApiCall): AccountWebhook {
  const webhook = state.webhooks.get(toId(params["webhook"]) ?? 0);
  if (webhook?.accountId !== accountId) throw notFound();
  return webhook;
}

function viewWebhook({ profile, state }: LiveAgentContext, webhook: AccountWebhook): JsonObject {
  const inbox = webhook.inboxId === null ? undefined : state.inboxes.get(webhook.inboxId);
  return {
    id: webhook.id,
    ...(profile.has("webhookNames") ? { name: webhook.name } : {}),
    url: webhook.url,
    account_id: webhook.accountId,
    ...(profile.has("webhookSubscriptions") ? { subscriptions: webhook.subscriptions } : {}),
    ...(profile.has("signedAccountWebhooks") ? { secret: webhook.secret } : {}),
    ...(inbox ? { inbox: { id: inbox.id, name: inbox.name } } : {}),
  };
}
