import type { Call, Handover, Message, MessagePart, SentPart } from "@handover/core";
import { messageAsText, splitText } from "@handover/provider-utils";
import { vendorLimits } from "../vendor-limits.ts";
import type { TestVendorClient } from "./test-vendor-client.ts";
import type { TestVendorOptions } from "./test-vendor-settings.ts";
import type { TestVendorState } from "./test-vendor-state.ts";

type Conversation = Handover<TestVendorOptions, TestVendorState>;

/** The desk shows text only: everything else becomes text, and long texts become several messages. */
export function planMessage(_handover: Conversation, message: Message): readonly MessagePart[] {
  return splitText(messageAsText(message), vendorLimits.textCharacters, "characters").map((text) => ({ message, data: { text } }));
}

/** Sends one part. Its external id is the idempotency key, so that it can be found again. */
export async function sendMessage(client: TestVendorClient, handover: Conversation, part: MessagePart, call: Call) {
  const { id } = await client.createMessage({
    conversation: handover.state.conversation,
    json: { author: authorOf(part.message), text: textOf(part), at: part.message.sentAt, external_id: call.idempotencyKey },
    signal: call.signal,
  });
  return { vendorMessageId: id };
}

/** Looks for a message by the key under which it was sent. */
export async function findSentMessage(client: TestVendorClient, handover: Conversation, sent: SentPart, call: Call) {
  const { items } = await client.findMessages(handover.state.conversation, sent.idempotencyKey, call.signal);
  const found = items[0];
  return found ? { vendorMessageId: found.id } : "absent";
}

/** The vendor's word for who wrote a message. */
export function authorOf(message: Message): "customer" | "bot" | "agent" | "automation" {
  const { role } = message.author;
  return role === "user" ? "customer" : role === "system" ? "automation" : role;
}

function textOf(part: MessagePart): string {
  const { text } = (part.data ?? {}) as { text?: string };
  return text ?? messageAsText(part.message);
}
