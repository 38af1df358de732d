import { HandoverError, ProviderApiError, type Call, type ConnectionFinding } from "@handover/core";
import type { LiveAgentParts } from "./live-agent-start.ts";
import type { WireInbox, WireProfile } from "./live-agent-wire.ts";

/** Checks the settings against the installation, changing nothing. */
export async function checkConnection(parts: LiveAgentParts, call: Call): Promise<ConnectionFinding[]> {
  const { client, settings } = parts;
  const profile = await attempt(() => client.getProfile(call.signal));
  if (profile instanceof Failure && !isMissing(profile)) return [explain(profile)];
  const findings = profile instanceof Failure ? [noProfile] : checkProfile(profile, settings.accountId);

  const meta = await attempt(() => client.getConversationsMeta(call.signal));
  if (meta instanceof Failure) return [...findings, isMissing(meta) ? wrongPath : explain(meta)];
  findings.push(ok("ACCOUNT_REACHED", `The API Key opens account ${settings.accountId}.`));

  const inboxes = await attempt(() => client.listInboxes(call.signal));
  if (inboxes instanceof Failure) return [...findings, explain(inboxes)];
  const inbox = inboxes.find((candidate) => candidate.id === settings.inboxId);
  if (!inbox) return [...findings, missingInbox(settings.inboxId, inboxes)];
  const members = await attempt(() => client.countInboxMembers(inbox.id, call.signal));
  return [...findings, ...checkInbox(inbox, parts.context.webhookUrl), ...checkMembers(inbox, members)];
}

function checkProfile(profile: WireProfile, accountId: string): ConnectionFinding[] {
  const account = profile.accounts.find((candidate) => candidate.id === accountId);
  if (!account)
    return [error("ACCOUNT_NOT_FOUND", `The technical user is not in account ${accountId}: check the Account ID, or add the user.`)];
  if (account.role === "administrator") return [ok("API_KEY_VALID", "The API Key belongs to an administrator.")];
  return [
    warning(
      "ROLE_TOO_LOW",
      "The technical user is not an administrator: it is assigned to every conversation it opens. Give it the role administrator.",
    ),
  ];
}

function checkInbox(inbox: WireInbox, webhookUrl: string | undefined): ConnectionFinding[] {
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
  return [...findings, checkWebhook(inbox, webhookUrl)];
}

/** The URL holds a secret, so neither of the two is shown. */
function checkWebhook(inbox: WireInbox, webhookUrl: string | undefined): ConnectionFinding {
  const cure = `Set the Webhook URL of inbox ${inbox.id} to the one of this connection (handover check --webhooks prints it).`;
  if (!inbox.webhook_url) return error("WEBHOOK_MISSING", `Nothing that agents write can arrive. ${cure}`);
  if (webhookUrl === undefined) return warning("WEBHOOK_UNCHECKED", "The host has no publicUrl, so the webhook URL cannot be compared.");
  if (withoutSlash(inbox.webhook_url) === withoutSlash(webhookUrl))
    return ok("WEBHOOK_SET", "The inbox's Webhook URL is that of this connection.");
  return error("WEBHOOK_ELSEWHERE", `The inbox sends its webhooks elsewhere, or with an old secret. ${cure}`);
}

function checkMembers(inbox: WireInbox, members: number | Failure): ConnectionFinding[] {
  if (members instanceof Failure) return isMissing(members) ? [] : [explain(members)];
  if (members > 0) return [];
  return [warning("INBOX_WITHOUT_AGENTS", `Nobody is assigned to inbox ${inbox.id}: add agents under Settings > Inboxes > Collaborators.`)];
}

function missingInbox(inboxId: string, inboxes: readonly WireInbox[]): ConnectionFinding {
  const known = inboxes.slice(0, 10).map((inbox) => inbox.id);
  const hint = known.length === 0 ? "The account has none that the technical user may see." : `It may see: ${known.join(", ")}.`;
  return error("INBOX_NOT_FOUND", `There is no inbox ${inboxId}: check the Inbox ID. ${hint}`);
}

const noProfile = warning(
  "PROFILE_MISSING",
  "The installation has no /profile: messages of the technical user are recognised by their marks only.",
);
const wrongPath = error(
  "WRONG_ADDRESS",
  "The server answers, but not as Live Agent, or the account does not exist: check Base URL (it ends in /api/v1, any path before it kept) and Account ID.",
);

class Failure {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

async function attempt<Result>(run: () => Promise<Result>): Promise<Result | Failure> {
  try {
    return await run();
  } catch (cause) {
    return new Failure(cause);
  }
}

function isMissing(failure: Failure): boolean {
  return ProviderApiError.isInstance(failure.error) && failure.error.status === 404;
}

function explain(failure: Failure): ConnectionFinding {
  if (!HandoverError.isInstance(failure.error)) return error("CHECK_FAILED", "The check itself failed.");
  const { code, message } = failure.error;
  if (code === "VENDOR_ANSWER_UNEXPECTED" || code === "VENDOR_REDIRECTED") return wrongPath;
  return error(code, message);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function ok(code: string, message: string): ConnectionFinding {
  return { level: "ok", code, message };
}
function warning(code: string, message: string): ConnectionFinding {
  return { level: "warning", code, message };
}
function error(code: string, message: string): ConnectionFinding {
  return { level: "error", code, message };
}
