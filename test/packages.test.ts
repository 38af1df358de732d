import { execFile } from "node:child_process";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pnpm } from "../tools/run.mjs";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");
const tsc = join(root, "node_modules/.bin/tsc");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

interface SourceMap {
  readonly sourceRoot?: string;
  readonly sources: readonly string[];
}

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));
const readManifest = (folder: string) => readJson(join(folder, "package.json")) as Manifest;
const folders = globSync("packages/*/package.json", { cwd: root }).map(dirname).sort();
const published = folders.filter((folder) => !readManifest(join(root, folder)).private);

/** What an integrator of one provider gets. */
const integrated = ["core", "provider-utils", "live-agent"];

let work: string;
let project: string;
/** Packed packages, by folder. */
const tarballs = new Map<string, string>();

beforeAll(async () => {
  work = await realpath(await mkdtemp(join(tmpdir(), "handover-packages-")));
  project = join(work, "project");
  await mkdir(project);
  await execute(tsc, ["-b", ...published], { cwd: root });
  await packPublished();
  const thirdParty = await Promise.all([
    packInstalled(join(root, "packages/core/node_modules/zod")),
    packInstalled(join(root, "packages/provider-utils/node_modules/undici")),
  ]);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "integrator", private: true, type: "module" }));
  await installOffline([...integrated.map((name) => tarballs.get(`packages/${name}`)!), ...thirdParty]);
}, 120_000);

afterAll(() => rm(work, { recursive: true, force: true }));

async function packPublished(): Promise<void> {
  const filters = published.flatMap((folder) => ["--filter", `./${folder}`]);
  await runPnpm(root, ["--recursive", ...filters, "pack", "--pack-destination", work]);
  for (const folder of published) {
    const { name, version } = readManifest(join(root, folder));
    tarballs.set(folder, join(work, `${name.slice(1).replace("/", "-")}-${version}.tgz`));
  }
}

/** A package as it was installed here, so that nothing has to be fetched. */
async function packInstalled(link: string): Promise<string> {
  const folder = await realpath(link);
  const { name, version } = readManifest(folder);
  await runPnpm(folder, ["--ignore-workspace", "pack", "--pack-destination", work]);
  return join(work, `${name}-${version}.tgz`);
}

async function runPnpm(cwd: string, args: readonly string[]): Promise<void> {
  const [command, all] = pnpm("--config.ignore-scripts=true", ...args);
  await execute(command, all, { cwd, maxBuffer: 64 * 1024 * 1024 });
}

/** Without the settings that a running npm script hands down: they would name another project. */
async function installOffline(files: readonly string[]): Promise<void> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name)));
  const flags = ["--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", join(work, "npm-cache")];
  await execute("npm", ["install", ...flags, ...files], { cwd: project, env });
}

const installedFiles = () => readdirSync(join(project, "node_modules/@handover"), { recursive: true, encoding: "utf8" });
const installed = (name: string) => join(project, "node_modules", name);

describe("the packages as an integrator gets them", () => {
  it("should install core and one provider, and nothing that belongs to tests, simulators or the host", () => {
    const packages = globSync(["*/package.json", "@*/*/package.json"], { cwd: join(project, "node_modules") })
      .map(dirname)
      .sort();
    expect(packages).toEqual(["@handover/core", "@handover/live-agent", "@handover/provider-utils", "undici", "zod"]);
  });

  it("should hold no tests, no fixtures and no leftovers of the build", () => {
    const unwanted = installedFiles().filter((file) => /\.test\.|__fixtures__|\/test\/|\.tsbuildinfo$|tsconfig/.test(file));
    expect(unwanted).toEqual([]);
  });

  it.each(integrated)("should name no workspace in the manifest of %s", (name) => {
    const { exports, dependencies, peerDependencies } = readManifest(installed(`@handover/${name}`));
    expect(JSON.stringify({ exports, dependencies, peerDependencies })).not.toMatch(/workspace:|catalog:|src\//);
  });

  it.each(integrated)("should have every file that the exports of %s name", (name) => {
    const folder = installed(`@handover/${name}`);
    const { exports } = readManifest(folder);
    const targets = Object.values(exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)));
    expect(targets).toContain("./dist/index.js");
    expect(targets.filter((target) => globSync(target, { cwd: folder }).length === 0)).toEqual([]);
  });

  it.each(integrated)("should have the sources of every source map of %s", (name) => {
    const folder = installed(`@handover/${name}`);
    const maps = globSync("dist/**/*.map", { cwd: folder });
    expect(maps.length).toBeGreaterThan(0);
    const missing = maps.flatMap((map) => {
      const { sourceRoot = "", sources } = readJson(join(folder, map)) as SourceMap;
      return sources.filter((source) => globSync(join(dirname(map), sourceRoot, source), { cwd: folder }).length === 0);
    });
    expect(missing).toEqual([]);
  });

  it("should type-check in a strict project that checks declarations too, and show what is wrong in it", async () => {
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "es2024",
          module: "nodenext",
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          noEmit: true,
          types: ["node"],
          typeRoots: [join(root, "node_modules/@types")],
        },
        include: ["*.ts"],
      }),
    );
    await writeFile(join(project, "right.ts"), integratorProgram);
    await writeFile(join(project, "wrong.ts"), integratorProgram.replace("= { accountId:", "= { acountId:"));
    const { stdout } = await execute(tsc, ["-p", "."], { cwd: project }).catch((error: unknown) => error as { stdout: string });
    const errors = stdout.split("\n").filter((line) => / error TS/.test(line));
    expect(errors).toEqual([expect.stringMatching(/^wrong\.ts.*acountId/)]);
  });

  it("should run in plain Node and describe the provider's settings", async () => {
    await writeFile(
      join(project, "integrator.mjs"),
      `import { describeSettings, isHandoverProvider } from "@handover/core";
       import liveAgent, { liveAgentProvider } from "@handover/live-agent";
       const { name, settings } = describeSettings(liveAgent);
       const isProvider = isHandoverProvider(liveAgent) && liveAgent === liveAgentProvider;
       console.log(JSON.stringify({ name, isProvider, apiKey: settings.properties.apiKey }));`,
    );
    const { stdout } = await execute(process.execPath, ["integrator.mjs"], { cwd: project });
    expect(JSON.parse(stdout)).toMatchObject({ name: "live-agent", isProvider: true, apiKey: { title: "API Key", secret: true } });
  });
});

const integratorProgram = `
import { describeSettings, parseConfig, type HandoverConnection, type HandoverProvider, type ProviderContext } from "@handover/core";
import liveAgent, { type LiveAgentSettings } from "@handover/live-agent";

declare const context: ProviderContext;
const plain: HandoverProvider = liveAgent;
const settings: LiveAgentSettings = parseConfig(liveAgent.settings, { accountId: "1" }, "The settings");
const own: Pick<LiveAgentSettings, "accountId"> = { accountId: "1" };
const connection: HandoverConnection = liveAgent.connect({ ...settings, ...own }, context);
const labels: Readonly<Record<string, unknown>> = describeSettings(plain).settings;
console.log(connection.accountKey, labels);
`;

describe("the packages as they are published", () => {
  it.each(published)("should satisfy publint: %s", async (folder) => {
    const tarball = await readFile(tarballs.get(folder)!);
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, level: "suggestion", strict: true });
    expect(messages.map((message) => formatMessage(message, pkg as Record<string, unknown>, { color: false }))).toEqual([]);
  });
});
