import {
  isWake,
  type Agent,
  type Attachment,
  type Handover,
  type HandoverEvent,
  type Json,
  type Message,
  type QueueInfo,
  type Translation,
  type VendorDelivery,
  type Wake,
} from "@handover/core";
import type { z, ZodType } from "zod";
import type { TestVendorOptions, TestVendorSettings } from "./test-vendor-settings.ts";
import type { TestVendorState } from "./test-vendor-state.ts";
import { wireData, wireEventSchema, type WireEvent } from "./test-vendor-wire.ts";

type Conversation = Handover<TestVendorOptions, TestVendorState>;
type Result = Translation<TestVendorState>;
type Step = (event: WireEvent, state: TestVendorState, settings: TestVendorSettings) => Result | undefined;

/** Says what a delivery means. What cannot be read is ignored, never an error. */
export function translate(settings: TestVendorSettings, handover: Conversation, delivery: VendorDelivery | Wake): Result {
  if (isWake(delivery)) return wake(handover.state, delivery);
  const event = wireEventSchema.safeParse(delivery.payload);
  if (!event.success) return ignored("unreadable");
  const step = Object.hasOwn(steps, event.data.type) ? steps[event.data.type] : undefined;
  if (!step) return ignored("unknown-event");
  return step(event.data, handover.state, settings) ?? ignored("unreadable");
}

const steps: Readonly<Record<string, Step>> = {
  changed: () => ({ events: [], pull: true }),
  typing: (event) =>
    read(wireData.typing, event, ({ agent, is_typing: isTyping }) =>
      one({ type: "typing-changed", author: { role: "agent", ...toAgent(agent) }, isTyping, atMs: atMs(event) }),
    ),
  receipt: (event) =>
    read(wireData.receipt, event, ({ status, up_to: upTo }) =>
      one({ type: "delivery-changed", target: { upToMs: Date.parse(upTo) }, status, atMs: atMs(event) }),
    ),
  "message.created": (event) => read(wireData.message, event, ({ message }) => translateMessage(message, event)),
  "message.updated": (event) =>
    read(wireData.messageId, event, ({ message }) =>
      one({ type: "message-changed", messageId: message.id, change: "edited", text: message.text ?? "", atMs: atMs(event) }),
    ),
  "message.deleted": (event) =>
    read(wireData.messageId, event, ({ message }) =>
      one({ type: "message-changed", messageId: message.id, change: "deleted", atMs: atMs(event) }),
    ),
  "conversation.queued": (event) =>
    read(wireData.queue, event, ({ queue }) => one({ type: "queued", ...withQueue(queue), atMs: atMs(event) })),
  "queue.updated": (event) =>
    read(wireData.queue, event, ({ queue }) => one({ type: "queue-updated", queue: toQueue(queue), atMs: atMs(event) })),
  "conversation.transferred": (event, state) =>
    read(wireData.transfer, event, ({ agent, queue }) => ({
      events: [{ type: "transferred", ...(agent ? { agent: toAgent(agent) } : {}), ...withQueue(queue), atMs: atMs(event) }],
      state: { ...state, agents: agent ? [agent.id] : [] },
      wakeAt: null,
    })),
  "conversation.closed": (event, state) => read(wireData.closed, event, (data) => translateClosed(data, event, state)),
  "conversation.reopened": (event, state) => ({ ...one({ type: "reopened", atMs: atMs(event) }), state: { ...state, isClosed: false } }),
  "agent.assigned": (event) =>
    read(wireData.agent, event, ({ agent }) => one({ type: "agent-joined", agent: toAgent(agent), hasAccepted: false, atMs: atMs(event) })),
  "agent.accepted": (event, state) =>
    read(wireData.agent, event, ({ agent }) => ({
      ...one({ type: "agent-joined", agent: toAgent(agent), hasAccepted: true, atMs: atMs(event) }),
      state: { ...state, agents: [...new Set([...state.agents, agent.id])] },
      wakeAt: null,
    })),
  "agent.updated": (event) => read(wireData.agent, event, ({ agent }) => one({ type: "agent-updated", agent: toAgent(agent) })),
  "agent.left": (event, state, settings) => read(wireData.agent, event, (data) => translateLeft(data, event, state, settings)),
  "survey.offered": (event) => read(wireData.survey, event, ({ survey }) => one({ type: "survey-offered", survey, atMs: atMs(event) })),
};

