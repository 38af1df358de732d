import type { Clock } from "./clock.ts";
import type { WebhookFault } from "./faults.ts";

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Why the vendor does not send it at all: a failure like any other. */
  readonly refusal?: string;
}

export interface Webhook {
  /** Webhooks of one lane leave one at a time, in order. */
  readonly lane: string;
  readonly event: string;
  /**
   * How often it is tried again, each time `delayMs` after the failure; the lane waits. Once and no more when left out. `statuses`
   * narrows what is tried again to some answers.
   */
  readonly retries?: { readonly count: number; readonly delayMs: number; readonly statuses?: readonly number[] };
  /** How long it waits before it leaves, and its lane with it. */
  readonly delayMs?: number;
  /**
   * Called for each try, so that the body can show what is true then; `retry` counts the tries before. Nothing: there is nobody
   * to send it to.
   */
  build(retry: number): WebhookRequest | undefined;
  /** Called when the last try failed. */
  onFailure?(error: string): void;
  onAttempt?(attempt: WebhookAttempt): void;
}

/** One try to deliver a webhook, or that it was dropped on purpose. */
export interface WebhookAttempt {
  readonly at: string;
  readonly lane: string;
  readonly event: string;
  readonly outcome: "delivered" | "failed" | "dropped";
  /** How many tries came before, where the vendor tries again. */
  readonly retry?: number;
  readonly body?: string;
  readonly status?: number;
  readonly error?: string;
}

export interface WebhookSender {
  enqueue(webhook: Webhook): void;
  /** What `action` enqueues waits until `ready` is settled: a webhook leaves after the answer to the call that caused it. */
  after<Result>(ready: Promise<void>, action: () => Result): Result;
  /** Resolves when nothing is queued or under way. */
  idle(): Promise<void>;
  attempts(): readonly WebhookAttempt[];
  /** Forgets what is queued and what was tried. */
  discard(): void;
  close(): Promise<void>;
}

interface Job {
  readonly webhook: Webhook;
  readonly fault: WebhookFault;
  readonly enqueuedAtMs: number;
  readonly ready: Promise<void>;
}

type Outcome = Pick<WebhookAttempt, "outcome" | "status" | "error" | "retry">;

const reorderWindowMs = 100;
const keptAttempts = 1000;

