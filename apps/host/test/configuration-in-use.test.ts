import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Simulators } from "@handover/simulators";
import { startSimulators } from "../../../test/support/checked-simulators.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfiguration } from "../src/configuration/load-configuration.ts";
import { startHost, type Host } from "../src/host.ts";
import { createConsoleLogger } from "../src/logger.ts";
import { startBotServer } from "./support/bot-server.ts";
import { defaultsNow, findUnannounced, readAnnouncements, type Defaults } from "./support/changed-defaults.ts";
import { readUntil } from "./support/read-events.ts";
import { createFolder, marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

let simulators: Simulators;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  simulators = await startSimulators({ liveAgent: { apiKey: marked.apiKey } });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await simulators.close();
});

const environment = () => ({
  LIVE_AGENT_URL: simulators.liveAgent.baseUrl,
  LIVE_AGENT_API_KEY: marked.apiKey,
  WEBHOOK_SECRET: marked.webhookSecret,
  SUPPORT_TOKEN_SECRET: marked.signingSecret,
  BOT_SECRET: marked.botSecret,
  METRICS_TOKEN: marked.metricsToken,
  OPERATOR_TOKEN: marked.operatorToken,
});

/** A folder of its own for each host: nothing but the file goes from one to the other. */
function freshFolder(): string {
  const folder = createFolder();
  cleanups.push(() => folder.remove());
  return folder.path;
}

async function start(file: string): Promise<Host> {
  const configuration = await loadConfiguration(file, { environment: environment() });
  const host = await startHost(configuration, { logger: createConsoleLogger(() => undefined) });
  cleanups.push(() => host.stop());
  // The public URL of the file is not this machine; the last connection is the one that a test uses.
  const [, path = ""] = /(\/handover\/live-agent\/.*)$/.exec(host.runtime.connections().at(-1)?.webhookUrl ?? "") ?? [];
  simulators.liveAgent.setWebhookUrl(`${host.url}${path}`);
  return host;
}

/** Start, one message each way, end. */
async function handOver(host: Host, endpoint: string): Promise<void> {
  const url = `${host.url}/endpoints/${endpoint}/conversations/c`;
  await send("POST", `${url}/messages`, { id: "1", text: "agent" });
  await readUntil(url, ({ status }) => status === "queued");
  const ticket = simulators.liveAgent.conversations().at(-1)!.id;
  await send("POST", `${url}/messages`, { id: "2", text: "to the desk" });
  await simulators.liveAgent.waitFor((all) => all.at(-1)?.messages.at(-1)?.text === "to the desk");
  simulators.liveAgent.say(ticket, { text: "to the user" });
  await readUntil(url, ({ text }) => text === "to the user");
  simulators.liveAgent.close(ticket);
  expect((await readUntil(url, ({ status }) => status === "ended")).at(-1)).toMatchObject({ reason: "completed" });
}

const plain = `
plugins: [live-agent]
publicUrl: http://127.0.0.1:1
listen: { port: 0 }
connections:
  desk:
    provider: live-agent
    settings: { baseUrl: "\${LIVE_AGENT_URL}", accountId: "1", inboxId: 1, apiKey: "\${LIVE_AGENT_API_KEY}" }
endpoints:
  - { token: support, access: open, bot: { demo: {} }, handover: { connections: [desk] } }
`;

