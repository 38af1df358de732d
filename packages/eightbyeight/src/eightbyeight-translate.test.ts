import { isWake, type HandoverEvent, type Translation, type VendorDelivery, type Wake } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeHandover } from "./__fixtures__/calls.ts";
import type { Facts } from "./eightbyeight-facts.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";
import { translate } from "./eightbyeight-translate.ts";

type Told = Translation<EightbyeightState>;

const settings = { agentLeftGraceMs: 5_000 };
const start = 1_700_000_000_000;
const at = (seconds: number): number => start + seconds * 1000;

const joined = (id: string, seconds: number): Facts => ({
  kind: "member",
  who: "agent",
  change: "joined",
  id,
  atMs: at(seconds),
  sentAtMs: at(seconds),
});
const left = (id: string, seconds: number): Facts => ({
  kind: "member",
  who: "agent",
  change: "left",
  id,
  atMs: at(seconds),
  sentAtMs: at(seconds),
});
const userLeft = (seconds: number): Facts => ({
  kind: "member",
  who: "user",
  change: "left",
  id: "u",
  atMs: at(seconds),
  sentAtMs: at(seconds),
});
const transfer = (seconds: number): Facts => ({ kind: "transfer", atMs: at(seconds) });
const queued = (seconds: number, queueName = "Sales"): Facts => ({ kind: "queued", atMs: at(seconds), queueName });
const update = (state: string, seconds: number, assignment?: { type: string; id?: string }): Facts => ({
  kind: "update",
  atMs: at(seconds),
  state,
  ...(assignment ? { assignment } : {}),
});
const said = (id: string, sender: string, seconds: number, text = "hello"): Facts => ({
  kind: "message",
  id,
  sender,
  text,
  atMs: at(seconds),
});
const announced = (sender: string, seconds: number): Facts => ({ kind: "announcement", sender, atMs: at(seconds), sentAtMs: at(seconds) });
const snapshot = (seconds: number, fields: Partial<Extract<Facts, { kind: "snapshot" }>> = {}): Facts => ({
  kind: "snapshot",
  atMs: at(seconds),
  state: "active",
  agents: [],
  isCustomerGone: false,
  ...fields,
});

/** A handover that is told one thing after the other. */
function begin(state: Partial<EightbyeightState> = {}, own: { agentLeftGraceMs: number; agentDisplayName?: string } = settings) {
  let handover = makeHandover(state);
  const events: HandoverEvent[] = [];
  let wakeAtMs: number | null = null;
  return {
    events,
    types: () => events.map(({ type }) => type),
    get state() {
      return handover.state;
    },
    get wakeAtMs() {
      return wakeAtMs;
    },
    tell(...all: readonly (Facts | Wake)[]): Told {
      let last: Told = { events: [] };
      for (const one of all) {
        const delivery: VendorDelivery | Wake = "wake" in one ? one : { references: [], payload: one as VendorDelivery["payload"] };
        if (isWake(delivery)) wakeAtMs = null;
        last = translate(own, handover, delivery);
        events.push(...last.events);
        if (last.state) handover = { ...handover, state: last.state };
        if (last.wakeAt !== undefined) wakeAtMs = last.wakeAt;
      }
      return last;
    },
  };
}

