import { randomBytes } from "node:crypto";
import {
  parseConfig,
  type AuthorRole,
  type HandoverProvider,
  type Json,
  type Message,
  type StartRequest,
  type TranscriptEntry,
} from "@handover/core";
import { userMark } from "./secrets.ts";

/** What may be set about a start. */
export type RequestOverrides = Partial<StartRequest>;

let lastMessage = 0;

/** A word that stands in every text of a user. */
export function conversationText(): string {
  return userMark;
}

/** A message as the runtime has it. */
export function newMessage(content: Partial<Message> & { readonly role?: AuthorRole } = {}): Message {
  const { role = "user", ...rest } = content;
  lastMessage += 1;
  return { id: `message-${lastMessage}`, author: { role }, sentAt: new Date().toISOString(), ...rest };
}

/** A transcript whose lines are by turns of the user and the bot, the last one of the bot. */
export function newTranscript(count: number): TranscriptEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const role = (count - index) % 2 === 0 ? "user" : "bot";
    return { seq: index + 1, message: newMessage({ role, text: `line ${index + 1} of the ${role}, ${userMark}` }) };
  });
}

/** A request to start, with new ids. */
export function newRequest(
  provider: HandoverProvider,
  options: Readonly<Record<string, Json>>,
  overrides: RequestOverrides = {},
): StartRequest {
  const suffix = randomBytes(6).toString("hex");
  return {
    handoverId: `handover-${suffix}`,
    ordinal: 1,
    attempt: 1,
    conversation: `conversation-${suffix}`,
    endpoint: "conformance",
    user: { id: `user-${suffix}`, name: `Ada ${userMark}`, email: `${userMark.toLowerCase()}@example.com`, isVerified: true },
    options: parseConfig(provider.options, options, "options of the suite"),
    transcript: newTranscript(2),
    ...overrides,
  };
}
