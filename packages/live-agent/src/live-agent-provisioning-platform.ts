import { HandoverError, type ProviderContext, type ProvisioningCall } from "@handover/core";
import { stableId } from "@handover/provider-utils";
import type { ProvisioningInput } from "./live-agent-provisioning-input.ts";
import type { Progress } from "./live-agent-provisioning-progress.ts";
import { toWireId } from "./live-agent-wire.ts";
import { refusedAs } from "./live-agent-provisioning-refusal.ts";
import type { PlatformAccount, PlatformClient } from "./live-agent-platform-client.ts";

/** Under this attribute an account says whose it is. */
const organisationAttribute = "handover_organisation";

/** One account per organisation. It has no key of its own at the vendor, so a second one is never made in doubt. */
export async function ensureAccount(
  platform: PlatformClient,
  input: ProvisioningInput,
  { values, save }: Progress,
  call: ProvisioningCall,
): Promise<void> {
  if (values.accountId !== undefined) return;
  const accounts = await platform.listAccounts(call.signal);
  const found = accounts?.find((account) => isOf(account, input.organisation));
  if (found) return save({ accountId: found.id, isAccountAskedFor: false });
  if (accounts === undefined && values.isAccountAskedFor) throw accountInDoubt(input.organisation);
  await save({ isAccountAskedFor: true });
  const accountId = await refusedAs("the account", () => createAccount(platform, input, save, call));
  await save({ accountId, isAccountAskedFor: false });
}

async function createAccount(
  platform: PlatformClient,
  input: ProvisioningInput,
  save: Progress["save"],
  call: ProvisioningCall,
): Promise<string> {
  try {
    const { organisation } = input;
    // 1.19 knows only the name and ignores the rest.
    return await platform.createAccount({ name: organisation, custom_attributes: { [organisationAttribute]: organisation } }, call.signal);
  } catch (error) {
    if (HandoverError.isInstance(error) && error.outcome === "not-applied") await save({ isAccountAskedFor: false });
    throw error;
  }
}

/** A technical user of its own, administrator of the account: an e-mail that exists gives the existing user. */
export async function ensureUser(
  platform: PlatformClient,
  context: ProviderContext,
  input: ProvisioningInput,
  { values, save }: Progress,
  call: ProvisioningCall,
): Promise<void> {
  const { accountId = "" } = values;
  if (input.apiKey !== undefined || (values.apiKey !== undefined && values.isInAccount)) return;
  if (values.userId === undefined) {
    const user = await refusedAs("the technical user", () => platform.createUser(userFields(context, input), call.signal));
    await save({ userId: user.id, ...(user.accessToken ? { apiKey: user.accessToken } : {}) });
  }
  const userId = values.userId ?? "";
  if (!values.isInAccount) {
    const fields = { user_id: toWireId(userId), role: "administrator" };
    await refusedAs("the technical user's place in the account", () => platform.addUserToAccount(accountId, fields, call.signal));
    await save({ isInAccount: true });
  }
  if (values.apiKey !== undefined) return;
  const apiKey = await refusedAs("the technical user's token", () => platform.getUserToken(userId, call.signal));
  if (apiKey === undefined) throw tokenMissing();
  await save({ apiKey });
}

/** One bot per installation and connection, never one per session. It belongs to nobody's inbox: then it would take conversations. */
export async function ensureBot(
  platform: PlatformClient,
  input: ProvisioningInput,
  { values, save }: Progress,
  call: ProvisioningCall,
): Promise<void> {
  if (values.agentBotId !== undefined) return;
  if (values.isBotAskedFor) throw botInDoubt();
  await save({ isBotAskedFor: true });
  const fields = { name: "Bot", description: "Writes the bot's lines of a transcript", account_id: toWireId(values.accountId ?? "") };
  const agentBotId = await refusedAs("the agent bot", async () => {
    try {
      return await platform.createAgentBot(fields, call.signal);
    } catch (error) {
      if (HandoverError.isInstance(error) && error.outcome === "not-applied") await save({ isBotAskedFor: false });
      throw error;
    }
  });
  await save({ agentBotId, isBotAskedFor: false });
}

function isOf(account: PlatformAccount, organisation: string): boolean {
  const owner = account.custom_attributes[organisationAttribute];
  return owner === undefined ? account.name === organisation : owner === organisation;
}

function userFields(context: ProviderContext, { organisation, userEmail }: ProvisioningInput): Readonly<Record<string, unknown>> {
  // An address below .invalid receives nothing, so nobody can ask for a new password.
  const email = userEmail ?? `${stableId("handover-", [organisation], 40).toLowerCase()}@handover.invalid`;
  return { name: "Handover", email, password: makePassword(context) };
}

/** Nobody signs in with it. Upper, lower, digit and special character are demanded. */
function makePassword({ random }: ProviderContext): string {
  return `${Buffer.from(random.bytes(32)).toString("base64url")}aA1!`;
}

function accountInDoubt(organisation: string): HandoverError {
  return new HandoverError({
    code: "ACCOUNT_IN_DOUBT",
    message: `An account for ${JSON.stringify(organisation)} was perhaps made before, and this server cannot list accounts: look it up and give its accountId.`,
    effect: "connection",
    outcome: "unknown",
  });
}

function botInDoubt(): HandoverError {
  return new HandoverError({
    code: "AGENT_BOT_IN_DOUBT",
    message: "An agent bot was perhaps made before: look under Settings > Bots, and set agentBotId in the connection's settings instead.",
    effect: "connection",
    outcome: "unknown",
  });
}

function tokenMissing(): HandoverError {
  return new HandoverError({
    code: "USER_TOKEN_MISSING",
    message: "Live Agent does not give the technical user's token: copy it from Profile Settings > Access Token and give it as apiKey.",
    effect: "connection",
  });
}
