import { HandoverError } from "@handover/core";
import type { Bot } from "@handover/runtime";
import { expect, it } from "vitest";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { StoreName } from "./support/world-store.ts";
import type { World } from "./support/world.ts";

const open = useWorld();
const canary = "canary-bird-4711";

async function say(world: World, user: string, conversation: string, id: string, text: string): Promise<{ readonly seq: number }> {
  const about = { id: user, name: `${canary} of ${user}`, isVerified: true };
  return world.runtime.receiveMessage({ endpoint: "web", conversation, message: { id, text }, user: about });
}

/** What a reader gets of a whole conversation, once its last entry fits. */
async function readUntil(world: World, conversation: string, isLast: (entry: { readonly text?: string; readonly seq: number }) => boolean) {
  const entries = [];
  for await (const entry of world.runtime.follow({ endpoint: "web", conversation })) {
    entries.push(entry);
    if (isLast(entry)) return entries;
  }
  return entries;
}

async function openWithDesk(store: StoreName, script: DeskScript = {}) {
  const desks = scriptDesks({ desk: script });
  return { desks, world: await open({ store, runtime: desks.runtime }) };
}

describeOnStores("erasing a user", (store) => {
  it("should take all conversations of that user, and nothing of others [F127 one user]", async () => {
    const { world } = await openWithDesk(store);
    for (const [user, conversation] of [
      ["ada", "one"],
      ["ada", "two"],
      ["bo", "three"],
    ] as const) {
      await say(world, user, conversation, "m1", `hello ${canary}`);
      await readUntil(world, conversation, ({ seq }) => seq === 2);
    }
    expect(await world.runtime.eraseUser({ user: "ada" })).toEqual({ erased: 2, waiting: 0 });
    expect(await world.runtime.eraseUser({ user: "ada" })).toEqual({ erased: 0, waiting: 0 });
    for (const conversation of ["one", "two"]) {
      expect(await readUntil(world, conversation, ({ seq }) => seq === 2)).toEqual([
        { seq: 1, kind: "hidden" },
        { seq: 2, kind: "hidden" },
      ]);
    }
    expect(await readUntil(world, "three", ({ seq }) => seq === 2)).toMatchObject([
      { text: `hello ${canary}` },
      { text: `echo hello ${canary}` },
    ]);
  });

  it("should still know what was sent before, and go on counting", async () => {
    const { world } = await openWithDesk(store);
    await say(world, "ada", "c", "m1", canary);
    await readUntil(world, "c", ({ seq }) => seq === 2);
    await world.runtime.eraseUser({ endpoint: "web", user: "ada" });
    expect(await say(world, "ada", "c", "m1", "again")).toEqual({ seq: 1 });
    expect(await say(world, "ada", "c", "m2", "new")).toEqual({ seq: 3 });
    expect((await readUntil(world, "c", ({ seq }) => seq === 4)).slice(2)).toMatchObject([{ text: "new" }, { text: "echo new" }]);
    expect(await world.runtime.eraseUser({ endpoint: "other", user: "ada" })).toEqual({ erased: 0, waiting: 0 });
  });

  it("should end a handover that runs, and close it at the desk, before it takes what is needed for that", async () => {
    const ended: string[] = [];
    const { desks, world } = await openWithDesk(store, {
      async end(handover) {
        ended.push(handover.references.join());
        return "ended";
      },
    });
    const chat = world.record("c");
    await say(world, "ada", "c", "m1", `agent ${canary}`);
    await chat.untilStatus("queued");
    expect(await world.runtime.eraseUser({ user: "ada" })).toEqual({ erased: 1, waiting: 0 });
    expect(ended).toEqual([`ticket:${desks.started.desk?.handoverId ?? ""}:1`]);
    expect(chat.statuses()).toEqual(["requested", "queued", "ended/cancelled"]);
    await world.say("c", "m9", "new");
    const entries = await readUntil(world, "c", ({ text }) => text === "echo new");
    expect(JSON.stringify(entries)).not.toContain(canary);
  });

  it("should erase what it could not yet as soon as the desk lets itself be closed, without being asked again", async () => {
    const clock = createManualClock();
    let isDown = true;
    const desks = scriptDesks({
      desk: {
        async end() {
          if (isDown)
            throw new HandoverError({
              code: "DOWN",
              message: "The desk is down.",
              isRetryable: true,
              effect: "connection",
              outcome: "not-applied",
            });
          return "ended";
        },
      },
    });
    const world = await open({ store, runtime: { ...desks.runtime, clock }, timing: { callTimeoutMs: 1_000, parkMs: 4_000 } });
    const chat = world.record("c");
    await say(world, "ada", "c", "m1", `agent ${canary}`);
    await until(world, clock, () => chat.statuses().includes("queued"));
    let result: unknown;
    void world.runtime.eraseUser({ user: "ada" }).then((answer) => (result = answer));
    await until(world, clock, () => result !== undefined);
    expect(result).toEqual({ erased: 0, waiting: 1 });
    isDown = false;
    const isErased = async () => {
      const entries = await readUntil(world, "c", ({ seq }) => seq === 1);
      return entries[0]?.kind === "hidden";
    };
    await until(world, clock, isErased);
  });
});

describeOnStores("a bot that is asked something", (store) => {
  it("should not bring back what is erased meanwhile", async () => {
    const asked = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    const bot: Bot = {
      name: "Slow",
      async answer({ message }) {
        if (message?.text === "new") return {};
        asked.resolve(undefined);
        await go.promise;
        return { messages: [{ text: `you said ${message?.text ?? ""}` }] };
      },
    };
    const world = await open({ store, bot });
    await say(world, "ada", "c", "m1", canary);
    await asked.promise;
    expect(await world.runtime.eraseUser({ user: "ada" })).toEqual({ erased: 1, waiting: 0 });
    go.resolve(undefined);
    await world.quiet();
    await world.say("c", "m2", "new");
    const entries = await readUntil(world, "c", ({ text }) => text === "new");
    expect(entries).toMatchObject([
      { seq: 1, kind: "hidden" },
      { seq: 2, text: "new" },
    ]);
  });
});

describeOnStores("retention", (store) => {
  it("should take content that is too old, and leave what is not [F127 one sweep]", async () => {
    const clock = createManualClock();
    const desks = scriptDesks({ desk: {} });
    const retention = { contentMs: 3_600_000 };
    const world = await open({ store, runtime: { ...desks.runtime, clock, retention } });
    await say(world, "ada", "old", "m1", canary);
    await until(world, clock, async () => (await readUntil(world, "old", ({ seq }) => seq === 1)).length === 1);
    await clock.advance(3_500_000);
    await say(world, "bo", "young", "m1", "hello");
    await clock.advance(200_000);
    await until(world, clock, async () => (await readUntil(world, "old", ({ seq }) => seq === 1))[0]?.kind === "hidden");
    expect(await readUntil(world, "young", ({ seq }) => seq === 1)).toMatchObject([{ text: "hello" }]);
  });
});

/** Lets time pass until it is so. */
async function until(world: World, clock: ReturnType<typeof createManualClock>, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let step = 0; step < 2_000; step += 1) {
    await world.quiet();
    if (await isSo()) return;
    await clock.advance(100);
  }
  throw new Error("It did not come to that.");
}
