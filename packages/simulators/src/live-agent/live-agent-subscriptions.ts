import type { LiveAgentProfile } from "./live-agent-profile.ts";

const always = [
  "conversation_created",
  "conversation_status_changed",
  "conversation_updated",
  "message_created",
  "message_updated",
  "webwidget_triggered",
];
const contacts = ["contact_created", "contact_updated"];
const inboxes = ["inbox_created", "inbox_updated"];
const typing = ["conversation_typing_on", "conversation_typing_off"];

export const webhookSubscriptions: readonly string[] = [...always, ...contacts, ...inboxes, ...typing];

/** What an account's webhook may ask for in a version. */
export function listSubscriptions(profile: LiveAgentProfile): string[] {
  return [
    ...always,
    ...(profile.has("contactEvents") ? contacts : []),
    ...(profile.has("inboxEvents") ? inboxes : []),
    ...(profile.has("typingWebhooks") ? typing : []),
  ];
}
