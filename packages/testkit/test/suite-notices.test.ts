import { HandoverError, type HandoverConnection, type HandoverEvent, type QueueStatus } from "@handover/core";
import { createTestVendor } from "@handover/testkit";
import { afterAll, describe, expect, it } from "vitest";
import { createSqliteStore } from "../../store-sqlite/src/index.ts";
import { failedTests, withMistake, type Mistake } from "./broken-providers.ts";

const vendor = await createTestVendor();
afterAll(() => vendor.close());

interface Case {
  readonly mistake: string;
  readonly group: string;
  /** A part of the title of the test that must notice. */
  readonly noticed: string;
  readonly make: Mistake;
}

const cases: readonly Case[] = [
  {
    mistake: "gives old lines the time of the handover",
    group: "hand over",
    noticed: "should show each line of the transcript with its original time",
    make: (connection) => ({
      start: ({ transcript, ...request }, call) => {
        const sentAt = new Date().toISOString();
        return connection.start(
          { ...request, transcript: transcript.map(({ seq, message }) => ({ seq, message: { ...message, sentAt } })) },
          call,
        );
      },
    }),
  },
  {
    mistake: "loses the skills",
    group: "hand over",
    noticed: "should hand over routing exactly as it was given",
    make: (connection) => ({ start: (request, call) => connection.start({ ...request, options: {} }, call) }),
  },
  {
    mistake: "starts the transcript from behind",
    group: "hand over",
    noticed: "should keep the order of a transcript",
    make: (connection) => ({
      start: ({ transcript, ...request }, call) => connection.start({ ...request, transcript: transcript.toReversed() }, call),
    }),
  },
  {
    mistake: "mixes up ids that look alike",
    group: "hand over",
    noticed: 'should start, relay and end with the ids "a/b"',
    make: (connection) => ({
      start: async (request, call) => ({ ...(await connection.start(request, call)), references: ["conversation:one-for-all"] }),
    }),
  },
  {
    mistake: "tells a wrong type of file",
    group: "files",
    noticed: "should show files of every kind",
    make: (connection) => ({
      downloadAttachment: async (...given) => ({ ...(await downloadWith(connection, given)), type: "text/html" }),
    }),
  },
  {
    mistake: "shows the second of two files only",
    group: "files",
    noticed: "should show two files of one message in order",
    make: (connection) => ({
      translate: changed(connection, (event) =>
        event.type === "message-received" && event.message.attachments
          ? { ...event, message: { ...event.message, attachments: event.message.attachments.slice(-1) } }
          : event,
      ),
    }),
  },
  {
    mistake: "follows whatever link a message has",
    group: "files",
    noticed: "should fetch no file from where a forged link leads",
    make: (connection) => ({
      downloadAttachment: async (handover, attachment, call) => {
        if (attachment.url) await fetch(attachment.url);
        return downloadWith(connection, [handover, attachment, call]);
      },
    }),
  },
  {
    mistake: "reads a file of any size",
    group: "files",
    noticed: "should send nothing of a file that is too large",
    make: (connection) => ({
      sendMessage: async (handover, part, call) => {
        for (const { id } of part.message.attachments ?? []) await new Response((await call.readAttachment(id)).stream).arrayBuffer();
        return (await connection.sendMessage?.(handover, part, call)) ?? {};
      },
    }),
  },
  {
    mistake: "tries a file that is too large for ever",
    group: "files",
    noticed: "should send nothing of a file that is too large",
    make: () => ({
      sendMessage: async () => {
        throw new HandoverError({ code: "TOO_LARGE", message: "Too large.", isRetryable: true });
      },
    }),
  },
  {
    mistake: "calls a refusal completed",
    group: "translate",
    noticed: "should never call a refused request completed",
    make: (connection) => ({
      translate: changed(connection, (event) => (event.type === "ended" ? { ...event, reason: "completed" } : event)),
    }),
  },
  {
    mistake: "takes marks out of a text",
    group: "translate",
    noticed: "should keep what formats a text",
    make: (connection) => ({
      translate: changed(connection, (event) =>
        event.type === "message-received"
          ? { ...event, message: { ...event.message, text: (event.message.text ?? "").replaceAll(/[*_<>]/g, "") } }
          : event,
      ),
    }),
  },
  {
    mistake: "names people by their ids",
    group: "translate",
    noticed: "should name who comes, or nobody",
    make: (connection) => ({
      translate: changed(connection, (event) =>
        event.type === "agent-joined" ? { ...event, agent: { ...event.agent, name: event.agent.id ?? "" } } : event,
      ),
    }),
  },
  {
    mistake: "opens what is over when an older state comes",
    group: "translate",
    noticed: "should not let what was said before the end open it again",
    make: (connection) => ({
      translate: (handover, delivery) => {
        const translation = connection.translate?.(handover, delivery) ?? { events: [] };
        return handover.status === "ended" ? { ...translation, events: [{ type: "reopened" }] } : translation;
      },
    }),
  },
  {
    mistake: "gives seconds for milliseconds",
    group: "signals",
    noticed: "should give position and wait as the desk has them",
    make: (connection) => ({
      getQueueStatuses: async (...given) => {
        const statuses = (await connection.getQueueStatuses?.(...given)) ?? new Map<string, QueueStatus>();
        return new Map([...statuses].map(([id, status]) => [id, { ...status, estimatedWaitMs: (status.estimatedWaitMs ?? 0) / 1000 }]));
      },
    }),
  },
  {
    mistake: "tells only that a user has gone",
    group: "signals",
    noticed: "should tell the desk once that the user has gone",
    make: (connection) => ({
      setUserPresence: async (handover, isPresent, call) => {
        if (!isPresent) await connection.setUserPresence?.(handover, isPresent, call);
      },
    }),
  },
  {
    mistake: "shows typing without an end",
    group: "signals",
    noticed: "should show the user typing, and not typing any more",
    make: (connection) => ({ setTyping: async (handover, _isTyping, call) => connection.setTyping?.(handover, true, call) }),
  },
  {
    mistake: "keeps the answers to a survey",
    group: "signals",
    noticed: "should offer a survey and take its answers",
    make: () => ({ submitSurvey: async () => undefined }),
  },
  {
    mistake: "does not say what about a signature is wrong",
    group: "webhooks",
    noticed: "should say which algorithm and secret did not match",
    make: (connection) => ({
      receiveWebhook: async (request, call) =>
        (await connection.receiveWebhook?.(request, call).catch((cause: unknown) => {
          if (cause instanceof Error) cause.message = "Wrong.";
          throw cause;
        })) ?? { deliveries: [] },
    }),
  },
  {
    mistake: "gives messages no order",
    group: "with the runtime",
    noticed: "should show five messages in order that come in another",
    make: (connection) => ({
      receiveWebhook: async (request, call) => {
        const { deliveries } = (await connection.receiveWebhook?.(request, call)) ?? { deliveries: [] };
        return { deliveries: deliveries.map(({ order: _order, ...delivery }) => delivery) };
      },
    }),
  },
  {
    mistake: "is active as soon as somebody is assigned",
    group: "with the runtime",
    noticed: "should stay queued until somebody answers",
    make: (connection) => ({
      translate: changed(connection, (event) => (event.type === "agent-joined" ? { ...event, hasAccepted: true } : event)),
    }),
  },
];

describe("conformance suite", () => {
  it.each(cases.map((one): [string, Case] => [one.mistake, one]))(
    "should notice a provider that %s",
    async (_mistake, { group, noticed, make }) => {
      const run = { ...vendor, createStore: createSqliteStore, options: { skills: ["german"] } };
      const failed = await failedTests(run, withMistake(vendor.provider, make), [group], [noticed]);
      expect(failed).toEqual([expect.stringContaining(noticed)]);
    },
    30_000,
  );
});

it("should look at the routing of a handover when its options are given [F051, F150: the test vendor]", async () => {
  const run = { ...vendor, options: { queue: "returns & refunds", skills: ["german", "billing"], priority: "high" } };
  expect(await failedTests(run, vendor.provider, ["hand over"], ["routing"])).toEqual([]);
});

type Download = NonNullable<HandoverConnection["downloadAttachment"]>;

async function downloadWith(connection: HandoverConnection, given: Parameters<Download>): ReturnType<Download> {
  const content = await connection.downloadAttachment?.(...given);
  if (!content) throw new Error("The test vendor gave no file.");
  return content;
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
