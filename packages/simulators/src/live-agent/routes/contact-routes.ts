import type { FastifyInstance } from "fastify";
import { createContact, ensureContactInbox, filterContacts, searchContacts, updateContact } from "../live-agent-contacts.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { ApiError, unprocessable } from "../live-agent-errors.ts";
import { canSee } from "../live-agent-listing.ts";
import type { Contact, ContactInbox, JsonObject } from "../live-agent-state.ts";
import { getInbox, sourceKey } from "../live-agent-state.ts";
import { pageOf, toFlag, toId, toPage, toText } from "../live-agent-values.ts";
import { viewContact, viewConversation, viewInboxSlim } from "../live-agent-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, findContact, findInbox } from "./api-call.ts";

const pageSize = 15;

export function addContactRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const contacts = "/api/v1/accounts/:account/contacts";
  const viewLink = (contactInbox: ContactInbox): JsonObject => ({
    source_id: contactInbox.sourceId,
    inbox: viewInboxSlim(getInbox(state, contactInbox.inboxId)),
  });

  server.post(
    contacts,
    route((call) => {
      const inbox = call.body["inbox_id"] === undefined ? undefined : findInbox(context, call, call.body["inbox_id"]);
      const { contact, contactInbox } = createContact(context, call.body, inbox);
      const link = contactInbox ? viewLink(contactInbox) : { inbox: null, source_id: null };
      return { payload: { contact: viewContact(state, contact), contact_inbox: link } };
    }),
  );
  server.get(
    `${contacts}/search`,
    route(({ query }) => {
      const words = toText(query["q"]);
      if (!words) throw unprocessable("Specify search string with parameter q");
      const withInboxes = query["include_contact_inboxes"] === undefined || toFlag(query["include_contact_inboxes"]);
      return search(query, searchContacts(state, words), withInboxes);
    }),
  );
  server.post(
    `${contacts}/filter`,
    route(({ query, body }) => {
      const found = filterContacts(state, body["payload"]);
      const page = pageOf(found, toPage(query["page"]), pageSize);
      return {
        meta: { count: found.length, current_page: query["page"] ?? 1 },
        payload: page.map((contact) => viewContact(state, contact)),
      };
    }),
  );
  server.get(
    `${contacts}/:contact`,
    route(({ params }) => showContact(findContact(context, params["contact"]))),
  );
  server.route({
    method: ["PUT", "PATCH"],
    url: `${contacts}/:contact`,
    handler: route(({ params, body }) => {
      const contact = findContact(context, params["contact"]);
      updateContact(context, contact, body);
      return showContact(contact);
    }),
  });
  server.post(
    `${contacts}/:contact/contact_inboxes`,
    route((call) => {
      const contact = findContact(context, call.params["contact"]);
      const inbox = findInbox(context, call, call.body["inbox_id"]);
      return viewLink(ensureContactInbox(context, contact, inbox, toText(call.body["source_id"]), toFlag(call.body["hmac_verified"])));
    }),
  );
  server.get(
    `${contacts}/:contact/conversations`,
    route((call) => listConversationsOf(call)),
  );
  server.post(
    "/api/v1/accounts/:account/contact_inboxes/filter",
    route(({ body }) => {
      const contactInbox = state.contactInboxBySource.get(sourceKey(toId(body["inbox_id"]) ?? 0, toText(body["source_id"]) ?? ""));
      if (!contactInbox) throw new ApiError(404, "");
      return viewContact(state, findContact(context, contactInbox.contactId));
    }),
  );

  function showContact(contact: Contact): JsonObject {
    return { payload: viewContact(state, contact) };
  }

  function search(query: JsonObject, found: readonly Contact[], withInboxes: boolean): JsonObject {
    const page = toPage(query["page"]);
    const shown = pageOf(found, page, pageSize);
    return {
      meta: { count: shown.length, current_page: query["page"] ?? 1, has_more: found.length > page * pageSize },
      payload: shown.map((contact) => viewContact(state, contact, withInboxes)),
    };
  }

  function listConversationsOf(call: ApiCall): JsonObject {
    const contact = findContact(context, call.params["contact"]);
    const latest = [...state.conversations.values()]
      .filter((conversation) => conversation.contactId === contact.id && canSee(state, call.user, conversation))
      .sort((left, right) => right.lastActivityAtMs - left.lastActivityAtMs || right.displayId - left.displayId)
      .slice(0, 20);
    return { payload: latest.map((conversation) => viewConversation(state, conversation)) };
  }
}
