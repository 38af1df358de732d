import { afterEach, expect, it } from "vitest";
import type { ControlConversation, LiveAgentSimulator } from "@handover/simulators";
import { startSimulators } from "../support/checked-simulators.ts";
import { openChannelClient, type ChannelClient } from "../crash/channel-client.ts";
import { deskConfiguration, webhookSecret } from "../crash/desk-configuration.ts";
import { createHostProcess } from "../crash/host-process.ts";

/** How many sessions, and messages each way in each of them. HANDOVER_SOAK asks for more. */
const [sessions = 0, messages = 0] = (process.env["HANDOVER_SOAK"] ?? "40x20").split("x").map(Number);
/** So many at a time, as many people as work at a desk. */
const atOnce = 40;
const timeoutMs = Math.max(90_000, sessions * messages * 40);
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** One webhook in twenty is overtaken by the next one: that of the tenth message, and so on. */
const isOvertaken = (index: number) => index % 20 === 9;
let seed = 0;
const faults = (reorderWebhooks: boolean) => ({
  failRate: 0.05,
  status: 503,
  duplicateWebhookRate: 0.05,
  reorderWebhooks,
  seed: (seed += 1),
});

const lines = (prefix: string) => Array.from({ length: messages }, (_, index) => `${prefix} ${index + 1}`);

/** One user who asks for a person, and everything that both of them say. */
async function talk(chat: ChannelClient, desk: LiveAgentSimulator, name: string, onSent: () => void): Promise<string> {
  await chat.send("ask", `${name} needs an agent`);
  await chat.until("the queue", (entries) => entries.some(({ status }) => status === "queued"));
  const isMine = ({ messages: said }: ControlConversation) => said[0]?.text === `${name} needs an agent`;
  const ticket = (await desk.waitFor((all) => all.some(isMine), { timeoutMs })).find(isMine)!.id;
  for (const [index, text] of lines(name).entries()) {
    if (isOvertaken(index)) desk.setFaults(faults(true));
    const said = isOvertaken(index) ? lines(name).slice(index, index + 2) : isOvertaken(index - 1) ? [] : [text];
    for (const words of said) desk.say(ticket, { text: `to ${words}` });
    desk.setFaults(faults(false));
    await chat.send(text, text);
    onSent();
  }
  return ticket;
}

it(
  "should lose and double nothing in long handovers, and keep the order of all that was not late: 5 % doubled webhooks, 5 % 503, 5 % overtaken webhooks, one kill -9 [F014 40 sessions, 20 messages each way]",
  async () => {
    const simulators = await startSimulators();
    cleanups.push(() => simulators.close());
    const desk = simulators.liveAgent;
    const host = await createHostProcess((port, folder) =>
      deskConfiguration(port, folder, desk, {
        limits: { perConversation: { messages: 10_000, seconds: 10 } },
        timing: { callTimeoutSeconds: 5, catchUpIntervalSeconds: 2 },
      }),
    );
    cleanups.push(() => host.close());
    desk.setWebhookUrl(`${host.url}/handover/live-agent/desk/${webhookSecret}`);
    await host.start();
    desk.setFaults(faults(false));

    const names = Array.from({ length: sessions }, (_, index) => `user ${index + 1}`);
    const chats = new Map(names.map((name) => [name, openChannelClient(host.url, "web", name)]));
    for (const chat of chats.values()) cleanups.push(() => chat.close());
    const isHalfDone = Promise.withResolvers<undefined>();
    let sent = 0;
    const onSent = (): void => {
      sent += 1;
      if (sent === (sessions * messages) / 2) isHalfDone.resolve(undefined);
    };
    const tickets = new Map<string, string>();
    const talkOneAfterTheOther = async (mine: readonly string[]): Promise<void> => {
      for (const name of mine) tickets.set(name, await talk(chats.get(name)!, desk, name, onSent));
    };
    const talking = Promise.all(
      Array.from({ length: atOnce }, (_, place) => talkOneAfterTheOther(names.filter((_name, index) => index % atOnce === place))),
    );
    await Promise.race([isHalfDone.promise, talking]);
    await host.kill();
    await host.start();
    await talking;

    const saidBy = (ticket: string) =>
      desk
        .conversation(ticket)
        .messages.filter(({ author }) => author === "user")
        .map(({ text }) => text);
    await desk.waitFor(() => names.every((name) => saidBy(tickets.get(name)!).length > messages), { timeoutMs });
    const agentEntries = (chat: ChannelClient) =>
      chat.visible().filter(({ kind, author }) => kind === "message" && author?.role === "agent");
    for (const [name, chat] of chats) await chat.until(`all lines to ${name}`, () => agentEntries(chat).length >= messages);
    for (const ticket of tickets.values()) desk.close(ticket);
    for (const chat of chats.values()) await chat.until("the end", (entries) => entries.some(({ status }) => status === "ended"));
    for (const [name, chat] of chats) {
      const expected = lines(name).map((text) => `to ${text}`);
      const shown = agentEntries(chat);
      expect(saidBy(tickets.get(name)!)).toEqual([`${name} needs an agent`, ...lines(name)]);
      expect(shown.map(({ text }) => text).toSorted()).toEqual(expected.toSorted());
      // What had to be asked for, because its webhook came while the host was dead, may come late. Then it says so.
      const inTime = shown.filter(({ isLate }) => !isLate).map(({ text }) => text);
      expect(inTime).toEqual(expected.filter((text) => inTime.includes(text)));
      expect(chat.entries.map(({ seq }) => seq)).toEqual(chat.entries.map((_, index) => index + 1));
    }
    expect(desk.conversations()).toHaveLength(sessions);
    expect(desk.requests().filter(({ status }) => status === 503).length).toBeGreaterThan(0);
    expect(host.output()).not.toMatch(/ error /);
  },
  timeoutMs,
);
