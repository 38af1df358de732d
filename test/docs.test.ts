import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describeSettings, isHandoverProvider } from "@handover/core";
import type { LiveAgentSimulator } from "@handover/simulators";
import { startSimulators } from "./support/checked-simulators.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readYaml } from "../apps/host/src/configuration/yaml-source.ts";
import { loadConfiguration } from "../apps/host/src/index.ts";
import { defaultLimits, defaultTiming } from "../packages/runtime/src/defaults.ts";
import { entriesOf, openEvents } from "../apps/host/test/support/read-events.ts";

// Blocks of code in the documentation say how they are checked behind their language:
//   ```ts             type-checked as a module of its own; behind <!-- path --> it stands in that file, word for word
//   ```ts run         also run to its end, with a simulated Live Agent in the environment
//   ```ts run server  a server: it prints its address, takes POST and GET /chat/<conversation> and POST /webhooks/<secret>
//   ```yaml           parsed; loaded by the host where it has endpoints
//   ```json           parsed
//   ```sh, ```         its npm commands exist

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache/docs");

interface Block {
  readonly page: string;
  /** Of the fence. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language. */
  readonly attributes: string;
  /** The file that it is taken from. */
  readonly excerptOf?: string | undefined;
  readonly code: string;
}

const pages = globSync(["*.md", "docs/**/*.md", "{packages,apps,examples}/*/*.md"], { cwd: root }).sort();
const readPage = (page: string) => readFileSync(join(root, page), "utf8");
const blocks = pages.flatMap(readBlocks);
const modules = blocks.filter(({ language, excerptOf }) => language === "ts" && excerptOf === undefined);
const blocksIn = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));
const label = ({ page, line }: Pick<Block, "page" | "line">) => `${page}:${line}`;
const labelled = (found: readonly Block[]) => found.map((block) => [label(block), block] as const);

function readBlocks(page: string): Block[] {
  const lines = readPage(page).split("\n");
  const found: Block[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const fence = /^(\s*)```(\w*)[ \t]*(.*)$/.exec(lines[index]!);
    if (!fence) continue;
    const [, indent = "", language = "", attributes = ""] = fence;
    const end = lines.indexOf(`${indent}\`\`\``, index + 1);
    const code = lines.slice(index + 1, end).join("\n");
    const excerptOf = /^<!-- (\S+) -->$/.exec(lines.slice(0, index).findLast((line) => line !== "") ?? "")?.[1];
    found.push({ page, line: index + 1, language, attributes, excerptOf, code });
    index = end;
  }
  return found;
}

const fileOf = (block: Block) => join(cache, `${label(block).replaceAll(/[/:]/g, "__")}.ts`);

let typeErrors: readonly string[] = [];

