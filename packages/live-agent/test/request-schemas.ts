import { z, type ZodType } from "zod";

// Written from the field tables of the vendor's API, not from the provider: a field with another name is a mistake.

const id = z.union([z.number().int().positive(), z.string().regex(/^\d{16,}$/)]);
const text = z.string().min(1);
const short = text.max(255);
const flag = z.boolean();
const unix = z.number().int().nonnegative();
const attributes = z.record(
  z.string(),
  z.union([z.string().max(1500), z.number().max(9_999_999_999).min(-9_999_999_999), z.boolean(), z.array(z.string())]),
);
const status = z.enum(["open", "resolved", "pending", "snoozed"]);
const sourceId = z.string().regex(/^[\w-]{1,44}$/);
const phone = z.string().regex(/^\+[1-9]\d{1,14}$/);
const empty = z.strictObject({}).optional();
const digits = z.string().regex(/^\d+$/);

/** A query arrives as text. */
const page = digits.optional();

const contactFields = {
  name: short.optional(),
  email: z.email().max(255).optional(),
  phone_number: phone.optional(),
  identifier: short.optional(),
  avatar_url: z.url().optional(),
  blocked: flag.optional(),
  additional_attributes: attributes.optional(),
  custom_attributes: attributes.optional(),
};

const item = z.strictObject({
  title: text.optional(),
  value: text.optional(),
  description: text.optional(),
  media_url: text.optional(),
  link: text.optional(),
  actions: z
    .array(z.strictObject({ text: text.optional(), type: text.optional(), payload: text.optional(), uri: text.optional() }))
    .optional(),
  type: text.optional(),
  placeholder: text.optional(),
  label: text.optional(),
  name: text.optional(),
  options: z.array(z.unknown()).optional(),
  default: z.unknown().optional(),
  required: flag.optional(),
  pattern: text.optional(),
  pattern_error: text.optional(),
});

const messageFields = {
  content: z.string().min(1).max(150_000).optional(),
  message_type: z.enum(["incoming", "outgoing"]),
  private: flag,
  content_type: z.enum(["text", "input_text", "input_textarea", "input_email", "input_select", "cards", "form", "article"]).optional(),
  content_attributes: z
    .strictObject({ handover_key: z.string().max(44).optional(), items: z.array(item).min(1).optional(), in_reply_to: id.optional() })
    .optional(),
  external_created_at: unix.optional(),
  echo_id: short.optional(),
  source_id: short.optional(),
  sender_type: z.literal("AgentBot").optional(),
  sender_id: id.optional(),
  attachments: z.array(text).max(15).optional(),
};
const message = z.strictObject(messageFields);

/** The same as a form: everything is text, and files come along. */
const messageForm = z.strictObject({
  content: z.string().max(150_000).optional(),
  message_type: messageFields.message_type,
  private: z.enum(["true", "false"]),
  content_attributes: z
    .string()
    .transform((value) => JSON.parse(value) as unknown)
    .pipe(messageFields.content_attributes)
    .optional(),
  external_created_at: z.string().regex(/^\d+$/).optional(),
  echo_id: short.optional(),
  source_id: short.optional(),
  sender_type: z.literal("AgentBot").optional(),
  sender_id: z.string().regex(/^\d+$/).optional(),
  attachments: z.array(z.unknown()).min(1).max(15),
});

const conversationQuery = z.strictObject({
  status: z.enum([...status.options, "all"]).optional(),
  inbox_id: digits.optional(),
  assignee_type: z.enum(["me", "unassigned", "assigned", "all"]).optional(),
  team_id: digits.optional(),
  source_id: sourceId.optional(),
  page,
  sort_by: z.enum(["last_activity_at_desc", "created_at_asc", "priority_desc", "waiting_since_asc"]).optional(),
  updated_within: digits.optional(),
});

const inboxFields = {
  name: short.regex(/^[^=]/).optional(),
  greeting_enabled: flag.optional(),
  greeting_message: text.optional(),
  enable_auto_assignment: flag.optional(),
  csat_survey_enabled: flag.optional(),
  working_hours_enabled: flag.optional(),
  lock_to_single_conversation: flag.optional(),
  allow_messages_after_resolved: flag.optional(),
};
const webhookUrl = z.url().max(255);

const surveyAnswer = z.strictObject({
  csat_survey_response: z.strictObject({ rating: z.number().int(), feedback_message: text.optional() }),
});
const formAnswers = z.array(z.strictObject({ name: text.optional(), title: text.optional(), value: z.unknown() }));

