import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { aProvider } from "./__fixtures__/a-provider.ts";
import type {
  AgentLeftEvent,
  Availability,
  DeliveryChangedEvent,
  EndActor,
  EndedEvent,
  EndReason,
  Handover,
  HandoverConnection,
} from "./index.ts";
import type { Attachment, Author, HandoverEvent, Message, MessagePart, QueueInfo, QueueStatus, StartRequest, User } from "./index.ts";
import { isHandoverProvider } from "./index.ts";

/** The types of what is checked here hold when the compiler accepts this file: `npm run typecheck` is the test. */
describe("what the types make impossible", () => {
  it("should have no place for an error beside the reason of an end [F059 core part: types]", () => {
    expectTypeOf<keyof EndedEvent>().toEqualTypeOf<"type" | "atMs" | "reason" | "actor" | "vendorReason" | "error">();
    // @ts-expect-error an end that is called completed cannot carry an error
    const event: EndedEvent = { type: "ended", reason: "completed", actor: "agent", error: { message: "refused" } };
    expect(event.reason).toBe("completed");
    expectTypeOf<Extract<EndReason, "unavailable" | "failed">>().toEqualTypeOf<"unavailable" | "failed">();
    // @ts-expect-error Cognigy's word for a failed request is no reason here
    const reason: EndReason = "error";
    expect(reason).toBe("error");
  });

  it("should ask of every end for one reason and for who brought it about [F080 core part: types]", () => {
    expectTypeOf<EndReason>().toEqualTypeOf<"completed" | "cancelled" | "abandoned" | "unavailable" | "timed-out" | "failed">();
    expectTypeOf<EndActor>().toEqualTypeOf<"user" | "agent" | "bot" | "system">();
    expectTypeOf<Pick<EndedEvent, "reason" | "actor">>().toEqualTypeOf<{ readonly reason: EndReason; readonly actor: EndActor }>();
  });

  it("should keep the leaving of an agent apart from the end [F058 core part: types]", () => {
    expectTypeOf<AgentLeftEvent["type"]>().toEqualTypeOf<"agent-left">();
    expectTypeOf<AgentLeftEvent>().not.toHaveProperty("reason");
  });

  it("should ask for an author on every message, and know human beings from machines [F088 core part: types, F152 core part: types]", () => {
    expectTypeOf<Message["author"]>().toEqualTypeOf<Author>();
    expectTypeOf<Author["role"]>().toEqualTypeOf<"user" | "bot" | "agent" | "system">();
    // @ts-expect-error a message without an author
    const message: Message = { id: "m1", text: "Hello", sentAt: "2026-11-20T10:00:00.000Z" };
    expect(message).not.toHaveProperty("author");
  });

  it("should have ids as strings, never as numbers [F086 core part: types]", () => {
    expectTypeOf<[Message["id"], User["id"], Handover["id"], Handover["conversation"], Handover["references"][number]]>().toEqualTypeOf<
      [string, string, string, string, string]
    >();
    expectTypeOf<Author["id"]>().toEqualTypeOf<string | undefined>();
  });

  it("should say how a text is to be read [F095 core part: types]", () => {
    expectTypeOf<Message["format"]>().toEqualTypeOf<"plain" | "markdown" | undefined>();
  });

  it("should ask for name and type of every file [F132 core part: types]", () => {
    expectTypeOf<Pick<Attachment, "name" | "type">>().toEqualTypeOf<{ readonly name: string; readonly type: string }>();
  });

  it("should hand over the whole transcript with its authors, the options and a summary [F016 core part: types]", () => {
    expectTypeOf<StartRequest["transcript"]>().toEqualTypeOf<readonly { readonly seq: number; readonly message: Message }[]>();
    expectTypeOf<StartRequest<{ inboxId?: string }>["options"]>().toEqualTypeOf<{ inboxId?: string }>();
    expectTypeOf<StartRequest["summary"]>().toEqualTypeOf<string | undefined>();
  });

  it("should send one part with one call and learn one vendor id from it [F009 core part: types]", () => {
    type Send = NonNullable<HandoverConnection["sendMessage"]>;
    expectTypeOf<Parameters<Send>[1]>().toEqualTypeOf<MessagePart>();
    expectTypeOf<Awaited<ReturnType<Send>>>().toEqualTypeOf<{ readonly vendorMessageId?: string }>();
  });

  it("should have a state for messages that could not be delivered, in both directions [F012 core part: types]", () => {
    expectTypeOf<DeliveryChangedEvent["status"]>().toEqualTypeOf<"delivered" | "read" | "failed">();
    expectTypeOf<Parameters<NonNullable<HandoverConnection["reportDelivery"]>>[1]["status"]>().toEqualTypeOf<
      "delivered" | "read" | "failed"
    >();
  });

  it("should have units in the names of numbers, and no number for what is unknown [F142 core part: types, F141 core part: types]", () => {
    expectTypeOf<QueueInfo>().toEqualTypeOf<{
      readonly position?: number;
      readonly estimatedWaitMs?: number;
      readonly name?: string;
      readonly text?: string;
    }>();
    expectTypeOf<QueueStatus["validForMs"]>().toEqualTypeOf<number>();
  });

  it("should know three answers to the question whether somebody is there [F147 core part: types]", () => {
    expectTypeOf<Availability["status"]>().toEqualTypeOf<"available" | "unavailable" | "unknown">();
  });

  it("should have every vendor event under one kebab-case name", () => {
    expectTypeOf<HandoverEvent["type"]>().toEqualTypeOf<
      | "queued"
      | "queue-updated"
      | "agent-joined"
      | "agent-left"
      | "transferred"
      | "agent-updated"
      | "message-received"
      | "message-changed"
      | "message-echoed"
      | "typing-changed"
      | "delivery-changed"
      | "survey-offered"
      | "desk-note"
      | "reopened"
      | "ended"
    >();
  });
});

describe("a provider object", () => {
  it("should need nothing but start to be a connection", () => {
    type RequiredKeys<Type> = { [Key in keyof Type]-?: object extends Pick<Type, Key> ? never : Key }[keyof Type];
    expectTypeOf<RequiredKeys<HandoverConnection>>().toEqualTypeOf<"accountKey" | "start">();
    expect(isHandoverProvider(aProvider())).toBe(true);
  });

  it.each(["specificationVersion", "name", "title", "settings", "options", "state", "connect"] as const)(
    "should be none without %s",
    (member) => {
      const provider = Object.fromEntries(Object.entries(aProvider()).filter(([key]) => key !== member));
      expect(isHandoverProvider(provider)).toBe(false);
    },
  );

  it.each(["Live-Agent", "live_agent", "live agent", "-live", "live--agent", "../live", ""])("should be none with the name %j", (name) => {
    expect(isHandoverProvider(aProvider({ name }))).toBe(false);
  });

  it.each([undefined, null, 7, "live-agent", () => aProvider()])("should be an object, not %s", (value) => {
    expect(isHandoverProvider(value)).toBe(false);
  });
});

it("should know no channel by name [F172 core part]", () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" }).filter((file) => /(?<!\.test)\.ts$/.test(file));
  expect(sources.length).toBeGreaterThan(20);
  for (const file of sources) {
    const source = readFileSync(`${import.meta.dirname}/${file}`, "utf8");
    expect(source, file).not.toMatch(/whatsapp|messenger|telegram|webchat|web chat|slack|\bsms\b|\bvoice\b|viber|instagram/i);
  }
});