/** Only what is plainly for the customer is shown to the customer; our own messages come back as echoes. */
function translateMessage(wire: z.output<typeof wireData.message>["message"], event: WireEvent): Result {
  const author = wire.agent ? toAgent(wire.agent) : {};
  if (wire.audience === "team") {
    return one({ type: "desk-note", id: wire.id, author: { role: "agent", ...author }, text: wire.text, atMs: atMs(event) });
  }
  if (wire.audience !== "customer") return ignored("unknown-audience");
  if (wire.external_id) return one({ type: "message-echoed", idempotencyKey: wire.external_id, vendorMessageId: wire.id });
  const role = wire.author === "agent" ? "agent" : wire.author === "automation" ? "system" : undefined;
  if (!role) return ignored("own-echo");
  const attachments = (wire.files ?? []).map(toAttachment);
  const message: Message = {
    id: wire.id,
    author: { role, ...author },
    ...(wire.text === "" ? {} : { text: wire.text }),
    ...(attachments.length > 0 ? { attachments } : {}),
    sentAt: new Date(wire.at).toISOString(),
  };
  return one({ type: "message-received", message, atMs: atMs(event) });
}

function translateClosed(data: z.output<typeof wireData.closed>, event: WireEvent, state: TestVendorState): Result {
  if (state.isClosed) return ignored("closed-already");
  const actor = data.by === "customer" ? "user" : data.by === "agent" ? "agent" : "system";
  const reason = data.reason === "refused" ? "unavailable" : data.reason === "idle" ? "abandoned" : "completed";
  return {
    events: [{ type: "ended", reason, actor, vendorReason: data.reason, atMs: atMs(event) }],
    state: { ...state, isClosed: true },
    wakeAt: null,
  };
}

/** The last agent may come back within the grace time; the wake-up asks whether one did. */
function translateLeft(
  data: z.output<typeof wireData.agent>,
  event: WireEvent,
  state: TestVendorState,
  settings: TestVendorSettings,
): Result {
  const agents = state.agents.filter((id) => id !== data.agent.id);
  const isAnotherPresent = (data.agents_left ?? agents.length) > 0;
  const graceMs = (settings.agentLeftGraceSeconds ?? 0) * 1000;
  return {
    events: [{ type: "agent-left", agent: toAgent(data.agent), isAnotherPresent, atMs: atMs(event) }],
    state: { ...state, agents },
    ...(graceMs > 0 && !isAnotherPresent ? { wakeAt: atMs(event) + graceMs } : {}),
  };
}

function wake(state: TestVendorState, { atMs: time }: Wake): Result {
  if (state.isClosed || state.agents.length > 0) return ignored("agent-came-back");
  return { events: [{ type: "ended", reason: "abandoned", actor: "agent", atMs: time }], state: { ...state, isClosed: true } };
}

function read<Data>(schema: ZodType<Data>, event: WireEvent, use: (data: Data) => Result): Result | undefined {
  const result = schema.safeParse(event.data);
  return result.success ? use(result.data) : undefined;
}

function one(event: HandoverEvent): Result {
  return { events: [event] };
}

function ignored(word: string): Result {
  return { events: [], ignored: word };
}

function atMs(event: WireEvent): number {
  return Date.parse(event.at);
}

function toAgent(person: { readonly id: string; readonly name?: string | null | undefined }): Agent {
  return { id: person.id, ...(person.name ? { name: person.name } : {}) };
}

function withQueue(queue: Parameters<typeof toQueue>[0]): { queue?: QueueInfo } {
  return queue ? { queue: toQueue(queue) } : {};
}

/** The vendor says -1 for what it does not know. */
export function toQueue(queue: z.output<typeof wireData.queue>["queue"]): QueueInfo {
  const { position, wait_seconds: waitSeconds, name } = queue ?? {};
  return {
    ...(typeof position === "number" && position > 0 ? { position } : {}),
    ...(typeof waitSeconds === "number" && waitSeconds >= 0 ? { estimatedWaitMs: waitSeconds * 1000 } : {}),
    ...(name ? { name } : {}),
  };
}

function toAttachment(file: NonNullable<z.output<typeof wireData.message>["message"]["files"]>[number]): Attachment {
  return {
    id: file.id,
    name: file.name,
    type: file.type ?? "application/octet-stream",
    ...(typeof file.size === "number" ? { sizeBytes: file.size } : {}),
    providerData: { file: file.id } satisfies Json,
  };
}