interface Shape {
  readonly body?: ZodType;
  readonly form?: ZodType;
  readonly query?: ZodType;
}

const account = "/api/v1/accounts/:";
const one = `${account}/conversations/:`;
const open = "/public/api/v1/inboxes/:";

/** By method and path; `:` stands for one segment. What is not listed takes neither body nor query. */
const shapes: Readonly<Record<string, Shape>> = {
  "GET /api": {},
  "GET /api/v1/profile": {},
  [`GET ${account}/conversations/meta`]: { query: conversationQuery },
  [`POST ${account}/contacts`]: {
    body: z.strictObject({ inbox_id: id.optional(), source_id: sourceId.optional(), ...contactFields }).optional(),
  },
  [`GET ${account}/contacts/:`]: {},
  [`PUT ${account}/contacts/:`]: { body: z.strictObject(contactFields) },
  [`GET ${account}/contacts/search`]: { query: z.strictObject({ q: text, page, sort: text.optional() }) },
  [`POST ${account}/contacts/filter`]: {
    body: z.strictObject({
      payload: z.array(
        z.strictObject({
          attribute_key: z.enum(["identifier", "email", "phone_number"]),
          filter_operator: z.literal("equal_to"),
          values: z.array(text),
          query_operator: z.enum(["AND", "OR"]).nullable(),
        }),
      ),
    }),
    query: z.strictObject({ page }),
  },
  [`POST ${account}/contact_inboxes/filter`]: { body: z.strictObject({ inbox_id: id, source_id: sourceId }) },
  [`GET ${account}/contacts/:/conversations`]: {},
  [`POST ${account}/conversations`]: {
    body: z.strictObject({
      inbox_id: id,
      contact_id: id,
      source_id: sourceId,
      additional_attributes: attributes.optional(),
      custom_attributes: attributes.optional(),
      status: status.optional(),
      assignee_id: id.optional(),
      team_id: id.optional(),
      message: message.optional(),
    }),
  },
  [`GET ${account}/conversations`]: { query: conversationQuery },
  [`GET ${one}`]: {},
  [`GET ${one}/queue_details`]: {},
  [`POST ${one}/toggle_status`]: { body: z.strictObject({ status, snoozed_until: unix.optional() }) },
  [`POST ${one}/toggle_priority`]: { body: z.strictObject({ priority: z.enum(["urgent", "high", "medium", "low"]).nullable() }) },
  [`POST ${one}/toggle_typing_status`]: { body: z.strictObject({ typing_status: z.enum(["on", "off"]), is_private: flag.optional() }) },
  [`POST ${one}/assignments`]: {
    body: z.union([z.strictObject({ assignee_id: id.nullable() }), z.strictObject({ team_id: id.nullable() })]),
  },
  [`GET ${one}/labels`]: {},
  [`POST ${one}/labels`]: { body: z.strictObject({ labels: z.array(short) }) },
  [`POST ${one}/custom_attributes`]: { body: z.strictObject({ custom_attributes: attributes }) },
  [`POST ${one}/update_last_seen`]: {},
  [`GET ${one}/messages`]: {
    query: z.strictObject({ before: digits.optional(), after: digits.optional(), filter_internal_messages: text.optional() }),
  },
  [`POST ${one}/messages`]: { body: message, form: messageForm },
  [`PATCH ${one}/messages/:`]: {
    body: z.strictObject({ status: z.enum(["sent", "delivered", "read", "failed"]), external_error: text.max(255).optional() }),
  },
  [`GET ${account}/inboxes`]: {},
  [`POST ${account}/inboxes`]: {
    body: z.strictObject({ ...inboxFields, channel: z.strictObject({ type: z.literal("api"), webhook_url: webhookUrl.optional() }) }),
  },
  [`PATCH ${account}/inboxes/:`]: {
    body: z.strictObject({ ...inboxFields, channel: z.strictObject({ webhook_url: webhookUrl }).optional() }),
  },
  [`GET ${account}/inbox_members/:`]: {},
  [`POST ${account}/inbox_members`]: { body: z.strictObject({ inbox_id: id, user_ids: z.array(id).min(1) }) },
  [`GET ${account}/agents`]: {},
  [`GET ${account}/assignable_agents`]: { query: z.strictObject({ "inbox_ids[]": z.union([digits, z.array(digits)]) }) },
  [`GET ${account}/teams`]: {},
  [`GET ${open}`]: {},
  [`POST ${open}/contacts/:/conversations/:/toggle_typing`]: { body: z.strictObject({ typing_status: z.enum(["on", "off"]) }) },
  [`POST ${open}/contacts/:/conversations/:/update_last_seen`]: {},
  [`POST ${open}/contacts/:/conversations/:/toggle_status`]: {},
  [`GET ${open}/contacts/:/conversations/:/messages`]: { query: z.strictObject({ before: digits.optional() }) },
  [`PATCH ${open}/contacts/:/conversations/:/messages/:`]: {
    body: z.strictObject({ submitted_values: z.union([surveyAnswer, formAnswers]) }),
  },
  "GET /platform/api/v1/accounts": {},
  "POST /platform/api/v1/accounts": {
    body: z.strictObject({ name: short, locale: text.optional(), custom_attributes: attributes.optional() }),
  },
  "POST /platform/api/v1/users": {
    body: z.strictObject({ name: short, display_name: short.optional(), email: z.email(), password: z.string().min(1).max(128) }),
  },
  "GET /platform/api/v1/users/:": {},
  "POST /platform/api/v1/users/:/token": {},
  "POST /platform/api/v1/accounts/:/account_users": { body: z.strictObject({ user_id: id, role: z.enum(["administrator", "agent"]) }) },
  "POST /platform/api/v1/agent_bots": {
    body: z.strictObject({ name: short, description: text.optional(), account_id: id.optional(), outgoing_url: z.url().optional() }),
  },
};

