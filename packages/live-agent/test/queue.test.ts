import type { Handover, QueueStatus } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeHandover } from "../src/__fixtures__/calls.ts";
import type { LiveAgentOptions, LiveAgentState } from "../src/index.ts";
import { openStub, type Stub, type StubRoutes } from "./stub.ts";

let stub: Stub;
afterEach(() => stub.close());

type LiveAgentHandover = Handover<LiveAgentOptions, LiveAgentState>;
const waiting = (conversationId: string, fields: Partial<LiveAgentState> = {}): LiveAgentHandover => ({
  ...makeHandover({ conversationId, ...fields }),
  id: `handover-${conversationId}`,
});
const conversation = (id: number, fields: object = {}): object => ({ id, status: "open", meta: {}, ...fields });

async function ask(...handovers: LiveAgentHandover[]): Promise<Record<string, Omit<QueueStatus, "validForMs">>> {
  const statuses = await stub.connection.getQueueStatuses(handovers, makeCall());
  return Object.fromEntries(
    [...statuses].map(([id, { validForMs, ...rest }]) => {
      expect(validForMs).toBeGreaterThan(0);
      return [id, rest];
    }),
  );
}
const calls = (end: string): number => stub.calls.filter(({ path }) => path.endsWith(end)).length;

describe("getQueueStatuses", () => {
  it.each([
    [
      { position: 3, estimated_wait_time: 300_000 },
      { position: 3, estimatedWaitMs: 300_000 },
    ],
    [{ queue_details: { position: "2", estimatedWaitTime: 0 } }, { position: 2, estimatedWaitMs: 0 }],
    [{ payload: { queue_position: 1, estimated_wait_time: null } }, { position: 1 }],
    [{ data: { estimated_wait_time: 5000, position: 0 } }, { estimatedWaitMs: 5000 }],
  ])("should read the queue details %j", async (details, expected) => {
    stub = await openStub({ "GET /queue_details": () => details });
    expect(await ask(waiting("42"))).toEqual({ "handover-42": expected });
  });

  it("should read them from the conversation where there is no call of their own", async () => {
    stub = await openStub({ "GET /conversations/42": () => conversation(42, { queue_details: { position: 4 } }) });
    expect(await ask(waiting("42"))).toEqual({ "handover-42": { position: 4 } });
    expect(await ask(waiting("42"))).toEqual({ "handover-42": { position: 4 } });
    expect(calls("/queue_details")).toBe(1);
  });

  it("should say nothing of a conversation that has left the queue", async () => {
    const routes: StubRoutes = {
      "GET /conversations/42/queue_details": () => ({ position: 1 }),
      "GET /conversations": () => ({ data: { meta: {}, payload: [] } }),
    };
    stub = await openStub(routes);
    expect(await ask(waiting("42"), waiting("43"), waiting("44", { status: "resolved" }))).toEqual({ "handover-42": { position: 1 } });
    expect(await ask(waiting("43"))).toEqual({});
    expect([calls("/conversations"), calls("/conversations/44/queue_details")]).toEqual([0, 0]);
  });

  it("should count the conversations that nobody has where the server tells nothing", async () => {
    const all = Array.from({ length: 60 }, (_, index) => conversation(index + 1));
    stub = await openStub({
      "GET /conversations/42": () => conversation(42),
      "GET /conversations/7": () => conversation(7),
      "GET /conversations": ({ query }) => {
        const page = Number(query.get("page"));
        const payload = query.get("inbox_id") === "3" ? all.slice((page - 1) * 25, page * 25) : [];
        return { data: { meta: { unassigned_count: all.length }, payload } };
      },
    });
    const handovers = [waiting("42"), waiting("7"), waiting("99"), waiting("42", { inbox: "9" })];
    expect(await ask(...handovers.slice(0, 2))).toEqual({ "handover-42": { position: 42 }, "handover-7": { position: 7 } });
    expect(calls("/conversations")).toBe(2);
    const first = stub.calls.findIndex(({ path }) => path.endsWith("/conversations"));
    expect(Object.fromEntries(stub.calls[first]!.query)).toMatchObject({
      inbox_id: "3",
      status: "open",
      assignee_type: "unassigned",
      sort_by: "created_at_asc",
      page: "1",
    });
    // Remembered: nobody asks each conversation again.
    const before = stub.calls.length;
    expect(await ask(handovers[2]!)).toEqual({});
    expect(await ask(handovers[3]!)).toEqual({});
    expect(stub.calls.slice(before).every(({ path }) => path.endsWith("/conversations"))).toBe(true);
  });
});

describe("a very long queue", () => {
  it("should count all who wait for a place behind what was read", async () => {
    const all = Array.from({ length: 300 }, (_, index) => conversation(index + 1));
    stub = await openStub({
      "GET /conversations/290": () => conversation(290),
      "GET /conversations": ({ query }) => {
        const page = Number(query.get("page"));
        return { data: { meta: { unassigned_count: 300 }, payload: all.slice((page - 1) * 25, page * 25) } };
      },
    });
    expect(await ask(waiting("290"))).toEqual({ "handover-290": { position: 300 } });
    expect(calls("/conversations")).toBe(8);
  });
});

describe("findChanged", () => {
  const seconds = (): number => Math.floor(Date.now() / 1000);
  const rows = (count: number, fields: object, firstId = 1): object[] =>
    Array.from({ length: count }, (_, index) => conversation(firstId + index, fields));
  const changed = (): Promise<readonly string[]> => stub.connection.findChanged(Date.now() - 60_000, makeCall());

  it("should take what a server answers at once", async () => {
    stub = await openStub({ "GET /conversations": () => ({ data: { payload: rows(40, { updated_at: seconds() }) } }) });
    expect((await changed()).length).toBe(40);
    expect(await changed()).toContain("conversation:7");
    const { query } = stub.calls.at(-1)!;
    expect([query.get("status"), query.get("page")]).toEqual(["all", null]);
    expect(Number(query.get("updated_within"))).toBeGreaterThanOrEqual(60);
  });

  it("should read on where the filter is not known, until it is old enough", async () => {
    const pages = [
      rows(25, { updated_at: seconds() }),
      rows(25, { last_activity_at: seconds() - 3600, updated_at: seconds() - 3600 }, 26),
      rows(25, { updated_at: 1 }, 51),
    ];
    stub = await openStub({
      "GET /conversations": ({ query }) => ({ data: { payload: pages[Number(query.get("page") ?? 1) - 1] ?? [] } }),
    });
    expect(await changed()).toHaveLength(50);
    expect(calls("/conversations")).toBe(2);
  });

  it("should ask for each status where there is no word for all [1.19]", async () => {
    stub = await openStub({
      "GET /api": () => ({ version: "1.19.0", timestamp: "2021-07-20 10:00:00" }),
      "GET /conversations": ({ query }) =>
        query.get("status") === "all" ? { status: 500, body: "" } : { data: { payload: rows(1, { timestamp: seconds() }) } },
    });
    expect(await changed()).toEqual(["conversation:1"]);
    expect(stub.calls.flatMap(({ query }) => query.get("status") ?? [])).toEqual(["open", "resolved", "pending", "snoozed"]);
  });
});
