import { ProviderApiError } from "@handover/core";
import { parseBody, pathOf, type HttpClient, type HttpRequest } from "@handover/provider-utils";
import {
  agentListSchema,
  agentPayloadSchema,
  countsSchema,
  inboxRowsSchema,
  inboxSchema,
  teamListSchema,
  versionSchema,
  type WireAgentRow,
  type WireInboxRow,
} from "./live-agent-wire-account.ts";
import { profileSchema, type WireProfile } from "./live-agent-wire.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Calls about the account itself: who we are, its inboxes and its people; sections of the reference page in brackets. */
export interface AccountCalls {
  /** What the server says that it is; `undefined` where it does not say. Needs no token. [2] */
  getVersion(signal: AbortSignal): Promise<string | undefined>;
  getProfile(signal: AbortSignal): Promise<WireProfile>; // [3.5]
  /** The documented first request. [2] */
  getConversationsMeta(signal: AbortSignal): Promise<void>;
  listInboxes(signal: AbortSignal): Promise<WireInboxRow[]>; // [3.5]
  createInbox(fields: Fields, signal: AbortSignal): Promise<WireInboxRow>; // [3.5]
  updateInbox(inboxId: string, fields: Fields, signal: AbortSignal): Promise<void>; // [3.5]
  listInboxMembers(inboxId: string, signal: AbortSignal): Promise<WireAgentRow[]>; // [3.5]
  addInboxMembers(fields: Fields, signal: AbortSignal): Promise<void>; // [3.5]
  /** Everybody in the account. [3.6] */
  listAgents(signal: AbortSignal): Promise<WireAgentRow[]>;
  /** Members of the inbox, and all administrators. [3.5] */
  listAssignableAgents(inboxId: string, signal: AbortSignal): Promise<WireAgentRow[]>;
  listTeamIds(signal: AbortSignal): Promise<string[]>; // [3.5]
}

/** @param installation a client without credentials, one level above the API */
export function createAccountCalls(http: HttpClient, installation: HttpClient, account: string): AccountCalls {
  const get = (path: HttpRequest["path"], signal: AbortSignal) => http.request({ method: "GET", path, signal });

  return {
    async getVersion(signal) {
      try {
        return parseBody(await installation.request({ method: "GET", path: pathOf`/api`, signal }), versionSchema).version;
      } catch (error) {
        if (!ProviderApiError.isInstance(error) || error.isRetryable) throw error;
        return undefined;
      }
    },
    async getProfile(signal) {
      return parseBody(await get(pathOf`/profile`, signal), profileSchema);
    },
    async getConversationsMeta(signal) {
      parseBody(await get(pathOf`/accounts/${account}/conversations/meta`, signal), countsSchema);
    },
    async listInboxes(signal) {
      return parseBody(await get(pathOf`/accounts/${account}/inboxes`, signal), inboxRowsSchema).payload;
    },
    async createInbox(fields, signal) {
      const path = pathOf`/accounts/${account}/inboxes`;
      return parseBody(await http.request({ method: "POST", path, json: fields, signal }), inboxSchema);
    },
    async updateInbox(inboxId, fields, signal) {
      const path = pathOf`/accounts/${account}/inboxes/${inboxId}`;
      await http.request({ method: "PATCH", path, json: fields, signal, isRepeatable: true });
    },
    async listInboxMembers(inboxId, signal) {
      return parseBody(await get(pathOf`/accounts/${account}/inbox_members/${inboxId}`, signal), agentPayloadSchema).payload;
    },
    async addInboxMembers(fields, signal) {
      const path = pathOf`/accounts/${account}/inbox_members`;
      await http.request({ method: "POST", path, json: fields, signal, isRepeatable: true });
    },
    async listAgents(signal) {
      return parseBody(await get(pathOf`/accounts/${account}/agents`, signal), agentListSchema);
    },
    async listAssignableAgents(inboxId, signal) {
      const path = pathOf`/accounts/${account}/assignable_agents`;
      const response = await http.request({ method: "GET", path, query: { "inbox_ids[]": inboxId }, signal });
      return parseBody(response, agentPayloadSchema).payload;
    },
    async listTeamIds(signal) {
      return parseBody(await get(pathOf`/accounts/${account}/teams`, signal), teamListSchema).map((team) => team.id);
    },
  };
}
