import type { Clock } from "@handover/core";
import type { ConformanceBackend, ConformanceConversation, ConformanceTokens } from "../../conformance/conformance-backend.ts";
import { createVendorPeople, type VendorPeople } from "./vendor-agents.ts";
import { createVendorApi } from "./vendor-api.ts";
import { createVendorDesk } from "./vendor-desk.ts";
import { createFaultPlan, type TestVendorFaults } from "./vendor-faults.ts";
import type { VendorConversation, VendorMessage } from "./vendor-records.ts";
import { startVendorServer, type ReceivedCall } from "./vendor-server.ts";
import { vendorLimits } from "../vendor-limits.ts";
import { createVendorAccess } from "./vendor-tokens.ts";
import { createWebhookSender, type WebhookMode } from "./vendor-webhooks.ts";

/** How a test vendor's contact centre behaves. */
export interface TestVendorBackendOptions {
  readonly apiKey: string;
  /** What webhooks are signed with. */
  readonly webhookSecret: string;
  readonly clock: Clock;
  /** Event numbers go up by one (so that a hole is a loss), or by three. */
  readonly areNumbersDense: boolean;
  readonly webhooks: WebhookMode;
  /** The longest text of a message, in Unicode code points. */
  readonly textCharacters: number;
  /** Calls need access tokens that work so long; without it the key itself. */
  readonly tokenLifetimeMs?: number;
}

/** The contact centre of the test vendor: a real HTTP server with an honest state, and the people who work there. */
export interface TestVendorBackend extends Required<
  Omit<ConformanceBackend, "filesAtDesk" | "signWebhookAt" | "tokens" | "notesAtDesk" | "refusedFiles">
> {
  readonly tokens?: ConformanceTokens;
  /** Where its API is: `http://127.0.0.1:<port>/api`. */
  readonly baseUrl: string;
  /** The people at the desk, with everything they can do; the methods of the probe call these. */
  readonly people: VendorPeople;
  /** Calls of the API since the last reset, oldest first. */
  readonly calls: readonly ReceivedCall[];
  reset(): void;
  conversations(): readonly ConformanceConversation[];
  setWebhookUrl(url: string | undefined): void;
  /** Everything that is known of one conversation: signals, routing, events. @throws VendorApiRefusal when there is none */
  conversation(id: string): VendorConversation;
  setFaults(faults: TestVendorFaults): void;
  setQueue(queue: { readonly position?: number; readonly estimatedWaitSeconds?: number }): void;
  /** From now on another key is valid. */
  rotateApiKey(apiKey: string): void;
  /** Resolves with the conversations as soon as the predicate holds; rejects after `timeoutMs` (5000) of real time. */
  waitFor(
    predicate: (conversations: readonly ConformanceConversation[]) => boolean,
    options?: { readonly timeoutMs?: number },
  ): Promise<readonly ConformanceConversation[]>;
  close(): Promise<void>;
}

/** Starts a contact centre. */
export async function startTestVendorBackend(options: TestVendorBackendOptions): Promise<TestVendorBackend> {
  const plan = createFaultPlan();
  const sender = createWebhookSender({ secret: options.webhookSecret, plan });
  sender.setMode(options.webhooks);
  let aheadMs = 0;
  const clock: Clock = { now: () => options.clock.now() + aheadMs };
  const desk = createVendorDesk({ clock, areNumbersDense: options.areNumbersDense, emit: sender.push });
  const people = createVendorPeople(desk);
  const watchers = new Set<() => void>();
  let { apiKey } = options;
  const access = createVendorAccess({
    apiKey: () => apiKey,
    clock,
    passTime: (durationMs) => void (aheadMs += durationMs),
    lifetimeMs: options.tokenLifetimeMs,
  });
  const handle = createVendorApi({ desk, people, textCharacters: options.textCharacters, giveToken: access.giveToken });
  const server = await startVendorServer({
    admits: access.admits,
    plan,
    beforeAnswer: sender.idle,
    handle: (call) => {
      const answer = handle(call);
      for (const watcher of watchers) watcher();
      return answer;
    },
  });
  const conversations = (): ConformanceConversation[] => [...desk.conversations.values()].map(toProbeView);

  return {
    ...createProbe(people),
    webhookProof: "both",
    unknownRouting: [{ options: { skills: ["klingon"] }, known: vendorLimits.skills }],
    transcriptLines: vendorLimits.transcriptLines,
    ...(access.tokens ? { tokens: access.tokens } : {}),
    baseUrl: server.baseUrl,
    people,
    calls: server.calls,
    conversations,
    conversation: (id) => desk.get(id),
    reset() {
      sender.clear();
      plan.set({});
      desk.reset();
      access.reset();
      server.calls.length = 0;
      apiKey = options.apiKey;
    },
    settle: sender.idle,
    setWebhookUrl: sender.setUrl,
    signWebhook: sender.sign,
    combineWebhooks,
    setFaults: plan.set,
    setQueue: (queue) => (desk.queue = queue),
    queueIs({ position, estimatedWaitMs }) {
      desk.queue = {
        ...(position === undefined ? {} : { position }),
        ...(estimatedWaitMs === undefined ? {} : { estimatedWaitSeconds: estimatedWaitMs / 1000 }),
      };
    },
    signalsAtDesk(id) {
      const { typing, presence, surveyAnswers } = desk.get(id).signals;
      return {
        typing,
        presence,
        surveyAnswers: surveyAnswers.map(({ answers }) => Object.values((answers ?? {}) as Readonly<Record<string, string | number>>)),
      };
    },
    setAgentsOnline(count) {
      desk.online = count;
    },
    rotateApiKey: (next) => (apiKey = next),
    waitFor: (predicate, { timeoutMs = 5000 } = {}) => waitUntil({ read: conversations, predicate, watchers, timeoutMs }),
    async close() {
      sender.clear();
      await server.close();
      await sender.idle();
    },
  };
}

