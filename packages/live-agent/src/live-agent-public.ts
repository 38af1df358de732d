import type { Call, Handover, ProviderContext } from "@handover/core";
import { createHttpClient, pathOf, type HttpRequest, type HttpResponse } from "@handover/provider-utils";
import { learnInboxIdentifier } from "./live-agent-inbox-identifier.ts";
import type { LiveAgentClient } from "./live-agent-client.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import type { LiveAgentState } from "./live-agent-state.ts";

type LiveAgentHandover = Handover<LiveAgentOptions, LiveAgentState>;

/** What the customer's own side of an inbox can do. Section 3.7 of the reference page. */
export interface PublicInbox {
  /** The only way to show the customer, and not our own user, typing. False where the server has no such call. */
  setTyping(handover: LiveAgentHandover, isTyping: boolean, call: Call): Promise<boolean>;
  /** Marks what the agents wrote until now as read. False where the server has no such call. */
  markSeen(handover: LiveAgentHandover, call: Call): Promise<boolean>;
  /** Answers a question that a message asked. */
  submitValues(handover: LiveAgentHandover, messageId: string, values: unknown, call: Call): Promise<"done" | "closed" | "unavailable">;
  close(): Promise<void>;
}

/** How long a call that the server does not have is not tried again. */
const absenceMs = 600_000;
const accepted: readonly number[] = [404, 405, 410, 422];

/** No token goes with these calls: whoever knows the inbox identifier and the source id is the customer. */
export function createPublicInbox(parts: {
  readonly settings: LiveAgentSettings;
  readonly context: ProviderContext;
  readonly client: LiveAgentClient;
}): PublicInbox {
  const { settings, context } = parts;
  const http = createHttpClient({
    baseUrl: settings.baseUrl.replace(/\/api\/v1$/, "/public/api/v1"),
    context,
    timeoutMs: settings.requestTimeoutMs,
  });
  const send = (request: HttpRequest): Promise<HttpResponse> =>
    http.request({ ...request, isRepeatable: true, onStatus: ({ status }) => (accepted.includes(status) ? "accept" : undefined) });

  /**
   * Probed once: an answer that the call is not there is remembered for the inbox. Where the call worked a moment ago, only this
   * conversation is missing: it was deleted, or moved to another inbox.
   */
  async function tryFeature(name: string, handover: LiveAgentHandover, call: Call, toRequest: (identifier: string) => HttpRequest) {
    const identifier = handover.state.inboxIdentifier ?? (await learnInboxIdentifier(parts, handover.options.inboxId, call.signal));
    if (identifier === undefined) return false;
    const inboxKey = `live-agent:no-${name}:${identifier}`;
    const conversationKey = `${inboxKey}:${handover.state.conversationId}`;
    const presenceKey = `live-agent:has-${name}:${identifier}`;
    if (context.cache.get(inboxKey) === true || context.cache.get(conversationKey) === true) return false;
    const { status } = await send(toRequest(identifier));
    if (status < 300) {
      context.cache.set(presenceKey, true, absenceMs);
      return true;
    }
    const isThere = context.cache.get(presenceKey) === true;
    context.cache.set(isThere ? conversationKey : inboxKey, true, absenceMs);
    if (isThere) return false;
    call.logger.debug("this Live Agent has no such call in its public API, or it is switched off", { call: name, status });
    return false;
  }

  return {
    setTyping: (handover, isTyping, call) =>
      tryFeature("typing", handover, call, (identifier) => ({
        method: "POST",
        path: pathOf`/inboxes/${identifier}/contacts/${handover.state.sourceId}/conversations/${handover.state.conversationId}/toggle_typing`,
        json: { typing_status: isTyping ? "on" : "off" },
        signal: call.signal,
      })),
    markSeen: (handover, call) =>
      tryFeature("last-seen", handover, call, (identifier) => ({
        method: "POST",
        path: pathOf`/inboxes/${identifier}/contacts/${handover.state.sourceId}/conversations/${handover.state.conversationId}/update_last_seen`,
        json: {},
        signal: call.signal,
      })),
    async submitValues(handover, messageId, values, call) {
      const { sourceId, conversationId, inboxIdentifier } = handover.state;
      const identifier = inboxIdentifier ?? (await learnInboxIdentifier(parts, handover.options.inboxId, call.signal));
      if (identifier === undefined) return "unavailable";
      const path = pathOf`/inboxes/${identifier}/contacts/${sourceId}/conversations/${conversationId}/messages/${messageId}`;
      const { status } = await send({ method: "PATCH", path, json: { submitted_values: values }, signal: call.signal });
      if (status < 300) return "done";
      return status === 422 ? "closed" : "unavailable";
    },
    close: () => http.close(),
  };
}
