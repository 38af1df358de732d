import type { Bot, BotTurn } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { changedProvider } from "../catalogue/support/changed-provider.ts";
import { describeOnStores } from "./support/on-stores.ts";
import { useWorld } from "./support/use-world.ts";
import type { World, WorldOptions } from "./support/world.ts";
import type { StoreName } from "./support/world-store.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };
const cancelButton = "Never mind";

/** A bot that asks for people on "agent", and what it was asked. */
function listeningBot() {
  const turns: BotTurn[] = [];
  const bot: Bot = {
    async answer(turn) {
      turns.push(turn);
      return turn.message?.text === "agent" ? { handover: {}, messages: [{ text: "one moment" }] } : {};
    },
  };
  const heard = () => turns.map(({ message, event }) => (event ? `${event.type} ${event.reason ?? ""}`.trim() : (message?.text ?? "")));
  return { bot, heard };
}

async function openTalk(store: StoreName, options: WorldOptions = {}) {
  const { bot, heard } = listeningBot();
  const handover = { texts: { cancelButton }, cancelWords: ["Stop"], ...options.handover };
  const world = await open({ store, bot, ...options, handover });
  const chat = world.record("c");
  await world.say("c", "1", "agent");
  const press = async (seq: number, id = "press") =>
    world.runtime.receiveMessage({ ...address, message: { id, answer: { seq, choice: "cancel" } } });
  const deskLines = () => world.vendor.backend.conversations().flatMap(({ messages }) => messages.map(({ text }) => text));
  return { world, chat, heard, press, deskLines };
}

const ticketOf = async (world: World) => (await world.vendor.backend.waitFor(([one]) => one?.messages.length === 2))[0]!.id;

describe("what is said when the desk has accepted", () => {
  it.each([
    { accepted: "somebody is coming", button: cancelButton },
    { accepted: "somebody is coming", button: "" },
    { accepted: "", button: cancelButton },
    { accepted: "", button: "" },
  ])("should have a text and a button exactly where each is set, and start in any case: '$accepted', '$button' [F047]", async (texts) => {
    const { accepted, button } = texts;
    const { world, chat } = await openTalk("sqlite", { handover: { texts: { accepted, cancelButton: button } } });
    const queued = await chat.untilStatus("queued");
    expect(queued.text).toBe(accepted === "" ? undefined : accepted);
    expect(queued.choices).toEqual(button === "" ? undefined : [{ id: "cancel", title: button }]);
    const others = chat.visible().filter(({ seq }) => seq !== queued.seq);
    expect(others.some(({ choices, cards }) => choices !== undefined || cards !== undefined)).toBe(false);
    expect(world.vendor.backend.conversations()).toHaveLength(1);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });
});

