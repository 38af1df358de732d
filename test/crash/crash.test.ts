import { afterEach, describe, expect, it } from "vitest";
import type { LiveAgentSimulator, Simulators } from "@handover/simulators";
import { startSimulators } from "../support/checked-simulators.ts";
import { openChannelClient, type ChannelClient } from "./channel-client.ts";
import { deskConfiguration, webhookSecret } from "./desk-configuration.ts";
import { createHostProcess, type HostProcess } from "./host-process.ts";

interface Scene {
  readonly host: HostProcess;
  readonly simulators: Simulators;
  readonly desk: LiveAgentSimulator;
  readonly chat: ChannelClient;
}

let scene: Scene | undefined;

afterEach(async () => {
  scene?.chat.close();
  await scene?.host.close();
  await scene?.simulators.close();
  scene = undefined;
});

async function open(): Promise<Scene> {
  const simulators = await startSimulators();
  const desk = simulators.liveAgent;
  const host = await createHostProcess((port, folder) => deskConfiguration(port, folder, desk));
  desk.setWebhookUrl(`${host.url}/handover/live-agent/desk/${webhookSecret}`);
  await host.start();
  scene = { host, simulators, desk, chat: openChannelClient(host.url, "web", "c") };
  return scene;
}

const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);
const openTickets = (desk: LiveAgentSimulator) => desk.conversations().filter((one) => one.status !== "closed");
const userLines = (desk: LiveAgentSimulator, prefix: string) =>
  desk
    .conversations()
    .flatMap((one) => one.messages)
    .filter((message) => message.author === "user" && message.text.startsWith(prefix))
    .map((message) => message.text);
const agentLines = (chat: ChannelClient) =>
  chat
    .visible()
    .filter((entry) => entry.kind === "message" && entry.author?.role === "agent")
    .map((entry) => entry.text);

async function handOver({ chat, desk }: Scene): Promise<string> {
  await chat.send("ask", "I need a human");
  await chat.until("the queue", (entries) => entries.some((entry) => entry.status === "queued"));
  return desk.conversations()[0]!.id;
}

describe("a host that is killed", () => {
  it("should lose, repeat and disorder nothing when it dies again and again in the middle of a conversation [F157 live agent, sqlite]", async () => {
    const { host, desk, chat } = await open();
    const ticket = await handOver(scene!);
    desk.accept(ticket);
    const fromUser = numbered("user", 40);
    const fromAgent = numbered("agent", 40);
    const talking = (async () => {
      for (const text of fromUser) await chat.send(text, text);
    })();
    for (const [index, text] of fromAgent.entries()) {
      desk.say(ticket, { text });
      if (index % 8 === 4) {
        await host.kill();
        desk.say(ticket, { text: `agent ${index + 1} while down` });
        fromAgent.splice(fromAgent.indexOf(text) + 1, 0, `agent ${index + 1} while down`);
        await host.start();
      }
    }
    await talking;
    await desk.waitFor(() => userLines(desk, "user").length >= 40, { timeoutMs: 30_000 });
    const said = desk
      .conversations()[0]!
      .messages.filter((message) => message.author === "agent")
      .map((message) => message.text);
    await chat.until("every line of the agent", () => agentLines(chat).length >= said.length);
    desk.close(ticket);
    await chat.until("the end", (entries) => entries.some((entry) => entry.status === "ended"));
    expect(userLines(desk, "user")).toEqual(fromUser);
    expect(agentLines(chat)).toEqual(said);
    expect(chat.entries.map((entry) => entry.seq)).toEqual(chat.entries.map((_, index) => index + 1));
    expect(openTickets(desk)).toEqual([]);
  }, 90_000);

  it("should deliver a message once when it dies between the vendor's call and its own commit [F157 after the call, F022 live agent]", async () => {
    const { host, desk, chat } = await open();
    await handOver(scene!);
    for (const text of numbered("critical", 4)) {
      const isThere = desk.waitFor((all) => all.some((one) => one.messages.some((message) => message.text === text)), {
        timeoutMs: 20_000,
      });
      const killed = isThere.then(() => host.killNow());
      await chat.send(text, text);
      await killed;
      await host.kill();
      await host.start();
    }
    await chat.send("last", "critical 5");
    await desk.waitFor(() => userLines(desk, "critical").includes("critical 5"), { timeoutMs: 30_000 });
    expect(userLines(desk, "critical")).toEqual(numbered("critical", 5));
  }, 90_000);

  it.each(["POST /contacts", "POST /conversations"])(
    "should open one ticket and no other when it dies during the start, at %s",
    async (call) => {
      const { host, desk, chat } = await open();
      desk.setFaults({ latencyMs: 400, only: call });
      await chat.send("ask", "I need a human");
      await chat.until("the request", (entries) => entries.some((entry) => entry.status === "requested"));
      await expect
        .poll(() => desk.requests().some((request) => `${request.method} ${request.path}`.endsWith(call.slice(5))), { interval: 5 })
        .toBe(true);
      await host.kill();
      desk.setFaults({});
      await host.start();
      await chat.send("more", "user after the crash");
      await desk.waitFor(() => userLines(desk, "user after").length === 1, { timeoutMs: 30_000 });
      expect(openTickets(desk)).toHaveLength(1);
      expect(chat.visible().filter((entry) => entry.status === "queued")).toHaveLength(1);
      expect(
        desk
          .conversations()[0]!
          .messages.filter((message) => message.author === "user")
          .map((message) => message.text),
      ).toEqual(["I need a human", "user after the crash"]);
    },
    90_000,
  );

  it("should leave no ticket behind when the user cancels a start in which it died", async () => {
    const { host, desk, chat } = await open();
    desk.setFaults({ latencyMs: 300, only: "POST /conversations" });
    await chat.send("ask", "I need a human");
    await chat.until("the request", (entries) => entries.some((entry) => entry.status === "requested"));
    await expect
      .poll(() => desk.requests().some((request) => request.method === "POST" && request.path.endsWith("/conversations")), { interval: 5 })
      .toBe(true);
    await host.kill();
    await host.start();
    await fetch(`${host.url}/endpoints/web/conversations/c/handover`, { method: "DELETE" });
    await chat.until("the end", (entries) => entries.some((entry) => entry.status === "ended"));
    await desk.waitFor(() => openTickets(desk).length === 0, { timeoutMs: 30_000 });
    expect(desk.conversations().length).toBeLessThanOrEqual(1);
    expect(chat.visible().filter((entry) => entry.status === "ended")).toMatchObject([{ reason: "cancelled" }]);
  }, 90_000);
});