beforeAll(async () => {
  await rm(cache, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  // The blank lines in front make the line numbers those of the page.
  for (const block of modules) await writeFile(fileOf(block), "\n".repeat(block.line) + block.code);
  const tsconfig = { extends: "../../tsconfig.check.json", compilerOptions: { moduleDetection: "force" }, include: ["*.ts"] };
  await writeFile(join(cache, "tsconfig.json"), JSON.stringify(tsconfig));
  const tsc = join(root, "node_modules/.bin/tsc");
  const { stdout } = await execute(tsc, ["-p", cache, "--pretty", "false"], { cwd: cache }).catch(
    (error: unknown) => error as { stdout: string },
  );
  typeErrors = stdout.split("\n").filter((line) => line !== "");
}, 60_000);

afterAll(() => rm(cache, { recursive: true, force: true }));

describe("blocks of code in the documentation", () => {
  it("should all be in a language that is checked", () => {
    const unchecked = blocks.filter(({ language }) => !["ts", "json", "yaml", "sh", "", "mermaid", "text"].includes(language));
    expect(unchecked.map(label)).toEqual([]);
  });

  it.each([...new Set(modules.map(({ page }) => page))])("should type-check: %s [F178]", (page) => {
    const prefix = page.replaceAll("/", "__");
    expect(typeErrors.filter((line) => line.startsWith(`${prefix}__`) || line.startsWith("error "))).toEqual([]);
  });

  it.each(labelled(blocks.filter(({ excerptOf }) => excerptOf !== undefined)))(
    "should stand in the file it names: %s [F178]",
    (_label, block) => {
      const withoutIndent = (text: string) => text.replaceAll(/^\s+/gm, "");
      expect(withoutIndent(readPage(block.excerptOf!))).toContain(withoutIndent(block.code));
    },
  );

  it.each(labelled(blocksIn("json")))("should be valid JSON: %s [F178]", (_label, { code }) => {
    expect(() => JSON.parse(code) as unknown).not.toThrow();
  });

  it.each(labelled(blocksIn("yaml")))("should be YAML, and a configuration that the host takes: %s [F178]", async (_label, block) => {
    const variables = [...block.code.matchAll(/\$\{(\w+)\}/g)].map(([, name = ""], index) => [
      name,
      `value-${index}-of-the-environment-of-this-test-${index}`,
    ]);
    const environment = Object.fromEntries(variables) as Record<string, string>;
    const { source, problems } = readYaml(block.code, { file: label(block), environment });
    expect(problems).toEqual([]);
    if (!Object.hasOwn(source.value as object, "endpoints")) return;
    const file = fileOf(block).replace(/ts$/, "yaml");
    await writeFile(file, block.code);
    await expect(loadConfiguration(file, { environment, readOverlays: async () => "unknown" })).resolves.toHaveProperty("endpoints");
  });

  it.each(labelled(blocksIn("sh", "")))("should name commands that there are: %s [F178]", (_label, { code }) => {
    const { scripts } = JSON.parse(readPage("package.json")) as { scripts: Record<string, string> };
    const named = [...code.matchAll(/\bnpm (?:run )?([a-z][\w:]*)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => name !== "install" && name !== "ci" && scripts[name] === undefined)).toEqual([]);
  });
});

describe("programs in the documentation", () => {
  let liveAgent: LiveAgentSimulator;
  const stopping: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    const simulators = await startSimulators();
    stopping.push(() => simulators.close());
    ({ liveAgent } = simulators);
  });
  afterEach(async () => {
    for (const stop of stopping.splice(0)) await stop();
  });

  const webhookSecret = "a-secret-of-this-test-0123456789";

  async function run(block: Block) {
    const folder = await mkdtemp(join(tmpdir(), "handover-docs-"));
    const { baseUrl, accountId, inboxId, apiKey } = liveAgent;
    const env = {
      PATH: process.env["PATH"],
      PORT: "0",
      LIVE_AGENT_BASE_URL: baseUrl,
      LIVE_AGENT_ACCOUNT_ID: String(accountId),
      LIVE_AGENT_INBOX_ID: String(inboxId),
      LIVE_AGENT_API_KEY: apiKey,
      WEBHOOK_SECRET: webhookSecret,
    };
    const child = spawn(process.execPath, [fileOf(block)], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    const errors: string[] = [];
    child.stderr.on("data", (data) => errors.push(String(data)));
    const exited = once(child, "exit");
    stopping.unshift(async () => {
      child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    });
    return { child, lines: createInterface(child.stdout), errors, exited };
  }

  const toEnd = modules.filter(({ attributes }) => attributes === "run");
  it.each(labelled(toEnd))("should run to its end: %s [F178]", async (_label, block) => {
    const { exited, errors } = await run(block);
    expect({ code: (await exited)[0] as unknown, errors: errors.join("") }).toEqual({ code: 0, errors: "" });
  });

  const servers = modules.filter(({ attributes }) => attributes === "run server");
  it.each(labelled(servers))("should carry a whole handover: %s [F178]", async (_label, block) => {
    const { child, lines, errors, exited } = await run(block);
    const [line] = (await Promise.race([once(lines, "line"), exited.then(() => Promise.reject(new Error(errors.join(""))))])) as [string];
    const url = `http://127.0.0.1:${/port: (\d+)/.exec(line)?.[1] ?? line}`;
    liveAgent.setWebhookUrl(`${url}/webhooks/${webhookSecret}`);
    const write = async (id: string, text: string) => {
      const { status } = await fetch(`${url}/chat/42`, { method: "POST", body: JSON.stringify({ id, text }) });
      expect(status).toBe(202);
    };
    const reader = await openEvents(`${url}/chat/42`);
    const shown = async (text: string) =>
      reader.until((events) => entriesOf(events).some((entry) => (entry.text ?? entry.status) === text));

    await write("1", "Hello");
    await shown('I am a bot. Write "agent" to talk to a person.');
    await write("2", "An agent, please");
    const [conversation] = await liveAgent.waitFor((all) =>
      all.some(({ messages }) => messages.some(({ text }) => text === "An agent, please")),
    );
    liveAgent.accept(conversation!.id);
    liveAgent.say(conversation!.id, { text: "This is Ann, how can I help?" });
    await shown("This is Ann, how can I help?");
    await write("3", "My parcel is lost");
    await write("3", "My parcel is lost");
    await liveAgent.waitFor((all) => all[0]!.messages.some(({ text }) => text === "My parcel is lost"));
    liveAgent.close(conversation!.id);
    await reader.until((events) => entriesOf(events).some(({ status }) => status === "ended"));
    await write("4", "Thank you");
    await reader.until((events) => entriesOf(events).filter(({ author }) => author?.role === "bot").length === 2);

    const said = liveAgent.conversation(conversation!.id).messages.filter(({ author }) => author !== "system");
    expect(said.map(({ author, text }) => `${author}: ${text}`)).toEqual([
      "user: Hello",
      'bot: I am a bot. Write "agent" to talk to a person.',
      "user: An agent, please",
      "agent: This is Ann, how can I help?",
      "user: My parcel is lost",
    ]);
    const statuses = entriesOf(reader.events).flatMap(({ status, reason }) => (status ? [reason ?? status] : []));
    expect(statuses).toEqual(["requested", "queued", "active", "completed"]);
    expect(entriesOf(reader.events).map(({ seq }) => seq)).toEqual(entriesOf(reader.events).map((_, index) => index + 1));

    const refused = await fetch(`${url}/webhooks/a-secret-of-somebody-else`, { method: "POST", body: "{}" });
    expect(refused.status).toBe(401);
    child.kill("SIGTERM");
    await exited;
    await reader.ended;
    expect({ code: child.exitCode, errors: errors.join("") }).toEqual({ code: 0, errors: "" });
  });
});