describe("a configuration file", () => {
  test("should be all that a fresh host needs: start, one message each way, end [F168, F049 live agent: configuration file, plugin by name]", async () => {
    const [first, second] = [freshFolder(), freshFolder()];
    writeFileSync(join(first, "handover.yaml"), plain);
    await handOver(await start(join(first, "handover.yaml")), "support");
    copyFileSync(join(first, "handover.yaml"), join(second, "imported.yaml"));
    const host = await start(join(second, "imported.yaml"));
    await handOver(host, "support");
    expect(host.runtime.connections().map(({ name }) => name)).toEqual(["desk"]);

    const file = join(second, "wrong.yaml");
    writeFileSync(file, plain.replace("connections: [desk]", "connections: [night-desk]"));
    const problem = await loadConfiguration(file, { environment: environment() }).catch((error: unknown) => String(error));
    expect(problem).toMatch(/wrong\.yaml:10:\d+/);
    expect(problem).toContain('"night-desk"');
    expect(problem).toContain("endpoints[0]");
    expect(problem).toContain("desk");
  });

  describe("after a release [F177]", () => {
    test("should start the host with what worked in the release before, and its handovers work [F177 configuration of the previous release]", async () => {
      const folder = freshFolder();
      const file = join(folder, "handover.yaml");
      copyFileSync(fileURLToPath(new URL("fixtures/configuration-before-0.1.yaml", import.meta.url)), file);
      const configuration = await loadConfiguration(file, { environment: environment() });
      expect(configuration.endpoints.map(({ token }) => token)).toEqual(["support", "open", "bot-only"]);
      const host = await start(file);
      await handOver(host, "open");
    });

    test("should find every default as it was, or have it announced in a changeset of the right level and in the upgrade notes", () => {
      const record = fileURLToPath(new URL("fixtures/defaults-before-0.1.json", import.meta.url));
      const before = JSON.parse(readFileSync(record, "utf8")) as Defaults;
      expect(Object.keys(before).length).toBeGreaterThan(50);
      // Whoever changes a default announces it; the record is written anew when a release is out.
      expect(findUnannounced(before, defaultsNow(), readAnnouncements())).toEqual([]);

      const name = "runtime.timing.botTimeoutMs";
      const changed = { ...before, [name]: 1, "runtime.timing.newMs": 1 };
      const changeset = (level: string) => `---\n"@handover/runtime": ${level}\n---\n\nThe default of \`botTimeoutMs\` is 1.\n`;
      const missing = (changesets: readonly string[], notes: string) => findUnannounced(before, changed, { changesets, notes }).length;
      const note = "- `botTimeoutMs` is 1 now.";
      expect(missing([], "")).toBe(2);
      expect(missing([changeset("patch")], note)).toBe(1);
      expect(missing([changeset("minor")], "")).toBe(1);
      expect(missing([changeset("minor")], note)).toBe(0);
      const { [name]: _gone, ...others } = before;
      expect(findUnannounced(before, others, { changesets: [], notes: "" })).toHaveLength(2);
    });
  });

  test("should not start the host without secrets or with those of examples, and callbacks should prove themselves without showing one [F113]", async () => {
    const folder = freshFolder();
    const file = join(folder, "handover.yaml");
    copyFileSync(fileURLToPath(new URL("fixtures/configuration-before-0.1.yaml", import.meta.url)), file);
    const names = [
      "LIVE_AGENT_API_KEY",
      "WEBHOOK_SECRET",
      "SUPPORT_TOKEN_SECRET",
      "BOT_SECRET",
      "METRICS_TOKEN",
      "OPERATOR_TOKEN",
    ] as const;
    const problemWith = (changes: Readonly<Record<string, string | undefined>>) => {
      const changed = Object.entries<string | undefined>({ ...environment(), ...changes }).filter(([, value]) => value !== undefined);
      return loadConfiguration(file, { environment: Object.fromEntries(changed) }).then(
        () => undefined,
        (error: unknown) => String(error),
      );
    };
    expect(await problemWith({})).toBeUndefined();
    for (const name of names) expect(await problemWith({ [name]: undefined })).toContain(name);
    const samples = [
      "changeme-changeme-changeme-changeme",
      "your-secret-your-secret-your-secret",
      "x".repeat(40),
      "replace-me-with-your-own-secret-now",
    ];
    for (const name of names.slice(1)) for (const sample of samples) expect(await problemWith({ [name]: sample })).toMatch(/sample value/);

    // What goes out: a time and an HMAC.
    const bot = await startBotServer(() => ({}));
    cleanups.push(() => bot.close());
    const host = await startTestHost({ endpoints: [{ ...supportEndpoint, bot: { http: { url: bot.url, secret: marked.botSecret } } }] });
    cleanups.push(() => host.stop());
    await send("POST", `${host.conversation("c")}/messages`, { id: "1", text: "hello" });
    await expect.poll(() => bot.requests.length).toBe(1);
    expect(bot.requests[0]?.headers["x-handover-signature"]).toMatch(/^t=\d{10},v1=[0-9a-f]{64}$/);
    expect(JSON.stringify(bot.requests)).not.toContain(marked.botSecret);
  });
});

