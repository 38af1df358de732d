import { HandoverError, ProviderApiError, type Call, type ConnectionFinding } from "@handover/core";
import { attempt, isFailure, type Failure } from "@handover/provider-utils";
import { checkInbox, checkMembers, missingInbox } from "./live-agent-check-inbox.ts";
import { error, ok, warning } from "./live-agent-finding.ts";
import type { LiveAgentParts } from "./live-agent-start.ts";
import { learnVersion } from "./live-agent-version.ts";
import type { WireProfile } from "./live-agent-wire.ts";

/** Checks the settings against the installation, changing nothing. One line each, and each names its cure. */
export async function checkConnection(parts: LiveAgentParts, call: Call): Promise<ConnectionFinding[]> {
  const { client, settings } = parts;
  const meta = await attempt(() => client.getConversationsMeta(call.signal));
  const profile = await attempt(() => client.getProfile(call.signal));
  if (isFailure(meta)) return [explainMeta(meta, profile, settings.accountId)];
  const findings = [
    ok("ACCOUNT_REACHED", `The API Key opens account ${settings.accountId}.`),
    ...checkProfile(profile, settings.accountId),
  ];
  const version = await learnVersion(parts, call.signal);
  if (version !== undefined) findings.push(ok("SERVER_VERSION", `The server says that it is version ${shortened(version)}.`));
  return [...findings, ...(await checkInboxes(parts, call))];
}

async function checkInboxes({ client, settings, context }: LiveAgentParts, call: Call): Promise<ConnectionFinding[]> {
  const inboxes = await attempt(() => client.listInboxes(call.signal));
  if (isFailure(inboxes)) return [explain(inboxes)];
  const { inboxId } = settings;
  if (inboxId === undefined) return [inboxNotChosen];
  const inbox = inboxes.find((candidate) => candidate.id === inboxId);
  if (!inbox) return [missingInbox(inboxId, inboxes)];
  const findings = checkInbox(inbox, settings, context.webhookUrl);
  const members = await attempt(() => client.listInboxMembers(inbox.id, call.signal));
  if (isFailure(members)) return [...findings, ...(isMissing(members) ? [] : [explain(members)])];
  return [...findings, ...checkMembers(inbox, members)];
}

/** The first request tells a wrong host, path, account and token apart; where it is unknown, the profile says which of them it is. */
function explainMeta(meta: Failure, profile: WireProfile | Failure, accountId: string): ConnectionFinding {
  const isForeign = isMissing(meta) || codeOf(meta) === "ACCOUNT_FORBIDDEN";
  if (!isForeign) return explain(meta);
  if (!isFailure(profile)) return wrongAccount(accountId);
  return isMissing(profile) ? explain(meta) : explain(profile);
}

function checkProfile(profile: WireProfile | Failure, accountId: string): ConnectionFinding[] {
  if (isFailure(profile)) return [isMissing(profile) ? noProfile : explain(profile)];
  const account = profile.accounts.find((candidate) => candidate.id === accountId);
  if (!account) return [wrongAccount(accountId)];
  if (account.role === "administrator") return [ok("API_KEY_VALID", "The API Key belongs to an administrator.")];
  return [
    warning(
      "ROLE_TOO_LOW",
      "The technical user is not an administrator: it is assigned to every conversation it opens. Give it the role administrator.",
    ),
  ];
}

function wrongAccount(accountId: string): ConnectionFinding {
  return error("ACCOUNT_NOT_FOUND", `The technical user is not in account ${accountId}: check the Account ID, or add the user to it.`);
}

const noProfile = warning(
  "PROFILE_MISSING",
  "The installation has no /profile: messages of the technical user are recognised by their marks only.",
);
const inboxNotChosen = warning(
  "INBOX_NOT_CHOSEN",
  "The connection has no inboxId, so inbox and webhook URL were not checked: set it, or name one in the options of each handover.",
);
const wrongPath = error(
  "WRONG_ADDRESS",
  "The server answers, but not as Live Agent: check Base URL, host and path (it ends in /api/v1, any path before it is kept).",
);

function isMissing(failure: Failure): boolean {
  return ProviderApiError.isInstance(failure.error) && failure.error.status === 404;
}

function codeOf(failure: Failure): string | undefined {
  return HandoverError.isInstance(failure.error) ? failure.error.code : undefined;
}

function explain(failure: Failure): ConnectionFinding {
  if (!HandoverError.isInstance(failure.error)) return error("CHECK_FAILED", "The check itself failed.");
  const { code, message } = failure.error;
  if (isMissing(failure)) return wrongPath;
  if (code === "VENDOR_ANSWER_UNEXPECTED" || code === "VENDOR_REDIRECTED") return wrongPath;
  return error(code, message);
}

/** What a server says about itself is kept to a word. */
function shortened(version: string): string {
  return version.replace(/[^\w.-]+/g, " ").slice(0, 40);
}
