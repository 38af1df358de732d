import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { createChanges } from "../shared/changes.ts";
import type { Clock } from "../shared/clock.ts";
import { readObject, readText, readWholeNumber } from "../shared/control-input.ts";
import { readQueue } from "../shared/control-queue.ts";
import { createFaultPlan } from "../shared/faults.ts";
import { createRequestLog } from "../shared/request-log.ts";
import type { ControlConversation, DeskOverview, VendorSimulator } from "../shared/vendor-simulator.ts";
import { createWaitFor } from "../shared/wait-for-conversations.ts";
import { createWebhookSender } from "../shared/webhook-sender.ts";
import { checkWebhookUrl, describeWebhooks } from "../shared/webhook-view.ts";
import type { EightbyeightBehaviour } from "./eightbyeight-behaviour.ts";
import { readBehaviour } from "./eightbyeight-behaviour.ts";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import type { ControlActions } from "./eightbyeight-control-actions.ts";
import { createControlActions } from "./eightbyeight-control-actions.ts";
import { viewControlConversation } from "./eightbyeight-control-view.ts";
import { errorBodies } from "./eightbyeight-errors.ts";
import { createSigningKeys } from "./eightbyeight-keys.ts";
import type { EightbyeightSimulatorOptions } from "./eightbyeight-options.ts";
import { readOptions } from "./eightbyeight-options.ts";
import { addEightbyeightApi } from "./eightbyeight-server.ts";
import { createState, demoIds, resetState, setAgentsOnline, setDemoWebhook } from "./eightbyeight-state.ts";

/** A simulated 8x8 Contact Center in this process: what the control API offers, without HTTP. */
export interface EightbyeightSimulator extends Omit<VendorSimulator, keyof ControlActions>, ControlActions {
  readonly vendor: "eightbyeight";
  /** What goes into a provider's `baseUrl`: `{url}/eightbyeight`. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly tenant: string;
  readonly customerId: string;
  /** Of the tenant's channel and its webhook; the same at every start. */
  readonly channelId: string;
  readonly webhookId: string;
  readonly queueId: string;
  /** Where the channel's webhooks go. */
  setWebhookUrl(url: string | null): void;
  /** Replaces the whole set; what is not named is as at the start. */
  setBehaviour(behaviour: Partial<EightbyeightBehaviour>): EightbyeightBehaviour;
}

export interface EightbyeightParts {
  createHandle(url: string): EightbyeightSimulator;
  readonly simulator: VendorSimulator;
  addApi(server: FastifyInstance): void;
  close(): Promise<void>;
}

export function createEightbyeight(options: EightbyeightSimulatorOptions, clock: Clock): EightbyeightParts {
  const setup = readOptions(options);
  if (setup.webhookUrl !== null) checkWebhookUrl(setup.webhookUrl);
  const tenant = setup.tenants[0];
  const { channelId, webhookId } = demoIds(tenant);
  const faults = createFaultPlan(errorBodies);
  const log = createRequestLog();
  const changes = createChanges();
  const attemptWaiters = new Map<string, () => void>();
  const sender = createWebhookSender({
    clock,
    timeoutMs: setup.webhookTimeoutMs,
    followsRedirects: false,
    forWebhook: () => faults.forWebhook(),
    onAttempt({ lane }) {
      attemptWaiters.get(lane)?.();
      changes.emit({ kind: "agents" });
    },
  });
  const context: EightbyeightContext = {
    setup,
    clock,
    sender,
    changes,
    state: createState(setup),
    keys: createSigningKeys(),
    urlSecret: randomBytes(32),
    behaviour: setup.behaviour,
    baseUrl: "",
    queue: {},
  };
  const { state } = context;
  const actions = createControlActions(context);

  function firstAttempt({ id }: { readonly id: string }): Promise<void> {
    const attempted = new Promise<void>((resolve) => attemptWaiters.set(id, resolve));
    return attempted.finally(() => attemptWaiters.delete(id));
  }

  function setBehaviour(input: unknown): EightbyeightBehaviour {
    context.behaviour = readBehaviour(input, setup.behaviour);
    return context.behaviour;
  }

  const listConversations = (): ControlConversation[] =>
    [...state.conversations.values()].map((conversation) => viewControlConversation(state, conversation));
  const simulator = {
    vendor: "eightbyeight",
    changes,
    conversations: listConversations,
    ...actions,
    setBehaviour,
    setAgents(input) {
      const online = readWholeNumber(readObject(input, ["online"]), "online", { min: 0, max: 100 });
      setAgentsOnline(state, online);
      changes.emit({ kind: "agents" });
      return { online };
    },
    setQueue(input) {
      context.queue = readQueue(input);
      return context.queue;
    },
    setFaults(input) {
      const set = faults.set(input);
      if (set.rotateKeys) context.keys.rotate();
      return set;
    },
    setWebhook(input) {
      const fields = readObject(input, ["url"]);
      const url = fields["url"] === null ? null : checkWebhookUrl(readText(fields, "url"));
      setDemoWebhook(state, tenant, url);
      changes.emit({ kind: "agents" });
      return { isSet: url !== null };
    },
    requests: () => log.list(),
    webhooks: () => sender.attempts(),
    webhooksIdle: () => sender.idle(),
    waitFor: createWaitFor(changes, listConversations),
    reset() {
      sender.discard();
      resetState(state, setup);
      faults.set({});
      context.behaviour = setup.behaviour;
      context.queue = {};
      log.clear();
      changes.emit({ kind: "reset" });
    },
    overview: () => describe(context, webhookId),
  } satisfies VendorSimulator;

  return {
    simulator,
    addApi: (server) => addEightbyeightApi(server, context, { faults, log, firstAttempt }),
    close() {
      for (const conversation of state.conversations.values()) conversation.cancelTimer?.();
      return sender.close();
    },
    createHandle(url) {
      context.baseUrl = `${setup.publicUrl ?? url}/eightbyeight`;
      return {
        ...simulator,
        vendor: "eightbyeight",
        baseUrl: `${url}/eightbyeight`,
        apiKey: setup.apiKey,
        tenant,
        customerId: setup.customerId,
        channelId,
        webhookId,
        queueId: setup.queues[0].id,
        setWebhookUrl: (webhookUrl) => void simulator.setWebhook({ url: webhookUrl }),
      };
    },
  };
}

function describe({ state, sender }: EightbyeightContext, webhookId: string): DeskOverview {
  return {
    vendor: "eightbyeight",
    title: "8x8 Contact Center",
    profile: "eightbyeight",
    abilities: ["transfer", "reopen"],
    agents: [...state.agents.values()],
    queues: [...state.queues.values()],
    ...describeWebhooks(state.webhooks.get(webhookId)?.uri ?? null, sender),
  };
}
