import {
  isWake,
  type HandoverConnection,
  type HandoverEvent,
  type HandoverProvider,
  type Json,
  type StartRequest,
  type Translation,
  type VendorDelivery,
} from "@handover/core";
import type { EndpointOptions, HandoverRuntime, HandoverRuntimeOptions } from "@handover/runtime";
import { z } from "zod";
import { echoBot } from "./world.ts";

/** Methods that replace those of a well-behaved connection; `undefined` takes one away. */
export type DeskScript = { readonly [Method in keyof HandoverConnection]?: HandoverConnection[Method] | undefined };

/** What a delivery of a scripted desk says: the translation itself. */
export type Said = Partial<Omit<Translation, "events">> & { readonly events?: readonly HandoverEvent[] };

/** Desks in memory whose methods a test writes itself, for what no real vendor would admit to. */
export interface ScriptedDesks {
  /** What was called, in order: `<desk>.<method>`; of sends `<desk>.send <text>`. */
  readonly calls: string[];
  /** The newest start request of each desk. */
  readonly started: Readonly<Record<string, StartRequest>>;
  /** Goes into `openWorld({ runtime })`. */
  readonly runtime: Pick<HandoverRuntimeOptions, "providers" | "connections" | "endpoints">;
  /** Takes a webhook of a desk about the ticket that it started last. */
  deliver(runtime: HandoverRuntime, desk: string, said: Said, delivery?: Partial<VendorDelivery>): Promise<void>;
  count(call: string): number;
}

/** The reference of a ticket of a scripted desk. */
export const ticketOf = (request: StartRequest) => `ticket:${request.handoverId}:${request.attempt}`;

/** Makes desks by name; endpoint `web` falls back from the first to the last. */
export function scriptDesks(scripts: Readonly<Record<string, DeskScript>>, endpoint: Partial<EndpointOptions> = {}): ScriptedDesks {
  const calls: string[] = [];
  const started: Record<string, StartRequest> = {};
  const names = Object.keys(scripts);
  const provider: HandoverProvider<{ desk: string }> = {
    specificationVersion: "v1",
    name: "scripted",
    title: "Scripted desk",
    settings: z.strictObject({ desk: z.string() }),
    options: z.strictObject({}),
    state: { version: 1, schemas: { 1: z.record(z.string(), z.json()) } },
    connect: ({ desk }) => withScript(baseConnection(desk, calls), scripts[desk] ?? {}, desk, calls, started),
  };
  return {
    calls,
    started,
    runtime: {
      providers: [provider],
      connections: Object.fromEntries(names.map((desk) => [desk, { provider: "scripted", settings: { desk } }])),
      endpoints: [{ token: "web", bot: echoBot, ...endpoint, handover: { connections: names, ...endpoint.handover } }],
    },
    async deliver(runtime, desk, said, delivery = {}) {
      const request = started[desk];
      if (!request) throw new Error(`The desk "${desk}" has started nothing.`);
      const payload = { events: [], ...said } as unknown as Json;
      const body = JSON.stringify([{ references: [ticketOf(request)], payload, ...delivery }]);
      const response = await runtime.handleWebhook(
        desk,
        new Request(`http://127.0.0.1/handover/scripted/${desk}/x`, { method: "POST", body }),
      );
      if (response.status !== 200) throw new Error(`The webhook was answered with ${response.status}.`);
    },
    count: (call) => calls.filter((made) => made === call).length,
  };
}

function baseConnection(desk: string, calls: string[]): HandoverConnection {
  return {
    accountKey: `account-of-${desk}`,
    start: async (request) => ({
      references: [ticketOf(request)],
      state: {},
      transcriptThrough: request.transcript.at(-1)?.seq ?? 0,
      relay: "both",
    }),
    async sendMessage(_handover, part) {
      calls.push(`${desk}.send ${part.message.text ?? ""}`);
      return {};
    },
    end: async () => "ended",
    receiveWebhook: async ({ body }) => ({ deliveries: JSON.parse(Buffer.from(body).toString("utf8")) as VendorDelivery[] }),
    translate: (_handover, delivery) => (isWake(delivery) ? { events: [] } : (delivery.payload as unknown as Translation)),
  };
}

function withScript(
  base: HandoverConnection,
  script: DeskScript,
  desk: string,
  calls: string[],
  started: Record<string, StartRequest>,
): HandoverConnection {
  const merged = { ...base, ...script };
  const connection = Object.fromEntries(
    Object.entries(merged).filter(([, method]) => method !== undefined),
  ) as unknown as HandoverConnection;
  const noted = (method: "start" | "end" | "findStarted" | "findSentMessage" | "catchUp") => {
    const original = connection[method] as ((...given: unknown[]) => Promise<unknown>) | undefined;
    if (!original) return {};
    return {
      [method](...given: unknown[]) {
        calls.push(`${desk}.${method}`);
        if (method === "start") started[desk] = given[0] as StartRequest;
        return original(...given);
      },
    };
  };
  return { ...connection, ...noted("start"), ...noted("end"), ...noted("findStarted"), ...noted("findSentMessage"), ...noted("catchUp") };
}
