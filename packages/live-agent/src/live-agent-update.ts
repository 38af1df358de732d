import { ProviderApiError, type Call, type Handover, type HandoverChange } from "@handover/core";
import { customAttributesOf } from "./live-agent-attributes.ts";
import { profileFields } from "./live-agent-contact.ts";
import { applyRouting, checkAssignment } from "./live-agent-routing.ts";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import type { LiveAgentParts } from "./live-agent-start.ts";
import type { LiveAgentState } from "./live-agent-state.ts";

/** Changes the contact and the routing of a running conversation. The inbox cannot be changed by the API. */
export async function updateHandover(
  parts: LiveAgentParts,
  handover: Handover<LiveAgentOptions, LiveAgentState>,
  change: HandoverChange<LiveAgentOptions>,
  call: Call,
): Promise<void> {
  const { client, settings } = parts;
  const { conversationId, contactId, sourceId } = handover.state;
  if (change.options) {
    const inboxId = handover.state.inbox ?? handover.options.inboxId ?? settings.inboxId;
    await checkAssignment(client, inboxId ?? "", change.options, call);
    const conversation = await client.getConversation(conversationId, call.signal);
    const customAttributes = customAttributesOf(settings, change.options, sourceId);
    await applyRouting(client, conversation, { customAttributes, options: change.options }, call);
  }
  if (change.user && contactId !== undefined) await updateContact(parts, contactId, profileFields(change.user), call);
}

/** An e-mail or phone that another contact has is left as it is there: nobody is merged. */
async function updateContact(
  parts: LiveAgentParts,
  contactId: string,
  fields: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<void> {
  if (Object.keys(fields).length === 0) return;
  try {
    await parts.client.updateContact(contactId, fields, call.signal);
  } catch (error) {
    if (!ProviderApiError.isInstance(error) || error.status !== 422) throw error;
    const { email: _email, phone_number: _phone, ...rest } = fields;
    call.logger.warn("e-mail or phone of the contact could not be changed at Live Agent", { status: error.status });
    if (Object.keys(rest).length > 0) await parts.client.updateContact(contactId, rest, call.signal);
  }
}
