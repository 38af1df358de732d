import { expect, it } from "vitest";
import { makeCall, makeContext, makeHandover } from "./__fixtures__/calls.ts";
import { catchUp } from "./eightbyeight-catch-up.ts";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import { conversationSchema, messagePageSchema } from "./eightbyeight-wire.ts";

/** A client that knows one conversation with these messages, newest first. */
function clientOf(messages: readonly object[]): EightbyeightClient {
  const known: Partial<EightbyeightClient> = {
    listMessages: async () => messagePageSchema.parse({ _embedded: { messages }, page: { number: 0, totalPages: 1 } }),
    listParticipants: async () => [],
    getConversation: async () => conversationSchema.parse({ id: "conversation-42", state: "active" }),
  };
  return known as EightbyeightClient;
}

it("should ignore lines that stand for messages of X, and take those whose field for them is empty", async () => {
  const author = { id: "ag1", type: "agent" };
  const createdAt = "2026-01-30T08:30:00Z";
  const messages = [
    { id: "m3", text: "after it", author, createdAt, externalProvider: null },
    { id: "m2", text: "on X", author, createdAt, externalProvider: { name: "X", externalMessageId: "1" } },
    { id: "m1", text: "before it", author, createdAt },
  ];
  const { deliveries } = await catchUp(clientOf(messages), makeContext(), makeHandover(), undefined, makeCall());
  expect(deliveries.flatMap(({ id }) => id ?? [])).toEqual(["message:m1", "message:m3"]);
});
