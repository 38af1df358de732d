import { afterEach, describe, expect, it } from "vitest";
import { makeCall } from "../src/__fixtures__/calls.ts";
import type { LiveAgentOptions } from "../src/index.ts";
import { openRuntime } from "./open-runtime.ts";
import { openStub, type Stub, type StubRoutes } from "./stub.ts";

let stub: Stub | undefined;
afterEach(async () => {
  await stub?.close();
  stub = undefined;
});

const person = (id: number, status: string, skills?: string[], languages?: string[]): object => ({
  id,
  availability_status: status,
  role: "agent",
  ...(skills ? { custom_attributes: { skills, languages: languages ?? [] } } : {}),
});
const people = [
  person(8, "online"),
  person(1, "online", ["billing"], ["German", "english"]),
  person(2, "online", ["Billing", "returns"], ["french"]),
  person(3, "busy", ["billing"], ["german"]),
  person(4, "away", ["billing"]),
  person(5, "offline", ["billing"]),
  { ...person(6, "online", ["billing"]), role: "administrator" },
];
const usual: StubRoutes = {
  "GET /profile": () => ({ id: 8, accounts: [] }),
  "GET /agents": () => people,
  // 9 was removed from the account and still stands here; 6 is an administrator and no member.
  "GET /inbox_members/3": () => ({ payload: [1, 2, 3, 4, 5, 8, 9].map((id) => ({ id, availability_status: "online" })) }),
  "GET /inbox_members/4": () => ({ payload: [{ id: 4 }] }),
};
const ask = (options: LiveAgentOptions = {}): Promise<unknown> => stub!.connection.checkAvailability(options, makeCall());

describe("checkAvailability", () => {
  it("should count who is online in the inbox, and nobody else [F146: whom it counts]", async () => {
    stub = await openStub(usual);
    expect(await ask()).toEqual({ status: "available", agents: 2 });
    expect(await ask({ inboxId: "4" })).toEqual({ status: "unavailable", agents: 0 });
  });

  it.each<[LiveAgentOptions, number]>([
    [{ skills: ["billing"] }, 2],
    [{ skills: ["BILLING", "returns"] }, 1],
    [{ skills: ["billing"], languages: ["german"] }, 1],
    [{ languages: ["polish"] }, 0],
  ])("should count those with %j: %i [F146: skills]", async (options, agents) => {
    stub = await openStub(usual);
    expect(await ask(options)).toEqual({ status: agents > 0 ? "available" : "unavailable", agents });
  });

  it("should count everybody where the server tells of nobody's skills, as they are wishes there", async () => {
    stub = await openStub({ ...usual, "GET /agents": () => [person(1, "online"), person(2, "online")] });
    expect(await ask({ skills: ["billing"], languages: ["polish"] })).toEqual({ status: "available", agents: 2 });
  });

  it("should not know where a server has no such list [F147: unknown]", async () => {
    stub = await openStub({ ...usual, "GET /agents": () => ({ status: 404, body: "" }) });
    expect(await ask()).toEqual({ status: "unknown" });
  });
});

const ofAgents = "GET /agents";

interface Desk {
  readonly online?: number;
  readonly faults?: object;
  readonly whenUnknown?: "start" | "stop";
}

/** What the runtime says of a desk, what becomes of a handover, how many conversations the desk has, and whether it ever answered. */
async function outcomeOf({ online, faults = {}, whenUnknown = "start" }: Desk): Promise<unknown[]> {
  const { runtime, simulator, close } = await openRuntime({}, undefined, { whenUnknown, availabilityTimeoutMs: 200 });
  const address = { endpoint: "chat", conversation: "1" };
  try {
    if (online !== undefined) simulator.setAgents({ online });
    simulator.setFaults(faults);
    const { status } = await runtime.checkAvailability({ endpoint: "chat" });
    const isAnswered = simulator.requests().some(({ path, status: answer }) => path.endsWith("/agents") && answer !== undefined);
    await runtime.receiveMessage({ ...address, message: { id: "q", text: "a person, please" } });
    await runtime.requestHandover(address);
    for await (const entry of runtime.follow(address)) {
      if (entry.kind !== "handover" || (entry.status !== "queued" && entry.status !== "ended")) continue;
      return [status, entry.status === "ended" ? entry.reason : entry.status, simulator.conversations().length, isAnswered];
    }
    return [];
  } finally {
    await close();
  }
}

describe("availability behind the runtime", () => {
  it("should be yes, no or unknown, within its time, and the endpoint says whether unknown stops a handover [F147]", async () => {
    expect(await outcomeOf({})).toEqual(["available", "queued", 1, true]);
    expect(await outcomeOf({ online: 0 })).toEqual(["unavailable", "unavailable", 0, true]);
    const late = { latencyMs: 3_000, only: ofAgents };
    const missing = { failRate: 1, status: 404, only: ofAgents };
    expect(await outcomeOf({ faults: late })).toEqual(["unknown", "queued", 1, false]);
    expect(await outcomeOf({ faults: late, whenUnknown: "stop" })).toEqual(["unknown", "unavailable", 0, false]);
    expect(await outcomeOf({ faults: missing })).toEqual(["unknown", "queued", 1, true]);
    expect(await outcomeOf({ faults: missing, whenUnknown: "stop" })).toEqual(["unknown", "unavailable", 0, true]);
  });
});
