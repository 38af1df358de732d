import type { Call, Handover, Json, ProviderContext, StartCall, StartProgress, StartRequest } from "@handover/core";
import { parseConfig } from "@handover/core";
import { liveAgentSettingsSchema, type LiveAgentOptions, type LiveAgentSettings } from "../live-agent-settings.ts";
import type { LiveAgentState } from "../live-agent-state.ts";

/** Collects what was logged, to look for what must not be there. */
export const logged: string[] = [];
const log = (message: string, fields?: unknown): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
const logger = { debug: log, info: log, warn: log, error: log };

export function makeCall(fields: Partial<Call> = {}): Call {
  return {
    signal: new AbortController().signal,
    deadlineMs: Date.now() + 15_000,
    idempotencyKey: `key-${crypto.randomUUID().slice(0, 8)}`,
    attempt: 1,
    readAttachment: () => Promise.reject(new Error("no attachments here")),
    logger,
    tracer: { span: (_name, _attributes, run) => run() },
    ...fields,
  };
}

/** Keeps what was check-pointed, as the runtime's store would. */
export function makeStartCall(): StartCall & { readonly saved: StartProgress[]; resume(): NonNullable<StartRequest["resume"]> } {
  const saved: StartProgress[] = [];
  return {
    ...makeCall(),
    saved,
    checkpoint: async (progress) => void saved.push(structuredClone(progress)),
    resume() {
      const { references = [], state } = Object.assign({}, ...saved) as StartProgress;
      return { references, ...(state === undefined ? {} : { state }) };
    },
  };
}

export function makeSettings(fields: Record<string, unknown> = {}): LiveAgentSettings {
  const required = { baseUrl: "https://desk.example/api/v1", accountId: "1", inboxId: "3", apiKey: "api-key-words" };
  return parseConfig(liveAgentSettingsSchema, { ...required, ...fields }, "test");
}

export function makeContext(fields: Partial<ProviderContext> = {}): ProviderContext {
  const values = new Map<string, Json>();
  const scope = (name: string): ReturnType<ProviderContext["memory"]["user"]> => ({
    get: async (key) => values.get(`${name} ${key}`),
    set: async (key, value) => void values.set(`${name} ${key}`, value),
    delete: async (key) => void values.delete(`${name} ${key}`),
  });
  const cached = new Map<string, Json>();
  return {
    connection: "test",
    clock: { now: () => Date.now() },
    random: { bytes: (count) => new Uint8Array(count), number: () => 0.5 },
    logger,
    cache: { get: (key) => cached.get(key), set: (key, value) => void cached.set(key, value), delete: (key) => void cached.delete(key) },
    memory: { account: scope("account"), user: (userKey) => scope(`user ${userKey}`) },
    ...fields,
  };
}

export function makeHandover(state: Partial<LiveAgentState> = {}): Handover<LiveAgentOptions, LiveAgentState> {
  return {
    id: "handover-1",
    ordinal: 1,
    conversation: "conversation-1",
    endpoint: "support",
    options: {},
    status: "queued",
    references: [],
    state: { conversationId: "42", sourceId: "session-abc", status: "open", technicalUserId: "1", ...state },
  };
}
