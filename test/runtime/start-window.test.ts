import { describe, expect, it } from "vitest";
import { createTestVendor } from "@handover/testkit";
import { useWorld } from "./support/use-world.ts";
import type { World } from "./support/world.ts";

const open = useWorld();

const liveLines = (opened: World) => opened.vendor.backend.conversations().flatMap((one) => one.messages.map((message) => message.text));

describe("while a handover starts", () => {
  it("should flush what is written during a slow start, in order and after the transcript [F040]", async () => {
    let botTurns = 0;
    const opened = await open({
      bot: {
        async answer({ message }) {
          botTurns += 1;
          return message?.text === "agent" ? { handover: {}, messages: [{ text: "one moment" }] } : {};
        },
      },
    });
    opened.vendor.backend.setFaults({ latencyMs: 2_000, only: "POST /conversations" });
    const chat = opened.record("c");
    await opened.say("c", "0", "agent");
    await chat.untilStatus("requested");
    for (const id of ["1", "2", "3"]) await opened.say("c", id, `written ${id}`);
    await opened.vendor.backend.waitFor(([first]) => first?.messages.length === 5);
    expect(liveLines(opened)).toEqual(["agent", "one moment", "written 1", "written 2", "written 3"]);
    expect(botTurns).toBe(1);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should make one vendor conversation of ten requests at once, and give all of them the same handover [F042 one instance]", async () => {
    const opened = await open();
    const requests = Array.from({ length: 10 }, () => opened.runtime.requestHandover({ endpoint: "web", conversation: "c" }));
    const handovers = new Set((await Promise.all(requests)).map((answer) => answer.handover));
    await opened.record("c").untilStatus("queued");
    expect(handovers.size).toBe(1);
    expect(opened.vendor.backend.conversations()).toHaveLength(1);
  });

  it("should keep what the vendor sends before its own answer to the start [F041 one instance]", async () => {
    const opened = await open();
    opened.vendor.backend.setFaults({ latencyMs: 0, eventBeforeStartAnswer: true });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    const [ticket] = await opened.vendor.backend.waitFor((list) => list.length === 1);
    await opened.vendor.backend.agentAccepts(ticket!.id);
    await opened.vendor.backend.agentSays(ticket!.id, "one");
    await opened.vendor.backend.agentSays(ticket!.id, "two");
    await chat.until("the second line", (entry) => entry.text === "two");
    expect(chat.lines().filter((line) => line.startsWith("agent"))).toEqual(["agent: one", "agent: two"]);
    expect(chat.visible().some((entry) => entry.event === "agent-joined")).toBe(true);
  });

  it("should not make a second conversation when the answer to the create call is lost [F043 test vendor]", async () => {
    const opened = await open();
    opened.vendor.backend.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    expect(opened.vendor.backend.conversations()).toHaveLength(1);
  });

  it("should fail with a reason when nobody can say whether the start was carried out, and open no second ticket", async () => {
    const opened = await open({
      vendor: { abilities: { findStarted: false, receiveWebhook: false, catchUp: false } },
      timing: { callTimeoutMs: 300 },
    });
    opened.vendor.backend.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("ended");
    expect(chat.statuses()).toEqual(["requested", "ended/failed"]);
    expect(opened.vendor.backend.conversations()).toHaveLength(1);
    await chat.until("the bot", (entry) => entry.text === "back: failed");
  });

  it("should never say that somebody comes when the desk refuses, then try the next connection or tell the user [F039]", async () => {
    const opened = await open({ timing: { startTimeoutMs: 400 } });
    opened.vendor.backend.setFaults({ failRate: 1, status: 503 });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await opened.say("c", "2", "hello?");
    const end = await chat.untilStatus("ended");
    expect(chat.statuses()).toEqual(["requested", "ended/failed"]);
    expect(end.text).toBe("We could not reach our team. Please try again later.");
    await chat.until("the bot", (entry) => entry.text === "back: failed");
    await opened.say("c", "3", "bot?");
    await chat.until("the bot again", (entry) => entry.text === "echo bot?");
    expect(opened.vendor.backend.conversations()).toHaveLength(0);
  });

  it("should give way to the next connection with the whole transcript while the first one is down", async () => {
    const night = await createTestVendor();
    const opened = await open({ others: { night }, timing: { startTimeoutMs: 300 } });
    opened.vendor.backend.setFaults({ failRate: 1, status: 503 });
    const chat = opened.record("c");
    await opened.say("c", "1", "hi");
    await chat.until("an answer", (entry) => entry.text === "echo hi");
    await opened.say("c", "2", "agent");
    await opened.say("c", "3", "more");
    await chat.untilStatus("queued");
    const [ticket] = await night.backend.waitFor(([first]) => first?.messages.length === 5);
    expect(ticket!.messages.map((message) => message.text)).toEqual(["hi", "echo hi", "agent", "one moment", "more"]);
    expect(opened.vendor.backend.conversations()).toHaveLength(0);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should close the first desk and go on at the next when nobody accepts in time, then give the user back with a text, the second time too [F149]", async () => {
    const night = await createTestVendor();
    const opened = await open({ others: { night }, handover: { acceptTimeoutMs: 300 } });
    const chat = opened.record("c");
    const bots = () => chat.visible().filter(({ text }) => text === "back: timed-out").length;
    for (const time of [1, 2]) {
      await opened.say("c", `agent ${time}`, "agent");
      await night.backend.waitFor((list) => list.length === time);
      await opened.vendor.backend.waitFor((list) => list.length === time && list.every(({ status }) => status === "closed"));
      await chat.untilStatus("ended", time);
      await expect.poll(bots, { timeout: 10_000 }).toBe(time);
      await night.backend.waitFor((list) => list.length === time && list.every(({ status }) => status === "closed"));
      await opened.say("c", `hello ${time}`, `hello ${time}`);
      await chat.until("the bot's answer", (entry) => entry.text === `echo hello ${time}`);
    }
    const ends = chat.visible().filter(({ status }) => status === "ended");
    expect(ends.map(({ reason, text }) => [reason, text])).toEqual(
      Array.from({ length: 2 }, () => ["timed-out", "Nobody could take your request in time."]),
    );
    expect(chat.statuses()).toEqual(Array.from({ length: 2 }, () => ["requested", "queued", "ended/timed-out"]).flat());
    expect(bots()).toBe(2);
  });

  it("should start on the very first message of a new conversation, which is in the transcript [F046]", async () => {
    const opened = await open();
    await opened.say("c", "1", "agent");
    await opened.vendor.backend.waitFor(([first]) => first?.messages.length === 2);
    expect(liveLines(opened)).toEqual(["agent", "one moment"]);
  });

  it("should leave no ticket when the user cancels while the start is running", async () => {
    const opened = await open();
    opened.vendor.backend.setFaults({ latencyMs: 500, only: "POST /conversations" });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("requested");
    await opened.runtime.endHandover({ endpoint: "web", conversation: "c" });
    const end = await chat.untilStatus("ended");
    expect(end.reason).toBe("cancelled");
    expect(chat.statuses()).toEqual(["requested", "ended/cancelled"]);
    expect(opened.vendor.backend.conversations().filter((one) => one.status !== "closed")).toEqual([]);
  });
});
