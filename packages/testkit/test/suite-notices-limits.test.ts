import {
  HandoverError,
  ProviderApiError,
  UnavailableError,
  type HandoverConnection,
  type HandoverEvent,
  type HandoverProvider,
  type ProviderContext,
  type QueueStatus,
} from "@handover/core";
import { createTestVendor } from "@handover/testkit";
import { request, type Dispatcher } from "undici";
import { afterAll, describe, expect, it } from "vitest";
import { failedTests, withMistake, type Mistake } from "./broken-providers.ts";

const vendor = await createTestVendor();
const withTokens = await createTestVendor({ tokenLifetimeMs: 120_000 });
afterAll(async () => {
  await vendor.close();
  await withTokens.close();
});

interface Case {
  readonly mistake: string;
  readonly group: string;
  /** A part of the title of the test that must notice. */
  readonly noticed: string;
  readonly make: Mistake;
}

const cases: readonly Case[] = [
  {
    mistake: "keeps the status of a refusal to itself",
    group: "answers",
    noticed: "should keep status, code and reference of a refusal",
    make: (connection) => ({ start: (request, call) => connection.start(request, call).catch(asPlainError) }),
  },
  {
    mistake: "loses the vendor's reference of a refusal",
    group: "answers",
    noticed: "should keep status, code and reference of a refusal",
    make: (connection) => ({
      sendMessage: (handover, part, call) =>
        sendWith(connection, handover, part, call).catch((error: unknown) => {
          throw new ProviderApiError({ message: "Refused.", status: ProviderApiError.isInstance(error) ? (error.status ?? 0) : 0 });
        }),
    }),
  },
  {
    mistake: "calls a message refused that was taken without a word",
    group: "answers",
    noticed: "should not call a message refused whose success has no body",
    make: (connection) => ({ sendMessage: (handover, part, call) => sendWith(connection, handover, part, call).catch(asPlainError) }),
  },
  {
    mistake: "wants a body from every success",
    group: "answers",
    noticed: "should keep status, code and reference of a refusal",
    make: () => ({
      end: async () => {
        throw new ProviderApiError({ message: "It is empty.", status: 200 });
      },
    }),
  },
  {
    mistake: "keeps the oldest lines of a long transcript only",
    group: "long transcripts",
    noticed: "should hand over a transcript of ten times the limit",
    make: (connection) => ({
      start: async (request, call) => ({ ...(await connection.start(request, call)), transcriptThrough: request.transcript.length }),
    }),
  },
  {
    mistake: "cuts long lines where it likes",
    group: "long transcripts",
    noticed: "should split a line of a transcript that is too long at the ends of its lines",
    make: () => ({
      planMessage: (_handover, message) =>
        (message.text?.match(/[^]{1,990}/g) ?? []).map((text) => ({ message: { ...message, text }, data: { text } })),
    }),
  },
  {
    mistake: "keeps attributes of the user to itself",
    group: "hand over",
    noticed: "should hand over what is known of the user",
    make: (connection) => ({
      start: ({ user, ...request }, call) => {
        const { attributes: _attributes, ...known } = user ?? { id: "nobody" };
        return connection.start({ ...request, user: known }, call);
      },
    }),
  },
  {
    mistake: "says nothing of skills that nobody has",
    group: "hand over",
    noticed: "should name what the desk has",
    make: (connection) => ({
      start: (request, call) => connection.start(request, { ...call, logger: { ...call.logger, warn: () => undefined } }),
    }),
  },
  {
    mistake: "looks for a lost start among the latest only",
    group: "find a lost start",
    noticed: "should find a lost start among many conversations",
    make: () => ({ findStarted: async () => "absent" }),
  },
  {
    mistake: "reads one page of what has changed",
    group: "catch up",
    noticed: "should name all of 30 conversations",
    make: (connection) => ({ findChanged: async (...given) => (await connection.findChanged?.(...given))?.slice(0, 20) ?? [] }),
  },
  {
    mistake: "asks for the queue twice for each who waits",
    group: "signals",
    noticed: "should ask for the queue of 20 handovers at once",
    make: (connection) => ({
      getQueueStatuses: async (handovers, call) => {
        const found: [string, QueueStatus][] = [];
        for (const one of [...handovers, ...handovers]) found.push(...((await connection.getQueueStatuses?.([one], call)) ?? []));
        return new Map(found);
      },
    }),
  },
  {
    mistake: "says that who is asked for does not exist when a call is given up",
    group: "signals",
    noticed: "should give up a slow name service",
    make: (connection) => ({
      getAgentProfile: async (id, call) => (await connection.getAgentProfile?.(id, call).catch(() => undefined)) ?? { id },
    }),
  },
  {
    mistake: "gives every message the first agent's name",
    group: "translate",
    noticed: "should give each message its own author",
    make: (connection) => ({ translate: changed(connection, asRobin) }),
  },
  {
    mistake: "asks with the user's words in the query",
    group: "addresses",
    noticed: "should put no secret and no word of a user into any URL",
    make: (connection) => ({
      sendMessage: async (handover, part, call) => {
        await connection.getAgentProfile?.(part.message.text ?? "", call).catch(() => undefined);
        return sendWith(connection, handover, part, call);
      },
    }),
  },
];

