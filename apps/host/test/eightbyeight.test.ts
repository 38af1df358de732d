import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectKnownCalls } from "../../../packages/eightbyeight/test/wire-requests.ts";
import { startDemo, type Demo } from "../src/demo.ts";
import { readUntil } from "./support/read-events.ts";
import { send } from "./support/test-host.ts";

interface DeskConversation {
  readonly id: string;
  readonly status: string;
  readonly messages: readonly { readonly author: string; readonly text: string }[];
}

let demo: Demo;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "handover-eightbyeight-"));
  demo = await startDemo({ HANDOVER_PORT: "0", HANDOVER_SIMULATORS_PORT: "0", HANDOVER_DATA: folder }, () => undefined);
});
afterAll(async () => {
  const calls = (await control("requests")) as Parameters<typeof expectKnownCalls>[0];
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(calls).not.toHaveLength(0);
  expectKnownCalls(calls, "acme01");
});

const conversationUrl = (id: string) => `${demo.host.url}/endpoints/demo-eightbyeight/conversations/${id}`;
const control = async (path: string, body?: object): Promise<unknown> =>
  (await send(body ? "POST" : "GET", `${demo.deskUrl}control/eightbyeight/${path}`, body)).json;
const conversations = async () => (await control("conversations")) as DeskConversation[];
const webhookUrl = () => demo.host.runtime.connections().find(({ name }) => name === "demo-eightbyeight")?.webhookUrl ?? "";

describe("the demo with 8x8", () => {
  test("should play a handover from the chat to the desk and back, with a transfer in between [F049 part: 8x8, host to simulator]", async () => {
    expect((await fetch(`${demo.host.url}/chat/demo-eightbyeight`)).status).toBe(200);
    const url = conversationUrl("first");
    await send("POST", `${url}/messages`, { id: "1", text: "Hello" });
    await readUntil(url, ({ author }) => author?.role === "bot");
    await send("POST", `${url}/messages`, { id: "2", text: "I need a human" });
    await readUntil(url, ({ status }) => status === "queued");
    const [ticket] = await conversations();
    const id = ticket?.id ?? "";
    expect(ticket?.messages.map(({ author }) => author)).toEqual(["user", "bot", "user"]);
    expect(ticket?.messages[0]?.text).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d UTC\] Hello$/);
    await control(`conversations/${id}/accept`, { agent: "Ann Agent" });
    await readUntil(url, ({ status }) => status === "active");
    await control(`conversations/${id}/say`, { text: "Here is Ann" });
    await readUntil(url, ({ text, author }) => text === "Here is Ann" && author?.role === "agent");
    await send("POST", `${url}/messages`, { id: "3", text: "My order is late" });
    await expect.poll(async () => (await conversations())[0]?.messages.at(-1)?.text, { timeout: 10_000 }).toBe("My order is late");

    await control(`conversations/${id}/transfer`, { to: "102" });
    await readUntil(url, ({ event }) => event === "transferred");
    await control(`conversations/${id}/say`, { text: "Here is Ben", agent: "Ben Agent" });
    await readUntil(url, ({ text }) => text === "Here is Ben");
    await control(`conversations/${id}/close`, {});
    const entries = await readUntil(url, ({ status }) => status === "ended");
    expect(entries.flatMap(({ status }) => status ?? [])).toEqual(["requested", "queued", "active", "queued", "active", "ended"]);
    expect(entries.at(-1)).toMatchObject({ reason: "completed" });
    await send("POST", `${url}/messages`, { id: "4", text: "Thanks" });
    await readUntil(url, ({ author, seq }) => author?.role === "bot" && seq > (entries.at(-1)?.seq ?? 0));
  });

  test("should leave the queue at 8x8 when the user takes the request back", async () => {
    const url = conversationUrl("second");
    await send("POST", `${url}/messages`, { id: "1", text: "agent" });
    await readUntil(url, ({ status }) => status === "queued");
    await send("DELETE", `${url}/handover`);
    expect((await readUntil(url, ({ status }) => status === "ended")).at(-1)).toMatchObject({ reason: "cancelled" });
    await expect.poll(async () => (await conversations()).filter(({ status }) => status !== "closed"), { timeout: 10_000 }).toEqual([]);
  });

  test("should take webhooks under /handover/eightByEight, with the signature or for the verification alone [F173 part: webhook path]", async () => {
    const { origin, pathname } = new URL(webhookUrl());
    const verification = { notificationVersion: "Chat Gateway v1.0", eventType: "WEB_HOOK_VERIFY" };
    const event = { eventType: "TRANSFER", conversationId: "x", timestamp: Date.now() };
    for (const name of ["eightByEight", "eightbyeight", "eight-by-eight"]) {
      const url = `${origin}/handover/${name}/demo-eightbyeight`;
      expect([name, (await send("POST", url, verification)).status]).toEqual([name, 200]);
      expect((await send("POST", url, event)).status).toBe(401);
    }
    // The secret of the URL alone is no proof where the vendor signs.
    expect((await send("POST", `${origin}${pathname}`, event)).status).toBe(401);
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    expect(metrics).toMatch(/handover_webhooks_total\{[^}]*WEBHOOK_HEADER_MISSING[^}]*\} \d/);
  });
});
