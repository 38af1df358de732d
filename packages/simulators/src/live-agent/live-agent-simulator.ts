import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { createChanges } from "../shared/changes.ts";
import type { Clock } from "../shared/clock.ts";
import { notPossible } from "../shared/control-error.ts";
import { readObject, readOptionalText, readText } from "../shared/control-input.ts";
import { readQueue } from "../shared/control-queue.ts";
import { createFaultPlan } from "../shared/faults.ts";
import { createRequestLog } from "../shared/request-log.ts";
import type { ControlConversation, DeskOverview, VendorSimulator } from "../shared/vendor-simulator.ts";
import { createWaitFor } from "../shared/wait-for-conversations.ts";
import { createWebhookSender } from "../shared/webhook-sender.ts";
import { checkWebhookUrl, describeWebhooks } from "../shared/webhook-view.ts";
import type { LiveAgentBehaviour } from "./live-agent-behaviour.ts";
import { readBehaviour } from "./live-agent-behaviour.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import type { ControlActions } from "./live-agent-control-actions.ts";
import { createControlActions, findConversation } from "./live-agent-control-actions.ts";
import type { ControlSettings } from "./live-agent-control-settings.ts";
import { createControlSettings } from "./live-agent-control-settings.ts";
import { viewControlConversation } from "./live-agent-control-view.ts";
import { createState, resetState } from "./live-agent-demo.ts";
import { errorBodies } from "./live-agent-errors.ts";
import { createRateLimits } from "./live-agent-limits.ts";
import type { LiveAgentSimulatorOptions } from "./live-agent-options.ts";
import { readOptions } from "./live-agent-options.ts";
import { availabilityOf, listHumanAgents } from "./live-agent-people.ts";
import type { LiveAgentProfileName } from "./live-agent-profile.ts";
import { getProfile } from "./live-agent-profile.ts";
import { addLiveAgentApi } from "./live-agent-server.ts";
import type { Conversation } from "./live-agent-state.ts";
import { getInbox, listOfAccount } from "./live-agent-state.ts";

/** A simulated Live Agent in this process: what the control API offers, without HTTP. */
export interface LiveAgentSimulator
  extends Omit<VendorSimulator, keyof ControlActions | keyof ControlSettings>, ControlActions, ControlSettings {
  readonly vendor: "live-agent";
  readonly profile: LiveAgentProfileName;
  /** Where the product is: `{url}/live-agent`. */
  readonly origin: string;
  /** What goes into a provider's `baseUrl`: `{url}/live-agent/api/v1`. */
  readonly baseUrl: string;
  readonly accountId: number;
  readonly inboxId: number;
  /** The technical user's token. */
  readonly apiKey: string;
  readonly platformToken: string;
  /** The inbox's webhook address and, where the version signs, its signature secret. */
  setWebhookUrl(url: string | null, secret?: string): void;
  /** Replaces the whole set; what is not named is as at the start. */
  setBehaviour(behaviour: Partial<LiveAgentBehaviour>): LiveAgentBehaviour;
}

export interface LiveAgentParts {
  createHandle(url: string): LiveAgentSimulator;
  readonly simulator: VendorSimulator;
  addApi(server: FastifyInstance): void;
  close(): Promise<void>;
}

export function createLiveAgent(options: LiveAgentSimulatorOptions, clock: Clock): LiveAgentParts {
  const setup = readOptions(options);
  const profile = getProfile(setup.profile, setup.baseVersion);
  const faults = createFaultPlan(errorBodies);
  const log = createRequestLog();
  const changes = createChanges();
  const limits = createRateLimits();
  const sender = createWebhookSender({
    clock,
    timeoutMs: setup.webhookTimeoutMs,
    followsRedirects: profile.has("webhookRedirects"),
    forWebhook: () => faults.forWebhook(),
    onAttempt: () => changes.emit({ kind: "agents" }),
  });
  const { behaviour } = setup;
  const origin = "http://127.0.0.1/live-agent";
  const state = createState(setup);
  const urlSecret = randomBytes(32);
  const context: LiveAgentContext = { setup, profile, state, clock, sender, changes, urlSecret, behaviour, queue: {}, origin };
  if (setup.webhookUrl !== null) checkWebhookUrl(setup.webhookUrl);

  const view = (conversation: Conversation): ControlConversation => viewControlConversation(context, conversation);
  const listConversations = (): ControlConversation[] => [...state.conversations.values()].map(view);
  const simulator = {
    vendor: "live-agent",
    changes,
    conversations: listConversations,
    conversation: (id) => view(findConversation(context, id)),
    ...createControlActions(context),
    ...createControlSettings(context),
    setBehaviour(input) {
      context.behaviour = readBehaviour(input, behaviour);
      return context.behaviour;
    },
    setQueue(input) {
      const queue = readQueue(input);
      if (context.behaviour.queueDetails === "none") throw notPossible(`${profile.title} says nothing about its queue.`);
      context.queue = queue;
      return context.queue;
    },
    setFaults: (input) => faults.set(input),
    setWebhook(input) {
      const fields = readObject(input, ["url", "secret"]);
      const url = fields["url"] === null ? null : checkWebhookUrl(readText(fields, "url"));
      const secret = readOptionalText(fields, "secret");
      Object.assign(getInbox(state, setup.inboxId), { webhookUrl: url, ...(secret === undefined ? {} : { secret }) });
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
      limits.clear();
      context.behaviour = behaviour;
      context.queue = {};
      log.clear();
      changes.emit({ kind: "reset" });
    },
    overview: () => describe(context),
  } satisfies VendorSimulator;

  return {
    simulator,
    addApi: (server) => addLiveAgentApi(server, context, { faults, log, limits }),
    close: () => sender.close(),
    createHandle(url) {
      context.origin = `${setup.publicUrl ?? url}/live-agent`;
      return {
        ...simulator,
        vendor: "live-agent",
        profile: profile.name,
        origin: `${url}/live-agent`,
        baseUrl: `${url}/live-agent/api/v1`,
        accountId: setup.accountId,
        inboxId: setup.inboxId,
        apiKey: setup.apiKey,
        platformToken: setup.platformToken,
        setWebhookUrl: (webhookUrl, secret) => void simulator.setWebhook({ url: webhookUrl, ...(secret === undefined ? {} : { secret }) }),
      };
    },
  };
}

function describe(context: LiveAgentContext): DeskOverview {
  const { state, profile, setup, sender } = context;
  const { mainAccountId } = state;
  const teams = listOfAccount(state.teams, mainAccountId).map(({ id, name }) => ({ id: `team:${id}`, name }));
  const inboxes = listOfAccount(state.inboxes, mainAccountId).filter(({ id }) => id !== setup.inboxId);
  const moves = [...teams, ...inboxes.map(({ id, name }) => ({ id: `inbox:${id}`, name }))];
  return {
    vendor: "live-agent",
    title: profile.title,
    profile: profile.name,
    abilities: ["note", "transfer", "attachment", "survey", ...(profile.isLiveAgent ? [] : (["reopen"] as const))],
    agents: listHumanAgents(state, mainAccountId).map((agent) => ({
      id: String(agent.id),
      name: agent.name,
      isOnline: availabilityOf(agent, mainAccountId) === "online",
    })),
    ...(moves.length > 0 ? { queues: moves } : {}),
    ...describeWebhooks(getInbox(state, setup.inboxId).webhookUrl, sender),
  };
}
