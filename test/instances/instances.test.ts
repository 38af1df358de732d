import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveAgentSimulator, Simulators } from "@handover/simulators";
import { startSimulators } from "../support/checked-simulators.ts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  administer,
  dropSchema,
  newSchema,
  sharedConnectionString,
  withoutPostgres,
} from "../../packages/store-postgres/test/support/use-postgres.ts";
import { startBalancer, type Balancer } from "./support/balancer.ts";
import { createHostProcess, type HostProcess } from "./support/host-process.ts";
import { openRoamingClient, type RoamingClient } from "./support/roaming-client.ts";

const missing = await withoutPostgres();
const webhookSecret = "a-secret-for-the-instance-tests";
const leaseSeconds = 2.1;
/** People are slower; as fast as it goes, the hosts would only be busy with what has piled up. */
const paceMs = 40;
const schema = newSchema();

let connectionString: string;
let folder: string;
let simulators: Simulators;
let desk: LiveAgentSimulator;
let balancer: Balancer;
let hosts: HostProcess[] = [];
let clients: RoamingClient[] = [];
let conversationCount = 0;

beforeAll(async () => {
  if (missing) return;
  connectionString = await sharedConnectionString();
  folder = await mkdtemp(join(tmpdir(), "handover-instances-"));
  simulators = await startSimulators();
  desk = simulators.liveAgent;
  hosts = await Promise.all(
    ["a", "b", "c"].map((name) =>
      createHostProcess({
        folder,
        name,
        configuration,
        environment: { DATABASE_URL: connectionString, HANDOVER_DATA: join(folder, name) },
      }),
    ),
  );
  balancer = await startBalancer(urls());
  desk.setWebhookUrl(`${balancer.url}/handover/live-agent/desk/${webhookSecret}`);
  // All at once, on a database without a table.
  await Promise.all(hosts.map((host) => host.start()));
}, 60_000);

afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

afterAll(async () => {
  if (missing) return;
  await Promise.all(hosts.map((host) => host.kill()));
  await balancer.close();
  await simulators.close();
  await dropSchema(connectionString, schema);
  await rm(folder, { recursive: true, force: true });
});

function configuration(port: number): object {
  return {
    plugins: ["live-agent"],
    publicUrl: `http://127.0.0.1:${port}`,
    listen: { port },
    store: { postgres: { url: "${DATABASE_URL}", schema, poolSize: 4 } },
    connections: {
      desk: {
        provider: "live-agent",
        settings: { baseUrl: desk.baseUrl, accountId: desk.accountId, inboxId: desk.inboxId, apiKey: desk.apiKey },
        webhookSecrets: [webhookSecret],
      },
    },
    timing: { callTimeoutSeconds: 1.4, leaseSeconds, pollSeconds: 0.2, catchUpIntervalSeconds: 4 },
    limits: { perConversation: { messages: 1_000, seconds: 1 } },
    endpoints: [{ token: "web", access: "open", bot: { demo: {} }, handover: { connections: ["desk"] } }],
  };
}

const urls = () => hosts.map(({ url }) => url);
const linesAt = (ticket: string, author: string) =>
  desk
    .conversations()
    .find(({ id }) => id === ticket)!
    .messages.filter((message) => message.author === author && message.text.startsWith("line "))
    .map(({ text }) => text);

/** A conversation that an agent has accepted. */
interface Talk {
  readonly client: RoamingClient;
  readonly ticket: string;
}

async function openTalk(): Promise<Talk> {
  conversationCount += 1;
  const client = openRoamingClient(urls(), `c${conversationCount}`);
  clients.push(client);
  const asked = `an agent for c${conversationCount}, please`;
  const findTicket = () => desk.conversations().find(({ messages }) => messages.some(({ text }) => text.includes(asked)))?.id;
  await client.send("ask", asked);
  await client.until("the queue", (entries) => entries.some(({ status }) => status === "queued"));
  await desk.waitFor(() => findTicket() !== undefined, { timeoutMs: 10_000 });
  const ticket = findTicket()!;
  desk.accept(ticket);
  return { client, ticket };
}

