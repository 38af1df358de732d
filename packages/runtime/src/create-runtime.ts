import type { Logger } from "@handover/core";
import { createAttachmentLinks } from "./attachments/attachment-links.ts";
import { createFileFetches } from "./attachments/fetch-desk-file.ts";
import { getAttachment, openAttachmentLink } from "./attachments/get-attachment.ts";
import { putAttachment } from "./attachments/put-attachment.ts";
import { createAgentProfiles } from "./agents/agent-profiles.ts";
import { createAvailabilityChecks } from "./availability/availability-checks.ts";
import { checkEndpoint } from "./availability/check-endpoint.ts";
import { callVendor } from "./connections/call-vendor.ts";
import { createConnectionRegistry } from "./connections/connection-registry.ts";
import { createChangeHub } from "./conversation/change-hub.ts";
import { conversationKey } from "./conversation/conversation-key.ts";
import { checkLeaseTime } from "./conversation/lease.ts";
import { createScheduler, type Scheduler } from "./conversation/scheduler.ts";
import { createEndpoints, requireEndpoint } from "./endpoints.ts";
import { eraseUser } from "./erase-user.ts";
import { RuntimeError } from "./errors.ts";
import { followEntries } from "./follow.ts";
import type { EntryListener } from "./lanes/push-lane.ts";
import { createPushTries } from "./lanes/push-tries.ts";
import { completeTiming, defaultLimits } from "./defaults.ts";
import type { HandoverRuntimeOptions, RuntimeClock } from "./options.ts";
import { endHandover, requestHandover } from "./request-and-end.ts";
import { createPresenceBoard } from "./presence/presence-board.ts";
import { setPresence } from "./presence/set-presence.ts";
import { createUserReceipts } from "./read/user-receipts.ts";
import { receiveMessage } from "./receive-message.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { ConnectionReport, HandoverRuntime } from "./runtime.ts";
import { createQueuePolls } from "./queue/queue-polls.ts";
import { shareReads } from "./store/shared-reads.ts";
import { submitSurvey } from "./survey/submit-survey.ts";
import { createBacklog } from "./backlog.ts";
import { createAccountChanges } from "./connections/account-changes.ts";
import { createComparisonFeed } from "./connections/comparison-feed.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { createMetrics } from "./support/metrics.ts";
import { createSafeLogger } from "./support/safe-logger.ts";
import { createSeldom } from "./support/seldom.ts";
import { createKeyedMutex } from "./support/mutex.ts";
import { systemClock } from "./support/system-clock.ts";
import { randomId, systemRandom } from "./support/system-random.ts";
import { errorCode, errorSummary } from "./support/describe-error.ts";
import { createReceiptBoard } from "./receipts.ts";
import { createTypingBoard } from "./typing.ts";
import { createUserTyping } from "./user-typing.ts";
import { handleWebhook, notRunning } from "./webhooks.ts";

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** How often the same refusal of a webhook is logged. */
const newsEveryMs = 60_000;
/** How long `stop` waits for calls that are in flight before it aborts them. */
const stopGraceMs = 5_000;

/**
 * Makes a runtime. Checks providers, connections and endpoints; opens nothing before `start`.
 *
 * @throws InvalidConfigError that names every problem of the connections or endpoints, or a call that may last longer than a lease
 */
