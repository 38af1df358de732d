import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PluginLoadingError } from "@handover/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createFolder, marked } from "../../test/support/test-configuration.ts";
import type { HostConfiguration } from "./host-configuration.ts";
import { loadConfiguration, type LoadOptions } from "./load-configuration.ts";
import { ConfigurationError, describeProblems, type ConfigurationProblem } from "./problem.ts";

let folder: ReturnType<typeof createFolder>;
beforeEach(() => {
  folder = createFolder();
});
afterEach(() => folder.remove());

const environment = { KEY: marked.apiKey, SIGNING: marked.signingSecret, BOT: marked.botSecret, EMPTY: "" };

const whole = `plugins: [live-agent]
publicUrl: https://bot.example.com/
listen: { host: 127.0.0.1, port: 4321 }
store: { sqlite: ./data/test.db }
connections:
  support-desk:
    provider: live-agent
    settings:
      baseUrl: https://desk.example.com/api/v1
      accountId: "12"
      inboxId: "67"
      apiKey: "\${KEY}"
endpoints:
  - token: support
    title: Support
    access: { signed: { secret: "\${SIGNING}" } }
    allowedOrigins: ["https://www.example.com"]
    bot: { http: { url: "https://bot.example.com/turn", secret: "\${BOT}" } }
    handover:
      connections: [support-desk]
      options: { priority: high }
      texts: { accepted: "One moment ..." }
      acceptTimeoutSeconds: 180
    channelOptions: [priority]
`;

function load(text: string, options: Partial<LoadOptions> = {}): Promise<HostConfiguration> {
  const file = join(folder.path, "handover.yaml");
  writeFileSync(file, text);
  return loadConfiguration(file, { environment, ...options });
}

async function problemsOf(text: string): Promise<readonly ConfigurationProblem[]> {
  return (await errorOf(text)).problems;
}

async function errorOf(text: string): Promise<ConfigurationError> {
  const error = await load(text).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof ConfigurationError)) throw new Error(`no configuration error but ${String(error)}`);
  return error;
}

