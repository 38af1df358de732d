import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HandoverEvent } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { createFaultyStore } from "./support/faulty-store.ts";
import { scriptDesks } from "./support/scripted-desks.ts";
import { openWorld, type World } from "./support/world.ts";

let world: World | undefined;
const folders: string[] = [];

afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const said = (id: string): HandoverEvent => ({
  type: "message-received",
  message: { id, author: { role: "agent", id: "a1", name: "Ada" }, text: id, sentAt: "2026-01-01T00:00:00.000Z" },
});

describe("long conversations", () => {
  it("should not read the whole log again for each line of an agent who talks for long", async () => {
    const folder = await mkdtemp(join(tmpdir(), "handover-long-"));
    folders.push(folder);
    const counting = createFaultyStore(join(folder, "handover.db"));
    const desks = scriptDesks({ desk: {} });
    world = await openWorld({ runtime: { ...desks.runtime, store: counting.store } });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const lines = Array.from({ length: 3_000 }, (_, index) => said(`line ${index + 1}`));
    await desks.deliver(world.runtime, "desk", { events: lines });
    await chat.until("the last line", (entry) => entry.text === "line 3000");
    const before = counting.reads["readEntries"] ?? 0;
    for (let index = 1; index <= 40; index += 1) await desks.deliver(world.runtime, "desk", { events: [said(`more ${index}`)] });
    await chat.until("the very last line", (entry) => entry.text === "more 40");
    expect((counting.reads["readEntries"] ?? 0) - before).toBeLessThan(1_000);
    await world.say("c", "3", "thanks");
    await expect.poll(() => desks.count("desk.send thanks")).toBe(1);
  });

  it(
    "should give a desk that takes no transcript six hundred lines of history in order, each once, and the bot none of them [F016 order, F036 lines]",
    { timeout: 30_000 },
    async () => {
      let turns = 0;
      const desks = scriptDesks(
        {
          desk: { start: async (request) => ({ references: [`t:${request.handoverId}`], state: {}, transcriptThrough: 0, relay: "both" }) },
        },
        { bot: { answer: async () => ((turns += 1), {}) } },
      );
      world = await openWorld({ runtime: desks.runtime, timing: { retryFirstMs: 100 } });
      const history = Array.from({ length: 600 }, (_, index) => ({
        id: `h${index}`,
        author: { role: index % 2 === 0 ? ("user" as const) : ("bot" as const) },
        text: `line ${index}`,
        sentAt: "2026-01-01T00:00:00.000Z",
      }));
      const chat = world.record("c");
      await world.runtime.requestHandover({ endpoint: "web", conversation: "c", transcript: history });
      await chat.untilStatus("queued");
      await expect
        .poll(() => desks.calls.filter((call) => call.startsWith("desk.send")).length, { timeout: 25_000, interval: 100 })
        .toBe(600);
      const isSame = desks.calls.filter((call) => call.startsWith("desk.send")).every((call, index) => call === `desk.send line ${index}`);
      expect(isSame).toBe(true);
      expect(turns).toBe(0);
    },
  );
});
