import type { Call, MemoryScope, ProviderContext, StartRequest, User } from "@handover/core";
import { HandoverError } from "@handover/core";
import { stableId, withoutEmpty } from "@handover/provider-utils";
import type { LiveAgentClient } from "./live-agent-client.ts";

/** Texts of this length are indexed by the server; longer ones are refused. */
const shortTextLimit = 255;
const attributeLimit = 1500;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Finds or makes the contact of the user: one per verified person, else one per conversation. What an unverified user says about
 * who he is never joins a contact that exists.
 */
export async function ensureContact(client: LiveAgentClient, context: ProviderContext, request: StartRequest, call: Call): Promise<string> {
  const { scope, key } = memoryOf(context, request);
  const remembered = await scope.get(key);
  if (typeof remembered === "string") return remembered;
  const contactId = await createOrFind(client, contactFields(request), call.signal);
  await scope.set(key, contactId);
  return contactId;
}

/** For a contact that somebody deleted at the desk. */
export async function forgetContact(context: ProviderContext, request: StartRequest): Promise<void> {
  const { scope, key } = memoryOf(context, request);
  await scope.delete(key);
}

async function createOrFind(client: LiveAgentClient, first: Fields, signal: AbortSignal): Promise<string> {
  let fields = first;
  // Each round leaves out at least one of the three unique fields, so that there are at most four.
  for (let round = 0; round < 4; round += 1) {
    const result = await client.createContact(fields, signal);
    if ("id" in result) return result.id;
    if (result.taken.includes("identifier") && typeof fields["identifier"] === "string") {
      const found = await client.findContact(fields["identifier"], signal);
      if (found !== undefined) return found;
    }
    fields = Object.fromEntries(Object.entries(fields).filter(([key]) => !result.taken.includes(key)));
  }
  throw new HandoverError({ code: "CONTACT_REFUSED", message: "Live Agent refuses to store the user as a contact.", effect: "handover" });
}

function contactFields(request: StartRequest): Fields {
  return { identifier: identifierOf(request), ...profileFields(request.user) };
}

/** What agents see of the user. Custom attributes are merged by the server. */
export function profileFields(user: User | undefined): Fields {
  const isVerified = user?.isVerified === true;
  // Only E.164 is taken.
  const isPhone = /^\+[1-9]\d{1,14}$/.test(user?.phone ?? "");
  return withoutEmpty({
    name: user?.name?.slice(0, shortTextLimit),
    email: isVerified ? user.email : undefined,
    phone_number: isVerified && isPhone ? user.phone : undefined,
    custom_attributes: attributesOf(user),
  });
}

/** Agents may read what an unverified user says; the server does not recognise anybody by it. */
function attributesOf(user: User | undefined): Fields {
  const claims = user?.isVerified ? {} : { unverified_email: user?.email, unverified_phone: user?.phone };
  const entries = Object.entries({ ...user?.attributes, ...claims });
  return withoutEmpty(Object.fromEntries(entries.map(([key, value]) => [key, value?.slice(0, attributeLimit)])));
}

function identifierOf(request: StartRequest): string {
  const { user } = request;
  if (user?.isVerified && user.id.length <= shortTextLimit) return user.id;
  if (user?.isVerified) return stableId("user_", [user.id], 60);
  return stableId("conversation_", [request.endpoint, request.conversation], 60);
}

function memoryOf(context: ProviderContext, request: StartRequest): { scope: MemoryScope; key: string } {
  if (request.user?.isVerified) return { scope: context.memory.user(request.user.id), key: "live-agent:contact" };
  return { scope: context.memory.user(request.conversation), key: stableId("live-agent:contact:", [request.endpoint], 50) };
}