describe("who is there", () => {
  it("should be active when an agent came, and not by 8x8's word active or an assignment to a queue [F053 part: 8x8]", () => {
    const told = begin();
    told.tell(
      update("created", 0),
      queued(0, "Support"),
      update("active", 1, { type: "queue", id: "101" }),
      update("active", 1, { type: "script", id: "5" }),
    );
    expect(told.events).toEqual([{ type: "queued", queue: { name: "Support" }, atMs: at(0) }]);
    told.tell(joined("ann", 2), update("active", 2, { type: "agent", id: "ann" }));
    expect(told.events.at(-1)).toEqual({ type: "agent-joined", agent: { id: "ann" }, hasAccepted: true, atMs: at(2) });
    expect(told.types()).toEqual(["queued", "agent-joined"]);
  });

  it("should take an assignment to an agent for their coming where that was not told", () => {
    const told = begin();
    told.tell(update("active", 2, { type: "agent", id: "ann" }), joined("ann", 2));
    expect(told.types()).toEqual(["agent-joined"]);
  });

  it("should show agents by the configured name, whoever they are [F123 part: neutral name]", () => {
    const told = begin({}, { ...settings, agentDisplayName: "Acme Support" });
    told.tell(joined("ann", 1), said("m1", "ann", 2));
    expect(told.events).toMatchObject([
      { type: "agent-joined", agent: { id: "ann", name: "Acme Support" } },
      { type: "message-received", message: { id: "m1", text: "hello", author: { role: "agent", id: "ann", name: "Acme Support" } } },
    ]);
  });

  it("should count several: one that leaves is told, and it goes on [F058 part: one of two]", () => {
    const told = begin();
    told.tell(joined("ann", 1), joined("ben", 2), left("ann", 3));
    expect(told.events.at(-1)).toEqual({ type: "agent-left", agent: { id: "ann" }, isAnotherPresent: true, atMs: at(3) });
    expect(told.wakeAtMs).toBeNull();
    told.tell(left("ben", 4));
    expect(told.wakeAtMs).toBe(at(9));
  });

  it("should end once when the last one has left and no transfer shows within the grace time, and not before [F058 part: 8x8]", () => {
    const told = begin();
    told.tell(joined("ann", 1), left("ann", 10));
    expect([told.types(), told.wakeAtMs]).toEqual([["agent-joined"], at(15)]);
    told.tell({ wake: true, atMs: at(15) }, update("idle", 16, { type: "agent", id: "ann" }), { wake: true, atMs: at(15) });
    expect(told.events.slice(1)).toEqual([
      { type: "ended", reason: "completed", actor: "agent", vendorReason: "agent-left", atMs: at(15) },
    ]);
  });

  it("should begin the grace time when the webhook left 8x8, which may be a retry", () => {
    const told = begin();
    told.tell(joined("ann", 1), { ...left("ann", 10), sentAtMs: at(40) } as Facts);
    expect(told.wakeAtMs).toBe(at(45));
  });

  it("should end once by idle, in any order with the agent's leaving [F054 part: 8x8, F074 part: idle]", () => {
    for (const ending of [
      [left("ann", 10), update("idle", 11)],
      [update("idle", 11), left("ann", 10)],
      [update("idle", 11)],
      [left("ann", 10), update("idle", 11), update("idle", 12), userLeft(12)],
    ]) {
      const told = begin();
      told.tell(joined("ann", 1), ...ending);
      expect(told.types()).toEqual(["agent-joined", "ended"]);
      expect(told.events.at(-1)).toMatchObject({ reason: "completed", actor: "agent" });
      expect(told.wakeAtMs).toBeNull();
    }
  });

  it("should not call it completed when nobody ever came [F059 part: 8x8]", () => {
    const idle = begin();
    idle.tell(queued(0), update("idle", 5));
    expect(idle.events.at(-1)).toMatchObject({ type: "ended", reason: "unavailable", actor: "system", vendorReason: "idle" });
    const gone = begin();
    gone.tell(queued(0), userLeft(5), update("idle", 5));
    expect(gone.events.slice(1)).toEqual([{ type: "ended", reason: "abandoned", actor: "user", vendorReason: "user-left", atMs: at(5) }]);
  });

  it("should be over when 8x8 gives it back to a bot", () => {
    const told = begin();
    told.tell(update("active", 0, { type: "webhook", id: "w" }), joined("ann", 1), update("active", 9, { type: "webhook", id: "w" }));
    expect(told.types()).toEqual(["agent-joined", "ended"]);
  });
});

describe("a transfer", () => {
  const steps = { transfer: transfer(10), left: left("ann", 10.2), queued: queued(10.1) };
  const orders = [
    ["transfer", "left", "queued"],
    ["transfer", "queued", "left"],
    ["left", "transfer", "queued"],
    ["left", "queued", "transfer"],
    ["queued", "left", "transfer"],
    ["queued", "transfer", "left"],
  ] as const;

  it.each(orders)("should go back to the queue and on with the next agent: %s, %s, %s [F057 part: 8x8]", (...order) => {
    const told = begin();
    told.tell(joined("ann", 1), ...order.map((step) => steps[step]), update("active", 10.3, { type: "queue", id: "102" }));
    expect(told.types().filter((type) => type === "transferred")).toHaveLength(1);
    expect(told.wakeAtMs).toBeNull();
    told.tell(
      { wake: true, atMs: at(20) },
      joined("ben", 30),
      update("active", 30, { type: "agent", id: "ben" }),
      left("ben", 60),
      update("idle", 61),
    );
    const types = told.types().filter((type) => type !== "queued");
    expect(types).toEqual(["agent-joined", "transferred", "agent-joined", "ended"]);
    expect(JSON.stringify(told.events)).toContain("Sales");
  });

  it("should be known although the new agent was told of first", () => {
    const told = begin();
    told.tell(joined("ann", 1), left("ann", 10), joined("ben", 12), transfer(10), queued(10.5));
    expect(told.types()).toEqual(["agent-joined", "agent-left", "agent-joined"]);
    told.tell(left("ben", 50));
    expect(told.wakeAtMs).toBe(at(55));
  });

  it("should let an agent come back, and each be told once", () => {
    const told = begin();
    told.tell(joined("ann", 1), joined("ann", 1), transfer(10), left("ann", 10), joined("ann", 20), left("ann", 10));
    expect(told.types()).toEqual(["agent-joined", "transferred", "agent-joined"]);
    expect(told.state.stage).toBe("served");
  });

  it("should not be taken from what is older than the agent: the first QUEUED may come late", () => {
    const told = begin();
    told.tell(joined("ann", 5), queued(1), update("active", 2, { type: "queue", id: "101" }));
    expect(told.types()).toEqual(["agent-joined"]);
    told.tell(left("ann", 9), queued(1));
    expect(told.wakeAtMs).toBe(at(14));
  });
});

