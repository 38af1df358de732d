import { describe, expect, it } from "vitest";
import { ProviderApiError, StateIncompatibleError, type HandoverConnection, type HandoverProvider } from "@handover/core";
import { createTestVendor, testVendorProvider } from "@handover/testkit";
import { z } from "zod";
import { useWorld } from "../runtime/support/use-world.ts";
import type { World, WorldOptions } from "../runtime/support/world.ts";
import { changedProvider } from "./support/changed-provider.ts";

const open = useWorld();

const errorLines = (opened: World) => opened.log.filter(({ level }) => level === "error");

/** Runs the test with an ear for rejections that nobody handles. */
async function withoutUnhandled(run: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", listen);
  try {
    await run();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off("unhandledRejection", listen);
  }
  expect(unhandled).toEqual([]);
}

type Change = (connection: HandoverConnection) => Partial<HandoverConnection>;

/** What is broken only for the conversation "bad"; whether it is is seen from the handover. */
const brokenParts: readonly { readonly part: string; readonly change: Change; readonly options?: WorldOptions }[] = [
  {
    part: "a translation that throws",
    change: (connection) => ({
      translate(handover, delivery) {
        if (handover.conversation === "bad") throw new TypeError("Cannot read properties of undefined");
        return connection.translate?.(handover, delivery) ?? { events: [] };
      },
    }),
  },
  {
    part: "a start that is refused for good",
    change: (connection) => ({
      start(request, call) {
        if (request.conversation === "bad") {
          return Promise.reject(new ProviderApiError({ message: "The desk does not know the inbox.", status: 422, effect: "handover" }));
        }
        return connection.start(request, call);
      },
    }),
  },
];

describe("a provider that is broken", () => {
  it.each(brokenParts)(
    "should cost one handover and nothing else: $part [F160 a translation that throws, a start that rejects]",
    ({ change }) =>
      withoutUnhandled(async () => {
        const opened = await open({ runtime: { providers: [changedProvider(change)] } });
        const { backend } = opened.vendor;
        // Everything comes twice, also what says that a message has arrived.
        backend.setFaults({ duplicateWebhookRate: 1 });
        const [bad, good] = [opened.record("bad"), opened.record("good")];
        for (const conversation of ["bad", "good"]) await opened.say(conversation, "1", `${conversation} needs an agent`);
        await good.untilStatus("queued");
        for (const conversation of ["bad", "good"]) await opened.say(conversation, "2", "hello desk");
        const ended = await bad.untilStatus("ended");
        expect(ended).toMatchObject({ reason: "failed" });
        expect(ended.text).toBeDefined();
        const isGood = ({ messages }: { readonly messages: readonly { readonly text: string }[] }) =>
          messages[0]?.text === "good needs an agent" && messages.at(-1)?.text === "hello desk";
        const all = await backend.waitFor((some) => some.some(isGood));
        await backend.agentSays(all.find(isGood)!.id, "hello user");
        await good.until("the agent", ({ text }) => text === "hello user");
        expect(good.statuses()).toEqual(["requested", "queued", "active"]);
        expect(good.lines().filter((line) => line.startsWith("agent"))).toEqual(["agent: hello user"]);
        await opened.say("bad", "3", "bot?");
        await bad.until("the bot", ({ text }) => text === "echo bot?");
        expect(bad.statuses().filter((status) => status.startsWith("ended"))).toEqual(["ended/failed"]);
      }),
  );
});

const brokenTranslation = changedProvider(() => ({
  translate() {
    throw new TypeError("Cannot read properties of undefined");
  },
}));
const unreadableState = changedProvider(() => ({
  translate() {
    throw new StateIncompatibleError({ message: "A newer release wrote this." });
  },
}));
const unplannable = () => ({
  planMessage() {
    throw new TypeError("Cannot read properties of undefined");
  },
});

const fieldsOf = (handover: string | undefined, code: string, vendorReference?: string) => ({
  handover,
  connection: "desk",
  provider: testVendorProvider.name,
  code,
  ...(vendorReference === undefined ? {} : { vendorReference }),
});
/** The fields of the error line with a code. */
async function lineOf(opened: World, code: string): Promise<Readonly<Record<string, unknown>>> {
  const find = () => errorLines(opened).find(({ fields }) => fields["code"] === code);
  await expect.poll(find, { timeout: 10_000 }).toBeDefined();
  return find()!.fields;
}

