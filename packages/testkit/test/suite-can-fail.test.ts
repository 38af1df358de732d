import { HandoverError, isWake, type HandoverConnection, type Message, type Started, type Translation } from "@handover/core";
import { createTestVendor } from "@handover/testkit";
import { afterAll, describe, expect, it } from "vitest";
import { createSqliteStore } from "../../store-sqlite/src/index.ts";
import { failedTests, withMistake, type Mistake } from "./broken-providers.ts";

const vendor = await createTestVendor();
afterAll(() => vendor.close());

interface Case {
  readonly mistake: string;
  readonly groups: readonly string[];
  readonly make: Mistake;
  /** A part of the title of each test that must notice. */
  readonly noticed: readonly string[];
}

const cases: readonly Case[] = [
  {
    mistake: "lacks an ability that it declares",
    groups: ["abilities"],
    make: () => ({ setTyping: undefined }) as never,
    noticed: ["should have every ability that it declares"],
  },
  {
    mistake: "shows our own messages to the user",
    groups: ["translate"],
    make: (connection) => ({
      translate: changed(connection, (event) => (event.type === "message-echoed" ? received("from the user") : event)),
    }),
    noticed: ["should not show our own messages"],
  },
  {
    mistake: "shows private notes to the user",
    groups: ["translate"],
    make: (connection) => ({ translate: changed(connection, (event) => (event.type === "desk-note" ? received(event.text) : event)) }),
    noticed: ["should never show a private note", "should not show a note either when the webhook is incomplete"],
  },
  {
    mistake: "takes an unknown audience for the user",
    groups: ["translate"],
    make: (connection) => ({ translate: trustsUnknownAudience(connection) }),
    noticed: ["should not show a note either when the webhook is incomplete"],
  },
  {
    mistake: "takes an assignment for an answer",
    groups: ["translate"],
    make: (connection) => ({
      translate: changed(connection, (event) => (event.type === "agent-joined" ? { ...event, hasAccepted: true } : event)),
    }),
    noticed: ["should not take an assignment for an answer"],
  },
  {
    mistake: "shows automations as people",
    groups: ["translate"],
    make: (connection) => ({ translate: changed(connection, asAgent) }),
    noticed: ["should show automatic messages as system"],
  },
  {
    mistake: "ends when an agent leaves",
    groups: ["translate"],
    make: (connection) => ({
      translate: changed(connection, (event) =>
        event.type === "agent-left" ? { type: "ended", reason: "abandoned", actor: "agent" } : event,
      ),
    }),
    noticed: ["should not end when an agent leaves"],
  },
  {
    mistake: "is impure",
    groups: ["translate"],
    make: (connection) => {
      let count = 0;
      return { translate: changed(connection, (event) => ({ ...event, atMs: (count += 1) })) };
    },
    noticed: ["should be pure"],
  },
  {
    mistake: "throws for what it does not know",
    groups: ["translate"],
    make: (connection) => ({
      translate: (handover, delivery) => {
        const translation = translateWith(connection, handover, delivery);
        if (translation.ignored === "unknown-event") throw new TypeError("unknown");
        return translation;
      },
    }),
    noticed: ["should survive webhooks of which something is missing"],
  },
  {
    mistake: "creates a second conversation when it is in doubt",
    groups: ["find a lost start"],
    make: (connection) => ({ start: (request, call) => connection.start(request, call).catch(() => connection.start(request, call)) }),
    noticed: ["should never open a second conversation"],
  },
  {
    mistake: "says that nothing was done when the answer was lost",
    groups: ["find a lost start"],
    make: (connection) => ({
      start: (request, call) =>
        connection.start(request, call).catch(() => {
          throw new HandoverError({ code: "LOST", message: "Lost.", isRetryable: true, outcome: "not-applied" });
        }),
    }),
    noticed: ["should never open a second conversation"],
  },
  {
    mistake: "saves its references too late",
    groups: ["start"],
    make: (connection) => ({ start: (request, call) => connection.start(request, { ...call, checkpoint: async () => undefined }) }),
    noticed: ["should save references that are known beforehand"],
  },
  {
    mistake: "forgets its progress",
    groups: ["start"],
    make: (connection) => ({ start: ({ resume: _forgotten, ...request }, call) => connection.start(request, call) }),
    noticed: ["should go on after a crash behind each checkpoint"],
  },
  {
    mistake: "finds a message by its text",
    groups: ["find a lost message"],
    make: () => ({ findSentMessage: async () => ({ vendorMessageId: "the-first-one" }) }),
    noticed: ["should not claim to have found", "should not take an earlier message"],
  },
  {
    mistake: "does not check signatures",
    groups: ["webhooks"],
    make: (connection) => ({
      receiveWebhook: async (request, call) => {
        const signature = vendor.backend.signWebhook(request.body);
        const received = await connection.receiveWebhook?.({ ...request, headers: { ...request.headers, ...signature } }, call);
        return received ?? { deliveries: [] };
      },
    }),
    noticed: ["should refuse a request without a signature", "should refuse a body with one other byte"],
  },
  {
    mistake: "reads only the first event of a body",
    groups: ["webhooks"],
    make: (connection) => ({
      receiveWebhook: async (request, call) => {
        const received = await connection.receiveWebhook?.(request, call);
        return { deliveries: received?.deliveries.slice(0, 1) ?? [] };
      },
    }),
    noticed: ["should read every event of a body"],
  },
  {
    mistake: "reads one page only",
    groups: ["catch up"],
    make: (connection) => ({
      catchUp: async (handover, cursor, call) => {
        const page = await connection.catchUp?.(handover, cursor, call);
        return { deliveries: page?.deliveries ?? [], cursor: page?.cursor ?? null, hasMore: false };
      },
    }),
    noticed: ["should find all of 150 missed messages"],
  },
  {
    mistake: "gives what it lists other ids than the webhooks",
    groups: ["catch up"],
    make: (connection) => ({
      catchUp: async (handover, cursor, call) => {
        const page = await connection.catchUp?.(handover, cursor, call);
        const deliveries = (page?.deliveries ?? []).map((delivery) => ({ ...delivery, id: `listed:${delivery.id ?? ""}` }));
        return { deliveries, cursor: page?.cursor ?? null, hasMore: page?.hasMore ?? false };
      },
    }),
    noticed: ["should give what came by webhook the same ids"],
  },
  {
    mistake: "leaves the conversation open when the user ends it",
    groups: ["end"],
    make: () => ({ end: async () => "ended" }),
    noticed: ["should end a conversation that still waits", "should end a conversation that an agent has"],
  },
  {
    mistake: "throws raw errors",
    groups: ["errors"],
    make: (connection) => ({
      start: (request, call) =>
        connection.start(request, call).catch(() => {
          throw new TypeError("Cannot read properties of undefined");
        }),
    }),
    noticed: ["should give typed errors for odd answers to a start"],
  },
  {
    mistake: "writes the user's words into its log",
    groups: ["start"],
    make: (connection) => ({
      start: (request, call) => {
        call.logger.debug(`starting for ${request.user?.email ?? ""}`);
        return connection.start(request, call);
      },
    }),
    noticed: ["should open one conversation"],
  },
  {
    mistake: "keeps a state that the store changes",
    groups: ["state"],
    make: (connection) => ({
      start: async (request, call): Promise<Started> => {
        const started = await connection.start(request, call);
        return { ...started, state: { ...(started.state as object), startedAt: new Date() } };
      },
    }),
    noticed: ["should give a state that is JSON"],
  },
  {
    mistake: "prints objects",
    groups: ["send messages"],
    make: (connection) => ({
      planMessage: (_handover, message) => [{ message, data: { text: `${message.text ?? ""} [object Object]` } }],
      sendMessage: async (handover, part, call) => (await connection.sendMessage?.(handover, part, call)) ?? {},
    }),
    noticed: ["should show every kind of message as readable text"],
  },
];

