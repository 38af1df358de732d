import type { FastifyInstance } from "fastify";
import type { WebhookAttempt } from "../../shared/webhook-sender.ts";
import type { EightbyeightContext } from "../eightbyeight-context.ts";
import { badRequest, notFound } from "../eightbyeight-errors.ts";
import { publishVerification } from "../eightbyeight-events.ts";
import { listPage } from "../eightbyeight-listing.ts";
import type { Channel, JsonObject, Webhook } from "../eightbyeight-state.ts";
import { createId } from "../eightbyeight-state.ts";
import { notificationVersion, viewChannel, viewWebhook } from "../eightbyeight-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, findOwn, gateway, noContent, ok, ownOf, readCall, readObject, readText, sendAnswer } from "./api-call.ts";

/** The keys of signatures, webhooks and channels. */
export function addAccountRoutes(server: FastifyInstance, context: EightbyeightContext): void {
  // Declared without any security.
  server.get(`${gateway}/jwk/:key/public`, (request, reply) => {
    const key = context.keys.find((request.params as { key: string }).key);
    if (!key) throw notFound("key");
    return reply.type("application/json").send(JSON.stringify(key.jwk));
  });
  addWebhookRoutes(server, context);
  addChannelRoutes(server, context);
}

function addWebhookRoutes(server: FastifyInstance, context: EightbyeightContext): void {
  const route = createRoutes(context);
  const { webhooks, channels } = context.state;
  const all = `${gateway}/webhooks`;
  const one = `${all}/:webhook`;

  server.get(
    all,
    route((call) => ok(listPage(ownOf(webhooks, call).map(viewWebhook), { plural: "webhooks", path: call.path, query: call.query }))),
  );
  server.post(
    all,
    route(({ tenant, body }) => {
      const webhook: Webhook = { id: createId(), tenant, name: readText(body, "name", 256), uri: readUri(body) };
      webhooks.set(webhook.id, webhook);
      // Whether a failure would refuse the webhook is not documented.
      publishVerification(context, tenant, webhook.uri);
      return ok(viewWebhook(webhook));
    }),
  );
  server.post(`${all}/verify`, async (request, reply) => {
    const { tenant, body } = readCall(context, request);
    const uri = readUri(body);
    const attempt = await new Promise<WebhookAttempt>((resolve) => publishVerification(context, tenant, uri, resolve));
    // The exact content is not documented.
    if (attempt.outcome !== "delivered") throw badRequest("webhook_verification_failed", "The address did not take the call.");
    return sendAnswer(reply, noContent);
  });
  server.get(
    one,
    route((call) => ok(viewWebhook(findOwn(webhooks, call, "webhook")))),
  );
  server.put(
    one,
    route((call) => {
      const webhook = findOwn(webhooks, call, "webhook");
      Object.assign(webhook, { name: readText(call.body, "name", 256), uri: readUri(call.body) });
      return ok(viewWebhook(webhook));
    }),
  );
  server.delete(
    one,
    route((call) => {
      const { id } = findOwn(webhooks, call, "webhook");
      webhooks.delete(id);
      for (const channel of channels.values()) if (channel.webhookId === id) channel.webhookId = null;
      return noContent;
    }),
  );
}

function addChannelRoutes(server: FastifyInstance, context: EightbyeightContext): void {
  const route = createRoutes(context);
  const { channels } = context.state;
  const all = `${gateway}/channels`;
  const one = `${all}/:channel`;

  server.get(
    all,
    route((call) => ok(listPage(ownOf(channels, call).map(viewChannel), { plural: "channels", path: call.path, query: call.query }))),
  );
  server.post(
    all,
    route((call) => {
      const { tenant, body } = call;
      if ((body["type"] ?? "ChatAPI") !== "ChatAPI") throw badRequest("invalid_channel_type", "Only ChatAPI channels can be created.");
      const channel: Channel = { id: createId(), tenant, type: "ChatAPI", ...readChannel(context, call) };
      channels.set(channel.id, channel);
      return ok(viewChannel(channel));
    }),
  );
  server.get(
    one,
    route((call) => ok(viewChannel(findOwn(channels, call, "channel")))),
  );
  server.put(
    one,
    route((call) => {
      const channel = findOwn(channels, call, "channel");
      Object.assign(channel, readChannel(context, call));
      return ok(viewChannel(channel));
    }),
  );
  server.delete(
    one,
    route((call) => {
      channels.delete(findOwn(channels, call, "channel").id);
      return noContent;
    }),
  );
}

function readChannel({ state }: EightbyeightContext, { tenant, body }: ApiCall): Pick<Channel, "name" | "webhookId" | "queueId"> {
  const webhookId = readText(body, "webHookId", 255);
  if (state.webhooks.get(webhookId)?.tenant !== tenant) throw badRequest("invalid_webhook", "There is no such webhook.");
  const routing = readObject(body, "routingOptions");
  const queueId = readText(routing, "id", 255);
  if (routing["type"] === "queue" && !state.queues.has(queueId)) throw badRequest("invalid_queue", "There is no such queue.");
  return { name: readText(body, "name", 255), webhookId, queueId };
}

/** Plain http is for receivers on this machine only. */
function readUri(fields: JsonObject): string {
  if (fields["version"] !== notificationVersion) throw badRequest("invalid_version", `The version must be ${notificationVersion}.`);
  const uri = readText(fields, "uri", 2048);
  const { protocol, hostname } = URL.canParse(uri) ? new URL(uri) : { protocol: "", hostname: "" };
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback)) throw badRequest("invalid_uri", "The uri must be an https address.");
  return uri;
}