describe("a failure [F124]", () => {
  const refusal = (): Promise<never> =>
    Promise.reject(
      new ProviderApiError({
        code: "INBOX_UNKNOWN",
        message: "The desk does not know the inbox.",
        status: 422,
        effect: "handover",
        vendorReferenceId: "request-4711",
      }),
    );
  const failures: readonly {
    readonly what: string;
    readonly options: WorldOptions;
    readonly prepare?: (opened: World) => void;
    readonly code: string;
    /** What the vendor said about the failed call, for its support. */
    readonly vendorReference?: string;
  }[] = [
    {
      what: "a start that is refused",
      options: { runtime: { providers: [changedProvider(() => ({ start: refusal }))] } },
      code: "INBOX_UNKNOWN",
      vendorReference: "request-4711",
    },
    {
      what: "a start whose outcome nobody knows",
      options: { vendor: { abilities: { findStarted: false, receiveWebhook: false, catchUp: false } }, timing: { callTimeoutMs: 300 } },
      prepare: (opened) => opened.vendor.backend.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 }),
      code: "START_IN_DOUBT",
    },
    {
      what: "a translation that throws",
      options: { runtime: { providers: [brokenTranslation] } },
      code: "TRANSLATION_FAILED",
    },
    {
      what: "a state that cannot be read",
      options: { runtime: { providers: [unreadableState] } },
      code: "STATE_INCOMPATIBLE",
    },
    {
      what: "a wrong key",
      options: {},
      prepare: (opened) => opened.vendor.backend.rotateApiKey("another key"),
      code: "AUTHENTICATION_FAILED",
    },
    {
      what: "a desk that does not answer in time",
      options: { timing: { startTimeoutMs: 100 } },
      prepare: (opened) => opened.vendor.backend.setFaults({ failRate: 1, status: 503 }),
      code: "VENDOR_FAILED",
    },
  ];

  it.each(failures)(
    "should write one error line with handover, provider, connection, the vendor's reference and the code that the status has, too: $what",
    async ({ options, prepare, code, vendorReference }) => {
      const opened = await open(options);
      prepare?.(opened);
      const chat = opened.record("c");
      await opened.say("c", "1", "agent");
      const ended = await chat.untilStatus("ended");
      expect(ended).toMatchObject({ reason: "failed", cause: { actor: "system", code } });
      expect(errorLines(opened)).toEqual([
        expect.objectContaining({ fields: expect.objectContaining(fieldsOf(ended.handover, code, vendorReference)) as unknown }),
      ]);
      expect(await lineOf(opened, code)).toMatchObject(fieldsOf(ended.handover, code, vendorReference));
    },
  );

  const refused = new ProviderApiError({
    code: "TEXT_REFUSED",
    message: "The desk refuses the text.",
    status: 422,
    vendorReferenceId: "r-1",
  });
  it.each([
    {
      what: "a message that is refused",
      change: () => ({ sendMessage: () => Promise.reject(refused) }),
      code: "TEXT_REFUSED",
      vendorReference: "r-1",
    },
    { what: "a message that cannot be planned", change: unplannable, code: "PLANNING_FAILED" },
  ])("should write one error line, too, and the notice has the code: $what", async ({ change, code, vendorReference }) => {
    const opened = await open({ runtime: { providers: [changedProvider(change)] } });
    const chat = opened.record("c");
    const { handover } = await opened.runtime.requestHandover({ endpoint: "web", conversation: "c" });
    await chat.untilStatus("queued");
    await opened.say("c", "1", "hello desk");
    const notice = await chat.until("the notice", ({ event }) => event === "message-failed");
    expect(notice).toMatchObject({ handover, cause: { code } });
    expect(errorLines(opened)).toHaveLength(1);
    expect(await lineOf(opened, code)).toMatchObject(fieldsOf(handover, code, vendorReference));
  });

  it("should write one error line, too, about an end that the desk refuses", async () => {
    const provider = changedProvider(() => ({ end: () => Promise.reject(refused) }));
    const opened = await open({ runtime: { providers: [provider] } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const { handover } = await opened.runtime.endHandover({ endpoint: "web", conversation: "c" });
    await chat.untilStatus("ended");
    expect(await lineOf(opened, "TEXT_REFUSED")).toMatchObject(fieldsOf(handover, "TEXT_REFUSED", "r-1"));
    expect(errorLines(opened)).toHaveLength(1);
  });
});