describe("a whole configuration", () => {
  test("should be read with the environment put in and paths relative to the file", async () => {
    const configuration = await load(whole);
    expect(configuration).toMatchObject({
      publicUrl: "https://bot.example.com",
      listen: { host: "127.0.0.1", port: 4321 },
      store: { kind: "sqlite", path: join(folder.path, "data/test.db") },
      connections: [{ name: "support-desk", provider: "live-agent", settings: { apiKey: marked.apiKey } }],
      limits: { perConversation: { messages: 30, seconds: 10 }, jsonBytes: 65_536, webhookBytes: 1_048_576 },
    });
    expect(configuration.limits.perAddress).toBeUndefined();
    expect(configuration.endpoints[0]?.handover).toEqual({
      connections: ["support-desk"],
      options: { priority: "high" },
      texts: { accepted: "One moment ..." },
      acceptTimeoutSeconds: 180,
    });
  });

  test("should read the limits of what waits, and of calls to a contact centre in milliseconds", async () => {
    const text = whole.replace("provider: live-agent", "provider: live-agent\n    rateLimit: { calls: 300, perSeconds: 60 }");
    const configuration = await load(`${text}\nlimits: { waitingMessagesInAll: 500, parkedDeliveries: 7 }\n`);
    expect(configuration.connections[0]?.rateLimit).toEqual({ calls: 300, perMs: 60_000 });
    expect(configuration.limits).toMatchObject({ waitingMessagesInAll: 500, parkedDeliveries: 7 });
    const broken = text.replace("calls: 300", "calls: 0.5");
    expect(await problemsOf(broken)).toEqual([expect.objectContaining({ code: "INVALID_CONFIG" })]);
  });

  test("should know its own URL on this machine, where contact centres may run too", async () => {
    const local = whole.replace("publicUrl: https://bot.example.com/\n", "");
    expect((await load(local)).publicUrl).toBe("http://127.0.0.1:4321");
    expect((await load(local.replace("host: 127.0.0.1", 'host: "::1"'))).publicUrl).toBe("http://[::1]:4321");
    expect((await load(local.replace("port: 4321", "port: 0"))).publicUrl).toBeUndefined();
  });

  test("should know what is said of silence, presence, surveys and the words that cancel, and refuse what cannot be meant", async () => {
    const talk = "userIdleTimeoutSeconds: 900, agentIdleTimeoutSeconds: 600, connectsMessage: false, surveys: bot, cancelWords: [Stop]";
    const withTalk = (words: string) =>
      `plugins: [live-agent]\nconnections: {}\nendpoints: [{ token: a, access: open, handover: { provider: live-agent, settings: { baseUrl: "https://desk.example.com", accountId: "1", inboxId: "1", apiKey: "\${KEY}" }, ${words} } }]`;
    const [endpoint] = (await load(withTalk(talk))).endpoints;
    expect(endpoint?.handover).toMatchObject({
      userIdleTimeoutSeconds: 900,
      agentIdleTimeoutSeconds: 600,
      surveys: "bot",
      cancelWords: ["Stop"],
    });
    expect(await problemsOf(withTalk("userIdleTimeoutSeconds: 3600000"))).toMatchObject([
      { message: expect.stringContaining("is in seconds, at most 2592000 (30 days). Were milliseconds meant?") as string },
    ]);
    expect(await problemsOf(withTalk("connectMessage: true"))).toMatchObject([
      { message: expect.stringContaining("connectsMessage") as string },
    ]);
    expect(await problemsOf(whole.replace('secret: "${BOT}" }', 'secret: "${BOT}", events: [idle] }'))).toHaveLength(1);
    expect(
      (await load(whole.replace('secret: "${BOT}" }', 'secret: "${BOT}", events: [inactive] }'))).endpoints[0]?.bot.http?.events,
    ).toEqual(["inactive"]);
  });

  test("should say where each setting comes from and keep secrets and the environment to itself [F169 effective value and origin]", async () => {
    const { connections } = await load(whole);
    expect(connections[0]?.origins).toEqual([
      { setting: "baseUrl", from: "file", variables: [], value: '"https://desk.example.com/api/v1"' },
      { setting: "accountId", from: "file", variables: [], value: '"12"' },
      { setting: "inboxId", from: "file", variables: [], value: '"67"' },
      { setting: "apiKey", from: "environment", variables: ["KEY"] },
    ]);
  });

  test("should name an inline connection like its endpoint", async () => {
    const { connections, endpoints } = await load(`plugins: [live-agent]
endpoints:
  - token: inline
    access: open
    handover:
      provider: live-agent
      settings: { baseUrl: "https://desk.example.com", accountId: "1", inboxId: "1", apiKey: "\${KEY}" }
`);
    expect(connections.map(({ name }) => name)).toEqual(["inline"]);
    expect(endpoints[0]?.handover?.connections).toEqual(["inline"]);
  });

  test("should keep an escaped variable as text and put several into one value", async () => {
    const { endpoints } = await load(`endpoints: [{ token: a, access: open, title: "$\${KEY} \${SIGNING}\${KEY}" }]`);
    expect(endpoints[0]?.title).toBe(`\${KEY} ${marked.signingSecret}${marked.apiKey}`);
  });

  test("should work without a handover and without connections [F170 provider none]", async () => {
    const { endpoints } = await load("endpoints: [{ token: a, access: open, bot: { demo: {} } }]");
    expect(endpoints[0]?.handover).toBeUndefined();
  });
});

