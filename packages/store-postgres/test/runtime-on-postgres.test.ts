import { createHandoverRuntime } from "@handover/runtime";
import type { HandoverRuntime } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { createTestVendor } from "@handover/testkit";
import type { TestVendor, TestVendorOptions } from "@handover/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { record } from "../../../test/runtime/support/recorder.ts";
import type { Recorder } from "../../../test/runtime/support/recorder.ts";
import { startWebhookServer } from "../../../test/runtime/support/webhook-server.ts";
import { echoBot, quickTiming } from "../../../test/runtime/support/world.ts";
import { newTestSchema, withoutPostgres } from "./support/use-postgres.ts";
import type { TestSchema } from "./support/use-postgres.ts";

const missing = await withoutPostgres();

/** Two instances on one database, behind a load balancer that takes them in turn. */
interface Pair {
  readonly vendor: TestVendor;
  /** The instances that run, the one whose turn it is first. */
  runtimes(): readonly HandoverRuntime[];
  say(conversation: string, id: string, text: string): Promise<{ readonly seq: number }>;
  /** One recorder on each instance that runs. */
  record(conversation: string): readonly Recorder[];
  stop(index: number): Promise<void>;
  start(index: number): Promise<void>;
}

async function openPair(options?: TestVendorOptions): Promise<Pair> {
  const schema = await newTestSchema();
  const vendor = await createTestVendor(options);
  const instances: (HandoverRuntime | undefined)[] = [undefined, undefined];
  const recorders: Recorder[] = [];
  let turn = 0;
  const running = () => instances.filter((runtime) => runtime !== undefined);
  const inTurn = () => {
    turn += 1;
    const all = running();
    return [...all.slice(turn % all.length), ...all.slice(0, turn % all.length)];
  };
  const next = () => {
    const [runtime] = inTurn();
    if (!runtime) throw new Error("No instance runs.");
    return runtime;
  };
  const server = await startWebhookServer((request) => next().handleWebhook("desk", request));
  const start = async (index: number) => {
    instances[index] = await startInstance(schema, vendor, server.url);
  };
  const stop = async (index: number) => {
    const stopping = instances[index];
    instances[index] = undefined;
    await stopping?.stop();
  };
  onTestFinished(async () => {
    for (const recorder of recorders) recorder.stop();
    await Promise.all([stop(0), stop(1)]);
    await server.close();
    await vendor.close();
  });
  await Promise.all([start(0), start(1)]);
  const [{ webhookUrl } = {}] = next().connections();
  vendor.backend.setWebhookUrl(webhookUrl);
  return {
    vendor,
    runtimes: inTurn,
    say: (conversation, id, text) => next().receiveMessage({ endpoint: "web", conversation, message: { id, text } }),
    record(conversation) {
      const both = running().map((runtime) => record(runtime, { endpoint: "web", conversation }));
      recorders.push(...both);
      return both;
    },
    stop,
    start,
  };
}

async function startInstance({ connectionString, schema }: TestSchema, vendor: TestVendor, publicUrl: string): Promise<HandoverRuntime> {
  const runtime = await createHandoverRuntime({
    store: createPostgresStore({ connectionString, schema, poolSize: 5 }),
    providers: [vendor.provider],
    connections: { desk: { provider: vendor.provider.name, settings: vendor.settings } },
    endpoints: [{ token: "web", bot: echoBot, handover: { connections: ["desk"] } }],
    publicUrl,
    // Short leases: what an instance could not give back is taken over soon.
    timing: quickTiming,
  });
  await runtime.start();
  return runtime;
}

const agentLines = (recorder: Recorder) =>
  recorder
    .lines()
    .filter((line) => line.startsWith("agent: "))
    .map((line) => line.slice("agent: ".length));

/** The ticket of a conversation, known by what its user said first. */
async function ticketOf({ vendor }: Pair, conversation: string): Promise<string> {
  const isIts = (text: string) => text === `agent for ${conversation}`;
  const find = () => vendor.backend.conversations().filter(({ messages }) => messages.some(({ text }) => isIts(text)));
  await vendor.backend.waitFor(() => find().length > 0, { timeoutMs: 15_000 });
  expect(find()).toHaveLength(1);
  return find()[0]?.id ?? "";
}

const liveLines = ({ vendor }: Pair, ticket: string) =>
  vendor.backend
    .conversations()
    .find(({ id }) => id === ticket)
    ?.messages.filter(({ author, text }) => author === "user" && text.startsWith("line "))
    .map(({ text }) => text);