export function createWebhookSender(options: {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly followsRedirects: boolean;
  forWebhook(): WebhookFault;
  /** Called after each try. */
  onAttempt?(attempt: WebhookAttempt): void;
}): WebhookSender {
  const { clock } = options;
  const lanes = new Map<string, Job[]>();
  const closing = new AbortController();
  const idleWaiters: (() => void)[] = [];
  let attempts: WebhookAttempt[] = [];
  let currentReady: Promise<void> = Promise.resolve();
  let discards = 0;

  function enqueue(webhook: Webhook): void {
    if (closing.signal.aborted) return;
    const job = { webhook, fault: options.forWebhook(), enqueuedAtMs: clock.now(), ready: currentReady };
    const lane = lanes.get(webhook.lane);
    if (lane) {
      lane.push(job);
    } else {
      const jobs = [job];
      lanes.set(webhook.lane, jobs);
      void drain(webhook.lane, jobs);
    }
  }

  async function drain(name: string, jobs: Job[]): Promise<void> {
    for (let job = await nextJob(jobs); job; job = await nextJob(jobs)) {
      await job.ready;
      await wait(job.enqueuedAtMs + job.fault.delayMs + (job.webhook.delayMs ?? 0) - clock.now());
      if (closing.signal.aborted) break;
      await perform(job);
    }
    lanes.delete(name);
    if (lanes.size > 0) return;
    for (const resolve of idleWaiters.splice(0)) resolve();
  }

  async function nextJob(jobs: Job[]): Promise<Job | undefined> {
    const first = jobs[0];
    if (!first?.fault.isReordered) return jobs.shift();
    await wait(first.enqueuedAtMs + reorderWindowMs - clock.now());
    const end = jobs.findIndex((job) => !job.fault.isReordered);
    const batch = jobs.splice(0, end < 0 ? jobs.length : end).reverse();
    jobs.unshift(...batch.map((job) => ({ ...job, fault: { ...job.fault, isReordered: false } })));
    return jobs.shift();
  }

  async function perform(job: Job): Promise<void> {
    const { webhook, fault } = job;
    if (fault.isDropped) {
      record(webhook, { outcome: "dropped" });
      return;
    }
    const copies = fault.isDuplicated ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) await deliver(webhook);
  }

  async function deliver(webhook: Webhook): Promise<void> {
    const { count, delayMs, statuses }: NonNullable<Webhook["retries"]> = webhook.retries ?? { count: 0, delayMs: 0 };
    const startedAfter = discards;
    const isStopped = (): boolean => closing.signal.aborted || startedAfter !== discards;
    for (let retry = 0; retry <= count; retry += 1) {
      if (retry > 0) await wait(delayMs);
      if (isStopped()) return;
      const request = webhook.build(retry);
      if (!request) return;
      const outcome = request.refusal === undefined ? await send(request) : ({ outcome: "failed", error: request.refusal } as const);
      if (closing.signal.aborted) return;
      const isLast = retry === count || (statuses !== undefined && !statuses.includes(outcome.status ?? 0));
      if (outcome.outcome === "failed" && isLast) webhook.onFailure?.(outcome.error ?? "failed");
      record(webhook, { ...outcome, ...(retry > 0 ? { retry } : {}) }, request.body);
      if (outcome.outcome === "delivered" || isLast) return;
    }
  }

  async function send(request: WebhookRequest): Promise<Outcome> {
    const timeout = new AbortController();
    const cancelTimer = clock.setTimer(() => timeout.abort(), options.timeoutMs);
    try {
      const { url, authorization } = splitCredentials(request.url);
      const response = await fetch(url, {
        method: "POST",
        headers: { ...request.headers, ...authorization },
        body: request.body,
        redirect: options.followsRedirects ? "follow" : "manual",
        signal: AbortSignal.any([timeout.signal, closing.signal]),
      });
      await response.arrayBuffer();
      if (response.ok) return { outcome: "delivered", status: response.status };
      return { outcome: "failed", status: response.status, error: `${response.status} ${response.statusText}`.trim() };
    } catch {
      return { outcome: "failed", error: timeout.signal.aborted ? "Timed out" : "Connection failed" };
    } finally {
      cancelTimer();
    }
  }

  function record(webhook: Webhook, outcome: Outcome, body?: string): void {
    const { lane, event } = webhook;
    const attempt = { at: new Date(clock.now()).toISOString(), lane, event, ...outcome, ...(body === undefined ? {} : { body }) };
    attempts.push(attempt);
    if (attempts.length > keptAttempts) attempts = attempts.slice(-keptAttempts);
    webhook.onAttempt?.(attempt);
    options.onAttempt?.(attempt);
  }

  function wait(delayMs: number): Promise<void> {
    if (delayMs <= 0 || closing.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        closing.signal.removeEventListener("abort", finish);
        resolve();
      };
      const cancel = clock.setTimer(finish, delayMs);
      closing.signal.addEventListener("abort", finish, { once: true });
    });
  }

  function idle(): Promise<void> {
    if (lanes.size === 0) return Promise.resolve();
    return new Promise((resolve) => idleWaiters.push(resolve));
  }

  function discard(): void {
    for (const jobs of lanes.values()) jobs.length = 0;
    discards += 1;
    attempts = [];
  }

  return {
    enqueue,
    after(ready, action) {
      currentReady = ready;
      try {
        return action();
      } finally {
        currentReady = Promise.resolve();
      }
    },
    idle,
    attempts: () => [...attempts],
    discard,
    close() {
      discard();
      closing.abort();
      return idle();
    },
  };
}

/** `https://user:pass@host/` is sent as Basic authentication. */
function splitCredentials(address: string): { url: string; authorization: Record<string, string> } {
  const url = new URL(address);
  if (!url.username && !url.password) return { url: address, authorization: {} };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  return { url: url.href, authorization: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } };
}
