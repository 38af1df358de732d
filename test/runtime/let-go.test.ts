import { describe, expect, it } from "vitest";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();
const key = "test-vendor-api-key-4711";

/** Somebody is talking to an agent at a desk that can be made unreachable. */
async function openTalk() {
  const world = await open({ timing: { callTimeoutMs: 400, catchUpIntervalMs: 60_000 } });
  const { backend } = world.vendor;
  const chat = world.record("c");
  await world.say("c", "1", "agent please");
  await chat.untilStatus("queued");
  const ticket = backend.conversations()[0]!.id;
  backend.people.accept(ticket);
  await chat.untilStatus("active");
  return { world, backend, chat, ticket, setReachable: (isReachable: boolean) => backend.rotateApiKey(isReachable ? key : "another-key") };
}

describe("a handover that is let go because its desk cannot be reached", () => {
  it("should show late what the agent said before, when its webhook was lost and the user has left", async () => {
    const { world, backend, chat, ticket, setReachable } = await openTalk();
    backend.setFaults({ dropWebhookRate: 1 });
    setReachable(false);
    backend.people.say(ticket, "before the end");
    await world.runtime.endHandover({ endpoint: "web", conversation: "c" });
    await chat.untilStatus("ended");
    expect(chat.lines()).not.toContain("agent: before the end");
    setReachable(true);
    const late = await chat.until("the lost line", ({ text }) => text === "before the end");
    expect(late.isLate).toBe(true);
    expect(backend.conversation(ticket).status).toBe("closed");
  });

  it("should show late what the agent said before closing, when nobody knows whether the user's last line arrived", async () => {
    const { world, backend, chat, ticket, setReachable } = await openTalk();
    backend.setFaults({ dropWebhookRate: 1, loseAnswerRate: 1, only: "POST /conversations/:/messages" });
    await world.say("c", "2", "my last line");
    await backend.waitFor(([conversation]) => conversation!.messages.some(({ text }) => text === "my last line"));
    setReachable(false);
    backend.people.say(ticket, "before the end");
    await backend.settle();
    backend.setFaults({});
    backend.people.close(ticket);
    await chat.untilStatus("ended");
    expect(chat.lines()).not.toContain("agent: before the end");
    setReachable(true);
    await chat.until("the lost line", ({ text }) => text === "before the end");
    expect(chat.statuses().filter((status) => status.startsWith("ended"))).toEqual(["ended/completed"]);
  });
});
