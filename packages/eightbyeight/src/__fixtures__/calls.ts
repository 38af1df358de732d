import type { Call, Handover, Json, ProviderContext, StartCall, StartProgress, StartRequest } from "@handover/core";
import { parseConfig } from "@handover/core";
import { eightbyeightSettingsSchema, type EightbyeightOptions, type EightbyeightSettings } from "../eightbyeight-settings.ts";
import { newState, type EightbyeightState } from "../eightbyeight-state.ts";

/** Collects what was logged, to look for what must not be there. */
export const logged: string[] = [];
const log =
  (level: string) =>
  (message: string, fields?: unknown): void =>
    void logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };

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

export function makeSettings(fields: Record<string, unknown> = {}): EightbyeightSettings {
  const required = { baseUrl: "https://api.8x8.example", apiKey: "api-key-words", channelId: "channel-1" };
  return parseConfig(eightbyeightSettingsSchema, { ...required, ...fields }, "test");
}

/** A context in memory, with a clock of its own where one is given. */
export function makeContext(fields: Partial<ProviderContext> = {}): ProviderContext {
  const values = new Map<string, Json>();
  const scope = (name: string): ReturnType<ProviderContext["memory"]["user"]> => ({
    get: async (key) => values.get(`${name} ${key}`),
    set: async (key, value) => void values.set(`${name} ${key}`, value),
    delete: async (key) => void values.delete(`${name} ${key}`),
  });
  const clock = fields.clock ?? { now: () => Date.now() };
  const cached = new Map<string, { readonly value: Json; readonly untilMs: number }>();
  return {
    connection: "test",
    clock,
    random: { bytes: (count) => new Uint8Array(count), number: () => 0.5 },
    logger,
    cache: {
      get(key) {
        const kept = cached.get(key);
        return kept && kept.untilMs > clock.now() ? kept.value : undefined;
      },
      set: (key, value, lifetimeMs) => void cached.set(key, { value, untilMs: clock.now() + lifetimeMs }),
      delete: (key) => void cached.delete(key),
    },
    memory: { account: scope("account"), user: (userKey) => scope(`user ${userKey}`) },
    ...fields,
  };
}

function makeState(fields: Partial<EightbyeightState> = {}): EightbyeightState {
  return { ...newState({ conversationId: "conversation-42", marker: "handover-1-1", relay: "both" }), ...fields };
}

export function makeHandover(state: Partial<EightbyeightState> = {}): Handover<EightbyeightOptions, EightbyeightState> {
  return {
    id: "handover-1",
    ordinal: 1,
    conversation: "conversation-1",
    endpoint: "support",
    options: {},
    status: "queued",
    references: [],
    state: makeState(state),
  };
}
