import { describe, expect, test } from "vitest";
import type { EightbyeightBench } from "./eightbyeight-harness.ts";
import { brief, embedded, startEightbyeight } from "./eightbyeight-harness.ts";
import { createManualClock } from "./harness.ts";

/** A conversation that Ann has; what was told of that is read already. */
async function startActive(...parameters: Parameters<typeof startEightbyeight>): Promise<EightbyeightBench & { id: string }> {
  const bench = await startEightbyeight(...parameters);
  const id = await bench.converse();
  bench.simulator.accept(id);
  await bench.told();
  return { ...bench, id };
}

describe("an agent", () => {
  test("should join, be told once, and be named by an id alone", async () => {
    const { api, converse, simulator, told } = await startEightbyeight();
    const id = await converse();
    await told();
    expect(simulator.accept(id, { agent: "Ben Agent" })).toMatchObject({ status: "active", agent: "Ben Agent" });
    simulator.accept(id, { agent: "Ben Agent" });
    const agentId = simulator.overview().agents.find(({ name }) => name === "Ben Agent")?.id;
    const events = await told();
    expect(events.map(({ eventType, data }) => [eventType, data])).toEqual([
      ["MEMBERS_CHANGED", { memberType: "agent", change: "joined", id: agentId }],
      ["CONVERSATION_UPDATE", expect.objectContaining({ state: "active", assignment: { type: "agent", id: agentId } })],
    ]);
    expect(JSON.stringify(events)).not.toContain("Ben");
    expect((await api("GET", `/conversations/${id}`)).json).toMatchObject({ assignment: { type: "agent", id: agentId } });
  });

  test("should say something, which makes them join first", async () => {
    const { converse, simulator, told } = await startEightbyeight();
    const id = await converse();
    await told();
    simulator.say(id, { text: "Grüße / 👋\u2028<b>" });
    const events = await told();
    expect(brief(events.slice(0, 2))).toEqual(["MEMBERS_CHANGED agent joined", "CONVERSATION_UPDATE active agent"]);
    expect(events[2]).toMatchObject({
      eventType: "MESSAGE",
      data: { isEcho: false, sender: { id: simulator.overview().agents[0]?.id, type: "agent" }, text: "Grüße / 👋\u2028<b>" },
    });
    expect(simulator.conversation(id).messages).toEqual([
      expect.objectContaining({ author: "agent", name: "Ann Agent", text: "Grüße / 👋\u2028<b>" }),
    ]);
  });

  test("should send cards", async () => {
    const { id, simulator, told } = await startActive();
    const cards = [{ contentType: "application/vnd.microsoft.card.adaptive", content: { type: "AdaptiveCard", version: "1.3", body: [] } }];
    simulator.say(id, { cards });
    expect(await told()).toEqual([expect.objectContaining({ data: expect.objectContaining({ cards }) as object })]);
    expect(() => simulator.say(id, { cards: [{ contentType: "x" }] as never })).toThrow("content");
  });

  test("should type and stop", async () => {
    const { id, simulator, told } = await startActive();
    simulator.type(id, { isTyping: true });
    simulator.type(id, { isTyping: false });
    expect((await told()).map(({ data }) => data)).toEqual([
      { name: "typing", value: { users: [{ type: "agent", id: simulator.overview().agents[0]?.id }] } },
      { name: "typing", value: { users: [] } },
    ]);
  });

  test("should not be there when nobody is online", async () => {
    const { converse, simulator } = await startEightbyeight();
    const id = await converse();
    simulator.setAgents({ online: 0 });
    expect(() => simulator.accept(id)).toThrow("No agent is online.");
  });
});

describe("several agents", () => {
  test("should be in at once; only the last one to leave leaves it alone", async () => {
    const { api, id, simulator, told } = await startActive();
    simulator.accept(id, { agent: "Ben Agent" });
    simulator.say(id, { agent: "Ben Agent", text: "I am Ben" });
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent joined", "MESSAGE I am Ben"]);
    expect(simulator.leave(id)).toMatchObject({ status: "active", agent: "Ben Agent" });
    expect(() => simulator.leave(id, { agent: "Ann Agent" })).toThrow("No such agent");
    expect(simulator.leave(id, { agent: "Ben Agent" }).status).toBe("queued");
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent left", "MEMBERS_CHANGED agent left"]);
    const participants = embedded(await api("GET", `/conversations/${id}/participants`), "participants");
    expect(participants.filter(({ type }) => type === "agent").map(({ removed }) => removed)).toEqual([true, true]);
    expect((await api("GET", `/conversations/${id}`)).json["state"]).toBe("active");
    simulator.accept(id, { agent: "Ann Agent" });
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent joined", "CONVERSATION_UPDATE active agent"]);
  });
});