describe("a stored state [F163]", () => {
  /** The provider as another release would have it. */
  const release = (version: number, readable: readonly number[]): HandoverProvider => ({
    ...(testVendorProvider as unknown as HandoverProvider),
    state: { version, schemas: Object.fromEntries(readable.map((one) => [one, testVendorProvider.state.schemas[2] ?? z.never()])) },
  });

  /** A world in which the connection "theirs" belongs to another provider, or release, after a restart. */
  async function openReleases(first: HandoverProvider) {
    const current = { provider: first };
    const theirs = await createTestVendor();
    const opened = await open({
      others: { theirs },
      handover: { connections: ["theirs"] },
      runtime: {
        get providers() {
          return [current.provider];
        },
        get connections() {
          return { theirs: { provider: current.provider.name, settings: theirs.settings } };
        },
      },
    });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const [ticket] = await theirs.backend.waitFor(([one]) => one?.messages.length === 2);
    return {
      opened,
      backend: theirs.backend,
      ticket: ticket!.id,
      async restartWith(provider: HandoverProvider) {
        current.provider = provider;
        await opened.restart();
        return opened.record("c");
      },
    };
  }

  it("should be read when the release before wrote it", async () => {
    const { opened, backend, ticket, restartWith } = await openReleases(release(2, [1, 2]));
    const chat = await restartWith(release(3, [2, 3]));
    await backend.agentSays(ticket, "hello");
    await opened.say("c", "2", "hello agent");
    await chat.until("the agent", ({ text }) => text === "hello");
    await backend.waitFor(([one]) => one?.messages.some(({ text }) => text === "hello agent") ?? false);
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
  });

  const another: HandoverProvider = { ...release(2, [2]), name: "another-vendor" };

  it.each([
    { who: "a newer release", first: release(3, [2, 3]), then: release(2, [1, 2]), whoActs: "the agent" },
    { who: "a newer release", first: release(3, [2, 3]), then: release(2, [1, 2]), whoActs: "the user" },
    { who: "another provider", first: another, then: release(2, [2]), whoActs: "the agent" },
  ])("should end its handover with a text when $who wrote it and $whoActs is the first to write", async ({ first, then, whoActs }) => {
    const { opened, backend, ticket, restartWith } = await openReleases(first);
    const chat = await restartWith(then);
    if (whoActs === "the agent") await backend.agentSays(ticket, "hello");
    else await opened.say("c", "2", "hello?");
    const ended = await chat.untilStatus("ended");
    expect(ended).toMatchObject({ reason: "failed", cause: { code: "STATE_INCOMPATIBLE" } });
    expect(ended.text).toBeDefined();
    await opened.say("c", "3", "bot?");
    await chat.until("the bot", ({ text }) => text === "echo bot?");
  });

  it("should stay with the connection that wrote it when the endpoint goes to another one", async () => {
    const night = await createTestVendor();
    const connections = ["desk", "night"];
    const opened = await open({
      others: { night },
      handover: {
        get connections() {
          return [...connections];
        },
      },
    });
    const first = opened.record("c");
    await opened.say("c", "1", "agent");
    await first.untilStatus("queued");
    const [ticket] = await opened.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
    connections.shift();
    await opened.restart();
    const chat = opened.record("c");
    await opened.vendor.backend.agentSays(ticket!.id, "hello");
    await chat.until("the agent", ({ text }) => text === "hello");
    await opened.say("c", "2", "hello agent");
    await opened.vendor.backend.waitFor(([one]) => one?.messages.at(-1)?.text === "hello agent");
    await opened.vendor.backend.agentCloses(ticket!.id);
    await chat.untilStatus("ended");
    expect(night.backend.conversations()).toEqual([]);
    await opened.say("c", "3", "agent");
    await chat.untilStatus("queued", 2);
    expect(night.backend.conversations()).toHaveLength(1);
  });
});
