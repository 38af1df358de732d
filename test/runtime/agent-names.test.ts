import type { Agent, HandoverEvent } from "@handover/core";
import { describe, expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

const names: Readonly<Record<string, Agent>> = {
  a1: { id: "a1", name: "Ann", avatarUrl: "https://desk.example/ann.png" },
  a2: { id: "a2", name: "Ben" },
};

/** A desk whose events carry only ids, with a name service that a test can hold up or break. */
function namelessDesk() {
  const asked: string[] = [];
  const service: { answer: (id: string) => Promise<Agent> } = { answer: async (id) => names[id] ?? { id } };
  const desks = scriptDesks({
    desk: {
      getAgentProfile(id) {
        asked.push(id);
        return service.answer(id);
      },
    },
  });
  return { desks, asked, service };
}

let lastId = 0;
function says(agent: Agent, text: string): HandoverEvent {
  lastId += 1;
  const message = { id: `m${lastId}`, author: { role: "agent" as const, ...agent }, text, sentAt: new Date().toISOString() };
  return { type: "message-received", message };
}
const joins = (agent: Agent): HandoverEvent => ({ type: "agent-joined", agent, hasAccepted: true });
const ann = { role: "agent", id: "a1", name: "Ann", avatarUrl: "https://desk.example/ann.png" };

describe("an agent of whom only the id is told", () => {
  it("should be shown with name and picture, also after a transfer, and be asked for once [F151 part: each message carries its own author]", async () => {
    const { desks, asked } = namelessDesk();
    const world = await open({ runtime: desks.runtime });
    const [chat, other] = [world.record("c"), world.record("d")];
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(world.runtime, "desk", { events: [joins({ id: "a1" }), says({ id: "a1" }, "hello")] });
    await desks.deliver(world.runtime, "desk", { events: [{ type: "transferred", agent: { id: "a2" } }] });
    await desks.deliver(world.runtime, "desk", { events: [joins({ id: "a2" }), says({ id: "a2" }, "and hello")] });
    await desks.deliver(world.runtime, "desk", { events: [says({ id: "a1" }, "bye from me")] });
    await chat.until("the last word", ({ text }) => text === "bye from me");
    const ben = { role: "agent", id: "a2", name: "Ben" };
    expect(
      chat.visible().flatMap(({ author, event, status, text }) => (author?.role === "agent" ? [[event ?? status ?? text, author]] : [])),
    ).toEqual([
      ["agent-joined", ann],
      ["active", ann],
      ["hello", ann],
      ["transferred", ben],
      ["agent-joined", ben],
      ["active", ben],
      ["and hello", ben],
      ["bye from me", ann],
    ]);
    expect(asked).toEqual(["a1", "a2"]);
    await world.say("d", "1", "agent");
    await other.untilStatus("queued");
    await desks.deliver(world.runtime, "desk", { events: [joins({ id: "a1" }), { type: "agent-left", agent: { id: "a1" } }] });
    const left = await other.until("the departure", ({ event }) => event === "agent-left");
    expect(left.author).toEqual(ann);
    expect(asked).toEqual(["a1", "a2"]);
  });

  it("should keep a name that the desk tells, and need no service for who is there with one", async () => {
    const { desks, asked } = namelessDesk();
    const world = await open({ runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(world.runtime, "desk", { events: [joins({ id: "a1", name: "Annie" }), says({ id: "a1" }, "hello")] });
    const hello = await chat.until("hello", ({ text }) => text === "hello");
    expect(hello.author).toEqual({ role: "agent", id: "a1", name: "Annie" });
    expect(asked).toEqual([]);
  });
});

describeOnStores("a name service that is slow or broken", (store) => {
  it("should hold up nothing for longer than its time, and the name follows [F151]", async () => {
    const { desks, asked, service } = namelessDesk();
    const slow = Promise.withResolvers<Agent>();
    service.answer = (id) => (id === "a1" ? slow.promise : Promise.resolve({ id, name: "Ben" }));
    const world = await open({ store, timing: { agentProfileWaitMs: 800 }, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await desks.deliver(world.runtime, "desk", { events: [joins({ id: "a1" })] });
    const joined = await chat.until("the join", ({ event }) => event === "agent-joined");
    expect(joined.author).toEqual({ role: "agent", id: "a1" });
    const saidAtMs = performance.now();
    for (let index = 0; index < 12; index += 1)
      await desks.deliver(world.runtime, "desk", { events: [says({ id: "a1" }, `word ${index}`)] });
    await chat.until("the words", ({ text }) => text === "word 11");
    // Twelve words did not wait twelve times.
    expect(performance.now() - saidAtMs).toBeLessThan(8_000);
    expect(asked).toEqual(["a1"]);
    slow.resolve(names["a1"]!);
    const named = await chat.until("the name", ({ event, author }) => event === "agent-joined" && author?.name === "Ann");
    expect(named).toMatchObject({ replaces: joined.seq, author: ann });
    await desks.deliver(world.runtime, "desk", { events: [says({ id: "a1" }, "now with a name")] });
    const word = await chat.until("the last word", ({ text }) => text === "now with a name");
    expect(word.author).toEqual(ann);
    expect(chat.visible().filter(({ event }) => event === "agent-joined")).toHaveLength(2);
  });

  it("should leave agents without a name when it fails, and not be asked for each of their words", async () => {
    const { desks, asked, service } = namelessDesk();
    service.answer = () => Promise.reject(new TypeError("no such service"));
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    for (const text of ["one", "two", "three"]) await desks.deliver(world.runtime, "desk", { events: [says({ id: "a1" }, text)] });
    await chat.until("the words", ({ text }) => text === "three");
    expect(chat.lines().slice(-3)).toEqual(["agent: one", "agent: two", "agent: three"]);
    expect(asked).toEqual(["a1"]);
    await desks.deliver(world.runtime, "desk", { events: [{ type: "agent-updated", agent: { id: "a1", name: "Ann" } }] });
    await desks.deliver(world.runtime, "desk", { events: [says({ id: "a1" }, "four")] });
    const four = await chat.until("four", ({ text }) => text === "four");
    expect(four.author).toEqual({ role: "agent", id: "a1", name: "Ann" });
    expect(world.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});
