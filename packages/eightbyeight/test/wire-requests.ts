import type { LoggedRequest } from "@handover/simulators";
import { expect } from "vitest";
import { z } from "zod";

// What 8x8's Chat Gateway takes, written from the field tables of its documentation and strict: a field that is misspelt, null or of
// another type fails. Shares nothing with the provider.

const text = z.string().min(1);
const author = z.enum(["user", "bot"]);
const card = z.strictObject({ contentType: text, content: z.record(z.string(), z.unknown()) });
const message = z
  .strictObject({
    authorType: author,
    text: text.optional(),
    attachments: z.array(z.strictObject({ id: text })).optional(),
    cards: z.array(card).optional(),
  })
  .refine(({ text: words, attachments, cards }) => words !== undefined || attachments?.length || cards?.length, "is empty");
const property = z.strictObject({ key: text, value: text });
const languages = "en ru de ja es fr pt it pl hr nl ar da ko no sv vi cy th zh-CN zh-TW".split(" ");
const user = z.strictObject({
  name: text.optional(),
  userId: text.optional(),
  email: text.optional(),
  phone: text.optional(),
  company: text.optional(),
  caseId: text.optional(),
  language: z.enum(languages).optional(),
  additionalProperties: z.array(property).max(30).optional(),
});
/** Further keys of the customer are not forbidden; those of a test begin with x. */
const userWithMore = z
  .record(z.string(), z.unknown())
  .transform((fields) =>
    Object.fromEntries(Object.entries(fields).filter(([key, inner]) => !(key.startsWith("x") && typeof inner === "string"))),
  )
  .pipe(user);
const assignment = z.strictObject({ type: z.enum(["queue", "script"]), id: text });
const version = z.literal("Chat Gateway v1.0");
const webhook = z.strictObject({ name: text.max(256), uri: z.url(), version, notificationVersion: version.optional() });
const channel = z.strictObject({
  name: text.max(255),
  type: z.literal("ChatAPI"),
  webHookId: text,
  routingOptions: z.strictObject({ type: z.literal("queue"), id: text }),
});
const none = z.union([z.undefined(), z.strictObject({})]);
const paging = { size: z.string().regex(/^\d+$/), page: z.string().regex(/^\d+$/) };
const noQuery = z.strictObject({});
const listQuery = z.strictObject({ ...paging, filter: text.optional() });

interface Operation {
  readonly call: RegExp;
  readonly body: z.ZodType;
  readonly query?: z.ZodType;
  readonly isOpen?: true;
}

const one = "/chat-gateway/v1/conversations/[^/]+";
const operations: readonly Operation[] = [
  { call: /^GET .*\/chat-gateway\/v1\/jwk\/[\w-]+\/public$/, body: none, isOpen: true },
  { call: /^GET .*\/chat-gateway\/v1\/(webhooks|channels|conversations)$/, body: none, query: listQuery },
  { call: /^GET .*\/chat-gateway\/v1\/(webhooks|channels)\/[^/]+$/, body: none },
  { call: /^POST .*\/chat-gateway\/v1\/webhooks$/, body: webhook },
  { call: /^POST .*\/chat-gateway\/v1\/webhooks\/verify$/, body: z.strictObject({ version, uri: z.url() }) },
  { call: /^POST .*\/chat-gateway\/v1\/channels$/, body: channel },
  {
    call: /^POST .*\/chat-gateway\/v1\/conversations$/,
    body: z.strictObject({
      channelId: text,
      user: userWithMore,
      assignment: assignment.optional(),
      history: z.strictObject({ messages: z.array(message).min(1).max(200) }).optional(),
    }),
  },
  { call: new RegExp(`^GET .*${one}$`), body: none },
  {
    call: new RegExp(`^PATCH .*${one}$`),
    body: z
      .strictObject({ assignment: assignment.optional(), user: userWithMore.optional() })
      .refine((body) => Object.keys(body).length > 0),
  },
  { call: new RegExp(`^PATCH .*${one}/participants/user$`), body: z.strictObject({ removed: z.literal(true) }) },
  { call: new RegExp(`^GET .*${one}/participants$`), body: none },
  { call: new RegExp(`^POST .*${one}/messages$`), body: message },
  { call: new RegExp(`^GET .*${one}/messages$`), body: none, query: z.strictObject({ ...paging, sort: z.literal("createdAt:desc") }) },
  { call: new RegExp(`^POST .*${one}/typing$`), body: z.strictObject({ authorType: author }) },
  { call: new RegExp(`^POST .*${one}/read-receipt$`), body: z.strictObject({ authorType: author, readAt: z.int().positive() }) },
  {
    call: new RegExp(`^POST .*${one}/attachments$`),
    body: z.strictObject({ authorType: author, attachment: z.object({ name: text, type: text }) }),
  },
  { call: new RegExp(`^GET .*${one}/attachments$`), body: none, query: z.strictObject(paging) },
  { call: new RegExp(`^GET .*${one}/attachments/[^/]+/content$`), body: none },
  { call: /^GET .*\/files\/[^/]+\/[^/]+$/, body: none, query: z.strictObject({ expires: text, signature: text }), isOpen: true },
  { call: /^GET .*\/cc\/v1\/stats\/rt\/queue\/[^/]+$/, body: none },
];

/** Fails for a call that 8x8 does not know, or not like this; with a tenant also for one that does not name it. */
export function expectKnownCalls(requests: readonly LoggedRequest[], tenant?: string): void {
  for (const request of requests) expectKnownCall(request, tenant);
}

function expectKnownCall({ method, path, query, headers, body }: LoggedRequest, tenant: string | undefined): void {
  const called = `${method} ${path}`;
  const operation = operations.find(({ call }) => call.test(called));
  expect(operation, `8x8 has no call ${called}`).toBeDefined();
  if (!operation) return;
  // The log leaves out the longest bodies.
  const isLogged = typeof body !== "string" || !/^\(\d+ characters\)$/.test(body);
  if (isLogged) expect(operation.body.safeParse(body).error?.issues ?? [], `body of ${called}: ${JSON.stringify(body)}`).toEqual([]);
  expect((operation.query ?? noQuery).safeParse(query).error?.issues ?? [], `query of ${called}`).toEqual([]);
  expect(headers["x-api-key"] !== undefined, `the key goes with ${called}`).toBe(operation.isOpen === undefined);
  expect(headers["8x8-apikey"]).toBeUndefined();
  if (tenant !== undefined && !operation.isOpen) expect(headers["x-8x8-tenant"], `the tenant of ${called}`).toBe(tenant);
}
