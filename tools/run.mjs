// Runs a root script on a fresh clone that has only Node >= 20 and npm: installs what is missing, picks the Node of the
// repository, builds, and then runs the named task. No dependencies, because it runs before they are there.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const pnpmVersion = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager.split("@")[1];
const environment = {
  ...process.env,
  PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
};

/** Runs a command in the repository and leaves this process with its exit code when it fails. */
function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, env: environment, stdio: "inherit", ...options });
  if (error) console.error(`Could not run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a program that goes on until it is told to stop, and hands the telling on: exactly once, whoever was told. */
function serve(command, args) {
  // In a group of its own: a terminal's Ctrl-C reaches only this process, which hands it on.
  const child = spawn(command, args, { cwd: root, env: environment, stdio: "inherit", detached: process.platform !== "win32" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // npm does not hand a signal on: when it is gone, nobody is there to stop this program any more.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 500).unref();
  child.on("exit", (code) => process.exit(code ?? 0));
}

/** The command that runs the pinned pnpm: the one on PATH where it has that version, else a copy that npx keeps. */
export function pnpm(...args) {
  const onPath = spawnSync("pnpm", ["--version"], { cwd: root, encoding: "utf8" });
  const isPinned = onPath.status === 0 && onPath.stdout.trim() === pnpmVersion;
  return isPinned ? ["pnpm", args] : ["npx", ["--yes", `--package=pnpm@${pnpmVersion}`, "--", "pnpm", ...args]];
}

/** Installs the dependencies of a workspace when its lockfile or manifest changed since the last time. */
export function install(folder = root) {
  const stamp = join(folder, "node_modules/.handover-install");
  const inputs = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"].map((file) => readFileSync(join(folder, file)));
  const hash = createHash("sha256").update(Buffer.concat(inputs)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  console.log("Installing dependencies ...");
  run(...pnpm("install", "--frozen-lockfile", "--reporter=append-only"), { cwd: folder });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
}

/** The Node that runs the project: the pinned one where it was installed, else the one that runs this script. */
export function projectNode() {
  const pinned = join(root, "node_modules/.bin/node");
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 22)) return process.execPath;
  console.error(`Handover needs Node 22.22 or newer on this platform, this is ${process.version}. Install a newer Node and try again.`);
  process.exit(1);
}

/** Compiles every package; unchanged ones come from the cache. */
export function build() {
  run(...pnpm("exec", "turbo", "run", "build", "--output-logs=errors-only", "--log-order=grouped"), {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

const bin = (name) => join(root, "node_modules/.bin", name);

const tasks = {
  start: (args) => serve(projectNode(), ["apps/host/src/start.ts", ...args]),
  build: () => undefined,
  lint() {
    run(bin("prettier"), ["--check", "--log-level=warn", "--cache", "--cache-location=.cache/prettier", "."]);
    run(bin("eslint"), [".", "--cache", "--cache-location=.cache/eslint", "--max-warnings=0"]);
  },
  typecheck() {
    for (const project of ["tsconfig.check.json", "apps/host/web", "packages/simulators/web"]) run(bin("tsc"), ["-p", project]);
  },
  unit: (args) => run(bin("vitest"), ["run", ...args]),
  test(args) {
    tasks.lint();
    tasks.typecheck();
    tasks.unit(args);
  },
  docs: (args) => run(projectNode(), ["tools/write-failures-page.ts", ...args]),
  "test:chaos": (args) => run(projectNode(), ["test/chaos/chaos.ts", ...args]),
  bench(args) {
    install(join(root, "bench"));
    run(projectNode(), ["bench/run.ts", ...args]);
  },
};

function main([name, ...args]) {
  const task = tasks[name];
  if (!task) {
    console.error(`Unknown task "${name ?? ""}". Known tasks: ${Object.keys(tasks).join(", ")}.`);
    process.exit(2);
  }
  install();
  projectNode();
  build();
  task(args);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
