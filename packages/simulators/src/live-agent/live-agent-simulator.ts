import type { FastifyInstance } from "fastify";
import { createChanges, waitForChange } from "../shared/changes.ts";
import type { Clock } from "../shared/clock.ts";
import { ControlError, notPossible } from "../shared/control-error.ts";
import {
  readBoolean,
  readObject,
  readOptionalBoolean,
  readOptionalText,
  readOptionalWholeNumber,
  readText,
  readWholeNumber,
} from "../shared/control-input.ts";
import { createFaultPlan } from "../shared/faults.ts";
import { createRequestLog } from "../shared/request-log.ts";
import type { ControlConversation, DeskOverview, VendorSimulator } from "../shared/vendor-simulator.ts";
import { createWebhookSender } from "../shared/webhook-sender.ts";
import { checkWebhookUrl, describeWebhooks } from "../shared/webhook-view.ts";
import type { LiveAgentContext } from "./live-agent-context.ts";
import { createDeskActions } from "./live-agent-desk.ts";
import { ApiError } from "./live-agent-errors.ts";
import type { LiveAgentSimulatorOptions } from "./live-agent-options.ts";
import { readOptions } from "./live-agent-options.ts";
import type { LiveAgentProfileName } from "./live-agent-profile.ts";
import { getProfile } from "./live-agent-profile.ts";
import { addLiveAgentApi } from "./live-agent-server.ts";
import type { Conversation, Inbox } from "./live-agent-state.ts";
import { createState, getInbox, listHumanAgents, resetState, setAgentsOnline } from "./live-agent-state.ts";
import { viewControlConversation } from "./live-agent-control-view.ts";
import type { QueueSettings } from "./routes/conversation-routes.ts";

/** A simulated Live Agent in this process: what the control API offers, without HTTP. */
export interface LiveAgentSimulator extends VendorSimulator {
  readonly vendor: "live-agent";
  readonly profile: LiveAgentProfileName;
  /** What goes into a provider's `baseUrl`: `{url}/live-agent/api/v1`. */
  readonly baseUrl: string;
  readonly accountId: number;
  readonly inboxId: number;
  /** The technical user's token. */
  readonly apiKey: string;
  /** The inbox's webhook address and, for the profile `4.15`, its signature secret. */
  setWebhookUrl(url: string | null, secret?: string): void;
}

export interface LiveAgentParts {
  createHandle(url: string): LiveAgentSimulator;
  readonly simulator: VendorSimulator;
  addApi(server: FastifyInstance): void;
  close(): Promise<void>;
}

export function createLiveAgent(options: LiveAgentSimulatorOptions, clock: Clock): LiveAgentParts {
  const setup = readOptions(options);
  const profile = getProfile(setup.profile);
  const faults = createFaultPlan();
  const log = createRequestLog();
  const changes = createChanges();
  const sender = createWebhookSender({
    clock,
    timeoutMs: setup.webhookTimeoutMs,
    followsRedirects: profile.followsRedirects,
    forWebhook: () => faults.forWebhook(),
    onAttempt: () => changes.emit({ kind: "agents" }),
  });
  const context: LiveAgentContext = { setup, profile, state: createState(setup), clock, sender, changes };
  let queue: QueueSettings = {};
  if (setup.webhookUrl !== null) checkWebhookUrl(setup.webhookUrl);

  const inbox = (): Inbox => getInbox(context.state, setup.inboxId);
  const simulator: VendorSimulator = {
    vendor: "live-agent",
    changes,
    conversations: () => [...context.state.conversations.values()].map((conversation) => view(context, conversation)),
    conversation: (id) => view(context, findConversation(context, id)),
    ...createControlActions(context),
    setAgents(input) {
      const online = readWholeNumber(readObject(input, ["online"]), "online", { min: 0, max: 100 });
      setAgentsOnline(context.state, online);
      changes.emit({ kind: "agents" });
      return { online };
    },
    setQueue(input) {
      const fields = readObject(input, ["position", "estimatedWaitMs"]);
      if (!profile.hasQueueDetails) throw notPossible(`${profile.title} says nothing about its queue.`);
      const position = readOptionalWholeNumber(fields, "position", { min: 1, max: 1_000_000 });
      const estimatedWaitMs = readOptionalWholeNumber(fields, "estimatedWaitMs", { min: 0, max: 86_400_000 });
      queue = { ...(position === undefined ? {} : { position }), ...(estimatedWaitMs === undefined ? {} : { estimatedWaitMs }) };
      return queue;
    },
    setFaults: (input) => faults.set(input),
    setWebhook(input) {
      const fields = readObject(input, ["url", "secret"]);
      const url = fields["url"] === null ? null : checkWebhookUrl(readText(fields, "url"));
      const secret = readOptionalText(fields, "secret");
      Object.assign(inbox(), { webhookUrl: url, ...(secret === undefined ? {} : { secret }) });
      changes.emit({ kind: "agents" });
      return { isSet: url !== null };
    },
    requests: () => log.list(),
    webhooks: () => sender.attempts(),
    webhooksIdle: () => sender.idle(),
    waitFor(predicate, { timeoutMs = 5000 } = {}) {
      const look = (): ControlConversation[] | undefined => {
        const conversations = simulator.conversations();
        return predicate(conversations) ? conversations : undefined;
      };
      return waitForChange(changes, look, timeoutMs);
    },
    reset() {
      sender.discard();
      resetState(context.state, setup);
      faults.set({});
      queue = {};
      log.clear();
      changes.emit({ kind: "reset" });
    },
    overview: () => describe(context, inbox()),
  };

  return {
    simulator,
    addApi: (server) => addLiveAgentApi(server, context, { faults, log, readQueue: () => queue }),
    close: () => sender.close(),
    createHandle: (url) => ({
      ...simulator,
      vendor: "live-agent",
      profile: profile.name,
      baseUrl: `${url}/live-agent/api/v1`,
      accountId: setup.accountId,
      inboxId: setup.inboxId,
      apiKey: setup.apiKey,
      setWebhookUrl: (webhookUrl, secret) => void simulator.setWebhook({ url: webhookUrl, ...(secret === undefined ? {} : { secret }) }),
    }),
  };
}

