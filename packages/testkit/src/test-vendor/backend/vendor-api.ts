import { measureText } from "@handover/provider-utils";
import { queueOf, toView, type VendorDesk } from "./vendor-desk.ts";
import { vendorLimits } from "../vendor-limits.ts";
import { VendorApiRefusal } from "./vendor-error.ts";
import type { VendorPeople } from "./vendor-agents.ts";
import type { VendorAuthor, VendorConversation } from "./vendor-records.ts";
import type { VendorAccess } from "./vendor-tokens.ts";

/** A call of the API, already authenticated. */
export interface ApiCall {
  readonly method: string;
  /** Decoded segments of the path: `["conversations", "1001", "messages"]`. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the API answers: JSON, or the bytes of a file. */
export interface ApiAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly type?: string;
}

type Handler = (call: ApiCall, ids: readonly string[]) => ApiAnswer;

/** The API of the test vendor: `METHOD /path` with `:` for ids. */
export function createVendorApi(options: {
  readonly desk: VendorDesk;
  readonly people: VendorPeople;
  readonly textCharacters: number;
  readonly giveToken: VendorAccess["giveToken"];
}): (call: ApiCall) => ApiAnswer {
  const { desk, people, textCharacters } = options;
  const routes: readonly (readonly [string, Handler])[] = [
    ["POST /token", () => created(options.giveToken())],
    ["GET /account", () => ok({ id: "acme", agents_online: desk.online })],
    ["GET /availability", () => ok({ is_open: desk.online > 0, agents_online: desk.online })],
    ["GET /queue", ({ query }) => ok({ items: query.getAll("conversation").map((id) => ({ conversation: id, ...queueOf(desk) })) })],
    ["GET /agents/:", (_, [id = ""]) => ok(agentView(desk, id))],
    ["GET /files/:", (_, [id = ""]) => fileAnswer(desk, id)],
    ["GET /conversations", ({ query }) => ok({ items: search(desk, query).map(conversationView) })],
    ["POST /conversations", ({ body }) => created(openedView(open(desk, body, textCharacters)))],
    ["GET /conversations/:", (_, [id = ""]) => ok(conversationView(desk.get(id)))],
    ["PATCH /conversations/:", ({ body }, [id = ""]) => signal(desk.get(id).signals.changes, body)],
    ["GET /conversations/:/events", ({ query }, [id = ""]) => ok(listEvents(desk.get(id), query))],
    ["GET /conversations/:/messages", ({ query }, [id = ""]) => ok({ items: searchMessages(desk, desk.get(id), query) })],
    ["POST /conversations/:/messages", ({ body }, [id = ""]) => created(addMessage(desk, desk.get(id), body, textCharacters))],
    ["POST /conversations/:/close", ({ body }, [id = ""]) => close(people, id, body)],
    ["POST /conversations/:/typing", ({ body }, [id = ""]) => signal(desk.get(id).signals.typing, body["is_typing"] === true)],
    ["POST /conversations/:/presence", ({ body }, [id = ""]) => signal(desk.get(id).signals.presence, body["is_present"] === true)],
    ["POST /conversations/:/receipts", ({ body }, [id = ""]) => signal(desk.get(id).signals.receipts, body as never)],
    ["POST /conversations/:/survey", ({ body }, [id = ""]) => signal(desk.get(id).signals.surveyAnswers, body)],
  ];

  return (call) => {
    for (const [route, handler] of routes) {
      const ids = matchRoute(route, call);
      if (ids) return handler(call, ids);
    }
    throw new VendorApiRefusal(404, "route_not_found");
  };
}

/** The ids in the path, or nothing when it is another route. */
function matchRoute(route: string, call: ApiCall): string[] | undefined {
  const [method, path = ""] = route.split(" ");
  const wanted = path.split("/").slice(1);
  if (method !== call.method || wanted.length !== call.segments.length) return undefined;
  const isSame = wanted.every((part, index) => part === ":" || part === call.segments[index]);
  return isSame ? call.segments.filter((_, index) => wanted[index] === ":") : undefined;
}

function open(desk: VendorDesk, body: ApiCall["body"], textCharacters: number): VendorConversation {
  refuseEmptyFields(body);
  if (desk.online === 0) throw new VendorApiRefusal(422, "desk_closed");
  const lines = readList(body["transcript"]);
  if (lines.length > vendorLimits.transcriptLines) throw new VendorApiRefusal(422, "transcript_too_long");
  const { external_id: externalId, customer, transcript: _, ...routing } = body;
  const conversation = desk.open({
    ...(typeof externalId === "string" ? { externalId } : {}),
    customer: (customer ?? {}) as Record<string, unknown>,
    routing,
  });
  for (const line of lines) {
    const at = Date.parse(String(line["at"]));
    desk.addMessage(conversation, { author: readAuthor(line["author"]), text: readText(line, textCharacters), at, isReported: false });
  }
  return conversation;
}