export async function createHandoverRuntime(options: HandoverRuntimeOptions): Promise<HandoverRuntime> {
  const connections = createConnectionRegistry(options);
  const endpoints = createEndpoints(options, connections);
  const stopping = new AbortController();
  const timing = completeTiming(options.timing);
  const clock = options.clock ?? systemClock;
  const store = shareReads(options.store);
  if (store.isShared) checkLeaseTime(timing);
  let listener: EntryListener | undefined;
  let isRunning = false;

  const context: RuntimeContext = {
    store,
    clock,
    random: options.random ?? systemRandom,
    logger: createSafeLogger(options.logger ?? silent),
    timing,
    limits: { ...defaultLimits, ...options.limits },
    ...(options.retention ? { retention: options.retention } : {}),
    ...(options.redact ? { redact: options.redact } : {}),
    ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    connections,
    endpoints,
    metrics: createMetrics(),
    mutex: createKeyedMutex({ clock, limitMs: timing.stallMs }),
    changes: createChangeHub(),
    typing: createTypingBoard({ store, clock, timing }),
    receipts: createReceiptBoard(store),
    pushTries: createPushTries(),
    presence: createPresenceBoard({ store, clock, timing }),
    get userReceipts() {
      return userReceipts;
    },
    links: createAttachmentLinks({ store, clock, timing, ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }) }),
    fileFetches: createFileFetches(() => context),
    ...(options.attachmentUrl ? { attachmentUrl: options.attachmentUrl } : {}),
    ...(options.fetchFile ? { fetchFile: options.fetchFile } : {}),
    stopSignal: stopping.signal,
    isNews: createSeldom(clock, newsEveryMs),
    bootId: randomId(options.random ?? systemRandom),
    nudge: (key) => work.nudge(key),
    get accountChanges() {
      return accountChanges;
    },
    get agentProfiles() {
      return agentProfiles;
    },
    get availability() {
      return availability;
    },
    get queuePolls() {
      return queuePolls;
    },
    get backlog() {
      return backlog;
    },
  };
  const backlog = createBacklog(context);
  const agentProfiles = createAgentProfiles(context);
  const availability = createAvailabilityChecks(context);
  const queuePolls = createQueuePolls(context);
  const feed = createComparisonFeed(context);
  const accountChanges = createAccountChanges(context, (accountKey) => feed.feed(({ attempt }) => attempt.accountKey === accountKey));
  const work: Scheduler = createScheduler(context, () => listener);
  const housekeeping = createHousekeeping(context, feed);
  const userTyping = createUserTyping(context);
  const userReceipts = createUserReceipts(context);
  context.metrics.gauge("handover_workers", () => work.workerCount);
  context.metrics.gauge("handover_stalled_conversations", () => work.stalledCount);
  let unwatch: (() => void) | undefined;

  function requireRunning(): void {
    if (!isRunning) throw new RuntimeError("NOT_RUNNING", "The runtime is not running: call start() first, and nothing after stop().");
  }

  /** What was begun before the stop is finished before the store is closed. */
  const inFlight = new Set<Promise<unknown>>();

  async function running<Result>(run: () => Promise<Result>): Promise<Result> {
    requireRunning();
    const work = run();
    inFlight.add(work);
    try {
      return await work;
    } finally {
      inFlight.delete(work);
    }
  }

  return {
    async start({ delivers = true } = {}) {
      if (isRunning) return;
      await store.open();
      try {
        await connections.open(context);
      } catch (error) {
        await connections.close();
        await store.close();
        throw error;
      }
      unwatch = store.watch((key) => {
        context.changes.announce(key);
        work.nudge(key);
      });
      context.presence.open();
      isRunning = true;
      if (!delivers) return;
      work.start();
      housekeeping.start();
    },
    async stop() {
      if (!isRunning) return;
      isRunning = false;
      housekeeping.stop();
      context.presence.close();
      userReceipts.stop();
      queuePolls.stop();
      const cancelGrace = clock.after(stopGraceMs, () => stopping.abort(new Error("The runtime stops.")));
      await work.stop();
      await withinTime(clock, stopGraceMs, Promise.allSettled(inFlight));
      cancelGrace();
      stopping.abort(new Error("The runtime stops."));
      unwatch?.();
      // A connection that does not close must not keep the store open.
      await withinTime(clock, stopGraceMs, connections.close());
      await store.close();
    },
    receiveMessage: (request) => running(() => receiveMessage(context, request)),
    putAttachment: (request) => running(() => putAttachment(context, request)),
    getAttachment: (request) => running(() => getAttachment(context, request)),
    openAttachmentLink: (token) => running(() => openAttachmentLink(context, token)),
    requestHandover: (request) => running(() => requestHandover(context, request)),
    checkAvailability: (request) => running(() => checkEndpoint(context, request)),
    endHandover: (request) => running(() => endHandover(context, request)),
    follow(request) {
      requireRunning();
      return followEntries(context, request);
    },
    watchTyping(address, listen) {
      requireEndpoint(endpoints, address.endpoint);
      return context.typing.watch(conversationKey(address), listen);
    },
    watchReceipts(address, listen) {
      requireEndpoint(endpoints, address.endpoint);
      return context.receipts.watch(conversationKey(address), listen);
    },
    setTyping: (request) => running(() => userTyping(request)),
    setPresence: (request) => running(() => setPresence(context, request)),
    markRead: (request) => running(() => userReceipts.read(request)),
    markDelivered(request) {
      requireRunning();
      userReceipts.delivered(request);
    },
    submitSurvey: (request) => running(() => submitSurvey(context, request)),
    onEntry(push) {
      listener = push;
    },
    eraseUser: (request) => running(() => eraseUser(context, request)),
    handleWebhook: async (connection, request) => (isRunning ? running(() => handleWebhook(context, connection, request)) : notRunning()),
    connections: () =>
      connections.names.map((name) => {
        const { provider, webhookUrl } = connections.get(name);
        return { name, provider: provider.name, title: provider.title, ...(webhookUrl === undefined ? {} : { webhookUrl }) };
      }),
    checkConnections: (name) => running(() => checkConnections(context, name === undefined ? connections.names : [name])),
    checkStore: () => running(() => store.check()),
    metrics: () => context.metrics.read(),
  };
}

/** Waits for the work, but not for ever. */
async function withinTime(clock: RuntimeClock, limitMs: number, work: Promise<unknown>): Promise<void> {
  let cancel: () => void = () => undefined;
  const limit = new Promise<void>((resolve) => (cancel = clock.after(limitMs, resolve)));
  await Promise.race([work, limit]);
  cancel();
}

async function checkConnections(context: RuntimeContext, names: readonly string[]): Promise<ConnectionReport[]> {
  return Promise.all(
    names.map(async (name): Promise<ConnectionReport> => {
      const connection = context.connections.get(name);
      const report = { connection: name, provider: connection.provider.name };
      if (!connection.handle.checkConnection) {
        const message = `${connection.provider.title} cannot check itself; the first handover will show whether the settings are right.`;
        return { ...report, findings: [{ level: "warning", code: "CANNOT_CHECK", message }] };
      }
      try {
        const findings = await callVendor(
          context,
          { connection, method: "checkConnection", idempotencyKey: randomId(context.random), isOffline: true },
          async (call, handle) => (await handle.checkConnection?.(call)) ?? [],
        );
        return { ...report, findings };
      } catch (error) {
        return { ...report, findings: [{ level: "error", code: errorCode(error), message: errorSummary(error) }] };
      }
    }),
  );
}
