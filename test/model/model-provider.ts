import {
  isWake,
  type Agent,
  type Call,
  type Handover,
  type HandoverConnection,
  type HandoverEvent,
  type HandoverProvider,
  type Json,
  type Message,
  type Started,
  type StartRequest,
  type Translation,
  type VendorDelivery,
} from "@handover/core";
import { z } from "zod";
import type { ModelVendor, Ticket, VendorEvent } from "./model-vendor.ts";

/** The provider's state. It counts what was translated, so that a state that was written over shows. */
export interface ModelState {
  readonly ticket: string;
  /** Numbers of the events that were translated. */
  readonly translated: readonly number[];
  readonly agents: readonly string[];
}

const pageSize = 3;

/** A provider of the vendors in memory, as one process has it. */
export function createModelProvider(process: string, vendors: ReadonlyMap<string, ModelVendor>): HandoverProvider {
  return {
    specificationVersion: "v1",
    name: "model",
    title: "Model desk",
    settings: z.strictObject({ vendor: z.string() }),
    options: z.strictObject({}),
    state: { version: 1, schemas: { 1: z.any() } },
    connect: (settings) => connect(process, vendors.get((settings as { vendor: string }).vendor)!),
  };
}

function connect(process: string, vendor: ModelVendor): HandoverConnection {
  const { desk } = vendor;
  const ticketOf = (handover: Handover) => (handover.state as ModelState).ticket;
  return {
    accountKey: `account-of-${vendor.name}`,
    start: (request, call) => start(process, vendor, request, call),
    ...(desk.findStarted === "missing"
      ? {}
      : {
          findStarted: (request: StartRequest, call: Call) =>
            vendor.call(process, "findStarted", call, () => {
              const ticket = vendor.findExternal(externalOf(request));
              return ticket ? toStarted(ticket) : desk.findStarted === "sure" ? "absent" : "unknown";
            }),
        }),
    async sendMessage(handover, { message }, call) {
      const line = { message: nameOf(message), text: message.text ?? "", key: call.idempotencyKey };
      const vendorMessageId = await vendor.call(process, `send "${line.text}"`, call, () => vendor.addLine(ticketOf(handover), line));
      return { vendorMessageId };
    },
    ...(desk.findSent === "missing"
      ? {}
      : {
          findSentMessage: (handover: Handover, { idempotencyKey }: { readonly idempotencyKey: string }, call: Call) =>
            vendor.call(process, "findSentMessage", call, () => {
              const line = vendor.find(ticketOf(handover)).lines.find(({ key }) => key === idempotencyKey);
              return line ? { vendorMessageId: line.vendorMessageId } : desk.findSent === "sure" ? "absent" : "unknown";
            }),
        }),
    receiveWebhook: async ({ body }) => ({ deliveries: JSON.parse(Buffer.from(body).toString("utf8")) as VendorDelivery[] }),
    translate: (handover, delivery) =>
      isWake(delivery) ? translateWake(handover.state as ModelState) : translate(vendor, handover.state as ModelState, delivery),
    end: (handover, { actor }, call) =>
      vendor.call(process, "end", call, () => {
        const ticket = vendor.find(ticketOf(handover));
        if (ticket.isOpen) {
          ticket.isOpen = false;
          vendor.report(ticket, "closes", { by: actor });
        }
        return desk.end;
      }),
    ...(desk.canCatchUp
      ? {
          catchUp: (handover: Handover, cursor: Json | undefined, call: Call) => catchUp(process, vendor, ticketOf(handover), cursor, call),
        }
      : {}),
  };
}

/** A message by who wrote it and its id there. */
export function nameOf(message: Pick<Message, "author" | "id">): string {
  return `${message.author.role}:${message.id}`;
}

function externalOf({ handoverId, attempt }: StartRequest): string {
  return `${handoverId}.${attempt}`;
}

function toStarted(ticket: Ticket): Started {
  return {
    references: [`ticket:${ticket.id}`, `external:${ticket.external}`],
    state: { ticket: ticket.id, translated: [], agents: [] } satisfies ModelState,
    transcriptThrough: ticket.transcriptThrough,
    relay: "both",
  };
}

