import { afterEach, describe, expect, it } from "vitest";
import { makeCall } from "../src/__fixtures__/calls.ts";
import type { LiveAgentOptions } from "../src/index.ts";
import { openStub, type Stub, type StubRoutes } from "./stub.ts";

let stub: Stub;
afterEach(() => stub.close());

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
const ask = (options: LiveAgentOptions = {}): Promise<unknown> => stub.connection.checkAvailability(options, makeCall());

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
