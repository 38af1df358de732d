import type { DeliveryStatus, DeliveryTarget, HandoverEvent } from "@handover/core";
import type { ReceiptSignal } from "@handover/runtime";
import { HandoverError } from "@handover/core";
import { expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { StoreName } from "./support/world-store.ts";
import type { World } from "./support/world.ts";

const open = useWorld();

/** A handover that is active, and how to write to it and to hear from its desk. */
async function openActive(store: StoreName, script: DeskScript = {}) {
  const sent: string[] = [];
  const desks = scriptDesks({
    desk: {
      async sendMessage(_handover, part) {
        sent.push(part.message.text ?? "");
        return { vendorMessageId: `v:${part.message.text ?? ""}` };
      },
      ...script,
    },
  });
  const world = await open({ store, runtime: desks.runtime });
  const address = { endpoint: "web", conversation: "c" };
  const chat = world.record("c");
  await world.say("c", "start", "agent");
  await chat.untilStatus("queued");
  const receipts: ReceiptSignal[] = [];
  world.runtime.watchReceipts(address, (receipt) => receipts.push(receipt));
  const tell = (...events: readonly HandoverEvent[]) => desks.deliver(world.runtime, "desk", { events });
  let markers = 0;

  return {
    world,
    chat,
    sent,
    receipts,
    tell,
    receive: (target: DeliveryTarget, status: DeliveryStatus) => tell({ type: "delivery-changed", target, status }),
    /** Writes, and waits until the desk has it and we know that it has. */
    async write(...texts: readonly string[]): Promise<number[]> {
      const seqs: number[] = [];
      for (const text of texts) seqs.push((await world.say("c", `id ${text}`, text)).seq);
      await untilSent(world, () => texts.every((text) => sent.includes(text)));
      return seqs;
    },
    /** Everything that the desk said before has been dealt with. */
    async settled(): Promise<void> {
      const text = `marker ${(markers += 1)}`;
      const message = { id: text, author: { role: "agent", name: "Ada" }, text, sentAt: new Date().toISOString() } as const;
      await tell({ type: "message-received", message });
      await chat.until(text, (entry) => entry.text === text);
    },
    /** What somebody who reads the log now sees of an entry. */
    async readNow(seq: number) {
      for await (const entry of world.runtime.follow({ ...address, after: seq - 1 })) return entry.kind === "hidden" ? undefined : entry;
      return undefined;
    },
  };
}

/** The desk has it, and what it answered is in the log. */
async function untilSent(world: World, isSent: () => boolean): Promise<void> {
  while (!isSent()) await new Promise((resolve) => setImmediate(resolve));
  await world.quiet();
}

describeOnStores("receipts of the desk", (store) => {
  it("should mark the messages that are named, for who watches and for who reads later", async () => {
    const opened = await openActive(store);
    const [first = 0, second = 0] = await opened.write("one", "two");
    await opened.receive({ vendorMessageIds: ["v:one", "v:two", "v:unknown"] }, "delivered");
    await opened.receive({ vendorMessageIds: ["v:two"] }, "read");
    await opened.settled();
    expect((await opened.readNow(first))?.delivery).toBe("delivered");
    expect((await opened.readNow(second))?.delivery).toBe("read");
    expect(opened.receipts).toEqual([
      { seq: first, delivery: "delivered" },
      { seq: second, delivery: "delivered" },
      { seq: second, delivery: "read" },
    ]);
  });

  it("should not take a receipt back that comes twice or too late, and not tell it again", async () => {
    const opened = await openActive(store);
    const [seq = 0] = await opened.write("one");
    for (const status of ["read", "delivered", "read"] as const) await opened.receive({ vendorMessageIds: ["v:one"] }, status);
    await opened.receive({ all: true }, "delivered");
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBe("read");
    expect(opened.receipts).toEqual([{ seq, delivery: "read" }]);
  });

  it("should mark everything that the desk has, and no more, also when it is said again", async () => {
    const opened = await openActive(store);
    const seqs = await opened.write("one", "two");
    await opened.receive({ all: true }, "read");
    await opened.settled();
    const [third = 0] = await opened.write("three");
    await opened.settled();
    expect((await opened.readNow(third))?.delivery).toBeUndefined();
    await opened.receive({ all: true }, "read");
    await opened.settled();
    expect(opened.receipts).toEqual([...seqs, third].map((seq) => ({ seq, delivery: "read" })));
    // What the bot was asked before the handover is no message to the desk.
    expect((await opened.readNow(1))?.delivery).toBeUndefined();
  });

  it("should not mark what is on its way, but do so when it is said again", async () => {
    const go = Promise.withResolvers<undefined>();
    const calls: string[] = [];
    const opened = await openActive(store, {
      async sendMessage(_handover, part) {
        calls.push(part.message.text ?? "");
        await go.promise;
        return { vendorMessageId: "v" };
      },
    });
    const { seq } = await opened.world.say("c", "m1", "one");
    await untilSent(opened.world, () => calls.includes("one"));
    await opened.receive({ all: true }, "read");
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBeUndefined();
    go.resolve(undefined);
    await opened.world.quiet();
    await opened.receive({ all: true }, "read");
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBe("read");
  });

  it("should not believe that a message failed which was read", async () => {
    const opened = await openActive(store);
    const [seq = 0] = await opened.write("one");
    for (const status of ["read", "failed"] as const) await opened.receive({ vendorMessageIds: ["v:one"] }, status);
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBe("read");
    expect(opened.chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
  });

  it("should mark what was sent up to a time", async () => {
    const opened = await openActive(store);
    const [first = 0] = await opened.write("one");
    const betweenMs = Date.now();
    while (Date.now() <= betweenMs) await new Promise((resolve) => setImmediate(resolve));
    const [second = 0] = await opened.write("two");
    await opened.receive({ upToMs: betweenMs }, "delivered");
    await opened.settled();
    expect((await opened.readNow(first))?.delivery).toBe("delivered");
    expect((await opened.readNow(second))?.delivery).toBeUndefined();
    await opened.receive({ upToMs: Date.now() }, "delivered");
    await opened.settled();
    expect(opened.receipts).toEqual([first, second].map((seq) => ({ seq, delivery: "delivered" })));
  });

  it("should say once that a message failed, and believe a later reading of it", async () => {
    const opened = await openActive(store);
    const [seq = 0] = await opened.write("one");
    for (const status of ["delivered", "failed", "failed", "delivered"] as const) {
      await opened.receive({ vendorMessageIds: ["v:one"] }, status);
    }
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBe("failed");
    expect(opened.chat.visible().filter(({ event, about }) => event === "message-failed" && about === seq)).toHaveLength(1);
    await opened.receive({ vendorMessageIds: ["v:one"] }, "read");
    await opened.receive({ vendorMessageIds: ["v:one"] }, "failed");
    await opened.settled();
    expect(opened.receipts.map(({ delivery }) => delivery)).toEqual(["delivered", "failed", "read"]);
    expect(opened.chat.visible().filter(({ event }) => event === "message-failed")).toHaveLength(1);
  });

  it("should be as far as the part that is furthest behind", async () => {
    const planMessage: DeskScript["planMessage"] = (_handover, message) =>
      (message.text ?? "").split(" ").map((text) => ({ message: { ...message, text } }));
    const opened = await openActive(store, { planMessage });
    const { seq } = await opened.world.say("c", "m1", "one two");
    await untilSent(opened.world, () => opened.sent.includes("two"));
    await opened.receive({ vendorMessageIds: ["v:two"] }, "read");
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBeUndefined();
    await opened.receive({ vendorMessageIds: ["v:one"] }, "delivered");
    await opened.settled();
    expect((await opened.readNow(seq))?.delivery).toBe("delivered");
    await opened.receive({ vendorMessageIds: ["v:one", "v:two"] }, "read");
    await opened.settled();
    expect(opened.receipts.map(({ delivery }) => delivery)).toEqual(["delivered", "read"]);
  });

  it("should burn no number, and keep the receipt over a restart", async () => {
    const opened = await openActive(store);
    const [seq = 0] = await opened.write("one");
    await opened.receive({ all: true }, "read");
    await opened.settled();
    const before = opened.chat.entries.length;
    await opened.world.restart();
    expect((await opened.world.say("c", "after", "after")).seq).toBe(before + 1);
    for await (const entry of opened.world.runtime.follow({ endpoint: "web", conversation: "c", after: seq - 1 })) {
      expect(entry).toMatchObject({ seq, delivery: "read" });
      break;
    }
  });
});

describeOnStores("a message that may be at the desk twice", (store) => {
  it("should be marked where everybody reads it [F022 the mark]", async () => {
    let calls = 0;
    const opened = await openActive(store, {
      async sendMessage(_handover, part) {
        if (part.message.text === "one" && (calls += 1) === 1) {
          throw new HandoverError({ code: "NO_ANSWER", message: "The answer was lost.", isRetryable: true, outcome: "unknown" });
        }
        return {};
      },
    });
    const { seq } = await opened.world.say("c", "m1", "one");
    const { seq: other } = await opened.world.say("c", "m2", "two");
    await untilSent(opened.world, () => calls === 2);
    expect(await opened.readNow(seq)).toMatchObject({ seq, isPossiblyDuplicated: true });
    expect(await opened.readNow(other)).not.toHaveProperty("isPossiblyDuplicated");
  });
});