describe("a transfer to a queue", () => {
  test("should be told with the agent's going, and be followed by another one's coming", async () => {
    const { id, simulator, told } = await startActive();
    expect(simulator.transfer(id, { to: "Sales" })).toMatchObject({ status: "queued" });
    const events = await told();
    expect(brief(events)).toEqual(["TRANSFER", "MEMBERS_CHANGED agent left", "QUEUED 102", "CONVERSATION_UPDATE active queue"]);
    expect(events[0]).not.toHaveProperty("data");
    simulator.accept(id, { agent: "Ben Agent" });
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent joined", "CONVERSATION_UPDATE active agent"]);
  });

  test.each([
    [
      ["left", "transfer", "queued"],
      ["MEMBERS_CHANGED agent left", "TRANSFER", "QUEUED 102"],
    ],
    [
      ["left", "queued", "transfer"],
      ["MEMBERS_CHANGED agent left", "QUEUED 102", "TRANSFER"],
    ],
  ] as const)("should be told in the order %j", async (transferOrder, expected) => {
    const { id, simulator, told } = await startActive({}, { transferOrder });
    simulator.transfer(id, { to: "102" });
    expect(brief(await told()).slice(0, 3)).toEqual(expected);
  });

  test("should leave a gap between its events, when told to", async () => {
    const clock = createManualClock();
    const { id, simulator, receiver, told } = await startActive(
      {},
      { transferOrder: ["left", "transfer", "queued"], transferGapMs: 2000 },
      clock,
    );
    const before = receiver.received.length;
    const waiting = untilTimerOf(clock, 2000);
    simulator.transfer(id, { to: "102" });
    await waiting;
    expect(receiver.received.slice(before).map(({ body }) => (body as unknown as { eventType: string }).eventType)).toEqual([
      "MEMBERS_CHANGED",
    ]);
    clock.advance(2000);
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent left", "TRANSFER", "QUEUED 102", "CONVERSATION_UPDATE active queue"]);
  });

  test("should also lead to an agent", async () => {
    const { id, simulator, told } = await startActive();
    expect(simulator.transfer(id, { to: "Ben Agent" })).toMatchObject({ status: "active", agent: "Ben Agent" });
    expect(brief(await told())).toEqual([
      "TRANSFER",
      "MEMBERS_CHANGED agent left",
      "MEMBERS_CHANGED agent joined",
      "CONVERSATION_UPDATE active agent",
    ]);
  });

  test("should need an agent who has the conversation", async () => {
    const { converse, simulator } = await startEightbyeight();
    const id = await converse();
    expect(() => simulator.transfer(id, { to: "102" })).toThrow("No such agent");
  });
});

describe("the end", () => {
  test("should be the agent's going without a transfer, then idle", async () => {
    const { api, id, simulator, told } = await startActive();
    expect(simulator.close(id)).toMatchObject({ status: "closed", agent: "Ann Agent" });
    expect(brief(await told())).toEqual(["MEMBERS_CHANGED agent left", "CONVERSATION_UPDATE idle agent"]);
    expect((await api("GET", `/conversations/${id}`)).json["state"]).toBe("idle");
    expect(() => simulator.say(id, { text: "x" })).toThrow("closed");
    expect(() => simulator.close(id)).toThrow("closed");
  });

  test("should also come before any agent", async () => {
    const { converse, simulator, told } = await startEightbyeight();
    const id = await converse();
    await told();
    simulator.close(id);
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE idle queue"]);
  });

  test.each([
    [
      ["idle", "agent-left"],
      ["CONVERSATION_UPDATE idle agent", "MEMBERS_CHANGED agent left"],
    ],
    [["idle"], ["CONVERSATION_UPDATE idle agent"]],
    [["agent-left"], ["MEMBERS_CHANGED agent left"]],
    [[], []],
  ] as const)("should be told as %j", async (closeEvents, expected) => {
    const { api, id, simulator, told } = await startActive({}, { closeEvents });
    simulator.close(id);
    expect(brief(await told())).toEqual(expected);
    expect((await api("GET", `/conversations/${id}`)).json["state"]).toBe("idle");
  });

  test("should follow after a grace when the last agent just leaves, unless one comes back", async () => {
    const clock = createManualClock();
    const { id, simulator, told } = await startActive({}, { idleAfterLeaveMs: 5000 }, clock);
    simulator.leave(id);
    clock.advance(4999);
    simulator.accept(id);
    clock.advance(60_000);
    expect(simulator.conversation(id).status).toBe("active");
    simulator.leave(id);
    await told();
    clock.advance(5000);
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE idle agent"]);
    expect(simulator.conversation(id).status).toBe("closed");
    expect(clock.pendingTimers).toBe(0);
  });

  test("should be undone by reopening: it waits again", async () => {
    const { id, simulator, told } = await startActive();
    expect(() => simulator.reopen(id)).toThrow("not closed");
    simulator.close(id);
    await told();
    expect(simulator.reopen(id).status).toBe("queued");
    expect(brief(await told())).toEqual(["CONVERSATION_UPDATE active queue", "QUEUED 101"]);
  });
});

describe("events of any kind", () => {
  test("should be sent as they are given", async () => {
    const { id, simulator, told } = await startActive();
    const activities = [
      { name: "quickReply/action", value: { type: "postback", data: { title: "Parcels", payload: "parcels" } } },
      { name: "read-receipts", value: [{ timestamp: 1, users: [{ id: "ag1", type: "agent" }] }] },
      { name: "something/new", value: null },
    ];
    for (const data of activities) simulator.sendEvent(id, { eventType: "ACTIVITY", data });
    simulator.sendEvent(id, { eventType: "SOMETHING_NEW" });
    const events = await told();
    expect(events.slice(0, 3).map(({ data }) => data)).toEqual(activities);
    expect(events[3]).toEqual({ eventType: "SOMETHING_NEW", conversationId: id, timestamp: expect.any(Number) as number });
  });

  test("should carry fields that nobody knows, when told to", async () => {
    const { id, simulator, told } = await startActive({}, { hasUnknownFields: true });
    simulator.say(id, { text: "Hi" });
    const [event] = await told();
    expect(event).toMatchObject({
      unknownField: expect.any(Object) as object,
      data: { text: "Hi", unknownField: expect.any(Object) as object },
    });
  });
});

/** Resolves once the simulator waits for the clock for about so long. */
function untilTimerOf(clock: ReturnType<typeof createManualClock>, delayMs: number): Promise<void> {
  const { setTimer } = clock;
  return new Promise((resolve) => {
    clock.setTimer = (callback, actualMs) => {
      const cancel = setTimer(callback, actualMs);
      if (actualMs === delayMs) {
        clock.setTimer = setTimer;
        resolve();
      }
      return cancel;
    };
  });
}
