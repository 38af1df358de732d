import { ConversationGoneError } from "@handover/core";
import type { Bot } from "@handover/runtime";
import { expect, it } from "vitest";
import { describeOnStores } from "../runtime/support/on-stores.ts";
import { scriptDesks } from "../runtime/support/scripted-desks.ts";
import { useWorld } from "../runtime/support/use-world.ts";
import { changedProvider } from "./support/changed-provider.ts";

const open = useWorld();

const address = { endpoint: "web", conversation: "c" };

describeOnStores("the order of an end", (store) => {
  it("should be: what the user and the agent said last, the desk's side, then the closing text, and nothing of it hangs on reading what is closed [F079 part: all but the reading after the close]", async () => {
    const order: string[] = [];
    const provider = changedProvider((connection) => ({
      async sendMessage(handover, part, call) {
        order.push(`sends ${part.message.text ?? ""}`);
        return (await connection.sendMessage?.(handover, part, call)) ?? {};
      },
      async end(handover, end, call) {
        order.push("closes");
        return (await connection.end?.(handover, end, call)) ?? "ended";
      },
      catchUp(handover, cursor, call) {
        const isClosed = order.includes("closes");
        if (isClosed) return Promise.reject(new ConversationGoneError({ message: "It cannot be read any more." }));
        return connection.catchUp!(handover, cursor, call);
      },
    }));
    const world = await open({ store, runtime: { providers: [provider] } });
    if (store === "postgres") await world.another();
    const { backend } = world.vendor;
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const [ticket] = await backend.waitFor(([one]) => one?.messages.length === 2);
    await backend.agentSays(ticket!.id, "good bye");
    await chat.untilStatus("active");
    order.length = 0;
    backend.setFaults({ latencyMs: 100, only: "POST /conversations/:/messages" });
    for (const text of ["thank you", "bye"]) await world.say("c", text, text);
    await world.runtime.endHandover(address);
    const end = await chat.untilStatus("ended");
    expect(order).toEqual(["sends thank you", "sends bye", "closes"]);
    expect(end).toMatchObject({ reason: "completed", text: "The conversation with our team is over." });
    const shown = chat.visible().map((entry) => entry.text ?? entry.status);
    expect(shown.indexOf("good bye")).toBeLessThan(shown.indexOf(end.text));
    expect(chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
    expect(backend.conversations()).toMatchObject([{ status: "closed", messages: [{}, {}, {}, { text: "thank you" }, { text: "bye" }] }]);
  });

  it("should not be shown again when a desk that cannot be closed from outside goes on, writes and resolves [F076 part: without the setting]", async () => {
    const turns: string[] = [];
    const bot: Bot = {
      events: ["queued", "active", "ended"],
      async answer({ message, event }) {
        turns.push(message?.text ?? event?.type ?? "");
        return message?.text === "agent" ? { handover: {} } : {};
      },
    };
    const desks = scriptDesks({ desk: { end: undefined } }, { bot });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    await world.runtime.endHandover(address);
    await chat.untilStatus("ended");
    await expect.poll(() => turns).toEqual(["agent", "queued", "ended"]);
    const before = chat.entries.length;
    const message = {
      id: "m",
      author: { role: "agent" as const, id: "a" },
      text: "still there?",
      sentAt: new Date(Date.now() + 1_000).toISOString(),
    };
    await desks.deliver(world.runtime, "desk", { events: [{ type: "message-received", message }] });
    await desks.deliver(world.runtime, "desk", { events: [{ type: "ended", reason: "completed", actor: "agent" }] });
    const translated = () => world.runtime.metrics().find(({ labels }) => labels["result"] === "translated")?.value;
    await expect.poll(translated).toBe(2);
    const after = world.runtime
      .metrics()
      .filter(({ name, labels }) => name === "handover_journal_total" && labels["what"] === "message-after-end");
    expect(after.map(({ value }) => value)).toEqual([1]);
    await world.say("c", "2", "hello bot");
    await expect.poll(() => turns).toEqual(["agent", "queued", "ended", "hello bot"]);
    expect(chat.entries.slice(before).map((entry) => entry.kind === "message" && entry.text)).toEqual(["hello bot"]);
    expect(world.log.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });
});
