import { HandoverError, type Started, type StartCall, type StartRequest } from "@handover/core";
import { readCustomerValue, referencesOf } from "./eightbyeight-deliveries.ts";
import { asStartError } from "./eightbyeight-errors.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import { newState, type EightbyeightState } from "./eightbyeight-state.ts";
import type { WireConversation } from "./eightbyeight-wire.ts";

/**
 * Puts a conversation that 8x8's own channel holds into a queue. Customer and agent then talk through 8x8, and we only watch. Sections
 * 3.7 and 4.8 of the reference page.
 */
export async function takeOver(
  parts: EightbyeightParts,
  request: StartRequest<EightbyeightOptions>,
  marker: string,
  call: StartCall,
): Promise<Started<EightbyeightState>> {
  const { settings, client } = parts;
  const conversationId = request.options.conversationId ?? "";
  const queueId = request.options.queueId ?? settings.queueId;
  if (queueId === undefined) throw refused("QUEUE_MISSING", "A conversation of 8x8's own channel needs an 8x8 Queue Id to be put into.");
  try {
    const conversation = await client.getConversation(conversationId, call.signal);
    checkRole(parts, request, conversation);
    const { type, id } = conversation.assignment ?? {};
    const isThere = type === "agent" || (type === "queue" && id === queueId);
    await call.checkpoint({ references: referencesOf(conversationId) });
    if (!isThere) await client.changeConversation(conversationId, { assignment: { type: "queue", id: queueId } }, call.signal);
  } catch (error) {
    throw asStartError(error);
  }
  return {
    references: referencesOf(conversationId),
    state: newState({ conversationId, marker, relay: "none" }),
    transcriptThrough: request.transcript.at(-1)?.seq ?? 0,
    relay: "none",
  };
}

/** One conversation has one role: what we opened is relayed, and would be told twice. */
function checkRole({ settings }: EightbyeightParts, { options }: StartRequest<EightbyeightOptions>, conversation: WireConversation): void {
  const isOurs = readCustomerValue(conversation.user, settings.handoverIdKey) !== undefined;
  const isOnOurChannel = conversation.channelId === (options.channelId ?? settings.channelId);
  if (isOurs || isOnOurChannel) {
    throw refused(
      "CONVERSATION_HAS_OTHER_ROLE",
      "This conversation was opened through the channel of this connection: it is handed over already.",
    );
  }
}

function refused(code: string, message: string): HandoverError {
  return new HandoverError({ code, message, effect: "handover" });
}
