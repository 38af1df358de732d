import { createHmac, randomUUID } from "node:crypto";
import { isIP } from "node:net";
import type { Webhook, WebhookRequest } from "../shared/webhook-sender.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import type { AccountWebhook, AgentBot, Conversation, JsonObject } from "./live-agent-state.ts";
import { findActiveBot, getInbox, listOfAccount } from "./live-agent-state.ts";
import { toUnix } from "./live-agent-values.ts";

/** One place that an event goes to. */
export interface Hook {
  readonly lane: string;
  /** Looked up when the event leaves: the address may have changed or gone. */
  find(): { readonly url: string; readonly secret: string | undefined } | undefined;
  readonly retries?: NonNullable<Webhook["retries"]>;
  readonly kind: "inbox" | "account" | "bot";
}

/** The webhook of the conversation's inbox. */
export function inboxHook(context: LiveAgentContext, conversation: Conversation, event: string): Hook {
  const isApart = context.behaviour.twoQueues && event.startsWith("message_");
  return {
    kind: "inbox",
    lane: isApart ? `${conversation.key} messages` : conversation.key,
    find() {
      const inbox = context.state.inboxes.get(conversation.inboxId);
      if (!inbox?.webhookUrl) return undefined;
      return { url: inbox.webhookUrl, secret: context.profile.has("signedInboxWebhooks") ? inbox.secret : undefined };
    },
  };
}

/** The account's webhooks that want the event. Each goes its own way: nobody keeps the order between two. */
export function accountHooks(context: LiveAgentContext, accountId: number, event: string, thing: string): Hook[] {
  const wanting = listOfAccount(context.state.webhooks, accountId).filter(
    (webhook) => !context.profile.has("webhookSubscriptions") || webhook.subscriptions.includes(event),
  );
  return wanting.map((webhook) => accountHook(context, webhook, thing));
}

function accountHook(context: LiveAgentContext, { id }: AccountWebhook, thing: string): Hook {
  return {
    kind: "account",
    lane: `${thing} by webhook ${id}`,
    find() {
      const webhook = context.state.webhooks.get(id);
      return webhook && { url: webhook.url, secret: context.profile.has("signedAccountWebhooks") ? webhook.secret : undefined };
    },
  };
}

/** The bot of the conversation's inbox, and the one it is assigned to. */
export function botHooks(context: LiveAgentContext, conversation: Conversation): Hook[] {
  const { state } = context;
  const ofInbox = findActiveBot(state, getInbox(state, conversation.inboxId));
  const assigned = conversation.assigneeBotId === null ? undefined : state.agentBots.get(conversation.assigneeBotId);
  const bots = new Set([ofInbox, assigned].filter((bot) => bot !== undefined));
  return [...bots].map((bot) => botHook(context, bot, conversation));
}

function botHook(context: LiveAgentContext, bot: AgentBot, conversation: Conversation): Hook {
  const retries = { count: 2, delayMs: 3000, statuses: [429, 500] };
  return {
    kind: "bot",
    lane: `${conversation.key} by bot ${bot.id}`,
    find: () =>
      bot.outgoingUrl === null
        ? undefined
        : { url: bot.outgoingUrl, secret: context.profile.has("signedInboxWebhooks") ? bot.secret : undefined },
    ...(context.profile.has("botRetries") ? { retries } : {}),
  };
}

/** Sends one event one way; its body is what is true when it leaves. */
export function sendBy(
  context: LiveAgentContext,
  hook: Hook,
  event: string,
  build: () => JsonObject | undefined,
  options: { readonly contentType?: string; onFailure?(error: string): void } = {},
): void {
  const { onFailure, contentType = "application/json" } = options;
  let delivery = randomUUID();
  context.sender.enqueue({
    lane: hook.lane,
    event,
    ...(hook.retries ? { retries: hook.retries } : {}),
    build(retry) {
      const target = hook.find();
      const body = target && build();
      if (!body) return undefined;
      // A delivery keeps its id when it is tried again.
      if (retry === 0) delivery = randomUUID();
      const unknown = context.behaviour.hasUnknownFields ? { simulator_unknown: { nested: true } } : {};
      return buildRequest(context, target, JSON.stringify({ ...body, ...unknown }), { contentType, delivery });
    },
    ...(onFailure ? { onFailure } : {}),
  });
}

function buildRequest(
  context: LiveAgentContext,
  target: NonNullable<ReturnType<Hook["find"]>>,
  body: string,
  { contentType, delivery }: { readonly contentType: string; readonly delivery: string },
): WebhookRequest {
  const { url, secret } = target;
  const headers = { "content-type": contentType, accept: "application/json" };
  const refusal = refusalOf(context, url);
  if (secret === undefined) return { url, headers, body, ...refusal };
  const timestamp = String(toUnix(context.clock.now()));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  const signed = {
    "X-Chatwoot-Timestamp": timestamp,
    "X-Chatwoot-Signature": `sha256=${signature}`,
    "X-Chatwoot-Delivery": delivery,
  };
  return { url, headers: { ...headers, ...signed }, body, ...refusal };
}

/** Since 4.14 a server sends nothing to addresses of its own network, unless its operator allows it. */
function refusalOf({ behaviour, profile }: LiveAgentContext, url: string): { refusal?: string } {
  if (!behaviour.blocksPrivateWebhooks || !profile.has("privateWebhookFilter")) return {};
  const host = new URL(url).hostname.replaceAll(/[[\]]/g, "");
  const isPrivate = host === "localhost" || (isIP(host) > 0 && /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|f[cd])/.test(host));
  return isPrivate ? { refusal: `Hostname '${host}' has no public ip addresses` } : {};
}
