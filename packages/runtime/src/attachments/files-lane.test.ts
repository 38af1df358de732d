import { expect, it } from "vitest";
import { LeaseLostError } from "../conversation/transact.ts";
import type { LaneScope } from "../lanes/lane.ts";
import { filesStep } from "./files-lane.ts";

/** A lane that fetches a file while its handover comes to want it no longer. */
function createLane(isLost: boolean) {
  const deleted: string[] = [];
  let handover: object = {
    id: "h",
    conversation: "web/c",
    files: [{ id: "f", connection: "desk", message: "m", tries: 0, nextTryAtMs: 0 }],
  };
  const context = {
    clock: { now: () => 1_000 },
    timing: { catchUpIntervalMs: 60_000 },
    mutex: { run: (_key: string, step: () => unknown) => step() },
    connections: { has: () => false },
    fileFetches: {
      isRunning: () => false,
      fetch: async () => void (handover = { id: "h", conversation: "web/c" }),
    },
    store: {
      readConversation: async () => ({ key: "web/c", version: 1, lastSeq: 1, currentHandover: "h" }),
      readHandover: async () => handover,
      readBlob: async () => undefined,
      deleteBlob: async (_key: string, id: string) => deleted.push(id),
    },
  };
  const hold = async () => {
    if (isLost) throw new LeaseLostError();
  };
  return { deleted, scope: { context, key: "web/c", fence: 1, lease: { hold } } as unknown as LaneScope };
}

it("should delete a file that was erased or deleted while it was fetched", async () => {
  const { deleted, scope } = createLane(false);
  await filesStep(scope);
  expect(deleted).toEqual(["f"]);
});

it("should leave a file alone that another instance has taken care of while this one lost the conversation", async () => {
  const { deleted, scope } = createLane(true);
  await expect(filesStep(scope)).rejects.toThrow(LeaseLostError);
  expect(deleted).toEqual([]);
});

it("should delete a file whose message was deleted only when nobody fetches it any more", async () => {
  const steps: string[] = [];
  const file = { id: "f", connection: "desk", message: "m", tries: 0, nextTryAtMs: 0, isDeleted: true };
  const handover = { id: "h", conversation: "web/c", status: "active", files: [file] };
  const context = {
    clock: { now: () => 1_000 },
    mutex: { run: (_key: string, step: () => unknown) => step() },
    receipts: { show: () => undefined },
    fileFetches: { isRunning: () => true, fetch: async () => void steps.push("fetched") },
    store: {
      readConversation: async () => ({ key: "web/c", version: 1, lastSeq: 1, currentHandover: "h" }),
      readHandover: async () => handover,
      deleteBlob: async () => steps.push("deleted"),
      commit: async () => (steps.push("noted"), { status: "committed", seqs: [] }),
    },
  };
  await filesStep({ context, key: "web/c", fence: 1 } as unknown as LaneScope);
  expect(steps).toEqual(["fetched", "deleted", "noted"]);
});
