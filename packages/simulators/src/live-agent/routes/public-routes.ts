import type { FastifyInstance } from "fastify";
import { createContact, ensureContactInbox, updateContact } from "../live-agent-contacts.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import type { Contact, ContactInbox, JsonObject } from "../live-agent-state.ts";
import { listOfAccount, sourceKey } from "../live-agent-state.ts";
import { toText } from "../live-agent-values.ts";
import { viewContactRow, viewInbox } from "../live-agent-views.ts";
import type { PublicCall } from "./public-call.ts";
import { checkIdentifier, contactOf, createPublicRoutes, findContactInbox } from "./public-call.ts";
import { addPublicConversationRoutes } from "./public-conversation-routes.ts";

export const publicInbox = "/public/api/v1/inboxes/:inbox";

/** The public client API: the inbox and the contact. */
export function addPublicRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const route = createPublicRoutes(context);

  server.get(
    publicInbox,
    route(({ inbox }) => {
      const shown = viewInbox(context, inbox, false);
      const keys = ["name", "timezone", "working_hours", "working_hours_enabled", "csat_survey_enabled", "greeting_enabled"];
      const known = Object.fromEntries(keys.map((key) => [key, shown[key]]));
      return { identifier: inbox.identifier, identity_validation_enabled: inbox.hmacMandatory, ...known };
    }),
  );
  server.post(
    `${publicInbox}/contacts`,
    route((call) => {
      // The hash is looked at, and yet the link is not verified by it.
      checkIdentifier(call);
      const contactInbox = joinInbox(context, call);
      return viewClient(contactOf(context, contactInbox), contactInbox);
    }),
  );
  server.get(
    `${publicInbox}/contacts/:source`,
    route((call) => {
      const contactInbox = findContactInbox(context, call);
      return viewClient(contactOf(context, contactInbox), contactInbox);
    }),
  );
  server.patch(
    `${publicInbox}/contacts/:source`,
    route((call) => {
      const contactInbox = findContactInbox(context, call);
      if (checkIdentifier(call)) contactInbox.hmacVerified = true;
      const contact = contactOf(context, contactInbox);
      const { identifier: _ignored, ...fields } = call.body;
      updateContact(context, contact, fields);
      return viewContactRow(contact);
    }),
  );
  addPublicConversationRoutes(server, context);
}

/** The same source id is the same contact; else identifier, e-mail address or phone number can name one that is there. */
function joinInbox(context: LiveAgentContext, { inbox, body }: PublicCall): ContactInbox {
  const { state } = context;
  const sourceId = toText(body["source_id"]);
  const present = sourceId ? state.contactInboxBySource.get(sourceKey(inbox.id, sourceId)) : undefined;
  if (present) return present;
  const { identifier, email, phone_number: phone } = body;
  const isSame = (own: string | null, given: unknown): boolean => own !== null && own === toText(given);
  const known = listOfAccount(state.contacts, inbox.accountId).find(
    (contact) =>
      isSame(contact.identifier, identifier) || isSame(contact.email, toText(email)?.toLowerCase()) || isSame(contact.phoneNumber, phone),
  );
  const contact = known ?? createContact(context, inbox.accountId, { ...body, source_id: undefined }, undefined).contact;
  return ensureContactInbox(context, contact, inbox, sourceId, false);
}

function viewClient(contact: Contact, contactInbox: ContactInbox): JsonObject {
  const { id, name, email, phoneNumber } = contact;
  return { source_id: contactInbox.sourceId, pubsub_token: contactInbox.pubsubToken, id, name, email, phone_number: phoneNumber };
}