describe("what comes late or twice", () => {
  it("should not change what is newer [F034 part: 8x8]", () => {
    const told = begin();
    told.tell(
      joined("ann", 1),
      update("idle", 10),
      joined("ben", 9),
      update("active", 9),
      queued(8),
      transfer(7),
      left("ann", 6),
      userLeft(11),
    );
    expect(told.types()).toEqual(["agent-joined", "ended"]);
    expect(told.state.stage).toBe("over");
  });

  it("should sort who left before they came", () => {
    const told = begin();
    expect(told.tell(left("ann", 3))).toMatchObject({ events: [], pull: true });
    told.tell(joined("ann", 2));
    expect([told.types(), told.wakeAtMs]).toEqual([["agent-joined"], at(8)]);
  });

  it("should know a conversation that comes to life again, once, and that it ends again [F078 part: revived at 8x8]", () => {
    const told = begin();
    told.tell(
      joined("ann", 1),
      update("idle", 10),
      update("active", 20, { type: "queue", id: "101" }),
      queued(20),
      joined("ben", 21),
      update("idle", 30),
    );
    expect(told.types()).toEqual(["agent-joined", "ended", "reopened", "queued", "agent-joined", "ended"]);
  });

  it("should ask the API when the same moment is the end and a new beginning", () => {
    const told = begin();
    told.tell(joined("ann", 1), update("idle", 10));
    expect(told.tell(queued(10))).toEqual({ events: [], pull: true });
    expect(told.tell(update("active", 10))).toMatchObject({ events: [], pull: true });
  });

  it("should ignore events of another tenant than the first [F103 part: pinned tenant]", () => {
    const told = begin();
    told.tell({ ...queued(0), tenant: "acme01" });
    expect(told.tell({ ...update("idle", 5), tenant: "stranger" })).toEqual({ events: [], ignored: "foreign-tenant" });
    expect(told.state).toMatchObject({ tenant: "acme01", stage: "waiting" });
  });

  it("should name what it does not know", () => {
    expect(translate(settings, makeHandover(), { references: [], payload: { kind: "never-heard-of" } })).toEqual({
      events: [],
      ignored: "unknown-event",
    });
  });
});

describe("messages", () => {
  it("should be announced by the webhook and come from the listing [F017 part: ids]", () => {
    const told = begin();
    expect(told.tell(announced("ann", 2))).toMatchObject({ events: [], pull: true });
    expect(told.wakeAtMs).toBe(at(4));
    told.tell(said("m1", "ann", 2));
    expect(told.wakeAtMs).toBeNull();
    expect(told.types()).toEqual(["agent-joined", "message-received"]);
  });

  it("should be looked for again where the listing is behind, but not for ever", () => {
    const told = begin();
    told.tell(announced("ann", 2));
    const tries: number[] = [];
    for (let count = 0; count < 10 && told.wakeAtMs !== null; count += 1) {
      const last = told.tell({ wake: true, atMs: told.wakeAtMs });
      if (last.pull) tries.push(count);
      else expect(last.ignored).toBe("message-not-listed");
    }
    expect(tries).toEqual([0, 1, 2]);
    expect(told.state.announced).toEqual([]);
  });

  it("should keep the grace time beside that", () => {
    const told = begin();
    told.tell(joined("ann", 1), announced("ann", 2), left("ann", 2));
    expect(told.wakeAtMs).toBe(at(4));
    expect(told.tell({ wake: true, atMs: at(4) })).toMatchObject({ pull: true, wakeAt: at(7) });
    told.tell({ wake: true, atMs: at(7) });
    expect(told.types()).toEqual(["agent-joined", "ended"]);
    expect(told.wakeAtMs).toBe(at(8));
  });

  it("should count whoever writes as there", () => {
    const told = begin();
    told.tell(joined("ann", 1), said("m1", "ben", 2), left("ann", 3));
    expect(told.types()).toEqual(["agent-joined", "agent-joined", "message-received", "agent-left"]);
    expect(told.state.stage).toBe("served");
  });

  it("should be shown after the end too, and be nobody's of 8x8's own channel [F033 part: 8x8]", () => {
    const told = begin({ stage: "over", overAtMs: at(5) });
    told.tell(said("m1", "ann", 4));
    expect(told.types()).toEqual(["message-received"]);
    const theirs = begin({ relay: "none" });
    expect(theirs.tell(said("m1", "ann", 4))).toMatchObject({ events: [], ignored: "carried-by-vendor" });
    expect(theirs.tell(announced("ann", 4))).toMatchObject({ events: [], ignored: "carried-by-vendor" });
  });

  it("should be nothing without anything to show", () => {
    const told = begin();
    for (const text of ["", "  \n"]) expect(told.tell(said("m1", "ann", 1, text))).toMatchObject({ events: [], ignored: "empty-message" });
    expect(told.tell({ kind: "message", id: "m2", sender: "ann", atMs: at(1) })).toMatchObject({ events: [], ignored: "empty-message" });
  });

  it("should show typing and receipts", () => {
    const told = begin();
    told.tell({ kind: "typing", isTyping: true, agentId: "ann", atMs: at(1) }, { kind: "read", upToMs: at(1), atMs: at(2) });
    expect(told.events).toEqual([
      { type: "typing-changed", author: { role: "agent", id: "ann" }, isTyping: true },
      { type: "delivery-changed", target: { upToMs: at(1) }, status: "read", atMs: at(2) },
    ]);
  });
});