describe.skipIf(missing)("two runtimes on one PostgreSQL", () => {
  it("should both see the current state at every step of a handover that alternates between them [F155]", async () => {
    const pair = await openPair();
    const both = pair.record("c");
    const [first, second] = both as [Recorder, Recorder];
    const seen = (status: string) => Promise.all(both.map((recorder) => recorder.untilStatus(status)));
    await pair.say("c", "1", "hello");
    await Promise.all(both.map((recorder) => recorder.until("the bot", ({ text }) => text === "echo hello")));
    await pair.say("c", "2", "agent for c");
    await seen("queued");
    const ticket = await ticketOf(pair, "c");
    for (const runtime of pair.runtimes()) await runtime.requestHandover({ endpoint: "web", conversation: "c" });
    await pair.vendor.backend.agentAccepts(ticket);
    await pair.vendor.backend.agentSays(ticket, "good day");
    await seen("active");
    for (let index = 1; index <= 6; index += 1) await pair.say("c", `line-${index}`, `line ${index}`);
    await pair.vendor.backend.agentTransfers(ticket);
    await pair.vendor.backend.agentSays(ticket, "I took over");
    await Promise.all(both.map((recorder) => recorder.until("the second agent", ({ text }) => text === "I took over")));
    const [ending] = pair.runtimes();
    await ending?.endHandover({ endpoint: "web", conversation: "c" });
    await seen("ended");
    await Promise.all(both.map((recorder) => recorder.until("the bot's return", ({ text }) => text === "back: completed")));
    await pair.say("c", "3", "again");
    await Promise.all(both.map((recorder) => recorder.until("the bot again", ({ text }) => text === "echo again")));

    expect(first.entries).toEqual(second.entries);
    expect(first.statuses()).toEqual(["requested", "queued", "active", "queued", "active", "ended/completed"]);
    expect(agentLines(first)).toEqual(["good day", "I took over"]);
    expect(liveLines(pair, ticket)).toEqual(Array.from({ length: 6 }, (_, index) => `line ${index + 1}`));
    expect(pair.vendor.backend.conversations()).toMatchObject([{ status: "closed" }]);
  });

  it("should relay what is sprayed over both once and in order, while one of them stops and starts [F021, F156 part: instances]", async () => {
    const pair = await openPair();
    const conversations = ["c0", "c1", "c2", "c3", "c4", "c5"];
    const count = 24;
    const expectedTexts = Array.from({ length: count }, (_, index) => `line ${index + 1}`);
    await Promise.all(conversations.map((conversation) => pair.say(conversation, "start", `agent for ${conversation}`)));
    const tickets = await Promise.all(conversations.map((conversation) => ticketOf(pair, conversation)));
    for (const ticket of tickets) await pair.vendor.backend.agentAccepts(ticket);
    pair.vendor.backend.setFaults({ duplicateWebhookRate: 0.3, seed: 7 });

    const half = Promise.withResolvers<undefined>();
    const talks = conversations.map(async (conversation, place) => {
      for (const [index, text] of expectedTexts.entries()) {
        await pair.say(conversation, `u${index}`, text);
        await pair.vendor.backend.agentSays(tickets[place] ?? "", text);
        if (index === count / 2) half.resolve(undefined);
      }
    });
    await half.promise;
    await pair.stop(1);
    await pair.start(1);
    await Promise.all(talks);

    for (const [place, conversation] of conversations.entries()) {
      const both = pair.record(conversation);
      for (const recorder of both) {
        await recorder.until(`the agent's last line in ${conversation}`, () => agentLines(recorder).length >= count);
        expect(agentLines(recorder)).toEqual(expectedTexts);
      }
      await pair.vendor.backend.waitFor(() => (liveLines(pair, tickets[place] ?? "")?.length ?? 0) >= count, { timeoutMs: 15_000 });
      expect(liveLines(pair, tickets[place] ?? "")).toEqual(expectedTexts);
    }
    for (const ticket of tickets) await pair.vendor.backend.agentCloses(ticket);
    for (const conversation of conversations) {
      const both = pair.record(conversation);
      for (const recorder of both) await recorder.untilStatus("ended");
      expect(both[0]?.entries.slice(0, both[1]?.entries.length)).toEqual(both[1]?.entries.slice(0, both[0]?.entries.length));
      expect(both[0]?.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
    }
    expect(pair.vendor.backend.conversations()).toHaveLength(conversations.length);
  }, 60_000);

  it("should let a follower on one instance see within a second what a webhook brought to the other [F156 part: instances]", async () => {
    const pair = await openPair();
    await pair.say("c", "1", "agent for c");
    const both = pair.record("c");
    await Promise.all(both.map((recorder) => recorder.untilStatus("queued")));
    const ticket = await ticketOf(pair, "c");
    await pair.vendor.backend.agentAccepts(ticket);
    for (let index = 1; index <= 10; index += 1) {
      const saidAtMs = performance.now();
      await pair.vendor.backend.agentSays(ticket, `answer ${index}`);
      await Promise.all(both.map((recorder) => recorder.until(`answer ${index}`, ({ text }) => text === `answer ${index}`)));
      expect(performance.now() - saidAtMs).toBeLessThan(1_000);
    }
  });
});
