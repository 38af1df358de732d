import { HandoverError, type HandoverProvider } from "@handover/core";
import { testVendorProvider } from "@handover/testkit";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { useWorld } from "../runtime/support/use-world.ts";
import type { World, WorldOptions } from "../runtime/support/world.ts";
import { changedProvider } from "./support/changed-provider.ts";

const open = useWorld();

const failingTranslation = changedProvider(() => ({
  translate() {
    throw new TypeError("Cannot read properties of undefined");
  },
}));

describe("one error line for each failure", () => {
  const failures: readonly { what: string; options: WorldOptions; code: string; prepare?: (opened: World) => void }[] = [
    {
      what: "a start whose outcome nobody knows",
      options: { vendor: { abilities: { findStarted: false, receiveWebhook: false, catchUp: false } }, timing: { callTimeoutMs: 300 } },
      prepare: (opened) => opened.vendor.backend.setFaults({ loseAnswerRate: 1, only: "POST /conversations", times: 1 }),
      code: "START_IN_DOUBT",
    },
    { what: "a delivery that cannot be translated", options: { runtime: { providers: [failingTranslation] } }, code: "TRANSLATION_FAILED" },
  ];

  it.each(failures)("should name handover, connection and code of $what [F124 two failures]", async ({ options, prepare, code }) => {
    const opened = await open(options);
    prepare?.(opened);
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    const ended = await chat.untilStatus("ended");
    const lines = opened.log.filter(({ level }) => level === "error");
    expect(lines.map(({ fields }) => fields)).toMatchObject([{ handover: ended.handover, connection: "desk", code }]);
  });
});

describe("a vendor or provider that misbehaves", () => {
  it("should fail a start that throws what it should not, within the time for starts [F160 start]", async () => {
    const provider = changedProvider((connection) => ({
      start(request, call) {
        if (request.conversation === "bad") throw new TypeError("Cannot read properties of undefined");
        return connection.start(request, call);
      },
    }));
    const opened = await open({ runtime: { providers: [provider] }, timing: { callTimeoutMs: 150, startTimeoutMs: 300 } });
    const bad = opened.record("bad");
    const good = opened.record("good");
    await opened.say("bad", "1", "agent");
    await opened.say("good", "1", "agent");
    expect(await bad.untilStatus("ended")).toMatchObject({ reason: "failed" });
    await good.untilStatus("queued");
    await bad.until("the bot", (entry) => entry.text === "back: failed");
  });

  it("should end a handover whose state a newer release wrote, with a text [F163 state of a newer release]", async () => {
    const release = (version: number, readable: readonly number[]): HandoverProvider => ({
      ...(testVendorProvider as unknown as HandoverProvider),
      state: { version, schemas: Object.fromEntries(readable.map((one) => [one, testVendorProvider.state.schemas[2] ?? z.never()])) },
    });
    let current = release(3, [2, 3]);
    const opened = await open({
      runtime: {
        get providers() {
          return [current];
        },
      },
    });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await opened.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
    await opened.vendor.backend.settle();
    current = release(2, [1, 2]);
    await opened.restart();
    const after = opened.record("c");
    await opened.say("c", "2", "hello?");
    const ended = await after.untilStatus("ended");
    expect(ended).toMatchObject({ reason: "failed", cause: { code: "STATE_INCOMPATIBLE" } });
    expect(ended.text).toBe("We could not reach our team. Please try again later.");
  });

  it("should show what was missed while it was down before what comes afterwards, also when the vendor cannot be asked at once [F157 order after downtime]", async () => {
    const opened = await open({ vendor: { eventNumbers: "sparse" } });
    const chat = opened.record("c");
    const { backend } = opened.vendor;
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const [ticket] = await backend.waitFor(([one]) => one?.messages.length === 2);
    await backend.agentSays(ticket!.id, "before");
    await chat.until("before", ({ text }) => text === "before");
    await opened.stopRuntime();
    await backend.agentSays(ticket!.id, "missed");
    await backend.settle();
    backend.setFaults({ failRate: 1, status: 503, only: "GET /conversations/:/events", times: 6 });
    await opened.restart();
    await backend.agentSays(ticket!.id, "after");
    const again = opened.record("c");
    await again.until("missed", ({ text }) => text === "missed");
    await again.until("after", ({ text }) => text === "after");
    expect(again.lines().filter((line) => line.startsWith("agent"))).toEqual(["agent: before", "agent: missed", "agent: after"]);
  });

  it("should leave no ticket of a start that got as far as one and then failed for good", async () => {
    const provider = changedProvider((connection) => ({
      async start(request, call) {
        await connection.start(request, call);
        throw new HandoverError({ code: "NO_GOOD", message: "It cannot be used.", effect: "handover" });
      },
    }));
    const opened = await open({ runtime: { providers: [provider] } });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    expect(await chat.untilStatus("ended")).toMatchObject({ reason: "failed", cause: { code: "NO_GOOD" } });
    await opened.vendor.backend.waitFor(([one]) => one?.status === "closed");
    expect(opened.vendor.backend.conversations()).toHaveLength(1);
  });

  it("should take a text of the user's channel that is an event of the desk for what it is, also after the end [F084 test vendor]", async () => {
    const opened = await open();
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await opened.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
    const first = await opened.say("c", "2", "__test_vendor_escalation_failed__");
    const ended = await chat.untilStatus("ended");
    expect(ended).toMatchObject({ reason: "unavailable", cause: { code: "escalation-failed" } });
    await chat.until("the bot", (entry) => entry.text === "back: unavailable");
    const late = await opened.say("c", "3", "__test_vendor_escalation_failed__");
    await opened.say("c", "4", "hello bot");
    await chat.until("the answer", (entry) => entry.text === "echo hello bot");
    expect(chat.entries.filter((entry) => entry.kind === "hidden").map((entry) => entry.seq)).toEqual([first.seq, late.seq]);
    expect(JSON.stringify(chat.entries)).not.toContain("__test_vendor");
    expect(JSON.stringify(opened.vendor.backend.conversations())).not.toContain("__test_vendor");
    expect(await opened.say("c", "3", "__test_vendor_escalation_failed__")).toEqual(late);
  });

  it("should begin a handover that is asked for while the one before is still being ended", async () => {
    const opened = await open();
    const chat = opened.record("c");
    const address = { endpoint: "web", conversation: "c" };
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await opened.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
    opened.vendor.backend.setFaults({ latencyMs: 200, only: "POST /conversations/:/close" });
    const { handover: first } = await opened.runtime.endHandover(address);
    const { handover: second } = await opened.runtime.requestHandover(address);
    expect(second).not.toBe(first);
    await chat.untilStatus("queued", 2);
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled", "requested", "queued"]);
    expect(opened.vendor.backend.conversations().map((one) => one.status)).toEqual(["closed", "queued"]);
  });

  it("should bring a handover to its end although its endpoint was taken out of the configuration", async () => {
    let tokens = ["web", "other"];
    const opened = await open({
      runtime: {
        get endpoints() {
          return tokens.map((token) => ({
            token,
            bot: { answer: async () => ({ handover: {} }) },
            handover: { connections: ["desk"] },
          }));
        },
      },
    });
    const chat = opened.record("c");
    await opened.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const [ticket] = await opened.vendor.backend.waitFor(([one]) => one?.messages.length === 1);
    tokens = ["other"];
    await opened.restart();
    await opened.vendor.backend.agentCloses(ticket!.id);
    await expect
      .poll(() => opened.runtime.metrics().find((metric) => metric.name === "handover_ended_total")?.value, { timeout: 5_000 })
      .toBe(1);
    expect(opened.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});
