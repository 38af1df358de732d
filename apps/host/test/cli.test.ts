import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Simulators } from "@handover/simulators";
import { startSimulators } from "../../../test/support/checked-simulators.ts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runCommandLine } from "../src/commands/run-command.ts";
import { loadConfiguration } from "../src/configuration/load-configuration.ts";
import { startHost } from "../src/host.ts";
import { createConsoleLogger } from "../src/logger.ts";
import { readOverlays } from "../src/provisioning/overlays.ts";
import { createFolder, marked } from "./support/test-configuration.ts";

let folder: ReturnType<typeof createFolder>;
let simulators: Simulators;
let file: string;
beforeEach(async () => {
  folder = createFolder();
  simulators = await startSimulators({ liveAgent: { apiKey: marked.apiKey } });
  file = join(folder.path, "handover.yaml");
  writeFileSync(
    file,
    `plugins: [live-agent]
publicUrl: https://bot.example.com
listen: { port: 0 }
connections:
  desk:
    provider: live-agent
    settings:
      baseUrl: ${simulators.liveAgent.baseUrl}
      accountId: "1"
      inboxId: 1
      apiKey: "\${KEY}"
endpoints:
  - token: support
    access: open
    handover: { connections: [desk] }
`,
  );
});
afterEach(async () => {
  await simulators.close();
  folder.remove();
});

/** Tells the contact centre the URL that the check wants to see there. */
async function setWebhook(): Promise<void> {
  const { output } = await run("check", "--config", file, "--webhooks");
  simulators.liveAgent.setWebhookUrl(/webhook +(\S+)/.exec(output)?.[1] ?? null);
}

async function run(...args: readonly string[]) {
  return runWith({ KEY: marked.apiKey, TOKEN: marked.botSecret }, ...args);
}

async function runWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = await runCommandLine(args, { environment, print: (line) => lines.push(line), printError: (line) => errors.push(line) });
  return { code, output: lines.join("\n"), errors: errors.join("\n") };
}

describe("handover", () => {
  test("should list its commands", async () => {
    expect(await run("--help")).toMatchObject({ code: 0, output: expect.stringContaining("provision") as unknown });
    expect((await run()).code).toBe(2);
  });

  test("should refuse an unknown command, flag or argument with what was probably meant", async () => {
    expect(await run("chek")).toMatchObject({ code: 2, errors: expect.stringContaining('Did you mean "check"?') as unknown });
    expect(await run("check", "--webhook")).toMatchObject({
      code: 2,
      errors: expect.stringContaining("Did you mean --webhooks?") as unknown,
    });
    expect(await run("check", "--nothing-like-it")).toMatchObject({
      code: 2,
      errors: expect.not.stringContaining("Did you mean") as unknown,
    });
    expect((await run("check", "surplus")).code).toBe(2);
    expect((await run("check", "--config")).code).toBe(2);
    expect((await run("check", "--json=yes")).code).toBe(2);
    expect((await run("check", "--config", "a", "--config", "b")).code).toBe(2);
    expect((await run("provision")).code).toBe(2);
  });

  test.each(["check", "provision", "list", "show", "retry", "skip", "end", "erase"])("should explain %s", async (command) => {
    expect(await run(command, "--help")).toMatchObject({
      code: 0,
      output: expect.stringContaining(`Usage: handover ${command}`) as unknown,
    });
  });

  test.each(["list", "show", "retry", "skip", "end", "erase"])("should say that %s comes later", async (command) => {
    const { code, errors, output } = await run(command, "x");
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toBe(`handover ${command} is not available in this version yet.`);
  });
});

