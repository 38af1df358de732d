import type { ProvisioningCall } from "@handover/core";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { Progress } from "./live-agent-provisioning-progress.ts";
import { refusedAs } from "./live-agent-provisioning-refusal.ts";
import type { WireInboxRow } from "./live-agent-wire-account.ts";
import { toWireId } from "./live-agent-wire.ts";

export interface InboxWish {
  readonly inboxName: string;
  readonly webhookUrl: string;
  readonly agentIds: readonly string[];
}

/** Finds the inbox by id, name or webhook URL, makes it where there is none, and gives it our URL and its people. */
export async function ensureInbox(
  client: LiveAgentClient,
  wish: InboxWish,
  { values, save }: Progress,
  call: ProvisioningCall,
): Promise<void> {
  const inbox = await refusedAs("the inbox", () => findOrCreate(client, wish, values.inboxId, call));
  await save({
    inboxId: inbox.id,
    ...(inbox.inbox_identifier ? { inboxIdentifier: inbox.inbox_identifier } : {}),
    ...(inbox.secret ? { signatureSecret: inbox.secret } : {}),
  });
  if (inbox.webhook_url !== wish.webhookUrl) {
    const fields = { channel: { webhook_url: wish.webhookUrl } };
    await refusedAs("the inbox's Webhook URL", () => client.updateInbox(inbox.id, fields, call.signal));
  }
  if (wish.agentIds.length === 0) return;
  const fields = { inbox_id: toWireId(inbox.id), user_ids: wish.agentIds.map(toWireId) };
  await refusedAs("the inbox's agents", () => client.addInboxMembers(fields, call.signal));
}

async function findOrCreate(
  client: LiveAgentClient,
  wish: InboxWish,
  inboxId: string | undefined,
  call: ProvisioningCall,
): Promise<WireInboxRow> {
  const inboxes = await client.listInboxes(call.signal);
  if (inboxId !== undefined) {
    const known = inboxes.find(({ id }) => id === inboxId);
    if (known) return known;
  }
  const found = inboxes.find(({ webhook_url: url }) => url === wish.webhookUrl) ?? inboxes.find(({ name }) => name === wish.inboxName);
  if (found) return found;
  const fields = { name: wish.inboxName, channel: { type: "api", webhook_url: wish.webhookUrl } };
  return client.createInbox(fields, call.signal);
}
