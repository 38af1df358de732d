import {
  HandoverError,
  packState,
  parseConfig,
  unpackState,
  type Handover,
  type HandoverConnection,
  type HandoverStatus,
  type Message,
  type MessagePart,
  type Reference,
  type StartProgress,
  type StartRequest,
  type Started,
  type Translation,
  type VendorDelivery,
  type Wake,
} from "@handover/core";
import { expect } from "vitest";
import type { ConformanceBackend, ConformanceConversation } from "./conformance-backend.ts";
import { isActive, type DrivenHandover } from "./driven-handover.ts";
import { createCall, createContext, createLineLogger, createSuiteClock, type CallOptions } from "./driver-context.ts";
import { startGateway, type Gateway } from "./gateway.ts";
import { errorText, secretsOf, userMark } from "./secrets.ts";
import type { ConformanceOptions } from "./suite.ts";
import { startWebhookReceiver, type WebhookReceiver } from "./webhook-receiver.ts";
import { sortByOrder } from "./sort-deliveries.ts";
import { newRequest, type RequestOverrides } from "./samples.ts";

/** What a start that was interrupted has left behind. */
export interface StartAttempt {
  readonly started?: Started;
  readonly error?: unknown;
  readonly progress: Required<Pick<StartProgress, "references">> & StartProgress;
  readonly checkpoints: readonly StartProgress[];
}

/** Does with a connection what the runtime does, in its simplest form, so that tests can look at each step. */
export interface Driver {
  readonly options: ConformanceOptions;
  readonly backend: ConformanceBackend;
  readonly connection: HandoverConnection;
  readonly gateway: Gateway;
  readonly receiver: WebhookReceiver;
  /** Deliveries that came in on either road, whether or not anybody waits for them. */
  readonly deliveries: VendorDelivery[];
  /** Deliveries of conversations that nobody knows. */
  readonly parked: VendorDelivery[];
  /** What was logged so far, with its fields. */
  readonly logged: readonly string[];
  /** Secrets of the settings and of the webhook URL. */
  readonly secrets: readonly string[];
  /** Makes another connection, for example with wrong settings. */
  connect(settings: unknown): HandoverConnection;
  /** Lets time pass for the provider and, where its tokens run out, for the vendor, without waiting. */
  passTime(durationMs: number): Promise<void>;
  call(options?: CallOptions): ReturnType<typeof createCall>;
  request(overrides?: RequestOverrides): StartRequest;
  /** One try of a start; with `crashAfterCheckpoint` the process dies right after that checkpoint, counted from 1. */
  attemptStart(request: StartRequest, options?: CallOptions & { readonly crashAfterCheckpoint?: number }): Promise<StartAttempt>;
  /** Starts a handover and sends the rest of its transcript. */
  start(overrides?: RequestOverrides): Promise<DrivenHandover>;
  /** Takes a handover that `start` or `findStarted` has opened. */
  adopt(request: StartRequest, started: Started, deskId: string): DrivenHandover;
  /** Sends a message in its parts. */
  send(driven: DrivenHandover, message: Message): Promise<void>;
  plan(driven: DrivenHandover, message: Message): readonly MessagePart[];
  /** Waits for what is on its way and translates it. */
  observe(): Promise<void>;
  /** Translates one delivery, unless it is a repeat. */
  translate(driven: DrivenHandover, delivery: VendorDelivery | Wake): Promise<Translation>;
  /** Asks for what was missed, page after page, and translates it. */
  catchUp(driven: DrivenHandover): Promise<readonly VendorDelivery[]>;
  desk(driven: DrivenHandover): Promise<ConformanceConversation>;
  /** The error of something that must fail: typed and without secrets. */
  failure(run: () => unknown): Promise<HandoverError>;
  /** Closes everything and fails when a log line or an error held a secret or a user's words. */
  close(): Promise<void>;
}

/** Pages that a catch-up may have in a test; more is an endless loop. */
const maximumPages = 200;