/** Like several real vendors, it refuses a field that is there but empty. */
function refuseEmptyFields(value: unknown): void {
  if (value === null || (typeof value === "string" && value.trim() === "")) throw new VendorApiRefusal(422, "empty_field");
  if (typeof value === "object") for (const inner of Object.values(value)) refuseEmptyFields(inner);
}

function addMessage(desk: VendorDesk, conversation: VendorConversation, body: ApiCall["body"], textCharacters: number): unknown {
  if (conversation.status === "closed") throw new VendorApiRefusal(409, "conversation_closed");
  const message = desk.addMessage(conversation, {
    author: readAuthor(body["author"]),
    text: readText(body, textCharacters),
    ...(typeof body["at"] === "string" && !Number.isNaN(Date.parse(body["at"])) ? { at: Date.parse(body["at"]) } : {}),
    ...(typeof body["external_id"] === "string" ? { externalId: body["external_id"] } : {}),
  });
  return toView(message, desk.agents);
}

function close(people: VendorPeople, id: string, body: ApiCall["body"]): ApiAnswer {
  people.close(id, wordOf(body["by"], "customer"), wordOf(body["reason"], "left"));
  return { status: 204 };
}

function search(desk: VendorDesk, query: URLSearchParams): VendorConversation[] {
  const externalId = query.get("external_id");
  const changedSince = query.get("changed_since");
  return [...desk.conversations.values()].filter(
    (conversation) =>
      (externalId === null || conversation.externalId === externalId) &&
      (changedSince === null || conversation.changedAt >= Number(changedSince)),
  );
}

function searchMessages(desk: VendorDesk, conversation: VendorConversation, query: URLSearchParams): unknown[] {
  const found = conversation.messages.filter(({ externalId }) => externalId === query.get("external_id"));
  return found.map((message) => toView(message, desk.agents));
}

function listEvents(conversation: VendorConversation, query: URLSearchParams): unknown {
  const after = Number(query.get("after") ?? 0);
  const later = conversation.events.filter(({ number = 0 }) => number > after);
  const items = later.slice(0, vendorLimits.pageSize);
  return { items, has_more: later.length > items.length };
}

function conversationView(conversation: VendorConversation): unknown {
  return { id: conversation.id, external_id: conversation.externalId ?? null, status: conversation.status };
}

/** Routing is soft: it says of which skills it knows nobody. */
function openedView(conversation: VendorConversation): unknown {
  const skills = conversation.routing["skills"];
  const unknown = (Array.isArray(skills) ? skills : []).filter((skill) => !vendorLimits.skills.some((known) => known === skill));
  const view = conversationView(conversation) as object;
  return unknown.length === 0 ? view : { ...view, unknown_skills: unknown, known_skills: vendorLimits.skills };
}

function agentView(desk: VendorDesk, id: string): unknown {
  const agent = desk.agents.get(id);
  if (!agent) throw new VendorApiRefusal(404, "agent_not_found");
  return { ...agent, login: `${agent.id}@desk.example` };
}

function fileAnswer(desk: VendorDesk, id: string): ApiAnswer {
  const file = desk.files.get(id);
  if (!file) throw new VendorApiRefusal(404, "file_not_found");
  return { status: 200, bytes: file.bytes, type: file.type };
}

function signal<Item>(list: Item[], item: Item): ApiAnswer {
  list.push(item);
  return { status: 204 };
}

function readText(body: Readonly<Record<string, unknown>>, limit: number): string {
  const text = body["text"];
  if (typeof text !== "string" || text.trim() === "") throw new VendorApiRefusal(422, "text_missing");
  if (measureText(text, "characters") > limit) throw new VendorApiRefusal(422, "text_too_long");
  return text;
}

function wordOf(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function readAuthor(value: unknown): VendorAuthor {
  if (value === "customer" || value === "bot" || value === "agent" || value === "automation") return value;
  throw new VendorApiRefusal(422, "author_unknown");
}

function readList(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}

function ok(json: unknown): ApiAnswer {
  return { status: 200, json };
}

function created(json: unknown): ApiAnswer {
  return { status: 201, json };
}
