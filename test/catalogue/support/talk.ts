import type { HandoverEvent } from "@handover/core";
import { expect } from "vitest";
import type { HandoverRuntime } from "@handover/runtime";
import type { Recorder } from "../../runtime/support/recorder.ts";
import type { World } from "../../runtime/support/world.ts";

/** A conversation whose handover is queued, and the id of its ticket at the desk. */
export interface Talk {
  readonly chat: Recorder;
  readonly ticket: string;
}

/** Asks for a person in a conversation of its own and waits until the desk has its transcript. */
export async function handOver(world: World, conversation = "c"): Promise<Talk> {
  const chat = world.record(conversation);
  const question = `agent for ${conversation}`;
  await world.say(conversation, "ask", question);
  await chat.untilStatus("queued");
  const isMine = ({ messages }: { readonly messages: readonly { readonly text: string }[] }) =>
    messages.length >= 2 && messages.some(({ text }) => text === question);
  const tickets = await world.vendor.backend.waitFor((all) => all.some(isMine), { timeoutMs: 15_000 });
  return { chat, ticket: tickets.find(isMine)?.id ?? "" };
}

/** `line 1`, `line 2` and so on. */
export const numbered = (count: number, word = "line"): string[] => Array.from({ length: count }, (_, index) => `${word} ${index + 1}`);

/** What people at the desk said, as the user reads it. */
export const agentLines = (chat: Recorder): string[] =>
  chat
    .lines()
    .filter((line) => line.startsWith("agent: "))
    .map((line) => line.slice("agent: ".length));

/** What the user wrote, as the desk reads it, without the question that asked for people. */
export const deskLines = (world: World, ticket: string): string[] =>
  world.vendor.backend
    .conversation(ticket)
    .messages.filter(({ author, text }) => author === "customer" && !text.startsWith("agent for "))
    .map(({ text }) => text);

/** A message of an agent, as a scripted desk says it. */
export const said = (id: string, text = id): HandoverEvent => ({
  type: "message-received",
  message: { id, author: { role: "agent", id: "a1", name: "Ada" }, text, sentAt: new Date(0).toISOString() },
});

/** A number of a runtime, summed up over the labels that are not given. */
export const metric = (runtime: HandoverRuntime, name: string, labels: Readonly<Record<string, string>> = {}): number =>
  runtime
    .metrics()
    .filter((one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);

/** Waits until what is read is as it should be; a machine that has much to do takes its time. */
export const poll = <Value>(read: () => Value, options: { readonly interval?: number; readonly timeout?: number } = {}) =>
  expect.poll(read, { interval: 20, timeout: 10_000, ...options });