describe("problems", () => {
  test("should all be told at once, each with file, line and column", async () => {
    const problems = await problemsOf(`plugins: [live-agent, no-such-plugin]
publicURL: https://bot.example.com
listen:
  host: 0.0.0.0
connections:
  support-desk:
    provider: livagent
    settings: {}
  night-desk:
    provider: live-agent
    settings:
      baseUrll: https://desk.example.com
      accountId: "1"
      apiKey: "\${MISSING_KEY}"
endpoints:
  - token: support
    access: open
    handover:
      connections: [suport-desk]
  - token: support
    access: signed
    bot: { demo: {} }
retention: { contentDays: 3 }
`);
    expect(problems.map(({ code, line, path }) => ({ code, line, path }))).toEqual([
      { code: "PLUGIN_NOT_FOUND", line: 1, path: "plugins[1]" },
      { code: "INVALID_CONFIG", line: 2, path: "publicURL" },
      { code: "PROVIDER_NOT_REGISTERED", line: 7, path: "connections.support-desk.provider" },
      { code: "INVALID_CONFIG", line: 11, path: "connections.night-desk.settings.baseUrl" },
      { code: "INVALID_CONFIG", line: 12, path: "connections.night-desk.settings.baseUrll" },
      { code: "ENVIRONMENT_VARIABLE_MISSING", line: 14, path: "connections.night-desk.settings.apiKey" },
      { code: "OPEN_ACCESS", line: 17, path: "endpoints[0].access" },
      { code: "CONNECTION_NOT_FOUND", line: 19, path: "endpoints[0].handover.connections[0]" },
      { code: "DUPLICATE_TOKEN", line: 20, path: "endpoints[1].token" },
      { code: "INVALID_CONFIG", line: 21, path: "endpoints[1].access" },
      { code: "NOT_AVAILABLE_YET", line: 23, path: "retention" },
    ]);
    const text = describeProblems(problems);
    expect(text).toContain('handover.yaml:2:1: publicURL: unknown key "publicURL". Did you mean "publicUrl"?');
    expect(text).toContain(
      'endpoint "support" names the connection "suport-desk", which is not there. Did you mean "support-desk"? [CONNECTION_NOT_FOUND]',
    );
    expect(text).toContain("needs the environment variable MISSING_KEY, which is not set");
    expect(text).toContain("npm install @handover/no-such-plugin");
    expect(text).not.toContain("    at ");
  });

  test("should name both sides of a missing reference when the file is loaded [F168 a missing reference]", async () => {
    const [problem] = await problemsOf("endpoints: [{ token: support, access: open, handover: { connections: [desk] } }]");
    expect(problem).toMatchObject({ code: "CONNECTION_NOT_FOUND", message: expect.stringMatching(/"support".*"desk"/) as string });
  });

  test.each([
    ["a plugin that is not there", "plugins: [nope]", "PLUGIN_NOT_FOUND"],
    ["a plugin that throws", "plugins: [./throws.js]", "PLUGIN_LOAD_FAILED"],
    ["a plugin that is no provider", "plugins: [core]", "PLUGIN_INVALID"],
    ["a plugin of another version", "plugins: [./later.js]", "PLUGIN_INCOMPATIBLE"],
    ["a plugin twice", "plugins: [live-agent, '@handover/live-agent']", "PLUGIN_DUPLICATE"],
  ])("should stop at %s [F171]", async (_case, plugins, code) => {
    writeFileSync(join(folder.path, "throws.js"), `throw new Error("broken")`);
    writeFileSync(join(folder.path, "later.js"), `export default { specificationVersion: "v9", name: "later" }`);
    const { problems, cause } = await errorOf(`${plugins}\nendpoints: [{ token: a, access: open }]`);
    expect(PluginLoadingError.isInstance(cause)).toBe(true);
    if (code === "PLUGIN_LOAD_FAILED") expect((cause as PluginLoadingError).problems[0]?.cause).toMatchObject({ message: "broken" });
    expect(problems).toEqual([expect.objectContaining({ code, line: 1, path: expect.stringMatching(/^plugins\[/) as string })]);
    expect(problems[0]?.message.length).toBeGreaterThan(20);
  });

  test.each(["../../evil", "@handover/live-agent", "node:fs"])(
    "should select a provider by the name of a loaded plugin only: %s [F116]",
    async (provider) => {
      writeFileSync(join(folder.path, "evil.js"), "globalThis.handoverEvilWasLoaded = true");
      const problems = await problemsOf(`connections: { a: { provider: "${provider}" } }
endpoints: [{ token: b, access: open, handover: { provider: "${provider}", settings: {} } }]`);
      expect(problems.map(({ code }) => code)).toEqual(["PROVIDER_NOT_REGISTERED", "PROVIDER_NOT_REGISTERED"]);
      expect(globalThis).not.toHaveProperty("handoverEvilWasLoaded");
    },
  );

  test.each([
    ["a tab", "endpoints:\n\t- token: a", 2],
    ["a key twice", "endpoints: []\nendpoints: []", 2],
    ["an open bracket", "plugins: [a\nendpoints: []", 2],
    ["two documents", "endpoints: []\n---\nendpoints: []", 2],
  ])("should tell the line of broken YAML: %s", async (_case, text, line) => {
    const problems = await problemsOf(text);
    expect(problems[0]).toMatchObject({ code: "INVALID_YAML", line });
  });

  test("should survive aliases that multiply themselves", async () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let i = 0; i < 8; i += 1)
      lines.push(
        `${"bcdefghi"[i] ?? ""}: &${"bcdefghi"[i] ?? ""} [${Array(9)
          .fill(`*${"abcdefgh"[i] ?? ""}`)
          .join(", ")}]`,
      );
    expect((await problemsOf(lines.join("\n")))[0]?.code).toBe("INVALID_YAML");
  });

  test("should tell that a file is missing, is a folder, or is empty", async () => {
    await expect(loadConfiguration(join(folder.path, "none.yaml"), { environment })).rejects.toThrow(/none\.yaml.*does not exist/s);
    await expect(loadConfiguration(folder.path, { environment })).rejects.toThrow(/is a folder/);
    expect(await problemsOf("")).toEqual([
      expect.objectContaining({ path: "endpoints", message: expect.stringContaining("is missing") as string }),
    ]);
  });

  test.each([["retention", "retention: { contentDays: 30 }"]])("should refuse %s instead of ignoring it", async (_case, line) => {
    const problems = await problemsOf(`${line}\nendpoints: [{ token: a, access: open }]`);
    expect(problems).toEqual([expect.objectContaining({ code: "NOT_AVAILABLE_YET", line: 1 })]);
  });

  test("should take a PostgreSQL as a text or with what belongs to it", async () => {
    const rest = "\nendpoints: [{ token: a, access: open }]";
    const dataFolder = join(folder.path, "data");
    const url = "postgres://me:it@db.example.com/bot";
    await expect(load(`store: { postgres: "${url}" }${rest}`)).resolves.toMatchObject({ store: { kind: "postgres", url, dataFolder } });
    const more = { url, listenUrl: "postgresql://me:it@direct.example.com:5433/bot", schema: "bot_1", poolSize: 5 };
    await expect(load(`store: { postgres: ${JSON.stringify(more)} }${rest}`)).resolves.toMatchObject({
      store: { kind: "postgres", ...more, dataFolder },
    });
  });

  test.each([
    ['"mysql://me:MARKED@db/bot"', "store.postgres"],
    ['"postgres://me:MARKED/@db/bot"', "store.postgres"],
    ['"postgres://me:1#MARKED@db/bot"', "store.postgres"],
    ["5", "store.postgres"],
    ["{ url: 'postgres://db/bot', listenUrl: MARKED }", "store.postgres.listenUrl"],
    ["{ url: 'postgres://db/bot', schema: 'MARKED x' }", "store.postgres.schema"],
    ["{ url: 'postgres://db/bot', poolsize: 5 }", "store.postgres.poolsize"],
    ["{ schema: bot }", "store.postgres.url"],
    ["'postgres://db/bot', sqlite: x.db", "store"],
    ['"${NOT_SET}"', "store.postgres"],
  ])("should refuse the PostgreSQL %s with its place and without its value", async (postgres, path) => {
    const problems = await problemsOf(`store: { postgres: ${postgres} }\nendpoints: [{ token: a, access: open }]`);
    expect(problems).toEqual([expect.objectContaining({ path, line: 1 })]);
    expect(JSON.stringify(problems)).not.toContain("MARKED");
  });

  test("should refuse calls that may last longer than a lease, where hosts share a database", async () => {
    const text = (timing: string) => `store: { postgres: "postgres://db/bot" }\ntiming: ${timing}\nendpoints: [{ token: a, access: open }]`;
    for (const timing of ["{ callTimeoutSeconds: 25 }", "{ leaseSeconds: 20 }", "{ callTimeoutSeconds: 2, leaseSeconds: 2.5 }"]) {
      expect(await problemsOf(text(timing))).toEqual([expect.objectContaining({ code: "INVALID_CONFIG", line: 2 })]);
    }
    await expect(load(text("{ callTimeoutSeconds: 2, leaseSeconds: 3 }"))).resolves.toBeDefined();
    await expect(load(text("{ callTimeoutSeconds: 25 }").replace("postgres:", "sqlite:"))).resolves.toBeDefined();
  });

  test("should refuse an open endpoint beyond this machine unless it is allowed", async () => {
    const text = "listen: { host: 0.0.0.0 }\nendpoints: [{ token: a, access: open }]";
    expect(await problemsOf(text)).toEqual([expect.objectContaining({ code: "OPEN_ACCESS", line: 2 })]);
    await expect(load(`allowOpenAccess: true\n${text}`)).resolves.toMatchObject({ listen: { host: "0.0.0.0" } });
    await expect(load(text.replace("0.0.0.0", "'::1'"))).resolves.toBeDefined();
  });

  test.each(["change-me", "secret", "CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"])(
    "should refuse the sample secret %s [F113 sample values]",
    async (sample) => {
      const problems = await problemsOf(`plugins: [live-agent]
connections:
  desk:
    provider: live-agent
    settings: { baseUrl: "https://desk.example.com", accountId: "1", inboxId: "1", apiKey: "${sample}" }
endpoints: [{ token: a, access: { signed: { secret: "${sample}" } } }]`);
      expect(new Set(problems.map(({ path }) => path))).toEqual(
        new Set(["connections.desk.settings.apiKey", "endpoints[0].access.signed.secret"]),
      );
      expect(problems.filter(({ message }) => message.includes("sample value"))).toHaveLength(2);
    },
  );

  test("should refuse a configuration without the secrets it needs [F113 no secrets]", async () => {
    const problems = await problemsOf(`plugins: [live-agent]
connections: { desk: { provider: live-agent, settings: { baseUrl: "https://desk.example.com", accountId: "1", inboxId: "1" } } }
endpoints:
  - { token: a, access: { signed: {} } }
  - { token: b, access: open, bot: { http: { url: "https://bot.example.com" } } }`);
    expect(problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "connections.desk.settings.apiKey: is missing, or make it: handover provision desk",
      "endpoints[0].access.signed: needs either secret or jwksUrl",
      "endpoints[1].bot.http.secret: is missing",
    ]);
  });

  test("should never repeat a value [F112 no secret in errors]", async () => {
    const problems = await problemsOf(`plugins: [live-agent]
connections:
  desk:
    provider: live-agent
    settings: { baseUrl: 5, accountId: "${marked.apiKey}", inboxId: "${marked.apiKey}", apiKey: ["${marked.apiKey}"] }
    webhookSecrets: ["${marked.webhookSecret}!", "\${KEY}/x", "third"]
endpoints:
  - { token: "\${KEY}/x", access: { signed: { secret: "\${KEY}" } }, allowedOrigins: ["\${KEY}"], bot: { http: { url: "http://x.example/\${KEY}", secret: 5 } } }
`);
    expect(problems.length).toBeGreaterThan(8);
    expect(JSON.stringify(problems)).not.toContain("MARKED");
    const broken = await problemsOf(`a: "${marked.apiKey}" "${marked.apiKey}"`);
    expect(JSON.stringify(broken)).not.toContain("MARKED");
  });

  test("should name an option that the provider does not know, in the layer where it stands", async () => {
    const problems = await problemsOf(whole.replace("priority: high", "prioritty: high, support-desk: { skils: [a] }"));
    expect(problems.map(({ code, path, line }) => ({ code, path, line }))).toEqual([
      { code: "INVALID_OPTIONS", path: "endpoints[0].handover.options.prioritty", line: 21 },
      { code: "INVALID_OPTIONS", path: "endpoints[0].handover.options.support-desk.skils", line: 21 },
    ]);
  });

  test.each([
    ["http://bot.example.com/turn", false],
    ["ftp://bot.example.com", false],
    ["https://user:pass@bot.example.com", false],
    ["https://bot.example.com/turn", true],
    ["http://127.0.0.1:9000/turn", true],
    ["http://localhost:9000", true],
  ])("should take the bot URL %s: %s", async (url, isFine) => {
    const loading = load(`endpoints: [{ token: a, access: open, bot: { http: { url: "${url}", secret: "\${BOT}" } } }]`);
    await (isFine ? expect(loading).resolves.toBeDefined() : expect(loading).rejects.toThrow(/https URL/));
  });

  test("should tell an empty variable from a missing one, and a broken one from both", async () => {
    const problems = await problemsOf('endpoints: [{ token: a, access: open, title: "${EMPTY} ${NONE} ${not a name}" }]');
    expect(problems.map(({ message }) => message)).toEqual([
      "needs the environment variable EMPTY, which is empty",
      "needs the environment variable NONE, which is not set",
      expect.stringContaining("names no environment variable"),
    ]);
  });
});