describe("what the API says", () => {
  it("should heal everything that was not told: who came, who went, that it is over", () => {
    const told = begin();
    told.tell(snapshot(10, { agents: [{ id: "ann", isIn: true }], assignment: { type: "agent", id: "ann" } }));
    expect(told.types()).toEqual(["agent-joined"]);
    told.tell(snapshot(20, { agents: [{ id: "ann", isIn: false }], assignment: { type: "agent", id: "ann" } }));
    expect(told.wakeAtMs).toBe(at(25));
    told.tell(snapshot(22, { state: "idle", agents: [{ id: "ann", isIn: false }] }));
    expect(told.types()).toEqual(["agent-joined", "ended"]);
  });

  it("should know a transfer, a visit and a customer that nobody told of", () => {
    const moved = begin();
    moved.tell(joined("ann", 1), snapshot(10, { agents: [{ id: "ann", isIn: false }], assignment: { type: "queue", id: "102" } }));
    expect([moved.types(), moved.wakeAtMs]).toEqual([["agent-joined", "transferred"], null]);
    const visited = begin();
    visited.tell(snapshot(10, { agents: [{ id: "ann", isIn: false }], assignment: { type: "agent", id: "ann" } }));
    expect(visited.wakeAtMs).toBe(at(15));
    const gone = begin();
    gone.tell(snapshot(10, { isCustomerGone: true }));
    expect(gone.events).toMatchObject([{ type: "ended", reason: "abandoned" }]);
  });

  it("should not undo what was told meanwhile", () => {
    const told = begin();
    told.tell(joined("ann", 10), snapshot(9.5), snapshot(11, { agents: [{ id: "ann", isIn: false }] }));
    expect([told.types(), told.state.stage]).toEqual([["agent-joined"], "served"]);
    told.tell(transfer(20), snapshot(21, { agents: [{ id: "ann", isIn: true }], assignment: { type: "agent", id: "ann" } }));
    expect(told.types()).toEqual(["agent-joined", "transferred"]);
  });

  it("should not take an agent for gone who is only missing in the list", () => {
    const told = begin();
    told.tell(joined("ann", 1), snapshot(60, { agents: [] }), snapshot(120, { agents: [{ id: "ben", isIn: true }] }));
    expect(told.types()).toEqual(["agent-joined", "agent-joined"]);
  });

  it("should see a revival, and none in a conversation that never became idle", () => {
    const revived = begin();
    revived.tell(joined("ann", 1), update("idle", 10), snapshot(30, { agents: [{ id: "ann", isIn: false }] }));
    expect(revived.types()).toEqual(["agent-joined", "ended", "reopened"]);
    const quiet = begin();
    quiet.tell(joined("ann", 1), left("ann", 10), { wake: true, atMs: at(15) }, snapshot(60, { agents: [{ id: "ann", isIn: false }] }));
    expect(quiet.types()).toEqual(["agent-joined", "ended"]);
    quiet.tell(snapshot(90, { agents: [{ id: "ann", isIn: true }] }));
    expect(quiet.types()).toEqual(["agent-joined", "ended", "reopened"]);
  });
});
