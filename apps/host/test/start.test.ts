import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readUntil } from "./support/read-events.ts";
import { runProgram, type Program } from "./support/run-program.ts";
import { createFolder } from "./support/test-configuration.ts";
import { send } from "./support/test-host.ts";

let folder: ReturnType<typeof createFolder>;
let programs: Program[];
beforeEach(() => {
  folder = createFolder();
  programs = [];
});
afterEach(async () => {
  for (const program of programs) program.kill("SIGKILL");
  await Promise.all(programs.map(({ exited }) => exited));
  folder.remove();
});

const freePorts = { HANDOVER_PORT: "0", HANDOVER_SIMULATORS_PORT: "0" };

function start(args: readonly string[] = [], environment: Readonly<Record<string, string>> = freePorts): Program {
  const program = runProgram("start", args, { folder: folder.path, environment });
  programs.push(program);
  return program;
}

function handover(...args: readonly string[]): Program {
  const program = runProgram("cli", args, { folder: folder.path });
  programs.push(program);
  return program;
}

async function links(program: Program) {
  const output = await program.wrote("Stop with Ctrl-C");
  const find = (name: string) => new RegExp(`${name} +(\\S+)`).exec(output)?.[1] ?? "";
  const chat = find("Chat");
  return { output, chat, desk: find("Agent desk"), health: find("Health"), webhook: find("Webhook"), host: new URL(chat).origin };
}

interface DeskConversation {
  readonly id: string;
  readonly messages: readonly { readonly text: string }[];
}

async function control(desk: string, path: string, body?: object): Promise<unknown> {
  return (await send(body ? "POST" : "GET", `${desk}control/live-agent/${path}`, body)).json;
}