/** Both sides talk until `isOver`; resolves with the number of lines of each. */
async function talk({ client, ticket }: Talk, isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    count += 1;
    desk.say(ticket, { text: `line ${count}` });
    await client.send(`u${count}`, `line ${count}`);
    await sleep(paceMs);
  }
  return count;
}

/** Lost 0, repeated 0, reordered 0, on both sides. */
async function expectAll({ client, ticket }: Talk, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => `line ${index + 1}`);
  await client.until(`line ${count} of the agent`, () => client.agentLines().length >= count);
  await desk.waitFor(() => linesAt(ticket, "user").length >= count, { timeoutMs: 30_000 });
  expect(linesAt(ticket, "user")).toEqual(lines);
  expect(client.agentLines()).toEqual(lines);
  expect(client.entries.map(({ seq }) => seq)).toEqual(client.entries.map((_entry, index) => index + 1));
}

/** Which instance works on which conversation. */
async function owners(): Promise<ReadonlyMap<string, string>> {
  const statement = `SELECT key, owner FROM ${schema}.conversations WHERE owner IS NOT NULL`;
  const rows = await administer<{ key: string; owner: string }>(connectionString, statement);
  return new Map(rows.map(({ key, owner }) => [key, owner]));
}

/** Talks in several conversations while something happens to the hosts. */
async function talkDuring(count: number, happen: () => Promise<void>): Promise<void> {
  const talks = await Promise.all(Array.from({ length: count }, openTalk));
  let isOver = false;
  const talking = talks.map((one) => talk(one, () => isOver));
  await happen();
  isOver = true;
  const counts = await Promise.all(talking);
  for (const [index, one] of talks.entries()) await expectAll(one, counts[index] as number);
}

describe.skipIf(missing)("three hosts on one PostgreSQL", () => {
  it("should show within a second at one host what arrived at another, and miss nothing when that host is killed [F156]", async () => {
    const [a, b] = hosts as [HostProcess, HostProcess];
    const { client, ticket } = await openTalk();
    client.readFrom(a.url);
    balancer.useOnly([b.url]);
    for (let count = 1; count <= 5; count += 1) {
      const saidAtMs = performance.now();
      desk.say(ticket, { text: `line ${count}` });
      await client.until(`line ${count}`, () => client.agentLines().length >= count);
      expect(performance.now() - saidAtMs).toBeLessThan(1_000);
    }
    const streams = client.streams;
    await a.kill();
    for (let count = 6; count <= 10; count += 1) desk.say(ticket, { text: `line ${count}` });
    await client.until("what was said after the kill", () => client.agentLines().length >= 10);
    expect(client.streams).toBeGreaterThan(streams);
    expect(client.agentLines()).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index + 1}`));
    expect(client.entries.map(({ seq }) => seq)).toEqual(client.entries.map((_entry, index) => index + 1));
    balancer.useOnly(urls());
    await a.start();
  }, 60_000);

  it("should lose, repeat and disorder nothing while each is stopped for longer than its lease and goes on [F021 stopped hosts]", async () => {
    let takenOver = 0;
    await talkDuring(4, async () => {
      for (const host of hosts) {
        const before = await owners();
        host.pause();
        await sleep(leaseSeconds * 1_000 + 400);
        for (const [key, owner] of await owners()) if (before.has(key) && before.get(key) !== owner) takenOver += 1;
        host.resume();
      }
    });
    expect(takenOver).toBeGreaterThan(0);
  }, 120_000);

  it("should lose, repeat and disorder nothing during a rolling restart [F156 rolling restart]", async () => {
    await talkDuring(4, async () => {
      for (const host of hosts) {
        expect(await host.end()).toBe(0);
        await host.start();
      }
    });
  }, 120_000);
});