async function start(
  process: string,
  vendor: ModelVendor,
  request: StartRequest,
  call: Call & { checkpoint(progress: { references: readonly string[] }): Promise<void> },
): Promise<Started> {
  const external = externalOf(request);
  const known = request.resume?.references.find((reference) => reference.startsWith("ticket:"))?.slice("ticket:".length);
  if (known !== undefined) return vendor.call(process, "look at a ticket", call, () => toStarted(vendor.find(known)));
  if (vendor.desk.savesProgress) await call.checkpoint({ references: [`external:${external}`] });
  const { transcript } = vendor.desk;
  const taken = transcript === "all" ? request.transcript : request.transcript.slice(0, transcript === "one" ? 1 : 0);
  const lines = taken.map(({ message }) => ({ message: nameOf(message), text: message.text ?? "" }));
  const transcriptThrough = taken.at(-1)?.seq ?? 0;
  return vendor.call(process, `create with ${lines.length} lines`, call, () =>
    toStarted(vendor.create({ external, handover: request.handoverId, transcriptThrough, lines })),
  );
}

function catchUp(process: string, vendor: ModelVendor, id: string, cursor: Json | undefined, call: Call) {
  return vendor.call(process, "catchUp", call, () => {
    const ticket = vendor.find(id);
    const after = typeof cursor === "number" ? cursor : 0;
    const page = ticket.events.slice(after, after + pageSize);
    return {
      deliveries: page.map((event) => vendor.toDelivery(ticket, event)),
      cursor: after + page.length,
      hasMore: after + page.length < ticket.events.length,
    };
  });
}

function translate(vendor: ModelVendor, state: ModelState, delivery: VendorDelivery): Translation {
  const event = delivery.payload as unknown as VendorEvent;
  const counted = { ...state, translated: [...state.translated, event.number] };
  const who = String(event.data["agent"] ?? "");
  const agent: Agent = { id: who, name: who };
  const common = { atMs: event.atMs };
  const joined = { ...counted, agents: [...new Set([...state.agents, who])] };
  const of = (...events: HandoverEvent[]) => ({ events, state: counted });
  switch (event.type) {
    case "queued":
      return of({ type: "queued", ...common });
    case "is-assigned":
      return of({ type: "agent-joined", agent, hasAccepted: false, ...common });
    case "accepts":
      return { ...of({ type: "agent-joined", agent, hasAccepted: true, ...common }), state: joined, wakeAt: null };
    case "says": {
      const { id, text } = event.data;
      const message: Message = {
        id: String(id),
        author: { role: "agent", ...agent },
        text: String(text),
        sentAt: new Date(event.atMs).toISOString(),
      };
      return { ...of({ type: "message-received", message, ...common }), state: joined, wakeAt: null };
    }
    case "leaves": {
      const agents = state.agents.filter((one) => one !== who);
      const isAnotherPresent = event.data["isAnotherPresent"] === true;
      const { graceMs } = vendor.desk;
      return {
        events: [{ type: "agent-left", agent, isAnotherPresent, ...common }],
        state: { ...counted, agents },
        ...(graceMs > 0 && !isAnotherPresent ? { wakeAt: event.atMs + graceMs } : {}),
      };
    }
    case "transfers":
      return { ...of({ type: "transferred", ...common }), state: { ...counted, agents: [] }, wakeAt: null };
    case "closes": {
      const actor = event.data["by"] === "agent" ? "agent" : event.data["by"] === "user" ? "user" : "system";
      return { ...of({ type: "ended", reason: "completed", actor, ...common }), wakeAt: null };
    }
    case "reopens":
      return of({ type: "reopened", ...common });
    case "echo":
      return of({
        type: "message-echoed",
        idempotencyKey: String(event.data["key"]),
        vendorMessageId: String(event.data["vendorMessageId"]),
        ...common,
      });
  }
}

function translateWake(state: ModelState): Translation {
  if (state.agents.length > 0) return { events: [], ignored: "agent-came-back" };
  return { events: [{ type: "ended", reason: "abandoned", actor: "agent", atMs: 0 }], state: { ...state } };
}