describe("conformance suite", () => {
  it.each(cases.map((one): [string, Case] => [one.mistake, one]))(
    "should notice a provider that %s",
    async (_mistake, { group, noticed, make }) => {
      expect(await failedTests(vendor, vendor.provider, [group], [noticed]), "without the mistake").toEqual([]);
      const failed = await failedTests(vendor, withMistake(vendor.provider, make), [group], [noticed]);
      expect(failed).toEqual([expect.stringContaining(noticed)]);
    },
    30_000,
  );

  it.each<[string, Change]>([
    ["should fetch a file from the vendor only", followsLinks()],
    ["should renew tokens before they run out", withClock(() => ({ now: () => 0 }))],
    ["should renew tokens before they run out", connectingEachTime()],
  ])("should notice by %j what is wrong with a whole connection", async (noticed, change) => {
    const groups = ["addresses", "access tokens"];
    const failed = await failedTests(withTokens, change(withTokens.provider), groups, [noticed]);
    expect(failed).toEqual([expect.stringContaining(noticed)]);
  });
});

type Change = (provider: HandoverProvider) => HandoverProvider;

/** Takes the clock that the host gives for another one. */
function withClock(make: (clock: ProviderContext["clock"]) => ProviderContext["clock"]): Change {
  return (provider) => ({
    ...provider,
    connect: (settings, context) => provider.connect(settings, { ...context, clock: make(context.clock) }),
  });
}

/** Has nothing that two calls share, the token among it. */
function connectingEachTime(): Change {
  return (provider) => ({
    ...provider,
    connect(settings, context) {
      const fresh = () => provider.connect(settings, context);
      return { ...fresh(), sendMessage: (handover, part, call) => sendWith(fresh(), handover, part, call) };
    },
  });
}

/** Goes wherever a file is said to be, on the way that the host gives. */
function followsLinks(): Change {
  return (provider) => ({
    ...provider,
    connect(settings, context) {
      const connection = provider.connect(settings, context);
      return {
        ...connection,
        async downloadAttachment(handover, attachment, call) {
          if (attachment.url) await request(attachment.url, { dispatcher: context.dispatcher as Dispatcher }).catch(() => undefined);
          const content = await connection.downloadAttachment?.(handover, attachment, call);
          if (!content) throw new UnavailableError({ message: "There is no file." });
          return content;
        },
      };
    },
  });
}

type Send = NonNullable<HandoverConnection["sendMessage"]>;

async function sendWith(connection: HandoverConnection, ...given: Parameters<Send>): ReturnType<Send> {
  return (await connection.sendMessage?.(...given)) ?? {};
}

function asPlainError(): never {
  throw new HandoverError({ code: "REFUSED", message: "Refused.", outcome: "not-applied" });
}

function asRobin(event: HandoverEvent): HandoverEvent {
  if (event.type !== "message-received" || event.message.author.role !== "agent") return event;
  return { ...event, message: { ...event.message, author: { role: "agent", id: "agent-1", name: "Robin" } } };
}

function changed(
  connection: HandoverConnection,
  change: (event: HandoverEvent) => HandoverEvent,
): NonNullable<HandoverConnection["translate"]> {
  return (handover, delivery) => {
    const translation = connection.translate?.(handover, delivery) ?? { events: [] };
    return { ...translation, events: translation.events.map(change) };
  };
}
