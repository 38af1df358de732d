import {
  ConversationGoneError,
  ProviderApiError,
  RateLimitedError,
  UnavailableError,
  type Call,
  type VendorDelivery,
} from "@handover/core";
import type { CallFault, DeskPlan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** A line of a ticket that came from us. */
export interface TicketLine {
  /** Id of the message in our log, with its author's role. */
  readonly message: string;
  readonly text: string;
  /** The idempotency key of the call; absent for what came with the create call. */
  readonly key?: string;
  readonly vendorMessageId: string;
}

/** A line of an agent. */
export interface AgentLine {
  readonly id: string;
  readonly text: string;
  readonly atMs: number;
}

/** What happened at a ticket. */
export interface VendorEvent {
  readonly number: number;
  readonly type: "queued" | "is-assigned" | "accepts" | "says" | "leaves" | "transfers" | "closes" | "reopens" | "echo";
  readonly atMs: number;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

/** One conversation at the vendor. */
export interface Ticket {
  readonly id: string;
  /** Our reference, known before the ticket: `<handover>.<attempt>`. */
  readonly external: string;
  readonly handover: string;
  readonly transcriptThrough: number;
  isOpen: boolean;
  readonly agents: Set<string>;
  readonly lines: TicketLine[];
  readonly agentLines: AgentLine[];
  readonly events: VendorEvent[];
}

/** A contact centre in memory: an honest state, and calls that go wrong as planned. */
export interface ModelVendor {
  readonly name: string;
  readonly desk: DeskPlan;
  readonly tickets: readonly Ticket[];
  /** What it should never have been asked to do. */
  readonly misuses: readonly string[];
  /** Carries out a call of a process, with whatever is planned to go wrong. */
  call<Result>(process: string, what: string, call: Pick<Call, "signal">, carryOut: () => Result): Promise<Result>;
  create(
    ticket: Pick<Ticket, "external" | "handover" | "transcriptThrough"> & {
      readonly lines: readonly Omit<TicketLine, "vendorMessageId">[];
    },
  ): Ticket;
  find(id: string): Ticket;
  findExternal(external: string): Ticket | undefined;
  /** @throws ConversationGoneError when the ticket is closed */
  addLine(id: string, line: Omit<TicketLine, "vendorMessageId">): string;
  /** What an agent or the vendor does, told to us by a webhook. */
  report(ticket: Ticket, type: VendorEvent["type"], data?: VendorEvent["data"]): void;
  toDelivery(ticket: Ticket, event: VendorEvent): VendorDelivery;
}

export const lateMs = 3_000;

export function createModelVendor(parts: {
  readonly name: string;
  readonly desk: DeskPlan;
  readonly stage: Stage;
  readonly story: Story;
  nextFault(): CallFault;
  /** Takes an event that the vendor tells by webhook. */
  tell(ticket: Ticket, event: VendorEvent): void;
}): ModelVendor {
  const { name, desk, stage, story, nextFault } = parts;
  const tickets: Ticket[] = [];
  const misuses: string[] = [];
  let lastId = 0;
  const nextId = (prefix: string) => `${prefix}${(lastId += 1)}`;

  const vendor: ModelVendor = {
    name,
    desk,
    tickets,
    misuses,
    call(process, what, { signal }, carryOut) {
      // As an HTTP client does.
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const fault = nextFault();
      const network = `network:${process}`;
      const isStart = what.startsWith("create");
      const tell = (line: string) => story.tell(name, () => `${what} of ${process}: ${line}`);
      return new Promise((resolve, reject) => {
        const answer = (settle: () => void) => stage.add(process, "vendor-answer", settle);
        const refuse = (error: Error) => {
          tell(error.name);
          answer(() => reject(error));
        };
        const work = () => {
          if (fault === "refused") return refuse(new ProviderApiError({ message: "Not now.", isRetryable: true, status: 503 }));
          if (fault === "paused") return refuse(new RateLimitedError({ message: "Slower.", retryAfterMs: 700 }));
          if (fault === "unavailable" && isStart) return refuse(new UnavailableError({ message: "Nobody there." }));
          const lost = new ProviderApiError({ message: "No answer.", isRetryable: true, outcome: "unknown" });
          if (fault === "lost-before") return refuse(lost);
          if (fault === "hangs-before") return tell("never arrives, never answered");
          let result: ReturnType<typeof carryOut>;
          try {
            result = carryOut();
          } catch (error) {
            return refuse(error as Error);
          }
          tell(`done${fault === "none" ? "" : ` (${fault})`}`);
          if (fault === "lost-after") return answer(() => reject(lost));
          if (fault === "hangs-after") return;
          if (fault === "slow") stage.after(network, lateMs, () => answer(() => resolve(result)));
          else answer(() => resolve(result));
        };
        const send = () => stage.add(network, "vendor-call", work);
        if (fault === "late") stage.after(network, lateMs, send);
        else send();
      });
    },
    create({ lines, ...given }) {
      if (vendor.findExternal(given.external)) misuses.push(`A second ticket was made for ${given.external}.`);
      const ticket: Ticket = {
        ...given,
        id: nextId(`${name}-`),
        isOpen: true,
        agents: new Set(),
        lines: lines.map((line) => ({ ...line, vendorMessageId: nextId("v") })),
        agentLines: [],
        events: [],
      };
      tickets.push(ticket);
      vendor.report(ticket, "queued");
      return ticket;
    },
    find(id) {
      const found = tickets.find((ticket) => ticket.id === id);
      if (!found) throw new ConversationGoneError({ message: "There is no such ticket.", status: 404 });
      return found;
    },
    findExternal: (external) => tickets.find((ticket) => ticket.external === external),
    addLine(id, line) {
      const ticket = vendor.find(id);
      if (!ticket.isOpen) throw new ConversationGoneError({ message: "The ticket is closed.", status: 409 });
      const vendorMessageId = nextId("v");
      ticket.lines.push({ ...line, vendorMessageId });
      if (desk.echoes && line.key !== undefined) vendor.report(ticket, "echo", { key: line.key, vendorMessageId });
      return vendorMessageId;
    },
    report(ticket, type, data = {}) {
      const event: VendorEvent = { number: ticket.events.length + 1, type, atMs: stage.now(), data };
      ticket.events.push(event);
      parts.tell(ticket, event);
    },
    toDelivery(ticket, event) {
      const { order } = desk;
      const position = event.number * (order === "dense" ? 1 : 3);
      return {
        id: `${ticket.id}:${event.number}`,
        references: [`ticket:${ticket.id}`, `external:${ticket.external}`],
        ...(order === "none" ? {} : { order: { group: "events", position, dense: order === "dense" } }),
        payload: { ticket: ticket.id, ...event },
      };
    },
  };
  return vendor;
}