describeOnStores("taking a request back", (store) => {
  const ways = {
    button: async ({ press, chat }: Awaited<ReturnType<typeof openTalk>>, id: string) =>
      press(chat.visible().find(({ status }) => status === "queued")!.seq, id),
    word: async ({ world }: Awaited<ReturnType<typeof openTalk>>, id: string) => world.say("c", id, " stop "),
    API: async ({ world }: Awaited<ReturnType<typeof openTalk>>) => world.runtime.endHandover({ ...address }),
  };

  async function cancelQueued(way: keyof typeof ways): Promise<void> {
    const talk = await openTalk(store);
    const { world, chat, heard, deskLines } = talk;
    await chat.untilStatus("queued");
    await ticketOf(world);
    await ways[way](talk, "x");
    // The same once more, as a client that got no answer does it.
    if (way !== "API") await ways[way](talk, "x");
    await chat.untilStatus("ended");
    await expect.poll(heard, { timeout: 10_000 }).toEqual(["agent", "ended cancelled"]);
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
    expect(chat.visible().at(-1)).toMatchObject({ cause: { actor: "user" } });
    await expect.poll(() => world.vendor.backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    expect(deskLines()).toEqual(["agent", "one moment"]);
    const said = chat.lines().filter((line) => line.startsWith("user"));
    expect(said).toEqual(way === "API" ? ["user: agent"] : ["user: agent", way === "button" ? `user: ${cancelButton}` : "user:  stop "]);
  }

  async function cancelRequested(way: "word" | "API"): Promise<void> {
    const start = Promise.withResolvers<undefined>();
    const provider = changedProvider((connection) => ({
      async start(request, call) {
        const answer = await connection.start(request, call);
        await start.promise;
        return answer;
      },
    }));
    const talk = await openTalk(store, { runtime: { providers: [provider] } });
    const { world, chat, heard, deskLines } = talk;
    await chat.untilStatus("requested");
    await ticketOf(world);
    await ways[way](talk, "x");
    start.resolve(undefined);
    await chat.untilStatus("ended");
    await expect.poll(heard, { timeout: 10_000 }).toEqual(["agent", "ended cancelled"]);
    expect(chat.statuses().filter((status) => status.startsWith("ended"))).toEqual(["ended/cancelled"]);
    await expect.poll(() => world.vendor.backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
    expect(deskLines()).toEqual(["agent", "one moment"]);
  }

  async function cancelWhileAccepted(): Promise<void> {
    for (const [round, way] of (["button", "word", "API", "button"] as const).entries()) {
      const talk = await openTalk(store);
      const { world, chat, heard, deskLines } = talk;
      await chat.untilStatus("queued");
      const ticket = await ticketOf(world);
      const { backend } = world.vendor;
      const leaves = () => ways[way](talk, "x").catch(() => undefined);
      // Now the one is first, now the other.
      const accepts = async () => backend.agentAccepts(ticket);
      await Promise.all(round % 2 === 0 ? [leaves(), accepts()] : [accepts(), leaves()]);
      await expect.poll(() => chat.statuses().length, { timeout: 10_000 }).toBeGreaterThan(2);
      if (chat.statuses().includes("active") && way !== "API") {
        // The agent was first: the word is one for people now, and nothing was taken back.
        const word = way === "button" ? cancelButton : " stop ";
        await expect.poll(deskLines, { timeout: 10_000 }).toEqual(["agent", "one moment", word]);
        expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
        expect(heard()).toEqual(["agent"]);
        continue;
      }
      await chat.untilStatus("ended");
      const wasActive = chat.statuses().includes("active");
      await expect.poll(heard, { timeout: 10_000 }).toEqual(["agent", `ended ${wasActive ? "completed" : "cancelled"}`]);
      expect(chat.statuses().filter((status) => status.startsWith("ended"))).toHaveLength(1);
      await expect.poll(() => backend.conversations().map(({ status }) => status)).toEqual(["closed"]);
      expect(deskLines()).toEqual(["agent", "one moment"]);
    }
  }

  it("should come to exactly one outcome by intent, button and API, requested, queued and in the moment the agent accepts [F062]", async () => {
    for (const way of ["button", "word", "API"] as const) await cancelQueued(way);
    // There is no button before the desk has accepted.
    for (const way of ["word", "API"] as const) await cancelRequested(way);
    await cancelWhileAccepted();
  }, 60_000);
});

describe("a press that comes too late", () => {
  it("should be a word for the agent once one has answered", async () => {
    const { world, chat, press, deskLines, heard } = await openTalk("sqlite");
    const { seq } = await chat.untilStatus("queued");
    await world.vendor.backend.agentSays(await ticketOf(world), "hello");
    await chat.untilStatus("active");
    await press(seq);
    await expect.poll(deskLines).toEqual(["agent", "one moment", "hello", cancelButton]);
    await world.say("c", "2", "stop");
    await expect.poll(deskLines).toEqual(["agent", "one moment", "hello", cancelButton, "stop"]);
    expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    expect(heard()).toEqual(["agent"]);
  });

  it("should do nothing after the end, to no bot, and to no later handover", async () => {
    const { world, chat, press, heard } = await openTalk("sqlite");
    const { seq } = await chat.untilStatus("queued");
    await ticketOf(world);
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await press(seq, "after the end");
    await world.say("c", "2", "agent");
    await chat.untilStatus("queued", 2);
    await press(seq, "in the next one");
    await world.say("c", "3", "stop it, please");
    await world.vendor.backend.waitFor(([, two]) => two?.messages.at(-1)?.text === "stop it, please");
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled", "requested", "queued"]);
    expect(heard()).toEqual(["agent", "ended cancelled", "agent"]);
    const [, second] = world.vendor.backend.conversations();
    expect(second!.messages.map(({ text }) => text)).toEqual(["agent", "one moment", "stop it, please"]);
  });
});
