import { HandoverError, type VendorDelivery } from "@handover/core";
import { expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, ticketOf } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();

describeOnStores("a hole in what a desk numbers", (store) => {
  it("should be filled before what stands behind it is shown, although the desk cannot be asked at first", async () => {
    let asked = 0;
    const sentAt = new Date().toISOString();
    const say = (position: number): VendorDelivery => {
      const message = { id: `m${position}`, author: { role: "agent" as const, id: "a" }, text: `line ${position}`, sentAt };
      return {
        id: `d${position}`,
        references: [ticketOf(desks.started["desk"]!)],
        order: { group: "events", position, dense: true },
        payload: { events: [{ type: "message-received", message }] },
      };
    };
    const desks = scriptDesks({
      desk: {
        async catchUp() {
          asked += 1;
          if (asked <= 2) throw new HandoverError({ code: "DOWN", message: "Down.", effect: "connection", isRetryable: true });
          return { deliveries: [say(2)], cursor: 2, hasMore: false };
        },
      },
    });
    const world = await open({ store, runtime: desks.runtime });
    const chat = world.record("c");
    await world.say("c", "1", "agent");
    await chat.untilStatus("queued");
    for (const position of [1, 3]) {
      const { payload, ...delivery } = say(position);
      await desks.deliver(world.runtime, "desk", payload as object, delivery);
    }
    await chat.until("the last line", ({ text }) => text === "line 3");
    expect(chat.lines().filter((line) => line.startsWith("agent"))).toEqual(["agent: line 1", "agent: line 2", "agent: line 3"]);
    expect(asked).toBeGreaterThan(2);
  });
});