type People = Pick<
  Required<ConformanceBackend>,
  | "agentAccepts"
  | "agentIsAssigned"
  | "agentSays"
  | "agentCloses"
  | "agentWritesNote"
  | "agentTypes"
  | "agentLeaves"
  | "agentTransfers"
  | "agentReopens"
  | "agentSendsFile"
  | "agentSendsFiles"
  | "deskRefuses"
  | "systemSays"
  | "surveyIsOffered"
>;

function createProbe(people: VendorPeople): People {
  return {
    agentAccepts: (id) => people.accept(id),
    agentIsAssigned: (id) => people.assign(id),
    agentSays: (id, text) => void people.say(id, text),
    agentCloses: (id) => people.close(id),
    agentWritesNote: (id, text) => people.note(id, text),
    agentTypes: (id, isTyping) => people.type(id, isTyping),
    agentLeaves: (id) => people.leave(id),
    agentTransfers: (id) => people.transfer(id, { agent: "agent-2" }),
    agentReopens: (id) => people.reopen(id),
    agentSendsFile: (id, file) => people.sendFile(id, file),
    agentSendsFiles: (id, text, files) => people.sendFiles(id, text, files),
    deskRefuses: (id) => people.close(id, "system", "refused"),
    systemSays: (id, text) => people.automate(id, text),
    surveyIsOffered: (id) => people.offerSurvey(id),
  };
}

function combineWebhooks(bodies: readonly Uint8Array[]): Uint8Array {
  const events = bodies.flatMap((body) => (JSON.parse(Buffer.from(body).toString("utf8")) as { events: unknown[] }).events);
  return Buffer.from(JSON.stringify({ events }));
}

function toProbeView(conversation: VendorConversation): ConformanceConversation {
  return {
    id: conversation.id,
    status: conversation.status === "assigned" ? "queued" : conversation.status,
    messages: conversation.messages
      .filter(({ audience }) => audience === "customer")
      .map(({ author, text, at }) => ({ author: roleOf(author), text, at: new Date(at).toISOString() })),
  };
}

function roleOf(author: VendorMessage["author"]): "user" | "bot" | "agent" | "system" {
  return author === "customer" ? "user" : author === "automation" ? "system" : author;
}

function waitUntil(options: {
  readonly read: () => readonly ConformanceConversation[];
  readonly predicate: (conversations: readonly ConformanceConversation[]) => boolean;
  readonly watchers: Set<() => void>;
  readonly timeoutMs: number;
}): Promise<readonly ConformanceConversation[]> {
  const { read, predicate, watchers, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error(`Not so after ${timeoutMs} ms: ${JSON.stringify(read())}`))), timeoutMs);
    const finish = (settle: () => void): void => {
      watchers.delete(check);
      clearTimeout(timer);
      settle();
    };
    const check = (): void => {
      const current = read();
      if (predicate(current)) finish(() => resolve(current));
    };
    watchers.add(check);
    check();
  });
}