describe("conformance suite", () => {
  for (const { mistake, groups, make, noticed } of cases) {
    it(`should fail for a provider that ${mistake}`, async () => {
      const failed = await failedTests(vendor, withMistake(vendor.provider, make), groups);
      for (const title of noticed) expect(failed).toContainEqual(expect.stringContaining(title));
    });
  }

  it("should fail behind the runtime for a provider that creates a second conversation when it is in doubt", async () => {
    const mistake: Mistake = (connection) => ({
      start: (request, call) => connection.start(request, call).catch(() => connection.start(request, call)),
    });
    const withStore = { ...vendor, createStore: createSqliteStore };
    const failed = await failedTests(withStore, withMistake(vendor.provider, mistake), ["with the runtime"], ["answer", "relay", "once"]);
    expect(failed).toEqual([expect.stringContaining("should open one conversation although the answer")]);
  });

  it("should fail for a provider with an ability that it does not declare", async () => {
    const abilities = vendor.abilities.filter((name) => name !== "setTyping");
    const failed = await failedTests({ ...vendor, abilities }, vendor.provider, ["abilities"]);
    expect(failed).toEqual([expect.stringContaining("should have no ability that it does not declare")]);
  });
});

type Event = Translation["events"][number];
type Translate = NonNullable<HandoverConnection["translate"]>;

function translateWith(connection: HandoverConnection, ...[handover, delivery]: Parameters<Translate>): Translation {
  return connection.translate?.(handover, delivery) ?? { events: [] };
}

function changed(connection: HandoverConnection, change: (event: Event) => Event): Translate {
  return (handover, delivery) => {
    const translation = translateWith(connection, handover, delivery);
    return { ...translation, events: translation.events.map(change) };
  };
}

function trustsUnknownAudience(connection: HandoverConnection): Translate {
  return (handover, delivery) => {
    const translation = translateWith(connection, handover, delivery);
    if (translation.ignored !== "unknown-audience" || isWake(delivery)) return translation;
    const { data } = delivery.payload as unknown as { readonly data: { readonly message: { readonly text: string } } };
    return { events: [received(data.message.text)] };
  };
}

function asAgent(event: Event): Event {
  if (event.type !== "message-received") return event;
  return { ...event, message: { ...event.message, author: { role: "agent" } } };
}

function received(text: string): Event {
  const message: Message = { id: "message-of-a-mistake", author: { role: "agent" }, text, sentAt: "2026-01-01T00:00:00.000Z" };
  return { type: "message-received", message };
}
