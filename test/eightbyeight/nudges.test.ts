import { expect, it } from "vitest";
import { openWorld } from "../runtime/support/world.ts";

it("should fetch what a webhook only points at as soon as it comes, also when nothing comes after it [F001 part: nudges]", async () => {
  // The slow comparison is far away: only the nudge can bring the message in time.
  const world = await openWorld({ vendor: { webhooks: "nudges" }, timing: { catchUpIntervalMs: 600_000 } });
  try {
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    const [conversation] = world.vendor.backend.conversations();
    for (const text of ["one", "two"]) {
      await world.vendor.backend.agentSays(conversation!.id, text);
      await chat.until(text, (entry) => entry.text === text);
    }
    expect(chat.visible().flatMap(({ text, author }) => (author?.role === "agent" && text !== undefined ? [text] : []))).toEqual([
      "one",
      "two",
    ]);
  } finally {
    await world.close();
  }
});
