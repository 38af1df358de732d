import { randomUUID } from "node:crypto";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { invalidRecord, serverError, unprocessable } from "./live-agent-errors.ts";
import type { Contact, ContactInbox, Inbox, JsonObject, LiveAgentState } from "./live-agent-state.ts";
import { createToken, listOfAccount, sourceKey, takeId } from "./live-agent-state.ts";
import { isObject, toFlag, toText } from "./live-agent-values.ts";
import { publishContact } from "./live-agent-webhooks.ts";

type Problem = { attribute: string; message: string };

/** Creates a contact and, with an inbox, its contact inbox: both or none. */
export function createContact(
  context: LiveAgentContext,
  accountId: number,
  fields: JsonObject,
  inbox: Inbox | undefined,
): { contact: Contact; contactInbox: ContactInbox | undefined } {
  const { state } = context;
  const values = readContactFields(fields);
  refuseInvalid(state, accountId, values, undefined);
  const sourceId = toText(fields["source_id"]);
  if (inbox && sourceId && state.contactInboxBySource.has(sourceKey(inbox.id, sourceId))) throw serverError();

  const contact: Contact = {
    id: takeId(state, "contact"),
    accountId,
    name: "",
    email: null,
    phoneNumber: null,
    identifier: null,
    blocked: false,
    additionalAttributes: {},
    customAttributes: {},
    lastActivityAtMs: null,
    createdAtMs: context.clock.now(),
    ...values,
  };
  state.contacts.set(contact.id, contact);
  publishContact(context, "contact_created", contact);
  return { contact, contactInbox: inbox && ensureContactInbox(context, contact, inbox, sourceId, false) };
}

/** Changes what is named; attributes are merged. */
export function updateContact(context: LiveAgentContext, contact: Contact, fields: JsonObject): void {
  const values = readContactFields(fields);
  refuseInvalid(context.state, contact.accountId, values, contact);
  const { additionalAttributes, customAttributes, ...rest } = values;
  Object.assign(contact, rest);
  Object.assign(contact.additionalAttributes, additionalAttributes);
  Object.assign(contact.customAttributes, customAttributes);
  publishContact(context, "contact_updated", contact);
}

/** Everything of the second one becomes the first one's; what the first one has already stays. */
export function mergeContacts(context: LiveAgentContext, base: Contact, other: Contact): void {
  const { state } = context;
  state.contacts.delete(other.id);
  base.email ??= other.email;
  base.phoneNumber ??= other.phoneNumber;
  base.identifier ??= other.identifier;
  base.customAttributes = { ...other.customAttributes, ...base.customAttributes };
  base.additionalAttributes = { ...other.additionalAttributes, ...base.additionalAttributes };
  for (const contactInbox of state.contactInboxes.values()) {
    if (contactInbox.contactId === other.id) contactInbox.contactId = base.id;
  }
  for (const conversation of state.conversations.values()) {
    if (conversation.contactId === other.id) conversation.contactId = base.id;
  }
  for (const message of state.messages.values()) {
    if (message.sender?.kind === "contact" && message.sender.id === other.id) message.sender = { kind: "contact", id: base.id };
  }
}

/**
 * Finds or makes the link of a contact to an inbox. Without a source id there is nothing to find: a new one with a random id.
 * Throws the 500 of a source id that another contact has.
 */
export function ensureContactInbox(
  context: LiveAgentContext,
  contact: Contact,
  inbox: Inbox,
  sourceId: string | null,
  hmacVerified: boolean,
): ContactInbox {
  const { state } = context;
  const found = sourceId ? state.contactInboxBySource.get(sourceKey(inbox.id, sourceId)) : undefined;
  if (found && found.contactId !== contact.id) throw serverError();
  if (found) return found;
  const contactInbox: ContactInbox = {
    id: takeId(state, "contactInbox"),
    contactId: contact.id,
    inboxId: inbox.id,
    sourceId: sourceId || randomUUID(),
    hmacVerified,
    pubsubToken: createToken(),
    createdAtMs: context.clock.now(),
  };
  state.contactInboxes.set(contactInbox.id, contactInbox);
  state.contactInboxBySource.set(sourceKey(inbox.id, contactInbox.sourceId), contactInbox);
  return contactInbox;
}

/** Substring of name, e-mail or phone number in any case, or of the identifier. */
export function searchContacts({ state, profile }: LiveAgentContext, accountId: number, query: string): Contact[] {
  const wanted = query.trim().toLowerCase();
  const isFindable = (contact: Contact): boolean =>
    profile.has("searchHasMore") ||
    contact.email !== null ||
    contact.phoneNumber !== null ||
    (contact.identifier !== null && profile.has("identifierOnlyContacts"));
  return listOfAccount(state.contacts, accountId).filter(
    (contact) =>
      isFindable(contact) &&
      ([contact.name, contact.email, contact.phoneNumber].some((value) => value?.toLowerCase().includes(wanted)) ||
        contact.identifier?.includes(query.trim())),
  );
}

