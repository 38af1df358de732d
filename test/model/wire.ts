import { lateMs, type ModelVendor, type Ticket, type VendorEvent } from "./model-vendor.ts";
import type { ModelProcess } from "./model-process.ts";
import type { DeskPlan, WebhookFault } from "./plan.ts";
import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";

/** A webhook until it was taken. */
interface Webhook {
  readonly vendor: string;
  readonly ticket: string;
  readonly body: string;
  losesAnswer: boolean;
  process?: string;
}

/** The way of webhooks from the vendors to us: as planned, they come twice, late, in another order, or not at all. */
export interface Wire {
  send(vendor: string, ticket: Ticket, event: VendorEvent): void;
  /** What a process was told and has not answered is sent again. */
  leave(process: string): void;
  readonly isEmpty: boolean;
  /** Webhooks that the vendor will not send again. */
  readonly droppedCount: number;
}

const retryMs = 1_000;

/** A wire without webhooks on it. */
export function createWire(parts: {
  readonly desk: DeskPlan;
  readonly stage: Stage;
  readonly story: Story;
  readonly vendors: ReadonlyMap<string, ModelVendor>;
  nextFault(): WebhookFault;
  anyProcess(): ModelProcess | undefined;
}): Wire {
  const { desk, stage, story, vendors, nextFault, anyProcess } = parts;
  const webhooks = new Set<Webhook>();
  /** For vendors that send one after the other. */
  const queues = new Map<string, Webhook[]>();
  let droppedCount = 0;

  function send(vendor: string, ticket: Ticket, event: VendorEvent): void {
    const fault = effectiveFault(nextFault(), event);
    const body = JSON.stringify([vendors.get(vendor)?.toDelivery(ticket, event)]);
    story.tell(
      vendor,
      () => `${ticket.id} #${event.number} ${event.type} ${JSON.stringify(event.data)}${fault === "none" ? "" : ` (webhook ${fault})`}`,
    );
    if (fault === "dropped") {
      droppedCount += 1;
      return;
    }
    const webhook: Webhook = { vendor, ticket: ticket.id, body, losesAnswer: fault === "answer-lost" };
    const delayMs = fault === "delayed" ? 800 : fault === "delayed-long" ? lateMs * 2 : 0;
    enqueue(webhook, delayMs);
    if (fault === "duplicated") enqueue({ ...webhook }, 0);
  }

  /** What is dropped must be found again by asking, or nobody could ever know. What is over is not asked about. */
  function effectiveFault(fault: WebhookFault, { type }: VendorEvent): WebhookFault {
    const canBeFound = desk.canCatchUp && desk.findStarted === "sure";
    return fault === "dropped" && (!canBeFound || type === "reopens") ? "none" : fault;
  }

  function enqueue(webhook: Webhook, delayMs: number): void {
    webhooks.add(webhook);
    // A vendor that gives no order sends one after the other.
    if (desk.order !== "none") return post(webhook, delayMs);
    const queue = queues.get(webhook.ticket) ?? [];
    queues.set(webhook.ticket, [...queue, webhook]);
    if (queue.length === 0) post(webhook, delayMs);
  }

  function post(webhook: Webhook, delayMs = 0): void {
    if (delayMs > 0) return void stage.after("outside", delayMs, () => post(webhook));
    stage.add("outside", "webhook", () => {
      const process = anyProcess();
      if (!process) return void stage.after("outside", retryMs, () => post(webhook));
      webhook.process = process.name;
      void process.runtime.handleWebhook(webhook.vendor, toRequest(webhook)).then((response) => {
        if (webhook.process !== process.name) return;
        delete webhook.process;
        if (response.status === 200 && !webhook.losesAnswer) return isTaken(webhook);
        webhook.losesAnswer = false;
        stage.after("outside", retryMs, () => post(webhook));
      });
    });
  }

  function isTaken(webhook: Webhook): void {
    webhooks.delete(webhook);
    if (desk.order !== "none") return;
    const rest = (queues.get(webhook.ticket) ?? []).filter((one) => one !== webhook);
    queues.set(webhook.ticket, rest);
    if (rest[0]) post(rest[0]);
  }

  return {
    send,
    leave(process) {
      for (const webhook of webhooks) {
        if (webhook.process !== process) continue;
        delete webhook.process;
        stage.after("outside", retryMs, () => post(webhook));
      }
    },
    get isEmpty() {
      return webhooks.size === 0;
    },
    get droppedCount() {
      return droppedCount;
    },
  };
}

/** The few things that the runtime reads of a request: a real one has a stream, which would not stand still. */
function toRequest({ vendor, body }: Webhook): Request {
  const url = `http://127.0.0.1/handover/model/${vendor}/0123456789abcdef`;
  return { url, method: "POST", headers: new Headers(), body: [Buffer.from(body)] } as unknown as Request;
}
