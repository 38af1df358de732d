import { afterEach, describe, expect, it } from "vitest";
import { openRuntime, type RunningDesk } from "./open-runtime.ts";

// The rows of the status table of section 4.5 that no webhook tells; those that one does are in live-agent-classification.test.ts.

let desk: RunningDesk | undefined;
afterEach(async () => {
  await desk?.close();
  desk = undefined;
});

const address = { endpoint: "chat", conversation: "1" };

async function askForPerson(opened: RunningDesk): Promise<void> {
  desk = opened;
  await opened.runtime.receiveMessage({ ...address, message: { id: "q", text: "a person, please" } });
  await opened.runtime.requestHandover(address);
}

async function until({ runtime }: RunningDesk, status: string): Promise<string | undefined> {
  for await (const entry of runtime.follow(address)) {
    if (entry.kind === "handover" && entry.status === status) return entry.status === "ended" ? entry.reason : undefined;
  }
  return undefined;
}

describe("what a handover becomes", () => {
  it.each<[string, string, (opened: RunningDesk, id: string) => Promise<unknown>]>([
    ["cancelled", "the user leaves before an agent has written", ({ runtime }) => runtime.endHandover(address)],
    [
      "completed",
      "the user leaves after an agent has written",
      async (opened, id) => {
        opened.simulator.say(id, { text: "hello" });
        await until(opened, "active");
        await opened.runtime.endHandover(address);
      },
    ],
    [
      "completed",
      "the conversation has been deleted when the user writes again",
      async ({ runtime, simulator }, id) => {
        await simulator.waitFor(([first]) => first?.messages.some(({ text }) => text === "a person, please") ?? false);
        simulator.remove(id);
        await runtime.receiveMessage({ ...address, message: { id: "later", text: "anybody?" } });
      },
    ],
  ])("should be %s when %s", async (reason, _what, act) => {
    const opened = await openRuntime();
    await askForPerson(opened);
    await until(opened, "queued");
    const [conversation] = opened.simulator.conversations();
    await act(opened, conversation!.id);
    expect(await until(opened, "ended")).toBe(reason);
  });

  it.each([401, 403, 422, 500, 503])("should be failed when its creation is answered with %i", async (status) => {
    const opened = await openRuntime({}, undefined, { startTimeoutMs: 200 });
    opened.simulator.setFaults({ failRate: 1, status, only: "POST /conversations" });
    await askForPerson(opened);
    expect(await until(opened, "ended")).toBe("failed");
    expect(opened.simulator.conversations()).toEqual([]);
  });
});
