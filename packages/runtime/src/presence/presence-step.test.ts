import { expect, it } from "vitest";
import type { LaneScope } from "../lanes/lane.ts";
import { presenceStep } from "./presence-step.ts";

/** A lane that learns that the user has gone; `during` is what happens to the handover while other instances are asked. */
function createLane(during: object) {
  const told: boolean[] = [];
  let handover: object = {
    id: "h",
    conversation: "web/c",
    status: "active",
    options: {},
    presence: { attempt: 1, isPresent: true, checkAtMs: 500, changes: 0 },
    attempt: { number: 1, connection: "desk", phase: "started", references: [] },
  };
  const connection = {
    name: "desk",
    provider: { title: "Desk", options: { safeParse: (data: unknown) => ({ success: true, data }) } },
    gate: { mayCallNow: async () => true },
    handle: { setUserPresence: async (_handover: unknown, isPresent: boolean) => void told.push(isPresent) },
    prepare: async () => undefined,
  };
  const endpoint = { token: "web", handover: { connections: ["desk"] } };
  const context = {
    clock: { now: () => 1_000, after: () => () => undefined },
    timing: { presenceGraceMs: 100, callTimeoutMs: 1_000 },
    stopSignal: new AbortController().signal,
    metrics: { count: () => undefined },
    typing: { clear: () => undefined },
    receipts: { show: () => undefined },
    logger: { debug: () => undefined },
    endpoints: new Map([["web", endpoint]]),
    mutex: { run: (_key: string, step: () => unknown) => step() },
    connections: { names: ["desk"], has: () => true, get: () => connection },
    presence: {
      lookAt: () => undefined,
      nextLook: () => undefined,
      look: async () => {
        handover = { ...handover, ...during };
        return { kind: "away" };
      },
    },
    store: {
      readConversation: async () => ({ key: "web/c", endpoint: "web", conversation: "c", version: 1, lastSeq: 1, currentHandover: "h" }),
      readHandover: async () => handover,
      commit: async () => ({ status: "committed", seqs: [] }),
    },
  };
  const lease = { conversation: "web/c", signal: new AbortController().signal, hold: async () => undefined };
  return { told, scope: { context, key: "web/c", fence: 1, lease } as unknown as LaneScope };
}

it("should tell the desk that the user has gone", async () => {
  const { told, scope } = createLane({});
  await presenceStep(scope);
  expect(told).toEqual([false]);
});

it.each([{ status: "ending" }, { id: "next" }, { attempt: { number: 2, connection: "desk", phase: "started", references: [] } }])(
  "should tell nothing to a desk that is done when the others have answered: %j",
  async (during) => {
    const { told, scope } = createLane(during);
    await presenceStep(scope);
    expect(told).toEqual([]);
  },
);