/** Empties the contact centre and connects to it. */
export async function openDriver(options: ConformanceOptions): Promise<Driver> {
  const { backend, provider } = options;
  const lines: string[] = [];
  const errors: unknown[] = [];
  const logger = createLineLogger(lines);
  const handovers: DrivenHandover[] = [];
  const pending: VendorDelivery[] = [];
  const settings = parseConfig(provider.settings, options.settings, options.name);

  await backend.reset();
  const gateway = await startGateway();
  const receiver = await startWebhookReceiver(provider.name, async (request) => {
    const received = (await driver.connection.receiveWebhook?.(request, driver.call())) ?? { deliveries: [] };
    driver.deliveries.push(...received.deliveries);
    pending.push(...received.deliveries);
    return received;
  });
  await backend.setWebhookUrl(receiver.url);
  const clock = createSuiteClock();
  const context = createContext({ dispatcher: gateway.dispatcher, logger, webhookUrl: receiver.url, clock });
  const connect = (value: unknown): HandoverConnection => provider.connect(value, context);

  async function attemptStart(request: StartRequest, attempt: Parameters<Driver["attemptStart"]>[1] = {}): Promise<StartAttempt> {
    const { crashAfterCheckpoint, ...call } = attempt;
    let progress: StartAttempt["progress"] = { references: request.resume?.references ?? [], ...stateOf(request.resume) };
    const checkpoints: StartProgress[] = [];
    const checkpoint = async (next: StartProgress): Promise<void> => {
      checkpoints.push(structuredClone(next));
      progress = { ...progress, ...structuredClone(next) };
      if (checkpoints.length === crashAfterCheckpoint) throw new HandoverError({ code: "CRASHED", message: "The process died here." });
    };
    try {
      const started = await driver.connection.start(request, driver.call({ checkpoint, ...call }));
      return { started, progress, checkpoints };
    } catch (error) {
      errors.push(error);
      return { error, progress, checkpoints };
    }
  }

  function keepState(driven: DrivenHandover, state: unknown): void {
    const stored = JSON.parse(JSON.stringify(packState(provider, state))) as ReturnType<typeof packState>;
    const read = unpackState(provider, stored);
    expect(read, "the state must survive the store").toEqual(state);
    driven.handover = { ...driven.handover, state: read };
  }

  const driver: Driver = {
    options,
    backend,
    connection: connect(settings),
    gateway,
    receiver,
    deliveries: [],
    parked: [],
    logged: lines,
    secrets: [...secretsOf(provider, settings), receiver.secret],
    connect,
    async passTime(durationMs) {
      clock.passTime(durationMs);
      await backend.tokens?.passTime(durationMs);
    },
    call: (call) => createCall(logger, call),
    request: (overrides) => newRequest(provider, options.options ?? {}, overrides),
    attemptStart,
    async start(overrides) {
      const request = driver.request(overrides);
      const before = new Set((await backend.conversations()).map(({ id }) => id));
      const { started, error } = await attemptStart(request);
      if (!started) throw error;
      const created = (await backend.conversations()).filter(({ id }) => !before.has(id));
      expect(created, "one start opens one conversation").toHaveLength(1);
      const driven = driver.adopt(request, started, created[0]?.id ?? "");
      for (const { seq, message } of request.transcript) {
        if (seq > started.transcriptThrough) await driver.send(driven, message);
      }
      return driven;
    },
    adopt(request, started, deskId) {
      const driven: DrivenHandover = {
        handover: toHandover(request, started),
        request,
        started,
        deskId,
        events: [],
        seen: new Set(),
        cursor: undefined,
        wakeAtMs: null,
      };
      keepState(driven, started.state);
      handovers.push(driven);
      return driven;
    },
    plan: (driven, message) => driver.connection.planMessage?.(driven.handover, message) ?? [{ message }],
    async send(driven, message) {
      for (const part of driver.plan(driven, message)) await driver.connection.sendMessage?.(driven.handover, part, driver.call());
    },
    async observe() {
      await backend.settle();
      const arrived = [...driver.parked.splice(0), ...pending.splice(0)];
      for (const driven of handovers) {
        for (const delivery of sortByOrder(arrived.filter((candidate) => isFor(candidate, driven))))
          await driver.translate(driven, delivery);
      }
      driver.parked.push(...arrived.filter((delivery) => !handovers.some((driven) => isFor(delivery, driven))));
      if (!driver.connection.receiveWebhook) for (const driven of handovers) await driver.catchUp(driven);
    },
    async translate(driven, delivery) {
      const id = "wake" in delivery ? undefined : delivery.id;
      if (!driver.connection.translate || (id !== undefined && driven.seen.has(id))) return { events: [] };
      if (id !== undefined) driven.seen.add(id);
      const translation = driver.connection.translate(driven.handover, delivery);
      driven.events.push(...translation.events);
      driven.handover = { ...driven.handover, status: statusAfter(driven) };
      if (translation.state !== undefined) keepState(driven, translation.state);
      if (translation.wakeAt !== undefined) driven.wakeAtMs = translation.wakeAt;
      if (translation.pull) await driver.catchUp(driven);
      return translation;
    },
    async catchUp(driven) {
      const found: VendorDelivery[] = [];
      for (let page = 0; driver.connection.catchUp; page += 1) {
        expect(page, "a catch-up must come to an end").toBeLessThan(maximumPages);
        const answer = await driver.connection.catchUp(driven.handover, driven.cursor, driver.call());
        driven.cursor = JSON.parse(JSON.stringify(answer.cursor)) as typeof answer.cursor;
        found.push(...answer.deliveries);
        driver.deliveries.push(...answer.deliveries);
        for (const delivery of sortByOrder(answer.deliveries)) await driver.translate(driven, delivery);
        if (!answer.hasMore) break;
      }
      return found;
    },
    async desk(driven) {
      const conversation = (await backend.conversations()).find(({ id }) => id === driven.deskId);
      if (!conversation) throw new Error(`The contact centre has no conversation ${driven.deskId}.`);
      return conversation;
    },
    async failure(run) {
      const error: unknown = await Promise.resolve()
        .then(run)
        .then(
          (value) => new Error(`It should have failed and gave ${typeof value}.`),
          (reason: unknown) => reason,
        );
      errors.push(error);
      if (!HandoverError.isInstance(error)) throw error;
      expect(error.code).toMatch(/^[A-Z][A-Z0-9_]*$/);
      return error;
    },
    async close() {
      gateway.setFaults(undefined);
      await backend.settle();
      await driver.connection.close?.();
      await receiver.close();
      await gateway.close();
      expectNothingTold([...lines, ...errors.map((error) => errorText(error))], driver.secrets);
    },
  };
  await driver.connection.prepare?.(driver.call());
  return driver;
}

function isFor(delivery: VendorDelivery, driven: DrivenHandover): boolean {
  return delivery.references.some((reference: Reference) => driven.handover.references.includes(reference));
}

function stateOf(resume: StartRequest["resume"]): Pick<StartProgress, "state"> {
  return resume?.state === undefined ? {} : { state: resume.state };
}

function toHandover(request: StartRequest, started: Started): Handover {
  return {
    id: request.handoverId,
    ordinal: request.ordinal,
    conversation: request.conversation,
    endpoint: request.endpoint,
    ...(request.user ? { user: request.user } : {}),
    options: request.options,
    status: "queued",
    references: started.references,
    state: started.state,
  };
}

function statusAfter(driven: DrivenHandover): HandoverStatus {
  if (driven.events.some(({ type }) => type === "ended")) return "ended";
  return isActive(driven) ? "active" : "queued";
}

function expectNothingTold(lines: readonly string[], secrets: readonly string[]): void {
  for (const line of lines) {
    expect(line.toLowerCase().includes(userMark.toLowerCase()), "a log line or an error holds a user's words [F120 part]").toBe(false);
    expect(
      secrets.some((secret) => line.includes(secret)),
      "a log line or an error holds a secret [F120 part]",
    ).toBe(false);
  }
}
