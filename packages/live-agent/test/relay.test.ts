import type { Message, Started, VendorDelivery } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall } from "../src/__fixtures__/calls.ts";
import type { LiveAgentState } from "../src/index.ts";
import { openDesk, type Desk } from "./desk.ts";

let desk: Desk;
let started: Started<LiveAgentState>;
afterEach(() => desk.close());

async function begin(options: Parameters<typeof openDesk>[0] = {}): Promise<string> {
  desk = await openDesk(options);
  started = await desk.startHandover();
  return started.state.conversationId;
}

const line = (text: string, role: "user" | "bot" = "user"): Message => ({
  id: crypto.randomUUID(),
  author: { role },
  text,
  sentAt: "2026-01-01T09:58:07.123Z",
});

async function send(message: Message, idempotencyKey: string = crypto.randomUUID()): Promise<string> {
  const handover = desk.handover(started);
  const [part] = desk.connection.planMessage(handover, message);
  return (await desk.connection.sendMessage(handover, part!, makeCall({ idempotencyKey }))).vendorMessageId!;
}

function sentPart(
  message: Message,
  idempotencyKey: string,
  firstAttemptAtMs = Date.now(),
): Parameters<typeof desk.connection.findSentMessage>[1] {
  return { part: desk.connection.planMessage(desk.handover(started), message)[0]!, idempotencyKey, firstAttemptAtMs };
}

/** What the deliveries mean, in the order of messages, with the state carried along; each id once. Who has read what is left out. */
function eventsOf(deliveries: readonly VendorDelivery[]): string[] {
  const seen = new Set<string>();
  let state = started.state;
  return deliveries
    .filter((delivery) => delivery.id === undefined || (!seen.has(delivery.id) && seen.add(delivery.id)))
    .flatMap((delivery) => {
      const result = desk.connection.translate({ ...desk.handover(started), state }, delivery);
      state = result.state ?? state;
      return result.events
        .filter(({ type }) => type !== "delivery-changed")
        .map((event) => (event.type === "message-received" ? `${event.message.author.role}: ${event.message.text ?? ""}` : event.type));
    });
}

describe("sending", () => {
  it("should show user and bot apart, with exactly their words and the original time [F088] [F037] [F019]", async () => {
    const id = await begin();
    await send(line("  hi *there*  "));
    await send(line("How can I help?", "bot"));
    expect(desk.simulator.conversation(id).messages).toMatchObject([
      { author: "user", text: "  hi *there*  ", at: "2026-01-01T09:58:07.000Z" },
      { author: "bot", text: "How can I help?", at: "2026-01-01T09:58:07.000Z" },
    ]);
    await desk.simulator.webhooksIdle();
    expect(eventsOf(desk.deliveries).filter((event) => event !== "message-echoed")).toEqual([]);
  });

  it("should know its own messages by key and id when they come back [F019] [F022]", async () => {
    await begin();
    const vendorMessageId = await send(line("hi"), "the-key");
    await desk.simulator.webhooksIdle();
    const delivery = desk.deliveries.find((candidate) => candidate.id === `message:${vendorMessageId}`)!;
    expect(desk.connection.translate(desk.handover(started), delivery).events).toEqual([
      { type: "message-echoed", vendorMessageId, idempotencyKey: "the-key" },
    ]);
  });

  it("should find a message whose answer was lost [F022]", async () => {
    const id = await begin();
    for (let index = 0; index < 45; index += 1) await send(line(`before ${index}`));
    desk.simulator.setFaults({ loseAnswerRate: 1, only: "POST /messages", times: 1 });
    const message = line("lost?");
    await expect(send(message, "lost-key")).rejects.toMatchObject({ outcome: "unknown", isRetryable: true });
    const vendorMessageId = desk.simulator.conversation(id).messages.at(-1)!.id;
    for (let index = 0; index < 25; index += 1) await send(line(`after ${index}`));
    expect(await desk.connection.findSentMessage(desk.handover(started), sentPart(message, "lost-key"), makeCall())).toEqual({
      vendorMessageId,
    });
  });

  it("should be sure that a message is absent only when it has read far enough [F022]", async () => {
    await begin();
    for (let index = 0; index < 25; index += 1) await send(line("same words"));
    const find = (key: string, text: string): Promise<unknown> =>
      desk.connection.findSentMessage(desk.handover(started), sentPart(line(text), key), makeCall());
    desk.simulator.setFaults({ failRate: 1, status: 500, only: "POST /messages", times: 1 });
    await expect(send(line("same words"), "never-came")).rejects.toMatchObject({ outcome: "unknown" });
    expect(await find("never-came", "same words")).toBe("absent");
    expect(desk.calls("GET").filter((call) => call.path.endsWith("/messages")).length).toBeGreaterThan(1);
  });

  it("should treat the flood limit as a wait for this conversation [F101]", async () => {
    await begin({ messagesPerMinute: 3 });
    for (const text of ["1", "2", "3"]) await send(line(text));
    await expect(send(line("4"))).rejects.toMatchObject({
      code: "RATE_LIMITED",
      effect: "message",
      outcome: "not-applied",
      retryAfterMs: 5000,
    });
  });

  it("should end the handover when the conversation is gone, and post nothing to one that is over [F073] [F078]", async () => {
    const id = await begin();
    desk.simulator.reset();
    await expect(send(line("hi"))).rejects.toMatchObject({ code: "CONVERSATION_GONE", effect: "handover" });
    started = { ...(await desk.startHandover()) };
    started = { ...started, state: { ...started.state, status: "resolved" } };
    await expect(send(line("hi"))).rejects.toMatchObject({ code: "CONVERSATION_GONE" });
    expect(desk.calls("POST").filter((call) => call.path.endsWith(`/${started.state.conversationId}/messages`))).toEqual([]);
    expect(id).not.toBe(started.state.conversationId);
  });
});

