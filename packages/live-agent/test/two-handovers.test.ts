import type { BotTurn } from "../../runtime/src/index.ts";
import { afterEach, describe, expect, it } from "vitest";
import { openRuntime, type RunningDesk } from "./open-runtime.ts";

let desk: RunningDesk;
afterEach(() => desk.close());

const bot = {
  async answer({ message }: BotTurn) {
    return message && !/agent/.test(message.text ?? "") ? { messages: [{ text: `bot: ${message.text ?? ""}` }] } : {};
  },
};

describe("a second handover of the same conversation", () => {
  it.each(["live-agent", "1.19"] as const)(
    "should open a new conversation in another inbox, with what was said since the first one only: %s [F016: history once] [F078: a new conversation]",
    async (profile) => {
      desk = await openRuntime({ profile }, bot);
      const { runtime, simulator } = desk;
      const address = { endpoint: "chat", conversation: `${"x".repeat(60)} 👋 Grüße/%2F` };
      const user = { id: "9007199254740993", isVerified: true, name: "Ann" };
      const other = await createInbox();
      const write = (id: string, text: string): Promise<unknown> => runtime.receiveMessage({ ...address, user, message: { id, text } });
      const said = async (text: string): Promise<void> => {
        for await (const entry of runtime.follow(address)) if ("text" in entry && entry.text === text) return;
      };
      const has = (text: string): Promise<unknown> =>
        simulator.waitFor((all) => all.some(({ messages }) => messages.some((message) => message.text === text)), { timeoutMs: 10_000 });

      await write("1", "first question");
      await said("bot: first question");
      await write("2", "an agent, please");
      await runtime.requestHandover({ ...address, user });
      await has("an agent, please");
      const [first] = simulator.conversations();
      simulator.say(first!.id, { text: "This is Ann." });
      await said("This is Ann.");
      simulator.close(first!.id);
      for await (const entry of runtime.follow(address)) if (entry.kind === "handover" && entry.status === "ended") break;

      await write("3", "second question");
      await said("bot: second question");
      await write("4", "another agent, please");
      await runtime.requestHandover({ ...address, user, options: { inboxId: other } });
      await has("another agent, please");
      const second = simulator.conversations().find(({ id }) => id !== first!.id)!;
      const lines = second.messages.filter(({ author }) => author !== "system").map(({ author, text }) => `${author}: ${text}`);
      expect(lines).toEqual(["user: second question", "bot: bot: second question", "user: another agent, please"]);
      expect(simulator.conversations()).toHaveLength(2);
      expect(simulator.conversation(first!.id).status).toBe("closed");
      const contacts = simulator.requests().filter(({ method, path }) => method === "POST" && path.endsWith("/conversations"));
      expect(new Set(contacts.map(({ body }) => (body as { contact_id: number }).contact_id)).size).toBe(1);
    },
  );
});

/** Another inbox, in which the same people work. */
async function createInbox(): Promise<string> {
  const { baseUrl, accountId, apiKey, overview } = desk.simulator;
  const post = async (path: string, body: object): Promise<{ id?: number }> => {
    const headers = { "Api-Access-Token": apiKey, "content-type": "application/json" };
    const response = await fetch(`${baseUrl}/accounts/${accountId}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as { id?: number };
  };
  const { id } = await post("/inboxes", { name: "Other", channel: { type: "api" } });
  await post("/inbox_members", { inbox_id: id, user_ids: overview().agents.map((agent) => Number(agent.id)) });
  return String(id);
}
