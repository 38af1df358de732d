import type { ConnectionFinding } from "@handover/core";
import type { LiveAgentSettings } from "./live-agent-settings.ts";
import { error, ok, warning } from "./live-agent-finding.ts";
import type { WireAgentRow, WireInboxRow } from "./live-agent-wire-account.ts";

type Secrets = Pick<LiveAgentSettings, "signatureSecret" | "previousSignatureSecret">;

/** What of an inbox would break a handover later. */
export function checkInbox(inbox: WireInboxRow, settings: Secrets, webhookUrl: string | undefined): ConnectionFinding[] {
  const findings = [ok("INBOX_FOUND", `Inbox ${inbox.id} exists.`)];
  // Live Agent's own word for its kind of inbox is not documented, so this is only a warning.
  if (inbox.channel_type !== undefined && !/api/i.test(inbox.channel_type)) {
    findings.push(
      warning("INBOX_NOT_API", `Inbox ${inbox.id} is not an API inbox: messages of users may be refused. Choose one of the type API.`),
    );
  }
  if (inbox.lock_to_single_conversation) {
    findings.push(
      warning("INBOX_LOCKED_TO_ONE", `Switch off "Lock to single conversation" in inbox ${inbox.id}: each handover needs its own.`),
    );
  }
  if (inbox.additional_attributes["agent_reply_time_window"]) {
    findings.push(warning("REPLY_WINDOW_SET", `Inbox ${inbox.id} has a reply time window, after which agents cannot answer: remove it.`));
  }
  return [...findings, checkWebhook(inbox, webhookUrl), ...checkSignature(inbox, settings)];
}

/** Administrators can be assigned without being members, so an inbox without members is not always empty. */
export function checkMembers(inbox: WireInboxRow, members: readonly WireAgentRow[]): ConnectionFinding[] {
  if (members.length > 0) return [];
  return [warning("INBOX_WITHOUT_AGENTS", `Nobody is assigned to inbox ${inbox.id}: add agents under Settings > Inboxes > Collaborators.`)];
}

export function missingInbox(inboxId: string, inboxes: readonly WireInboxRow[]): ConnectionFinding {
  const known = inboxes.slice(0, 10).map((inbox) => inbox.id);
  const hint = known.length === 0 ? "The account has none that the technical user may see." : `It may see: ${known.join(", ")}.`;
  return error("INBOX_NOT_FOUND", `There is no inbox ${inboxId}: check the Inbox ID. ${hint}`);
}

/** The URL holds a secret, so neither of the two is shown. */
function checkWebhook(inbox: WireInboxRow, webhookUrl: string | undefined): ConnectionFinding {
  const cure = `Set the Webhook URL of inbox ${inbox.id} to the one of this connection (handover check --webhooks prints it).`;
  if (!inbox.webhook_url) return error("WEBHOOK_MISSING", `Nothing that agents write can arrive. ${cure}`);
  if (webhookUrl === undefined) return warning("WEBHOOK_UNCHECKED", "The host has no publicUrl, so the webhook URL cannot be compared.");
  if (withoutSlash(inbox.webhook_url) === withoutSlash(webhookUrl))
    return ok("WEBHOOK_SET", "The inbox's Webhook URL is that of this connection.");
  return error("WEBHOOK_ELSEWHERE", `The inbox sends its webhooks elsewhere, or with an old secret. ${cure}`);
}

/** Only where an administrator may read the inbox's secret (4.13). With another one every webhook would be refused. */
function checkSignature(inbox: WireInboxRow, { signatureSecret, previousSignatureSecret }: Secrets): ConnectionFinding[] {
  if (signatureSecret === undefined || inbox.secret === undefined) return [];
  if (inbox.secret === signatureSecret || inbox.secret === previousSignatureSecret) return [];
  return [error("SIGNATURE_SECRET_WRONG", `Inbox ${inbox.id} signs with another secret than signatureSecret: copy it again.`)];
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}