/** Conditions are joined from left to right; contacts that nothing identifies are not found. */
export function filterContacts(state: LiveAgentState, accountId: number, conditions: unknown): Contact[] {
  if (!Array.isArray(conditions) || conditions.length === 0) throw unprocessable("Invalid query: payload must list conditions");
  const tests = conditions.map(readCondition);
  return listOfAccount(state.contacts, accountId).filter((contact) => {
    if (!contact.identifier && !contact.email && !contact.phoneNumber) return false;
    let result = true;
    let operator = "AND";
    for (const test of tests) {
      const holds = test.holds(contact);
      result = operator === "OR" ? result || holds : result && holds;
      operator = test.nextOperator;
    }
    return result;
  });
}

const filterableFields: Readonly<Record<string, (contact: Contact) => string | null>> = {
  name: (contact) => contact.name,
  email: (contact) => contact.email,
  phone_number: (contact) => contact.phoneNumber,
  identifier: (contact) => contact.identifier,
};

function readCondition(condition: unknown): { holds(contact: Contact): boolean; nextOperator: string } {
  const fields = isObject(condition) ? condition : {};
  const key = toText(fields["attribute_key"]) ?? "";
  const read = Object.hasOwn(filterableFields, key) ? filterableFields[key] : undefined;
  if (!read)
    throw unprocessable(`Invalid attribute key - [${key}]. The key should be one of [${Object.keys(filterableFields).join(",")}].`);
  const rawValues: unknown[] = Array.isArray(fields["values"]) ? fields["values"] : [fields["values"]];
  const values = rawValues.map((value) => toText(value)?.toLowerCase() ?? "");
  const compare = comparisonOf(toText(fields["filter_operator"]) ?? "", key);
  const nextOperator = toText(fields["query_operator"])?.toUpperCase() ?? "AND";
  return { holds: (contact) => compare(read(contact)?.toLowerCase() ?? null, values), nextOperator };
}

function comparisonOf(operator: string, key: string): (value: string | null, wanted: readonly string[]) => boolean {
  if (operator === "equal_to") return (value, wanted) => value !== null && wanted.includes(value);
  if (operator === "not_equal_to") return (value, wanted) => value === null || !wanted.includes(value);
  if (operator === "contains") return (value, wanted) => value !== null && wanted.some((part) => value.includes(part));
  if (operator === "does_not_contain") return (value, wanted) => value === null || !wanted.some((part) => value.includes(part));
  if (operator === "is_present") return (value) => value !== null && value !== "";
  if (operator === "is_not_present") return (value) => value === null || value === "";
  throw unprocessable(`Invalid operator. The allowed operators for ${key} are [equal_to,not_equal_to,contains,does_not_contain].`);
}

function readContactFields(fields: JsonObject): Partial<Contact> {
  const values: { -readonly [Key in keyof Contact]?: Contact[Key] } = {};
  if (fields["name"] !== undefined) values.name = toText(fields["name"]) ?? "";
  if (fields["email"] !== undefined) values.email = toText(fields["email"])?.toLowerCase() || null;
  if (fields["phone_number"] !== undefined) values.phoneNumber = toText(fields["phone_number"]) || null;
  if (fields["identifier"] !== undefined) values.identifier = toText(fields["identifier"]) || null;
  if (fields["blocked"] !== undefined) values.blocked = toFlag(fields["blocked"]);
  if (isObject(fields["additional_attributes"])) values.additionalAttributes = { ...fields["additional_attributes"] };
  if (isObject(fields["custom_attributes"])) values.customAttributes = { ...fields["custom_attributes"] };
  return values;
}

function refuseInvalid(state: LiveAgentState, accountId: number, values: Partial<Contact>, self: Contact | undefined): void {
  const problems: Problem[] = [];
  const { email, phoneNumber, identifier, name } = values;
  for (const [attribute, label, value] of [
    ["name", "Name", name],
    ["email", "Email", email],
    ["identifier", "Identifier", identifier],
  ] as const) {
    if (value && value.length > 255) problems.push({ attribute, message: `${label} is too long (maximum is 255 characters)` });
  }
  if (email && !/^[^\s@]+@[^\s@]+$/.test(email)) problems.push({ attribute: "email", message: "Email Invalid email" });
  if (phoneNumber && !/^\+[1-9]\d{1,14}$/.test(phoneNumber)) {
    problems.push({ attribute: "phone_number", message: "Phone number should be in e164 format" });
  }
  for (const other of listOfAccount(state.contacts, accountId)) {
    if (other === self) continue;
    if (email && other.email === email) problems.push({ attribute: "email", message: "Email has already been taken" });
    if (phoneNumber && other.phoneNumber === phoneNumber) {
      problems.push({ attribute: "phone_number", message: "Phone number has already been taken" });
    }
    if (identifier && other.identifier === identifier) {
      problems.push({ attribute: "identifier", message: "Identifier has already been taken" });
    }
  }
  if (problems.length > 0) throw invalidRecord(problems);
}
