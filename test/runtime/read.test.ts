import { describe, expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { passTime } from "./support/pass-time.ts";
import { useWorld } from "./support/use-world.ts";
import type { WorldOptions } from "./support/world.ts";
import type { StoreName } from "./support/world-store.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };

/** An active handover in which the agent said `lines`. */
async function openTalk(store: StoreName, lines: readonly string[], options: WorldOptions = {}) {
  const time = passTime(store);
  const world = await open({
    ...options,
    store,
    runtime: { ...time.runtime, ...options.runtime },
    timing: { ...time.timing, receiptWindowMs: 200 },
  });
  const chat = world.record("c");
  await world.say("c", "1", "agent");
  await time.until("queued", () => chat.statuses().includes("queued"));
  const [ticket] = await world.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
  const { backend } = world.vendor;
  const seqOf = (text: string) => chat.visible().find((entry) => entry.text === text)?.seq ?? 0;
  const idOf = (text: string) => backend.conversation(ticket!.id).messages.find((message) => message.text === text)!.id;
  const says = async (text: string) => {
    await backend.agentSays(ticket!.id, text);
    await time.until(text, () => seqOf(text) > 0);
  };
  for (const line of lines) await says(line);
  const receipts = () => backend.conversation(ticket!.id).signals.receipts;
  return { world, time, chat, says, seqOf, idOf, receipts, backend, ticket: ticket!.id };
}

describeOnStores("what the user has read", (store) => {
  it("should be told to the desk once per progress, gathered, and never backwards", async () => {
    const { world, time, seqOf, idOf, receipts, says } = await openTalk(store, ["one", "two", "three"]);
    const read = (seq: number) => world.runtime.markRead({ ...address, seq });
    await read(seqOf("two"));
    await time.until("the first receipt", () => receipts().length === 1);
    expect(receipts()).toMatchObject([{ messages: [idOf("one"), idOf("two")], status: "read" }]);
    // Nothing new: neither the same again, nor what is behind it, nor entries that are not the desk's.
    for (const seq of [seqOf("two"), seqOf("one"), 1, 2]) await read(seq);
    for (let times = 0; times < 5; times += 1) await read(seqOf("three"));
    await time.until("the second receipt", () => receipts().length === 2);
    for (const line of ["four", "five", "six"]) {
      await says(line);
      await read(seqOf(line));
    }
    await time.until("the last receipt", () => receipts().at(-1)?.messages.includes(idOf("six")) === true);
    const named = receipts().flatMap(({ messages }) => messages);
    expect(named).toEqual(["one", "two", "three", "four", "five", "six"].map(idOf));
    expect(receipts().every(({ status }) => status === "read")).toBe(true);
  });

  it("should not be told again by another process, which goes on where the first one was", async () => {
    const { world, time, seqOf, idOf, receipts } = await openTalk(store, ["one", "two"]);
    await world.runtime.markRead({ ...address, seq: seqOf("one") });
    await time.until("the first receipt", () => receipts().length === 1);
    await world.restart();
    await world.runtime.markRead({ ...address, seq: seqOf("one") });
    await world.runtime.markRead({ ...address, seq: seqOf("two") });
    await time.until("the second receipt", () => receipts().length === 2);
    expect(receipts().map(({ messages }) => messages)).toEqual([[idOf("one")], [idOf("two")]]);
  });

  it("should be refused beyond the end, in the same way for a conversation that does not exist", async () => {
    const { world, seqOf, chat } = await openTalk(store, ["one"]);
    const errorOf = (request: { readonly conversation: string; readonly seq: number }) =>
      world.runtime.markRead({ endpoint: "web", ...request }).then(
        () => undefined,
        (error: unknown) => ({ code: (error as { code?: string }).code, message: (error as Error).message }),
      );
    const known = await errorOf({ conversation: "c", seq: chat.entries.length + 1 });
    expect(known?.code).toBe("INVALID_SEQ");
    expect(await errorOf({ conversation: "nobody's", seq: 1 })).toEqual(known);
    for (const seq of [0, -1, 1.5, Number.NaN]) expect(await errorOf({ conversation: "c", seq })).toEqual(known);
    expect(await errorOf({ conversation: "c", seq: seqOf("one") })).toBeUndefined();
  });
});

describe("what the user has got", () => {
  it("should be told once, gathered, without a write, and not at all for what was read by then", async () => {
    const { world, time, seqOf, idOf, receipts, says } = await openTalk("sqlite", ["one", "two"]);
    const before = world.runtime.metrics().filter(({ name }) => name === "handover_conflicts_total");
    for (const line of ["one", "two"]) world.runtime.markDelivered({ ...address, seq: seqOf(line) });
    await time.until("delivered", () => receipts().length === 1);
    expect(receipts()).toMatchObject([{ messages: [idOf("one"), idOf("two")], status: "delivered" }]);
    await says("three");
    world.runtime.markDelivered({ ...address, seq: seqOf("three") });
    await world.runtime.markRead({ ...address, seq: seqOf("three") });
    await time.until("read", () => receipts().length === 2);
    for (const line of ["one", "two", "three"]) world.runtime.markDelivered({ ...address, seq: seqOf(line) });
    await time.pass(10_000);
    expect(receipts().map(({ status, messages }) => [status, messages.length])).toEqual([
      ["delivered", 2],
      ["read", 3],
    ]);
    expect(world.runtime.metrics().filter(({ name }) => name === "handover_conflicts_total")).toEqual(before);
  });

  it("should be told when a push channel has taken it", async () => {
    const time = passTime("sqlite");
    const world = await open({ runtime: time.runtime, timing: { ...time.timing, receiptWindowMs: 200 } });
    await world.stopRuntime();
    const pushed: string[] = [];
    const runtime = await world.another();
    runtime.onEntry(async (entry) => {
      if (entry.kind === "message") pushed.push(entry.text ?? "");
    });
    await world.say("c", "1", "agent");
    const ticket = await world.vendor.backend.waitFor(([one]) => one?.messages.length === 2);
    await world.vendor.backend.agentSays(ticket[0]!.id, "hello");
    await time.until("pushed", () => pushed.includes("hello"));
    const receipts = () => world.vendor.backend.conversation(ticket[0]!.id).signals.receipts;
    await time.until("delivered", () => receipts().length === 1);
    expect(receipts()[0]).toMatchObject({
      status: "delivered",
      messages: [world.vendor.backend.conversation(ticket[0]!.id).messages.at(-1)!.id],
    });
  });

  it("should harm nobody when the desk refuses to hear it, or cannot", async () => {
    for (const abilities of [undefined, { reportDelivery: false }]) {
      const { world, time, seqOf, chat, backend, says } = await openTalk("sqlite", ["one"], abilities ? { vendor: { abilities } } : {});
      backend.setFaults({ failRate: 1, status: 403, only: "POST /conversations/:/receipts" });
      world.runtime.markDelivered({ ...address, seq: seqOf("one") });
      await world.runtime.markRead({ ...address, seq: seqOf("one") });
      await says("two");
      await world.say("c", "2", "still here");
      await time.until("the message", () => backend.conversations()[0]!.messages.at(-1)?.text === "still here");
      expect(chat.statuses()).toEqual(["requested", "queued", "active"]);
    }
  });
});