describe("links in the documentation", () => {
  const prose = (page: string) =>
    readPage(page)
      .replaceAll(/^(\s*)```[^]*?^\1```$/gm, "")
      .replaceAll(/`[^`\n]*`/g, "");
  const headings = (page: string) =>
    [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  it.each(pages)("should lead to files and headings that are there: %s [F178]", (page) => {
    const targets = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = "", heading] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return heading !== undefined && file.endsWith(".md") && !headings(file).includes(heading);
    });
    expect(broken).toEqual([]);
  });

  it("should reach every page from the index of the docs", () => {
    const index = prose("docs/README.md");
    const all = pages.filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
    expect(all.filter((page) => !index.includes(`(${page.replace("docs/", "")})`))).toEqual([]);
  });
});

describe("the page about the log", () => {
  it("should give every time of the runtime with its default [F178]", () => {
    const rows = [...readPage("docs/architecture/the-log.md").matchAll(/^\| `(\w+Ms)` +\| +(\d+) \|/gm)];
    expect(Object.fromEntries(rows.map(([, name = "", value]) => [name, Number(value)]))).toEqual(defaultTiming);
  });

  it("should give every limit of the runtime with its default [F178]", () => {
    const [, section = ""] = readPage("docs/architecture/the-log.md").split("| `limits` ");
    const rows = [...section.matchAll(/^\| `(\w+)` +\| +(\d+) \|/gm)];
    expect(Object.fromEntries(rows.map(([, name = "", value]) => [name, Number(value)]))).toEqual(defaultLimits);
  });
});

describe("the readme of a provider", () => {
  const load = createRequire(import.meta.url);
  const folders = globSync("packages/*/src/*-provider.ts", { cwd: root }).map((file) => file.split("/")[1]!);

  it.each(folders)("should name every setting and every option: %s [F178]", async (folder) => {
    const { default: provider } = (await import(load.resolve(`../packages/${folder}/src/index.ts`))) as { default: unknown };
    if (!isHandoverProvider(provider)) throw new Error(`${folder} has no provider as its default export`);
    const { settings, options } = describeSettings(provider);
    const keys = [settings, options].flatMap((schema) => Object.keys(schema["properties"] as object));
    const readme = readPage(`packages/${folder}/README.md`);
    expect(keys.filter((key) => !readme.includes(`\`${key}\``))).toEqual([]);
  });
});