describe("handover check", () => {
  test("should tell one line per finding and where each setting comes from [F169 printed with secrets masked]", async () => {
    await setWebhook();
    const { code, output } = await run("check", "--config", file);
    const lines = output.split("\n");
    expect(lines[0]).toMatch(/handover\.yaml: ok$/);
    expect(lines[1]).toBe("desk (live-agent)");
    expect(lines.filter((line) => /^ {2}(ok|warning|error) /.test(line)).length).toBeGreaterThan(2);
    expect(lines.filter((line) => line.startsWith("  setting"))).toEqual([
      `  setting  baseUrl = "${simulators.liveAgent.baseUrl}", from the file`,
      `  setting  accountId = "1", from the file`,
      `  setting  inboxId = 1, from the file`,
      `  setting  apiKey = ********, from the environment (KEY)`,
    ]);
    expect(output).not.toContain("MARKED");
    expect(code).toBe(0);
  });

  test("should print the webhook URL whole when asked, the same each time [F173 check --webhooks]", async () => {
    const urlOf = (output: string) => /webhook +(\S+)/.exec(output)?.[1];
    const first = urlOf((await run("check", "--config", file, "--webhooks")).output);
    expect(first).toMatch(/^https:\/\/bot\.example\.com\/handover\/live-agent\/desk\/[A-Za-z0-9_-]{22}$/);
    expect(urlOf((await run("check", "--config", file, "--webhooks")).output)).toBe(first);
    expect(urlOf((await run("check", "--config", file)).output)).toBeUndefined();
  });

  test("should ask the host that runs on the store", async () => {
    await setWebhook();
    const configuration = await loadConfiguration(file, { environment: { KEY: marked.apiKey } });
    const host = await startHost(configuration, { logger: createConsoleLogger(() => undefined) });
    const { code, output } = await run("check", "--config", file, "--webhooks");
    expect(code).toBe(0);
    expect(output).toContain(host.runtime.connections()[0]?.webhookUrl);
    expect(await run("check", "--config", file, "--connection", "none")).toMatchObject({
      code: 1,
      errors: expect.stringContaining('"none"') as unknown,
    });
    await host.stop();
    expect((await run("check", "--config", file)).code).toBe(0);
  });

  test("should exit with 1 when a connection has an error", async () => {
    const { code, output } = await runWith({ KEY: "another-key" }, "check", "--config", file);
    expect(code).toBe(1);
    expect(output).toMatch(/^ {2}error /m);
    const asJson = await runWith({ KEY: "another-key" }, "check", "--config", file, "--json");
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.output)).toMatchObject({
      isOk: false,
      configuration: { problems: [] },
      connections: [{ connection: "desk" }],
    });
  });

  test("should exit with 1 and all problems when the configuration is wrong, as lines and as JSON", async () => {
    const lines = await runWith({}, "check", "--config", file);
    expect(lines).toMatchObject({ code: 1, errors: expect.stringMatching(/handover\.yaml:11:7: .*KEY, which is not set/) as unknown });
    const asJson = await runWith({}, "check", "--config", file, "--json");
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.output)).toMatchObject({
      isOk: false,
      configuration: {
        problems: [{ code: "ENVIRONMENT_VARIABLE_MISSING", line: 11, column: 7, path: "connections.desk.settings.apiKey" }],
      },
    });
  });

  test("should deliver nothing while it checks", async () => {
    const configuration = await loadConfiguration(file, { environment: { KEY: marked.apiKey } });
    simulators.liveAgent.setFaults({ failRate: 1, status: 503 });
    const host = await startHost(configuration, { logger: createConsoleLogger(() => undefined) });
    await host.runtime.requestHandover({ endpoint: "support", conversation: "c" });
    await host.stop();
    // Slow enough that whoever wants to work on the handover has the time to begin.
    simulators.liveAgent.setFaults({ latencyMs: 500 });
    const before = simulators.liveAgent.requests().length;
    await run("check", "--config", file);
    const made = simulators.liveAgent.requests().slice(before);
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter(({ method }) => method !== "GET")).toEqual([]);
    expect(simulators.liveAgent.conversations()).toEqual([]);
  });
});

