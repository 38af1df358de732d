import type { FastifyInstance } from "fastify";
import { viewConversation } from "../live-agent-api-views.ts";
import { createContact, ensureContactInbox, filterContacts, mergeContacts, searchContacts, updateContact } from "../live-agent-contacts.ts";
import type { LiveAgentContext } from "../live-agent-context.ts";
import { ApiError, unprocessable } from "../live-agent-errors.ts";
import { canSee } from "../live-agent-listing.ts";
import type { Contact, ContactInbox, JsonObject } from "../live-agent-state.ts";
import { getInbox, listOfAccount, sourceKey } from "../live-agent-state.ts";
import { pageOf, toFlag, toId, toPage, toText } from "../live-agent-values.ts";
import { viewContact, viewContactInboxes, viewInboxSlim } from "../live-agent-views.ts";
import type { ApiCall } from "./api-call.ts";
import { createRoutes, findContact, findInbox } from "./api-call.ts";

const pageSize = 15;

export function addContactRoutes(server: FastifyInstance, context: LiveAgentContext): void {
  const { state } = context;
  const route = createRoutes(context);
  const contacts = "/api/v1/accounts/:account/contacts";
  const viewLink = (contactInbox: ContactInbox): JsonObject => ({
    source_id: contactInbox.sourceId,
    inbox: viewInboxSlim(context, getInbox(state, contactInbox.inboxId)),
  });

  server.post(
    contacts,
    route((call) => {
      const inbox = call.body["inbox_id"] === undefined ? undefined : findInbox(context, call, call.body["inbox_id"]);
      const { contact, contactInbox } = createContact(context, call.accountId, call.body, inbox);
      const link = contactInbox ? viewLink(contactInbox) : { inbox: null, source_id: null };
      return { payload: { contact: viewContact(context, contact), contact_inbox: link } };
    }),
  );
  server.get(
    `${contacts}/search`,
    route(({ query, accountId }) => {
      const words = toText(query["q"]);
      if (!words) throw unprocessable("Specify search string with parameter q");
      const withInboxes = query["include_contact_inboxes"] === undefined || toFlag(query["include_contact_inboxes"]);
      return search(query, searchContacts(context, accountId, words), withInboxes);
    }),
  );
  server.post(
    `${contacts}/filter`,
    route(
      ({ query, body, accountId }) => {
        const found = filterContacts(state, accountId, body["payload"]);
        const page = pageOf(found, toPage(query["page"]), pageSize);
        return {
          meta: { count: found.length, current_page: query["page"] ?? 1 },
          payload: page.map((contact) => viewContact(context, contact)),
        };
      },
      { since: "contactFilter" },
    ),
  );
  server.get(
    `${contacts}/:contact`,
    route((call) => showContact(findContact(context, call, call.params["contact"]))),
  );
  server.route({
    method: ["PUT", "PATCH"],
    url: `${contacts}/:contact`,
    handler: route((call) => {
      const contact = findContact(context, call, call.params["contact"]);
      changeContact(contact, call.body);
      return showContact(contact);
    }),
  });
  server.post(
    `${contacts}/:contact/contact_inboxes`,
    route((call) => {
      const contact = findContact(context, call, call.params["contact"]);
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
    route(
      (call) => {
        const { body } = call;
        const contactInbox = state.contactInboxBySource.get(sourceKey(toId(body["inbox_id"]) ?? 0, toText(body["source_id"]) ?? ""));
        if (!contactInbox) throw new ApiError(404, "");
        return viewContact(context, findContact(context, call, contactInbox.contactId));
      },
      { since: "contactInboxFilter" },
    ),
  );
  server.get(
    `${contacts}/:contact/contactable_inboxes`,
    route((call) => ({ payload: viewContactInboxes(context, findContact(context, call, call.params["contact"])) })),
  );
  server.post(
    "/api/v1/accounts/:account/actions/contact_merge",
    route((call) => {
      const base = findContact(context, call, call.body["base_contact_id"]);
      const other = findContact(context, call, call.body["mergee_contact_id"]);
      if (base === other) throw unprocessable("contact merge failed");
      mergeContacts(context, base, other);
      return viewContact(context, base);
    }),
  );

  /** 1.19 answers a change that fails in another shape. */
  function changeContact(contact: Contact, fields: JsonObject): void {
    try {
      updateContact(context, contact, fields);
    } catch (error) {
      const isOld = error instanceof ApiError && !context.profile.has("identifierOnlyContacts");
      if (!isOld) throw error;
      const { message } = error.body as { message?: string };
      throw new ApiError(422, { message, contact: viewContact(context, contact) });
    }
  }

  function showContact(contact: Contact): JsonObject {
    return { payload: viewContact(context, contact) };
  }

  function search(query: JsonObject, found: readonly Contact[], withInboxes: boolean): JsonObject {
    const page = toPage(query["page"]);
    const shown = pageOf(found, page, pageSize);
    const hasMore = context.profile.has("searchHasMore");
    const more = hasMore ? { has_more: found.length > page * pageSize } : {};
    return {
      meta: { count: hasMore ? shown.length : found.length, current_page: query["page"] ?? 1, ...more },
      payload: shown.map((contact) => viewContact(context, contact, withInboxes)),
    };
  }

  function listConversationsOf(call: ApiCall): JsonObject {
    const contact = findContact(context, call, call.params["contact"]);
    const latest = listOfAccount(state.conversations, call.accountId)
      .filter((conversation) => conversation.contactId === contact.id && canSee(state, call, conversation))
      .sort((left, right) => right.lastActivityAtMs - left.lastActivityAtMs || right.displayId - left.displayId)
      .slice(0, 20);
    return { payload: latest.map((conversation) => viewConversation(context, conversation)) };
  }
}
