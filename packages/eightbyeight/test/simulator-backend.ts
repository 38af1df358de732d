import type { Call, HandoverProvider, RawRequest } from "@handover/core";
import type { EightbyeightSimulator } from "@handover/simulators";
import type { ConformanceBackend } from "@handover/testkit";
import { signedHeaders } from "./signing.ts";
import { expectKnownCalls } from "./wire-requests.ts";

type ConformanceFile = Awaited<ReturnType<NonNullable<ConformanceBackend["filesAtDesk"]>>>[number];

/** The simulated 8x8 as the conformance suite sees it. Before it is emptied, every call that the provider made is checked. */
export function createSimulatorBackend(simulator: EightbyeightSimulator, seen: SeenEvents): ConformanceBackend {
  return {
    webhookProof: "signature",
    reset() {
      expectKnownCalls(simulator.requests(), simulator.tenant);
      simulator.reset();
    },
    setWebhookUrl: (url) => simulator.setWebhookUrl(url),
    settle: () => simulator.webhooksIdle(),
    conversations: () => simulator.conversations(),
    agentAccepts: (id) => void simulator.accept(id),
    agentSays: (id, text) => void simulator.say(id, { text }),
    agentCloses: (id) => void simulator.close(id),
    // Nobody takes it, and it becomes idle.
    deskRefuses: (id) => void simulator.close(id),
    agentTypes: (id, isTyping) => void simulator.type(id, { isTyping }),
    agentLeaves(id) {
      if (simulator.conversation(id).status === "queued") simulator.accept(id);
      simulator.leave(id);
    },
    agentTransfers: (id) => void simulator.transfer(id, { to: otherAgent(simulator, id) }),
    agentReopens: (id) => void simulator.reopen(id),
    agentSendsFile: (id, { name, type, bytes }) => void simulator.say(id, { attachment: { name, type, content: bytes } }),
    transcriptLines: 200,
    filesAtDesk: (id) => readFiles(simulator, id),
    setAgentsOnline: (count) => void simulator.setAgents({ online: count }),
    signWebhook: (body) => signedHeaders(body, { tenant: simulator.tenant, ...seen.eventOf(body) }),
    signWebhookAt: (body, atMs) => signedHeaders(body, { tenant: simulator.tenant, atMs }),
  };
}

function otherAgent(simulator: EightbyeightSimulator, id: string): string {
  const { agent } = simulator.conversation(id);
  const other = simulator.overview().agents.find(({ name, isOnline }) => isOnline && name !== agent);
  if (!other) throw new Error("The simulator has no second agent at work.");
  return other.name;
}

async function readFiles(simulator: EightbyeightSimulator, id: string): Promise<ConformanceFile[]> {
  const { messages } = simulator.conversation(id);
  const files = messages.filter(({ author }) => author === "user" || author === "bot").flatMap(({ attachments = [] }) => attachments);
  const base = `${simulator.baseUrl}/chat-gateway/v1/conversations/${id}/attachments`;
  const headers = { "x-api-key": simulator.apiKey, "x-8x8-tenant": simulator.tenant };
  return Promise.all(
    files.map(async ({ id: file, name, type }) => {
      const answer = await fetch(`${base}/${encodeURIComponent(file)}/content`, { headers });
      return { name, type, bytes: new Uint8Array(await answer.arrayBuffer()) };
    }),
  );
}

/** Which event a body was of: its id is in a header only. */
export interface SeenEvents {
  eventOf(body: Uint8Array): { readonly eventId?: string };
}

/** The provider, and what it was told. */
export function watchEvents(provider: HandoverProvider): HandoverProvider & SeenEvents {
  const events = new Map<string, string>();
  return {
    ...provider,
    connect(settings, context) {
      const connection = provider.connect(settings, context);
      return {
        ...connection,
        async receiveWebhook(request: RawRequest, call: Call) {
          const eventId = request.headers["x-8x8-event-id"];
          const text = sortedJson(request.body);
          if (eventId !== undefined && !events.has(text)) events.set(text, eventId);
          return (await connection.receiveWebhook?.(request, call)) ?? { deliveries: [] };
        },
      };
    },
    eventOf(body: Uint8Array) {
      const eventId = events.get(sortedJson(body));
      return eventId === undefined ? {} : { eventId };
    },
  };
}

function sortedJson(body: Uint8Array): string {
  const text = Buffer.from(body).toString("utf8");
  try {
    return Array.from(JSON.stringify(JSON.parse(text)))
      .toSorted()
      .join("");
  } catch {
    return text;
  }
}
