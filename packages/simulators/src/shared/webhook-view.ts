import { badInput } from "./control-error.ts";
import type { DeskOverview } from "./vendor-simulator.ts";
import type { WebhookSender } from "./webhook-sender.ts";

export function checkWebhookUrl(url: string): string {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isHttp || url.length > 2048)
    throw badInput("The webhook's url must be an http or https address of at most 2048 characters, or null.");
  return url;
}

/** What the desk page says about webhooks. */
export function describeWebhooks(url: string | null, sender: WebhookSender): Pick<DeskOverview, "webhookTarget" | "lastWebhook"> {
  const last = sender.attempts().at(-1);
  const target = url === null ? {} : { webhookTarget: new URL(url).origin };
  if (!last) return target;
  const status = last.status === undefined ? {} : { status: last.status };
  const error = last.error === undefined ? {} : { error: last.error };
  return { ...target, lastWebhook: { outcome: last.outcome, ...status, ...error } };
}