type ControlActions = Pick<VendorSimulator, "accept" | "say" | "type" | "note" | "transfer" | "leave" | "close" | "reopen" | "survey">;

/** Checks what came, does it, and shows the conversation as it is then. */
function createControlActions(context: LiveAgentContext): ControlActions {
  const desk = createDeskActions(context);
  const act = (id: string, action: (conversation: Conversation) => void): ControlConversation => {
    const conversation = findConversation(context, id);
    try {
      action(conversation);
    } catch (error) {
      if (error instanceof ApiError && error.status === 422) throw notPossible(JSON.stringify(error.body));
      throw error;
    }
    return view(context, conversation);
  };

  return {
    accept: (id, input) => act(id, (conversation) => desk.accept(conversation, readOptionalText(readObject(input, ["agent"]), "agent"))),
    say(id, input) {
      return act(id, (conversation) => {
        const fields = readObject(input, ["text", "attachment"]);
        const text = readText(fields, "text");
        if (fields["attachment"] !== undefined) throw notPossible("This simulator does not send attachments yet.");
        desk.say(conversation, text);
      });
    },
    type: (id, input) => act(id, (conversation) => desk.type(conversation, readBoolean(readObject(input, ["isTyping"]), "isTyping"))),
    note: (id, input) => act(id, (conversation) => desk.note(conversation, readText(readObject(input, ["text"]), "text"))),
    transfer: (id, input) => act(id, (conversation) => desk.transfer(conversation, readText(readObject(input, ["to"]), "to"))),
    leave: (id) => act(id, desk.leave),
    close(id, input) {
      return act(id, (conversation) => desk.close(conversation, readOptionalBoolean(readObject(input, ["abandon"]), "abandon") ?? false));
    },
    reopen: (id) => act(id, desk.reopen),
    survey(id) {
      return act(id, () => {
        throw notPossible("This simulator does not send surveys yet.");
      });
    },
  };
}

function findConversation(context: LiveAgentContext, id: string): Conversation {
  const conversation = /^[1-9]\d{0,14}$/.test(id) ? context.state.conversations.get(Number(id)) : undefined;
  if (!conversation) throw new ControlError(404, "UNKNOWN_CONVERSATION", "There is no conversation with this id.");
  return conversation;
}

function view(context: LiveAgentContext, conversation: Conversation): ControlConversation {
  return viewControlConversation(context.state, conversation);
}

function describe(context: LiveAgentContext, inbox: Inbox): DeskOverview {
  return {
    vendor: "live-agent",
    title: context.profile.title,
    profile: context.profile.name,
    abilities: context.profile.canReopen ? ["note", "transfer", "reopen"] : ["note", "transfer"],
    agents: listHumanAgents(context.state).map((agent) => ({
      id: String(agent.id),
      name: agent.name,
      isOnline: agent.availability === "online",
    })),
    ...describeWebhooks(inbox.webhookUrl, context.sender),
  };
}
