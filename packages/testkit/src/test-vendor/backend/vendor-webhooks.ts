import { computeHmac } from "@handover/provider-utils";
import type { FaultPlan } from "./vendor-faults.ts";
import type { VendorEvent } from "./vendor-records.ts";

/** Header with the signature of the test vendor's webhooks. */
const signatureHeader = "x-test-vendor-signature";

/** How the test vendor reports what happened: whole events, nudges that only name the conversation, or not at all. */
export type WebhookMode = "events" | "nudges" | "none";

/** Sends webhooks, one at a time and in order unless a fault says otherwise. */
export interface WebhookSender {
  setUrl(url: string | undefined): void;
  setMode(mode: WebhookMode): void;
  push(event: VendorEvent): void;
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
  /** Forgets what is queued. */
  clear(): void;
  sign(body: Uint8Array): Readonly<Record<string, string>>;
}

/** Tries of one webhook: like many vendors, it is given up soon. */
const attempts = 2;

/** Makes a sender that signs with the secret. */
export function createWebhookSender(options: { readonly secret: string; readonly plan: FaultPlan }): WebhookSender {
  const { plan, secret } = options;
  let url: string | undefined;
  let mode: WebhookMode = "events";
  let queue: VendorEvent[] = [];
  let work = Promise.resolve();
  let nudges = 0;

  const sign = (body: Uint8Array): Readonly<Record<string, string>> => ({
    [signatureHeader]: `sha256=${computeHmac({ algorithm: "sha256", encoding: "hex", secret, data: [body] })}`,
  });

  function toBody(event: VendorEvent): Uint8Array {
    nudges += 1;
    const nudge = { id: `hook-${nudges}`, type: "changed", at: event.at, conversation: event.conversation, data: {} };
    return Buffer.from(JSON.stringify({ events: [mode === "nudges" ? nudge : event] }));
  }

  async function sendNext(): Promise<void> {
    const { delayWebhooksMs = 0, reorderWebhooks = false } = plan.faults();
    if (delayWebhooksMs > 0) await pause(delayWebhooksMs);
    const batch = queue.splice(0, reorderWebhooks ? 2 : 1).reverse();
    for (const event of batch) {
      const fault = plan.forWebhook();
      if (fault.isDropped || url === undefined) continue;
      const body = toBody(event);
      await deliver(url, body, sign(body));
      if (fault.isDuplicated) await deliver(url, body, sign(body));
    }
  }

  return {
    setUrl: (next) => (url = next),
    setMode: (next) => (mode = next),
    sign,
    push(event) {
      if (mode === "none" || url === undefined) return;
      queue.push(event);
      work = work.then(sendNext);
    },
    async idle() {
      let seen: Promise<void> | undefined;
      while (seen !== work) {
        seen = work;
        await seen;
      }
    },
    clear: () => (queue = []),
  };
}

async function deliver(url: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const isTaken = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(5000),
    }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (isTaken) return;
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
