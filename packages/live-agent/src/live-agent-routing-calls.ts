import { ConversationGoneError, type Json } from "@handover/core";
import { parseBody, pathOf, type HttpClient, type HttpRequest, type HttpResponse } from "@handover/provider-utils";
import { assignedSchema, countsSchema, labelListSchema } from "./live-agent-wire-account.ts";
import { conversationListSchema, type WireConversation } from "./live-agent-wire.ts";

type Fields = Readonly<Record<string, unknown>>;
type OnStatus = NonNullable<HttpRequest["onStatus"]>;

/** A page of conversations, and how many there are that nobody has. */
export interface ConversationPage {
  readonly conversations: readonly WireConversation[];
  readonly unassignedCount?: number;
}

/** Either within a time, which switches paging off, or a page. */
export interface UpdatedQuery {
  readonly status: string;
  readonly withinSeconds?: number;
  readonly page?: number;
}

/** Calls that change or read how a conversation is routed; sections of the reference page in brackets. */
export interface RoutingCalls {
  setPriority(conversationId: string, priority: string | null, signal: AbortSignal): Promise<void>; // [3.3]
  listLabels(conversationId: string, signal: AbortSignal): Promise<string[]>; // [3.3]
  /** Replaces the whole list. [3.3] */
  setLabels(conversationId: string, labels: readonly string[], signal: AbortSignal): Promise<void>;
  /** Replaces the whole object. [3.3] */
  setCustomAttributes(conversationId: string, attributes: Fields, signal: AbortSignal): Promise<void>;
  /** The id of the agent or team that has it now: an unknown one takes it away from everybody. [3.3] */
  assign(conversationId: string, fields: Fields, signal: AbortSignal): Promise<string | undefined>;
  updateContact(contactId: string, fields: Fields, signal: AbortSignal): Promise<void>; // [3.2]
  /** Live Agent 4.78; the shape is not documented. `undefined` for a 404. [3.8] */
  getQueueDetails(conversationId: string, signal: AbortSignal): Promise<Json | undefined>;
  /** The conversation as it came: some servers say in it where it stands. [3.8] */
  getRawConversation(conversationId: string, signal: AbortSignal): Promise<Json | undefined>;
  /** Open conversations that nobody has, oldest first, 25 per page. [3.3] */
  listUnassigned(inboxId: string | undefined, page: number, signal: AbortSignal): Promise<ConversationPage>;
  /** What changed lately: all of it at once where the server knows the filter. [3.3] */
  listUpdated(query: UpdatedQuery, signal: AbortSignal): Promise<WireConversation[]>;
}

export function createRoutingCalls(http: HttpClient, account: string): RoutingCalls {
  const list = (query: HttpRequest["query"], signal: AbortSignal) =>
    http.request({ method: "GET", path: pathOf`/accounts/${account}/conversations`, ...(query ? { query } : {}), signal });
  /** Setting the same value twice changes nothing. */
  const set = (path: HttpRequest["path"], json: Fields, signal: AbortSignal) =>
    http.request({ method: "POST", path, json, signal, isRepeatable: true });
  const getOrNothing = async (path: HttpRequest["path"], signal: AbortSignal): Promise<Json | undefined> => {
    const response = await http.request({ method: "GET", path, signal, onStatus: acceptMissing });
    return response.status === 404 ? undefined : (response.body as Json | undefined);
  };

  return {
    async setPriority(conversationId, priority, signal) {
      await set(pathOf`/accounts/${account}/conversations/${conversationId}/toggle_priority`, { priority }, signal);
    },
    async listLabels(conversationId, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/labels`;
      return parseBody(await http.request({ method: "GET", path, signal }), labelListSchema).payload;
    },
    async setLabels(conversationId, labels, signal) {
      await set(pathOf`/accounts/${account}/conversations/${conversationId}/labels`, { labels }, signal);
    },
    async setCustomAttributes(conversationId, attributes, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/custom_attributes`;
      await set(path, { custom_attributes: attributes }, signal);
    },
    async assign(conversationId, fields, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}/assignments`;
      return assignedSchema.parse((await set(path, fields, signal)).body)?.id;
    },
    async updateContact(contactId, fields, signal) {
      const path = pathOf`/accounts/${account}/contacts/${contactId}`;
      await http.request({ method: "PUT", path, json: fields, signal, isRepeatable: true });
    },
    getQueueDetails: (conversationId, signal) =>
      getOrNothing(pathOf`/accounts/${account}/conversations/${conversationId}/queue_details`, signal),
    async getRawConversation(conversationId, signal) {
      const path = pathOf`/accounts/${account}/conversations/${conversationId}`;
      return (await http.request({ method: "GET", path, signal, onStatus: whenMissing })).body as Json | undefined;
    },
    async listUnassigned(inboxId, page, signal) {
      const query = { inbox_id: inboxId, status: "open", assignee_type: "unassigned", sort_by: "created_at_asc", page };
      const response = await list(query, signal);
      const { data } = parseBody(response, conversationListSchema);
      const counts = countsSchema.safeParse((response.body as { data?: unknown }).data).data?.meta.unassigned_count;
      return { conversations: data.payload, ...(counts === undefined ? {} : { unassignedCount: counts }) };
    },
    async listUpdated({ status, withinSeconds, page }, signal) {
      return parseBody(await list({ status, updated_within: withinSeconds, page }, signal), conversationListSchema).data.payload;
    },
  };
}

const acceptMissing: OnStatus = (response: HttpResponse) => (response.status === 404 ? "accept" : undefined);

const whenMissing: OnStatus = ({ status }: HttpResponse) =>
  status === 404 ? new ConversationGoneError({ message: "Live Agent no longer has this conversation.", status }) : undefined;