describe("handover provision", () => {
  const input = ["--input", "token=${TOKEN}", "--input", "count=3"];

  beforeEach(() => {
    copyFileSync(fileURLToPath(new URL("support/provisioning-plugin.js", import.meta.url)), join(folder.path, "plugin.mjs"));
    const zod = import.meta.resolve("zod");
    const plugin = join(folder.path, "plugin.mjs");
    writeFileSync(plugin, readText(plugin).replace('"zod"', JSON.stringify(zod)));
    file = join(folder.path, "made.yaml");
    writeFileSync(
      file,
      `plugins: [./plugin.mjs, live-agent]
listen: { port: 0 }
connections:
  made: { provider: self-made, settings: { region: eu } }
  desk: { provider: live-agent, settings: { baseUrl: "${simulators.liveAgent.baseUrl}", accountId: 1, inboxId: 1, apiKey: "\${KEY}" } }
endpoints: [{ token: a, access: open, handover: { connections: [made] } }]
`,
    );
  });

  test("should be what an incomplete configuration asks for", async () => {
    const { code, errors } = await run("check", "--config", file);
    expect(code).toBe(1);
    expect(errors).toContain("connections.made.settings.clientId: is missing, or make it: handover provision made");
  });

  test("should make the settings that the file lacks, and the file wins [F169 provisioned below file]", async () => {
    const made = await run("provision", "made", "--config", file, ...input);
    expect(made.errors).toBe("");
    expect(made).toMatchObject({ code: 0, output: expect.stringContaining("made: provisioned") as unknown });
    expect(made.output).not.toContain("MARKED");
    const checked = await run("check", "--config", file, "--connection", "made");
    expect(checked.output).toContain("The client is client-3-22.");
    expect(checked.output).toContain('setting  region = "eu", from the file');
    expect(checked.output).toContain('setting  clientId = "client-3-22", from handover provision');
    expect(checked.output).toContain("setting  clientSecret = ********, from handover provision");
    writeFileSync(file, readText(file).replace("region: eu", "region: eu, clientId: from-file"));
    expect((await run("check", "--config", file, "--connection", "made")).output).toContain("The client is from-file.");
    const configuration = await loadConfiguration(file, { environment: { KEY: marked.apiKey }, readOverlays });
    expect(configuration.connections[0]?.settings).toEqual({
      region: "eu",
      clientId: "from-file",
      clientSecret: `made-from-${marked.botSecret}`,
    });
  });

  test("should go on where a run stopped that failed", async () => {
    const failing = join(folder.path, "fail");
    writeFileSync(failing, "");
    const failed = await run("provision", "made", "--config", file, ...input, "--input", `fail=${failing}`);
    expect(failed).toMatchObject({ code: 1, errors: expect.stringContaining("the second step failed") as unknown });
    rmSync(failing);
    const made = await run("provision", "made", "--config", file, ...input, "--json");
    expect(JSON.parse(made.output)).toEqual({
      connection: "made",
      settings: ["clientId", "clientSecret"],
      notes: ["runs before: 1", "webhook: false"],
    });
  });

  test("should refuse a connection that is not there or has nothing to provision, and wrong input", async () => {
    expect(await run("provision", "none", "--config", file)).toMatchObject({
      code: 1,
      errors: expect.stringContaining("Configured: made, desk") as unknown,
    });
    const plain = `import made from "./plugin.mjs";\nconst { provisioning: _none, ...plain } = made;\nexport default { ...plain, name: "plain" };\n`;
    writeFileSync(join(folder.path, "plain.mjs"), plain);
    const desk = '  desk: { provider: plain, settings: { region: eu, clientId: a, clientSecret: "\${TOKEN}" } }';
    const withPlain = readText(file)
      .replace("live-agent]", "./plain.mjs]")
      .replace(/^ {2}desk: .*$/m, desk);
    writeFileSync(join(folder.path, "plain.yaml"), withPlain);
    expect(await run("provision", "desk", "--config", join(folder.path, "plain.yaml"))).toMatchObject({
      code: 1,
      errors: expect.stringContaining("nothing to provision") as unknown,
    });
    expect(await run("provision", "made", "--config", file, "--input", "tokenn=x")).toMatchObject({
      code: 1,
      errors: expect.stringContaining('Did you mean "token"?') as unknown,
    });
    expect((await run("provision", "made", "--config", file, "--input", "nothing")).code).toBe(2);
    expect((await run("provision", "made", "--config", file, "--input", "token=${NOT_SET}")).code).toBe(2);
  });

  test("should say that the host has to stop first", async () => {
    await run("provision", "made", "--config", file, ...input);
    const configuration = await loadConfiguration(file, { environment: { KEY: marked.apiKey }, readOverlays });
    const host = await startHost(configuration, { logger: createConsoleLogger(() => undefined) });
    const { code, errors } = await run("provision", "made", "--config", file, ...input);
    expect(code).toBe(1);
    expect(errors).toMatch(/in use/i);
    expect((await run("check", "--config", file, "--connection", "made")).code).toBe(0);
    await host.stop();
  });

  test("should set up the pre-configured account of Live Agent, and find it again [F176 part: the command]", async () => {
    vi.stubEnv("FEATURE_USE_COGNIGY_LIVE_AGENT", "true");
    vi.stubEnv("COGNIGY_LIVE_AGENT_API_BASE_URL_WITH_PROTOCOL", simulators.liveAgent.origin);
    vi.stubEnv("COGNIGY_LIVE_AGENT_PLATFORM_TOKEN", simulators.liveAgent.platformToken);
    try {
      writeFileSync(
        file,
        `plugins: [live-agent]
publicUrl: https://bot.example.com
listen: { port: 0 }
connections: { desk: { provider: live-agent, settings: { usePlatformToken: true } } }
endpoints: [{ token: a, access: open, handover: { connections: [desk] } }]
`,
      );
      expect((await run("check", "--config", file)).errors).toContain("platformApiKey: is missing, or make it: handover provision desk");
      const first = await run("provision", "desk", "--config", file, "--input", "organisation=Acme");
      expect(first).toMatchObject({ code: 0, errors: "" });
      expect((await run("provision", "desk", "--config", file, "--input", "organisation=Acme")).output).toBe(first.output);
      const checked = await run("check", "--config", file);
      expect(checked.code).toBe(0);
      expect(checked.output).toContain("The inbox's Webhook URL is that of this connection.");
      expect(checked.output).not.toContain(simulators.liveAgent.platformToken);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

function readText(path: string): string {
  return readFileSync(path, "utf8");
}
