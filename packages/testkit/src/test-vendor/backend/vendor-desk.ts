import type { Clock } from "@handover/core";
import { VendorApiRefusal } from "./vendor-error.ts";
import type { VendorAgent, VendorAuthor, VendorConversation, VendorEvent, VendorFile, VendorMessage } from "./vendor-records.ts";

/** What a conversation is opened with. */
export interface NewConversation {
  readonly externalId?: string;
  readonly customer: Readonly<Record<string, unknown>>;
  readonly routing: Readonly<Record<string, unknown>>;
}

/** A line to add. */
export interface NewMessage {
  readonly author: VendorAuthor;
  readonly text: string;
  readonly externalId?: string;
  readonly agent?: string;
  readonly audience?: "customer" | "team";
  readonly files?: readonly VendorFile[];
  /** When it was said, for the transcript; now when left out. */
  readonly at?: number;
  /** False for lines that came with the transcript. */
  readonly isReported?: boolean;
}

/** The state of the test vendor and everything that can happen in it. */
export interface VendorDesk {
  readonly conversations: Map<string, VendorConversation>;
  readonly agents: ReadonlyMap<string, VendorAgent>;
  readonly files: ReadonlyMap<string, VendorFile>;
  online: number;
  queue: { position?: number; estimatedWaitSeconds?: number };
  open(input: NewConversation): VendorConversation;
  /** @throws VendorApiRefusal 404 */
  get(id: string): VendorConversation;
  addMessage(conversation: VendorConversation, input: NewMessage): VendorMessage;
  /** Adds an event to the conversation and sends it; one that is not kept has no number. */
  report(conversation: VendorConversation, type: string, data: Readonly<Record<string, unknown>>, isKept?: boolean): VendorEvent;
  /** Makes a file known that a message carries. */
  addFile(file: Omit<VendorFile, "id">): VendorFile;
  reset(): void;
}

const people: readonly VendorAgent[] = [
  { id: "agent-1", name: "Robin", picture: "https://desk.example/robin.png" },
  { id: "agent-2", name: "Kim", picture: "https://desk.example/kim.png" },
];

/** Makes an empty desk. Event numbers go up by one, or by three where they are sparse. Ids are never given out twice. */
export function createVendorDesk(options: {
  readonly clock: Clock;
  readonly areNumbersDense: boolean;
  readonly emit: (event: VendorEvent) => void;
}): VendorDesk {
  const { clock, emit } = options;
  const files = new Map<string, VendorFile>();
  const step = options.areNumbersDense ? 1 : 3;
  let lastId = 1000;
  const nextId = (): string => String((lastId += 1));

  const desk: VendorDesk = {
    conversations: new Map(),
    agents: new Map(people.map((agent) => [agent.id, agent])),
    files,
    online: people.length,
    queue: { position: 1 },
    open(input) {
      const conversation: VendorConversation = {
        id: nextId(),
        ...(input.externalId === undefined ? {} : { externalId: input.externalId }),
        status: "queued",
        customer: input.customer,
        routing: input.routing,
        messages: [],
        events: [],
        signals: { typing: [], presence: [], receipts: [], surveyAnswers: [], changes: [] },
        agents: new Set(),
        lastNumber: 0,
        changedAt: clock.now(),
      };
      desk.conversations.set(conversation.id, conversation);
      desk.report(conversation, "conversation.queued", queueOf(desk));
      return conversation;
    },
    get(id) {
      const conversation = desk.conversations.get(id);
      if (!conversation) throw new VendorApiRefusal(404, "conversation_not_found");
      return conversation;
    },
    addMessage(conversation, input) {
      const message: VendorMessage = {
        id: nextId(),
        author: input.author,
        text: input.text,
        at: input.at ?? clock.now(),
        audience: input.audience ?? "customer",
        files: input.files ?? [],
        ...(input.externalId === undefined ? {} : { externalId: input.externalId }),
        ...(input.agent === undefined ? {} : { agent: input.agent }),
      };
      conversation.messages.push(message);
      if (input.isReported ?? true) desk.report(conversation, "message.created", { message: toView(message, desk.agents) });
      return message;
    },
    report(conversation, type, data, isKept = true) {
      conversation.changedAt = clock.now();
      if (isKept) conversation.lastNumber += step;
      const event: VendorEvent = {
        id: `event-${nextId()}`,
        ...(isKept ? { number: conversation.lastNumber } : {}),
        type,
        at: new Date(clock.now()).toISOString(),
        conversation: { id: conversation.id, ...(conversation.externalId === undefined ? {} : { external_id: conversation.externalId }) },
        data,
      };
      if (isKept) conversation.events.push(event);
      emit(event);
      return event;
    },
    addFile(file) {
      const kept = { ...file, id: nextId() };
      files.set(kept.id, kept);
      return kept;
    },
    reset() {
      desk.conversations.clear();
      files.clear();
      desk.online = people.length;
      desk.queue = { position: 1 };
    },
  };
  return desk;
}

/** The queue as the API shows it. */
export function queueOf(desk: Pick<VendorDesk, "queue">): Readonly<Record<string, unknown>> {
  return { queue: { position: desk.queue.position ?? -1, wait_seconds: desk.queue.estimatedWaitSeconds ?? -1 } };
}

/** A message as webhooks, listing and API show it. */
export function toView(message: VendorMessage, agents: ReadonlyMap<string, VendorAgent>): Readonly<Record<string, unknown>> {
  const agent = message.agent === undefined ? undefined : agents.get(message.agent);
  return {
    id: message.id,
    external_id: message.externalId ?? null,
    author: message.author,
    agent: agent ? { id: agent.id, name: agent.name, login: `${agent.id}@desk.example` } : null,
    audience: message.audience,
    text: message.isDeleted ? "" : message.text,
    at: new Date(message.at).toISOString(),
    files: message.files.map(({ id, name, type, bytes }) => ({ id, name, type, size: bytes.length })),
  };
}