/** What a server or a simulator has seen of one request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>> | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly form?: FormData;
}

/** What is wrong with a request of the provider; nothing for one that the tables have. */
export function findRequestProblem(request: SeenRequest): string | undefined {
  const path = /(\/(platform|public)\/api\/v1\/.*|\/api\/v1\/.*|\/api)$/.exec(request.path)?.[0];
  if (path === undefined || request.path.includes("/rails/active_storage/")) return undefined;
  const name = `${request.method} ${path}`;
  const shape = shapeOf(name);
  if (!shape) return `${name}: the tables have no such call`;
  const query = request.query instanceof URLSearchParams ? Object.fromEntries(request.query) : (request.query ?? {});
  const isForm = request.headers?.["content-type"]?.startsWith("multipart/") ?? false;
  const problems = [
    ...(isForm
      ? problemsOf("form", shape.form ?? empty, request.form ? readForm(request.form) : request.body)
      : problemsOf("body", shape.body ?? empty, emptyAsNothing(request.body))),
    ...problemsOf("query", shape.query ?? empty, { ...query }),
  ];
  return problems.length === 0 ? undefined : `${name}: ${problems.join("; ")}`;
}

/** @throws Error that names every request that is not as the tables say */
export function expectDocumented(requests: readonly SeenRequest[]): void {
  const problems = [...new Set(requests.map(findRequestProblem).filter((problem) => problem !== undefined))];
  if (problems.length > 0) throw new Error(`Requests that the vendor does not know:\n${problems.join("\n")}`);
}

/** The pattern with the most literal segments: "contacts/search" is no contact. */
function shapeOf(name: string): Shape | undefined {
  const segments = name.split("/");
  const fitting = Object.keys(shapes).filter((pattern) => {
    const expected = pattern.split("/");
    return expected.length === segments.length && expected.every((part, index) => part === ":" || part === segments[index]);
  });
  const wildcards = (pattern: string): number => pattern.split("/").filter((part) => part === ":").length;
  return shapes[fitting.sort((left, right) => wildcards(left) - wildcards(right))[0] ?? ""];
}

function readForm(form: FormData): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of form.keys()) {
    if (name.endsWith("[]")) fields[name.slice(0, -2)] = form.getAll(name);
    else fields[name] = form.get(name);
  }
  return fields;
}

function emptyAsNothing(body: unknown): unknown {
  const isEmpty = body === null || body === "" || (typeof body === "object" && Object.keys(body).length === 0);
  return isEmpty ? undefined : body;
}

function problemsOf(where: string, schema: ZodType, value: unknown): string[] {
  // The simulator's log leaves very long bodies out.
  if (typeof value === "string" && /^\(\d+ characters\)$/.test(value)) return [];
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.map((issue) => `${where}.${issue.path.join(".")}: ${issue.message}`);
}
