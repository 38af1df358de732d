import { badInput, ControlError, notPossible } from "../shared/control-error.ts";
import { readBoolean, readObject, readOptionalText, readText } from "../shared/control-input.ts";
import type { ControlConversation } from "../shared/vendor-simulator.ts";
import type { EightbyeightContext } from "./eightbyeight-context.ts";
import type { EightbyeightLine } from "./eightbyeight-control-input.ts";
import { readLine } from "./eightbyeight-control-input.ts";
import { viewControlConversation } from "./eightbyeight-control-view.ts";
import { activate, addConversation } from "./eightbyeight-conversations.ts";
import { createDeskActions } from "./eightbyeight-desk.ts";
import { publish, publishUpdate } from "./eightbyeight-events.ts";
import { say } from "./eightbyeight-messages.ts";
import type { Channel, Conversation, JsonObject } from "./eightbyeight-state.ts";
import { createId } from "./eightbyeight-state.ts";

/** What is done with a conversation at the desk or on the vendor's own channels. Each returns it as it is then. */
export interface ControlActions {
  conversation(id: string): ControlConversation;
  accept(id: string, input?: { readonly agent?: string }): ControlConversation;
  say(id: string, line: EightbyeightLine): ControlConversation;
  type(id: string, input: { readonly isTyping: boolean }): ControlConversation;
  note(id: string, input: { readonly text: string }): ControlConversation;
  /** To a queue by its id or name, else to an agent. */
  transfer(id: string, input: { readonly to: string }): ControlConversation;
  /** One agent goes, the first when nobody is named. Nobody tells that it is over. */
  leave(id: string, input?: { readonly agent?: string }): ControlConversation;
  close(id: string, input?: object): ControlConversation;
  /** It waits in its queue again. */
  reopen(id: string): ControlConversation;
  survey(id: string): ControlConversation;
  /** A conversation that began on one of the vendor's own channels, `WebChat` when left out; a bot has it. */
  openConversation(input?: { readonly name?: string; readonly text?: string; readonly channel?: string }): ControlConversation;
  /** A line of the customer on the vendor's own channel. */
  customerSays(id: string, input: { readonly text: string }): ControlConversation;
  /** Any event, so also one that no documentation knows. */
  sendEvent(id: string, input: { readonly eventType: string; readonly data?: object }): ControlConversation;
  readonly ownActions: Readonly<Record<string, (id: string, body: unknown) => ControlConversation>>;
}

export function createControlActions(context: EightbyeightContext): ControlActions {
  const desk = createDeskActions(context);
  const view = (conversation: Conversation): ControlConversation => viewControlConversation(context.state, conversation);

  function act(id: string, action: (conversation: Conversation) => void): ControlConversation {
    const conversation = context.state.conversations.get(id);
    if (!conversation) throw new ControlError(404, "UNKNOWN_CONVERSATION", "There is no conversation with this id.");
    action(conversation);
    return view(conversation);
  }
  const agentOf = (input: unknown): string | undefined => readOptionalText(readObject(input, ["agent"]), "agent");

  function customerSays(id: string, input: unknown): ControlConversation {
    return act(id, (conversation) => {
      const text = readText(readObject(input, ["text"]), "text");
      say(context, conversation, conversation.customer, { text, attachmentIds: [], cards: [] });
    });
  }

  function sendEvent(id: string, input: unknown): ControlConversation {
    return act(id, (conversation) => {
      const fields = readObject(input, ["eventType", "data"]);
      const { data } = fields;
      if (data !== undefined && (typeof data !== "object" || data === null)) throw badInput('"data" must be an object.');
      publish(context, conversation, readText(fields, "eventType"), data as JsonObject | undefined);
    });
  }

  return {
    conversation: (id) => act(id, () => undefined),
    accept: (id, input) => act(id, (conversation) => desk.accept(conversation, agentOf(input))),
    say: (id, input) => act(id, (conversation) => desk.say(conversation, readLine(input))),
    type: (id, input) => act(id, (conversation) => desk.type(conversation, readBoolean(readObject(input, ["isTyping"]), "isTyping"))),
    note: (id) => act(id, () => refuse("8x8 has no notes in a chat.")),
    transfer: (id, input) => act(id, (conversation) => desk.transfer(conversation, readText(readObject(input, ["to"]), "to"))),
    leave: (id, input) => act(id, (conversation) => desk.leave(conversation, agentOf(input))),
    close(id, input) {
      return act(id, (conversation) => {
        readObject(input, []);
        desk.close(conversation);
      });
    },
    reopen: (id) => act(id, desk.reopen),
    survey: (id) => act(id, () => refuse("8x8 sends no surveys through this API.")),
    openConversation: (input) => view(openConversation(context, input)),
    customerSays,
    sendEvent,
    ownActions: { "customer-says": customerSays, event: sendEvent },
  };
}

function refuse(reason: string): never {
  throw notPossible(reason);
}

/** The bot behind the webhook of the tenant's channel gets it. */
function openConversation(context: EightbyeightContext, input: unknown): Conversation {
  const fields = readObject(input, ["name", "text", "channel"]);
  const type = readOptionalText(fields, "channel") ?? "WebChat";
  const name = readOptionalText(fields, "name") ?? "Uma User";
  const text = readOptionalText(fields, "text");
  const { channels } = context.state;
  const own = [...channels.values()].find((channel) => channel.type === "ChatAPI" && channel.webhookId !== null);
  if (!own) throw notPossible("There is no channel with a webhook.");
  const { tenant, webhookId, queueId } = own;
  const known = [...channels.values()].find((channel) => channel.type === type && channel.tenant === tenant);
  const channel: Channel = known ?? { id: createId(), tenant, name: type, type, webhookId, queueId };
  channels.set(channel.id, channel);
  const conversation = addConversation(context, {
    tenant,
    channelId: channel.id,
    user: { name, language: "en" },
    assignment: { type: "webhook", id: channel.webhookId ?? "" },
    queueId: null,
  });
  publishUpdate(context, conversation);
  activate(context, conversation);
  context.changes.emit({ kind: "conversation", id: conversation.id });
  if (text !== undefined) say(context, conversation, conversation.customer, { text, attachmentIds: [], cards: [] });
  return conversation;
}