describe.each(["live-agent", "4.15"] as const)("what the desk says, profile %s", (profile) => {
  it("should arrive by webhook: who comes, what they write, the end [F001] [F053] [F054]", async () => {
    const id = await begin({ profile });
    await send(line("hi"));
    // One after the other, because a webhook shows the conversation as it is when it leaves.
    for (const act of [
      () => desk.simulator.accept(id),
      () => desk.simulator.say(id, { text: "Hello" }),
      () => desk.simulator.note(id, { text: "between us" }),
      () => desk.simulator.type(id, { isTyping: true }),
      () => desk.simulator.close(id),
    ]) {
      act();
      await desk.simulator.webhooksIdle();
    }
    expect(eventsOf(desk.deliveries)).toEqual(["message-echoed", "agent-joined", "agent: Hello", "desk-note", "typing-changed", "ended"]);
  });

  it("should be the same by catching up, with the same delivery ids [F001] [F007] [F074]", async () => {
    const id = await begin({ profile });
    desk.simulator.accept(id);
    desk.simulator.say(id, { text: "Hello" });
    desk.simulator.say(id, { text: "Anybody there?" });
    desk.simulator.close(id);
    await desk.simulator.webhooksIdle();
    const caught = await desk.connection.catchUp(desk.handover(started), undefined, makeCall());
    expect(eventsOf(caught.deliveries)).toEqual(["agent: Hello", "agent: Anybody there?", "ended"]);
    const known = new Set(desk.deliveries.map((delivery) => delivery.id));
    expect(caught.deliveries.filter((delivery) => !known.has(delivery.id))).toEqual([]);
    expect(eventsOf([...desk.deliveries, ...caught.deliveries])).toEqual(eventsOf(desk.deliveries));
  });

  it("should verify the desk's signature [F103] [F104]", async () => {
    desk = await openDesk({ profile, webhookSecret: "grüße" });
    const strict = desk.connect({ signatureSecret: "grüße", requireSignature: true });
    desk.connection.receiveWebhook = strict.receiveWebhook;
    started = await desk.startHandover({ conversation: "👋" });
    await desk.simulator.webhooksIdle();
    expect(desk.deliveries.length > 0).toBe(profile === "4.15");
  });
});

describe("catching up", () => {
  it("should read all pages, from the start and from the cursor [F102]", async () => {
    const id = await begin({ messagesPerMinute: 1000 });
    for (let index = 0; index < 150; index += 1) desk.simulator.say(id, { text: `line ${index}` });
    const lines = Array.from({ length: 150 }, (_, index) => `agent: line ${index}`);
    const whole = await desk.connection.catchUp(desk.handover(started), undefined, makeCall());
    expect(eventsOf(whole.deliveries)).toEqual(lines);
    const first = Number(whole.deliveries[0]!.id!.split(":")[1]);
    const rest = await desk.connection.catchUp(desk.handover(started), { afterId: first }, makeCall());
    expect(eventsOf(rest.deliveries)).toEqual(lines.slice(1));
    expect(rest.hasMore).toBe(false);
  });

  it("should read again what is younger than a minute, and not what is older", async () => {
    const id = await begin();
    desk.simulator.say(id, { text: "one" });
    const now = await desk.connection.catchUp(desk.handover(started), undefined, makeCall());
    expect(now.cursor).toEqual({ afterId: 0 });
    const later = desk.connect({}, { ...desk.context, clock: { now: () => Date.now() + 120_000 } });
    const caught = await later.catchUp(desk.handover(started), now.cursor, makeCall());
    desk.simulator.say(id, { text: "two" });
    const next = await later.catchUp(desk.handover(started), caught.cursor, makeCall());
    expect(eventsOf(next.deliveries)).toEqual(["agent: two"]);
  });

  it("should say that the conversation is gone [F061]", async () => {
    await begin();
    desk.simulator.reset();
    await expect(desk.connection.catchUp(desk.handover(started), undefined, makeCall())).rejects.toMatchObject({
      code: "CONVERSATION_GONE",
    });
  });
});

describe("ending", () => {
  it("should close the conversation, and be content when it is over or gone [F070] [F075]", async () => {
    const id = await begin();
    const end = (): Promise<string> => desk.connection.end(desk.handover(started), { reason: "cancelled", actor: "user" }, makeCall());
    expect(await end()).toBe("ended");
    expect(desk.simulator.conversation(id).status).toBe("closed");
    expect(await end()).toBe("ended");
    desk.simulator.reset();
    expect(await end()).toBe("ended");
  });

  it("should be content with a conversation that the desk abandoned", async () => {
    const id = await begin();
    desk.simulator.close(id, { abandon: true });
    expect(await desk.connection.end(desk.handover(started), { reason: "completed", actor: "user" }, makeCall())).toBe("ended");
  });

  it("should close again what the desk opened again [F078]", async () => {
    const id = await begin({ profile: "4.15" });
    desk.simulator.close(id);
    await desk.simulator.webhooksIdle();
    desk.simulator.reopen(id);
    await desk.simulator.webhooksIdle();
    expect(eventsOf(desk.deliveries)).toEqual(["ended", "reopened"]);
    expect(await desk.connection.end(desk.handover(started), { reason: "completed", actor: "user" }, makeCall())).toBe("ended");
    expect(desk.simulator.conversation(id).status).toBe("closed");
  });
});
