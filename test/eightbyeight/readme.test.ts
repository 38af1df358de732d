import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startSimulators } from "@handover/simulators";
import { expect, it } from "vitest";
import { freePort } from "../support/free-port.ts";

const root = join(import.meta.dirname, "../..");

it("should run the program of the README of 8x8 through a whole handover [F178]", async () => {
  const readme = readFileSync(join(root, "packages/eightbyeight/README.md"), "utf8");
  const [, program = ""] = /```ts\n([^]*?)```/.exec(readme) ?? [];
  // Inside the repository, so that its packages are found.
  await mkdir(join(root, ".cache"), { recursive: true });
  const folder = await mkdtemp(join(root, ".cache/eightbyeight-readme-"));
  const { eightbyeight, close } = await startSimulators();
  const port = await freePort();
  await writeFile(join(folder, "program.ts"), program);
  const child = spawn(process.execPath, [join(folder, "program.ts")], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      EIGHTBYEIGHT_BASE_URL: eightbyeight.baseUrl,
      EIGHTBYEIGHT_API_KEY: eightbyeight.apiKey,
      EIGHTBYEIGHT_CHANNEL_ID: eightbyeight.channelId,
    },
  });
  const errors: string[] = [];
  child.stderr.on("data", (data) => errors.push(String(data)));
  const lines: string[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(line));
  const exited = once(child, "exit");
  try {
    eightbyeight.setWebhookUrl(`http://127.0.0.1:${port}/handover/eightByEight/support-desk`);
    const [conversation] = await eightbyeight.waitFor((all) => all.length === 1, { timeoutMs: 15_000 });
    eightbyeight.say(conversation!.id, { text: "This is Ann" });
    await expect.poll(() => lines.join("\n"), { timeout: 10_000 }).toContain("This is Ann");
    eightbyeight.close(conversation!.id);
    expect([(await exited)[0], errors.join("")]).toEqual([0, ""]);
    expect(lines.at(-1)).toContain('"reason":"completed"');
  } finally {
    child.kill("SIGKILL");
    await exited;
    await close();
    await rm(folder, { recursive: true, force: true });
  }
});