describe("the demo", () => {
  test("should let a person try both sides with one command [F179 one command, a person plays the agent]", async () => {
    const { chat, desk, health, host, output } = await links(start());
    expect((await fetch(chat)).status).toBe(200);
    expect((await fetch(desk)).status).toBe(200);
    expect(await send("GET", health)).toMatchObject({ status: 200, json: { status: "ok" } });
    for (const url of [chat, desk, health]) expect(new URL(url).hostname).toBe("127.0.0.1");
    expect(output).toContain(join("data", "handover.db"));

    const conversation = `${host}/endpoints/demo-live-agent/conversations/first`;
    await send("POST", `${conversation}/messages`, { id: "1", text: "Hello" });
    await send("POST", `${conversation}/messages`, { id: "2", text: "I need a human" });
    const queued = await readUntil(conversation, ({ status }) => status === "queued");
    expect(queued.at(-1)?.text).toBe("Connecting you to a colleague ...");
    const [taken] = (await control(desk, "conversations")) as DeskConversation[];
    await control(desk, `conversations/${taken?.id ?? ""}/say`, { text: "Here I am" });
    await readUntil(conversation, ({ text, author }) => text === "Here I am" && author?.role === "agent");
    await send("POST", `${conversation}/messages`, { id: "3", text: "Thank you" });
    await control(desk, `conversations/${taken?.id ?? ""}/close`, {});
    expect((await readUntil(conversation, ({ status }) => status === "ended")).at(-1)).toMatchObject({ reason: "completed" });
    await send("POST", `${conversation}/messages`, { id: "4", text: "Bot?" });
    await readUntil(conversation, ({ seq, author }) => author?.role === "bot" && seq > 8);
  });

  test("should print the exact webhook URL on request only, while it runs [F173 check --webhooks]", async () => {
    const program = start();
    const { host, webhook } = await links(program);
    expect(webhook).toBe(`${host}/handover/live-agent/demo-live-agent/********`);
    const check = handover("check", "--webhooks");
    expect(await check.exited).toBe(0);
    const url = /webhook +(\S+)/.exec(check.output())?.[1] ?? "";
    expect(url).toMatch(new RegExp(`^${host}/handover/live-agent/demo-live-agent/[A-Za-z0-9_-]{22}$`));
    expect((await send("POST", url, { event: "conversation_typing_on" })).status).toBe(200);
    expect(program.output()).not.toContain(url.split("/").at(-1));
    const asJson = handover("check", "--json");
    expect(await asJson.exited).toBe(0);
    expect(JSON.parse(asJson.output())).toMatchObject({
      isOk: true,
      connections: [
        { connection: "demo-live-agent", provider: "live-agent" },
        { connection: "demo-eightbyeight", provider: "eightbyeight" },
      ],
    });
    expect(asJson.output()).not.toContain(url.split("/").at(-1));
  });

  test("should stop cleanly, keep its data, and end a handover whose contact centre is gone", async () => {
    const first = start();
    const before = await links(first);
    const path = "/endpoints/demo-live-agent/conversations/kept";
    await send("POST", `${before.host}${path}/messages`, { id: "1", text: "agent" });
    await readUntil(`${before.host}${path}`, ({ status }) => status === "queued");
    const [old] = (await control(before.desk, "conversations")) as DeskConversation[];
    first.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    expect(first.output()).toContain("Stopping");

    const after = await links(start());
    const entries = await readUntil(`${after.host}${path}`, ({ status }) => status === "ended");
    expect(entries[0]).toMatchObject({ id: "1", text: "agent" });
    expect((await send("GET", after.health)).status).toBe(200);
    await send("POST", `${after.host}${path}/messages`, { id: "2", text: "agent" });
    await readUntil(`${after.host}${path}`, ({ status, seq }) => status === "queued" && seq > (entries.at(-1)?.seq ?? 0));
    const [taken, ...others] = (await control(after.desk, "conversations")) as DeskConversation[];
    expect(others).toEqual([]);
    expect(Number(taken?.id)).toBeGreaterThan(Number(old?.id));
  });

  test.each(["HANDOVER_PORT", "HANDOVER_SIMULATORS_PORT"])(
    "should say in one line what to do when the port of %s is taken",
    async (variable) => {
      const blocker = createServer().listen(0, "127.0.0.1");
      await once(blocker, "listening");
      const { port } = blocker.address() as AddressInfo;
      const program = start([], { ...freePorts, [variable]: String(port) });
      expect(await program.exited).toBe(1);
      const lines = program.output().trim().split("\n");
      expect(lines.at(-1)).toBe(`Port ${port} is in use already. Stop what uses it, or take another one: ${variable}=${port + 1}.`);
      expect(program.output()).not.toContain("    at ");
      blocker.close();
    },
  );

  test("should say that another one runs on the same data", async () => {
    await links(start());
    const second = start();
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(/in use/);
    expect(second.output()).not.toContain("    at ");
  });
});

describe("the command line", () => {
  test("should explain itself and refuse what it does not know", async () => {
    const help = start(["--help"]);
    expect(await help.exited).toBe(0);
    expect(help.output()).toContain("--config <file>");
    const wrong = start(["--confg", "x.yaml"]);
    expect(await wrong.exited).toBe(2);
    expect(wrong.output()).toContain("Unknown flag --confg. Did you mean --config?");
  });

  test("should start the host alone with a configuration", async () => {
    writeFileSync(join(folder.path, "my.yaml"), "listen: { port: 0 }\nendpoints: [{ token: mine, access: open, bot: { demo: {} } }]\n");
    const { chat, output, health } = await links(start(["--config", "my.yaml"]));
    expect(chat).toMatch(/\/chat\/mine$/);
    expect(output).not.toContain("Agent desk");
    expect((await fetch(health)).status).toBe(200);
  });

  test("should end with all problems and no stack when the configuration is wrong", async () => {
    writeFileSync(join(folder.path, "my.yaml"), "pluginz: []\nendpoints: [{ token: a, access: open, title: '${NOT_SET}' }]\n");
    const program = start(["--config", "my.yaml"]);
    expect(await program.exited).toBe(1);
    expect(program.output()).toContain("my.yaml:1:1: pluginz: unknown key");
    expect(program.output()).toMatch(/my\.yaml:2:\d+: endpoints\[0\]\.title: needs the environment variable NOT_SET/);
    expect(program.output()).not.toContain("    at ");
  });
});
