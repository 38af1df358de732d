import { describe, expect, it } from "vitest";
import type { Bot, Texts } from "@handover/runtime";
import { createTestVendor } from "@handover/testkit";
import { useWorld } from "../runtime/support/use-world.ts";
import type { World, WorldOptions } from "../runtime/support/world.ts";

const open = useWorld();

const address = { endpoint: "web", conversation: "c" };
const texts: Partial<Texts> = {
  unavailable: "nobody is there",
  failed: "something failed",
  timedOut: "nobody came",
  completed: "it is over",
  cancelled: "you changed your mind",
  abandoned: "you were gone",
};

/** One way in which a handover ends, and what everybody is to know of it. */
interface WayToEnd {
  readonly way: string;
  readonly options?: WorldOptions;
  /** Before anybody asks for a person. */
  prepare?(opened: World): Promise<void> | void;
  /** Absent: it ends by itself. */
  end?(opened: World, ticket: string): unknown;
  readonly reason: string;
  readonly actor: string;
  /** Who closed it in the eyes of the desk; absent where the desk has nothing. */
  readonly by?: string;
}

const answers = (opened: World, ticket: string) => opened.vendor.backend.people.say(ticket, "hello");
const becomesActive = async (opened: World, ticket: string): Promise<void> => {
  answers(opened, ticket);
  const chat = opened.record("c");
  await chat.untilStatus("active");
  chat.stop();
};

const ways: readonly WayToEnd[] = [
  {
    way: "the agent closes",
    end: (opened, ticket) => opened.vendor.backend.people.close(ticket, "agent", "resolved"),
    reason: "completed",
    actor: "agent",
    by: "agent",
  },
  {
    way: "the desk gives the user up",
    end: (opened, ticket) => opened.vendor.backend.people.close(ticket, "automation", "idle"),
    reason: "abandoned",
    actor: "system",
    by: "automation",
  },
  {
    way: "the desk refuses after queueing",
    end: (opened, ticket) => opened.vendor.backend.people.close(ticket, "automation", "refused"),
    reason: "unavailable",
    actor: "system",
    by: "automation",
  },
  {
    way: "the user cancels in the queue",
    end: (opened) => opened.runtime.endHandover(address),
    reason: "cancelled",
    actor: "user",
    by: "customer",
  },
  {
    way: "the user leaves an agent",
    async end(opened, ticket) {
      await becomesActive(opened, ticket);
      await opened.runtime.endHandover(address);
    },
    reason: "completed",
    actor: "user",
    by: "customer",
  },
  {
    way: "the bot takes it back",
    async end(opened, ticket) {
      await becomesActive(opened, ticket);
      await opened.runtime.endHandover({ ...address, actor: "bot" });
    },
    reason: "completed",
    actor: "bot",
    by: "bot",
  },
  {
    way: "the operator ends it",
    end: (opened) => opened.runtime.endHandover({ ...address, actor: "system", reason: "failed" }),
    reason: "failed",
    actor: "system",
    by: "system",
  },
  { way: "nobody accepts in time", options: { handover: { acceptTimeoutMs: 150 } }, reason: "timed-out", actor: "system", by: "system" },
  { way: "the desk is closed", prepare: (opened) => opened.vendor.backend.setAgentsOnline(0), reason: "unavailable", actor: "system" },
  {
    way: "the start fails",
    options: { timing: { startTimeoutMs: 100 } },
    prepare: (opened) => opened.vendor.backend.setFaults({ failRate: 1, status: 503 }),
    reason: "failed",
    actor: "system",
  },
  {
    way: "the desk no longer knows it",
    async end(opened, ticket) {
      await becomesActive(opened, ticket);
      opened.vendor.backend.setFaults({ failRate: 1, status: 404 });
      await opened.say("c", "lost", "anybody?");
    },
    reason: "completed",
    actor: "system",
  },
];

const textOf: Readonly<Record<string, string | undefined>> = { ...texts, "timed-out": texts.timedOut };

describe("the end of a handover", () => {
  it.each(ways)(
    "should name its reason, its text and its actor, and give the conversation back to the bot: $way [F063, F080]",
    async ({ options, prepare, end, reason, actor, by }) => {
      const turns: string[] = [];
      const bot: Bot = {
        async answer({ message, event }) {
          turns.push(message?.text ?? `${event?.type ?? ""} ${event?.reason ?? ""}`);
          return message?.text === "agent" ? { handover: {} } : { messages: [{ text: `bot on ${message?.text ?? "its own"}` }] };
        },
      };
      const opened = await open({ ...options, bot, handover: { texts, ...options?.handover } });
      const { backend } = opened.vendor;
      await prepare?.(opened);
      const chat = opened.record("c");
      await opened.say("c", "1", "agent");
      if (end) {
        await chat.untilStatus("queued");
        await end(opened, backend.conversations()[0]!.id);
      }
      const ended = await chat.untilStatus("ended");
      expect(ended).toMatchObject({ reason, text: textOf[reason], cause: { actor } });
      await chat.until("the bot on its own", ({ text }) => text === "bot on its own");
      backend.setFaults({});
      await backend.setAgentsOnline(2);
      await opened.say("c", "2", "hello bot");
      await chat.until("the bot", ({ text }) => text === "bot on hello bot");
      expect(turns).toEqual(["agent", `ended ${reason}`, "hello bot"]);
      expect(chat.statuses().filter((status) => status.startsWith("ended"))).toEqual([`ended/${reason}`]);
      if (by !== undefined) {
        const closed = backend.conversation(backend.conversations()[0]!.id).events.filter(({ type }) => type === "conversation.closed");
        expect(closed.map(({ data }) => data["by"])).toEqual([by]);
      }
    },
  );

  it("should not wake a bot that does not want to know, and still give it the next message [F063 event switched off]", async () => {
    const turns: string[] = [];
    const bot: Bot = {
      events: [],
      async answer({ message, event }) {
        turns.push(message?.text ?? event?.type ?? "");
        return message?.text === "agent" ? { handover: {} } : { messages: [{ text: "bot" }] };
      },
    };
    const world = await open({ bot });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await world.say("c", "2", "hello bot");
    await chat.until("the bot", ({ text }) => text === "bot");
    expect(turns).toEqual(["agent", "hello bot"]);
  });
});

describe("outside business hours", () => {
  it("should tell the user, leave the conversation with the bot, and end as unavailable [F148]", async () => {
    const world = await open({ handover: { texts } });
    await world.vendor.backend.setAgentsOnline(0);
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    const ended = await chat.untilStatus("ended");
    expect(ended).toMatchObject({ reason: "unavailable", text: "nobody is there" });
    expect(chat.statuses()).toEqual(["requested", "ended/unavailable"]);
    await world.say("c", "2", "bot?");
    await chat.until("the bot", ({ text }) => text === "echo bot?");
    expect(world.vendor.backend.conversations()).toEqual([]);
  });

  it("should try the next desk where there is one [F148 fallback provider]", async () => {
    const night = await createTestVendor();
    const world = await open({ others: { night } });
    await world.vendor.backend.setAgentsOnline(0);
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    expect(night.backend.conversations()).toHaveLength(1);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });
});
