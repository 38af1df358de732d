import { afterEach, expect, it } from "vitest";
import { startSimulators, type ControlConversation, type LiveAgentSimulator } from "@handover/simulators";
import { openChannelClient, type ChannelClient } from "../crash/channel-client.ts";
import { deskConfiguration, webhookSecret } from "../crash/desk-configuration.ts";
import { createHostProcess } from "../crash/host-process.ts";

const [sessions, messages] = [40, 20];
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Place of the message whose webhook is overtaken by the next one. */
const swapped = 9;
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
  const ticket = (await desk.waitFor((all) => all.some(isMine), { timeoutMs: 20_000 })).find(isMine)!.id;
  for (const [index, text] of lines(name).entries()) {
    // One webhook in twenty leaves behind the one after it.
    if (index === swapped) desk.setFaults(faults(true));
    const said = index === swapped ? lines(name).slice(index, index + 2) : index === swapped + 1 ? [] : [text];
    for (const words of said) desk.say(ticket, { text: `to ${words}` });
    desk.setFaults(faults(false));
    await chat.send(text, text);
    onSent();
  }
  return ticket;
}

it("should lose and double nothing in long handovers, and keep the order of all that was not late: 5 % doubled webhooks, 5 % 503, 5 % overtaken webhooks, one kill -9 [F014 40 sessions, 20 messages each way]", async () => {
  const simulators = await startSimulators();
  cleanups.push(() => simulators.close());
  const desk = simulators.liveAgent;
  const host = await createHostProcess((port, folder) =>
    deskConfiguration(port, folder, desk, { limits: { perConversation: { messages: 10_000, seconds: 10 } } }),
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
  const talking = Promise.all([...chats].map(async ([name, chat]) => [name, await talk(chat, desk, name, onSent)] as const));
  await isHalfDone.promise;
  await host.kill();
  await host.start();
  const tickets = new Map(await talking);

  const saidBy = (ticket: string) =>
    desk
      .conversation(ticket)
      .messages.filter(({ author }) => author === "user")
      .map(({ text }) => text);
  await desk.waitFor(() => names.every((name) => saidBy(tickets.get(name)!).length > messages), { timeoutMs: 40_000 });
  const agentEntries = (chat: ChannelClient) => chat.visible().filter(({ kind, author }) => kind === "message" && author?.role === "agent");
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
}, 90_000);