describe("an option", () => {
  const layers = {
    connection: { priority: "low" },
    endpoint: { priority: "medium" },
    addressed: { priority: "medium", desk: { priority: "high" } },
    request: { priority: "urgent" },
    addressedRequest: { desk: { priority: "urgent" } },
  };
  const rows: readonly {
    readonly layer: string;
    readonly connection?: object;
    readonly endpoint?: object;
    readonly bot?: object;
    readonly client?: object;
    readonly effective: string | undefined;
  }[] = [
    { layer: "no layer", effective: undefined },
    { layer: "the connection", connection: layers.connection, effective: "low" },
    { layer: "the endpoint over the connection", connection: layers.connection, endpoint: layers.endpoint, effective: "medium" },
    { layer: "the endpoint where it names the connection", connection: layers.connection, endpoint: layers.addressed, effective: "high" },
    {
      layer: "the bot over the endpoint",
      connection: layers.connection,
      endpoint: layers.addressed,
      bot: layers.request,
      effective: "urgent",
    },
    { layer: "the bot where it names the connection", endpoint: layers.endpoint, bot: layers.addressedRequest, effective: "urgent" },
    {
      layer: "the client over the endpoint",
      connection: layers.connection,
      endpoint: layers.addressed,
      client: layers.request,
      effective: "urgent",
    },
  ];

  test.each(rows)(
    "should be taken from $layer: $effective [F169 options, one test per row]",
    async ({ connection, endpoint, bot, client, effective }) => {
      const server = await startBotServer(() => ({ handover: bot ? { options: bot } : {} }));
      cleanups.push(() => server.close());
      const host: TestHost = await startTestHost({
        optionsOfDesk: connection,
        endpoints: [
          {
            ...supportEndpoint,
            bot: { http: { url: server.url, secret: marked.botSecret } },
            handover: { connections: ["desk"], ...(endpoint ? { options: endpoint } : {}) },
          },
        ],
      });
      cleanups.push(() => host.stop());
      const url = host.conversation("c");
      if (client) await send("POST", `${url}/handover`, { options: client });
      else await send("POST", `${url}/messages`, { id: "1", text: "a person" });
      await readUntil(url, ({ status }) => status === "queued");
      const call = host.desk.requests().find(({ path }) => path.endsWith("/toggle_priority"));
      expect((call?.body as { priority?: string } | undefined)?.priority).toBe(effective);
    },
  );
});

describe("the words of an accepted request", () => {
  test.each([
    ["as they are set", { accepted: "One moment please." }, "One moment please."],
    ["the default where nothing is set", undefined, "Connecting you to a colleague ..."],
    ["nothing where they are empty", { accepted: "" }, undefined],
  ])("should be %s, and the handover starts all the same [F047 accepted text]", async (_case, texts, expected) => {
    const host = await startTestHost({
      endpoints: [{ ...supportEndpoint, handover: { connections: ["desk"], ...(texts ? { texts } : {}) } }],
    });
    cleanups.push(() => host.stop());
    const url = host.conversation("c");
    await send("POST", `${url}/messages`, { id: "1", text: "agent" });
    const entries = await readUntil(url, ({ status }) => status === "queued");
    expect(entries.at(-1)?.text).toBe(expected);
    expect(entries.flatMap(({ choices }) => choices ?? [])).toEqual([]);
    expect(host.desk.conversations()).toHaveLength(1);
  });
});
