import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startDemo } from "../../apps/host/src/demo.ts";
import { readUntil } from "../../apps/host/test/support/read-events.ts";
import { send } from "../../apps/host/test/support/test-host.ts";
import { scriptDesks } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";

const open = useWorld();

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
/** What a package ships, without its tests. */
const sources = (folder: string) =>
  globSync(`${folder}/src/**/*.ts`, { cwd: root }).filter((file) => !/\.test\.ts$|__fixtures__/.test(file));

it("should let a person play the agent on this machine, at the same desk that the conformance suite drives [F179]", async () => {
  const folder = mkdtempSync(join(tmpdir(), "handover-demo-"));
  const environment = { HANDOVER_PORT: "0", HANDOVER_SIMULATORS_PORT: "0", HANDOVER_DATA: folder };
  const { host, deskUrl, stop } = await startDemo(environment, () => undefined);
  try {
    for (const url of [host.url, deskUrl]) expect(new URL(url).hostname).toBe("127.0.0.1");
    expect(await (await fetch(deskUrl)).text()).toContain("<html");
    const url = `${host.url}/endpoints/demo-live-agent/conversations/c`;
    await send("POST", `${url}/messages`, { id: "1", text: "I need a human" });
    await readUntil(url, ({ status }) => status === "queued");
    // What the buttons of the desk's page send.
    const desk = `${deskUrl}control/live-agent/conversations`;
    const [ticket] = (await send("GET", desk)).json as unknown as { readonly id: string }[];
    await send("POST", `${desk}/${ticket!.id}/accept`, {});
    await send("POST", `${desk}/${ticket!.id}/say`, { text: "Here I am" });
    await readUntil(url, ({ text, author }) => text === "Here I am" && author?.role === "agent");
    await send("POST", `${desk}/${ticket!.id}/close`, {});
    await readUntil(url, ({ status }) => status === "ended");
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
  for (const file of ["apps/host/src/demo.ts", "packages/live-agent/test/conformance-profile.ts"]) {
    expect(read(file)).toMatch(/import \{[^}]*\bstartSimulators\b[^}]*\} from "@handover\/simulators";/);
  }
});

describe("a channel [F172]", () => {
  it("should be known by no name, in core or in the runtime", () => {
    const channels = /whats ?app|messenger|telegram|slack|\bteams\b|\bviber\b|\bsms\b|\bline\b channel|webchat|voice ?gateway/i;
    const files = [...sources("packages/core"), ...sources("packages/runtime")];
    expect(files.length).toBeGreaterThan(60);
    expect(files.filter((file) => channels.test(read(file)))).toEqual([]);
  });

  it("should say itself whether it can take part, whatever it is called", async () => {
    const handover = { connections: ["desk"] };
    const desks = scriptDesks({ desk: {} });
    const endpoints = [
      { token: "pigeon-post", handover },
      { token: "smoke-signs", handover, channel: "any-time" as const },
      { token: "megaphone", handover, channel: "answers-only" as const },
    ];
    const world = await open({ runtime: { ...desks.runtime, endpoints } });
    const request = (endpoint: string) => world.runtime.requestHandover({ endpoint, conversation: "c" });
    for (const { token } of endpoints.slice(0, 2)) expect(await request(token)).toEqual({ handover: expect.any(String) as string });
    await expect(request("megaphone")).rejects.toMatchObject({ code: "CHANNEL_UNSUPPORTED" });
    await expect.poll(() => desks.count("desk.start"), { timeout: 10_000 }).toBe(2);
  });
});

it("should install nothing but zod with core [F118 core depends on zod only]", () => {
  const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(read("packages/core/package.json")) as Readonly<
    Record<string, Readonly<Record<string, string>> | undefined>
  >;
  expect([dependencies, peerDependencies, optionalDependencies].flatMap((some) => Object.keys(some ?? {}))).toEqual(["zod"]);
});
