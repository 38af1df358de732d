import { afterEach, describe, expect, it } from "vitest";
import type { VisibleEntry } from "@handover/runtime";
import { startTestHost, supportEndpoint, type TestHost, type TestHostOptions } from "../../apps/host/test/support/test-host.ts";
import { openChannelClient, type ChannelClient } from "../crash/channel-client.ts";

/** Failures that only host, provider and contact centre together can show to be impossible. */
let host: TestHost | undefined;
const clients: ChannelClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await host?.stop();
  host = undefined;
});

async function handOver(options: TestHostOptions = {}): Promise<{ host: TestHost; chat: ChannelClient; ticket: string }> {
  host = await startTestHost({ ...options, root: { timing: { catchUpIntervalSeconds: 1 }, ...options.root } });
  const client = openClient(host);
  await ask(client);
  return { host, chat: client, ticket: host.desk.conversations()[0]?.id ?? "" };
}

function openClient({ url }: TestHost, endpoint = "support"): ChannelClient {
  const client = openChannelClient(url, endpoint, "c");
  clients.push(client);
  return client;
}

async function ask(client: ChannelClient): Promise<void> {
  await client.send("ask", "I need a human");
  await client.until("the queue", (entries) => entries.some(({ status }) => status === "queued"));
}

const endsOf = (client: ChannelClient): VisibleEntry[] => client.visible().filter(({ status }) => status === "ended");

describe("Live Agent behind the host", () => {
  it("should end a handover of a blocked contact as failed, and send nothing [F050: blocked, behind the host]", async () => {
    const { host: opened, chat: client, ticket } = await handOver({ liveAgent: { profile: "4.15" } });
    opened.desk.close(ticket);
    await client.until("the first end", () => endsOf(client).length === 1);
    opened.desk.block(ticket, { isBlocked: true });
    await client.send("again", "I need a human");
    await client.until("the second end", () => endsOf(client).length === 2);
    expect(endsOf(client).map(({ reason }) => reason)).toEqual(["completed", "failed"]);
    const [, second, ...others] = opened.desk.conversations();
    expect(others).toEqual([]);
    expect(second).toMatchObject({ status: "closed", messages: [] });
  });

  it("should tell the agent once that the user has gone and once that the user is back, nothing where both are switched off, and run no bot for it [F071]", async () => {
    const silent = { connections: ["desk"], connectsMessage: false, disconnectsMessage: false };
    const opened = await startTestHost({
      endpoints: [supportEndpoint, { ...supportEndpoint, token: "silent", handover: silent }],
      root: { timing: { catchUpIntervalSeconds: 1, presenceGraceSeconds: 1 } },
    });
    host = opened;
    const notes = (index: number): string[] => opened.desk.conversations()[index]?.notes.map(({ text }) => text) ?? [];
    const messagesOf = (client: ChannelClient) => client.visible().flatMap(({ kind, text }) => (kind === "message" ? [text] : []));
    const before: (string | undefined)[][] = [];
    for (const [index, endpoint] of ["silent", "support"].entries()) {
      const client = openClient(opened, endpoint);
      await ask(client);
      opened.desk.say(opened.desk.conversations()[index]?.id ?? "", { text: "hello" });
      await client.until("the answer", () => messagesOf(client).includes("hello"));
      before.push(messagesOf(client));
    }
    // Whose note would come first is the one who gets none.
    for (const client of clients) client.close();
    await expect.poll(() => notes(1), { timeout: 15_000 }).toHaveLength(1);
    const back = ["silent", "support"].map((endpoint) => openClient(opened, endpoint));
    await expect.poll(() => notes(1), { timeout: 15_000 }).toHaveLength(2);
    expect(notes(1)).toEqual(["User left the conversation", "User joined the conversation"]);
    expect(notes(0)).toEqual([]);
    for (const client of back) await client.until("the answer again", () => messagesOf(client).includes("hello"));
    expect(back.map(messagesOf)).toEqual(before);
  });

  it.each(["live-agent", "1.19"] as const)(
    "should bring a file that is 404 twice and redirects then, and keep it when its link has expired before the first click: %s [F133]",
    async (profile) => {
      const { host: opened, chat: client, ticket } = await handOver({ liveAgent: { profile, behaviour: { attachmentNotFoundTimes: 2 } } });
      const content = new Uint8Array(Buffer.from("an image"));
      opened.desk.say(ticket, { text: "look", attachments: [{ name: "plan.png", type: "image/png", content }] });
      const isFile = ({ attachments }: VisibleEntry): boolean => attachments !== undefined;
      await client.until("the file", (entries) => entries.some(isFile));
      const downloads = (): (number | undefined)[] =>
        opened.desk.requests().flatMap(({ path, status }) => (path.includes("/active_storage/") ? [status] : []));
      await expect.poll(downloads, { timeout: 15_000 }).toContain(200);
      expect(downloads().filter((status) => status === 404).length).toBeGreaterThanOrEqual(2);
      expect(downloads()).toContain(302);
      // From now on the desk's own link is as if it had expired.
      opened.desk.setBehaviour({ attachmentNotFoundTimes: 100 });
      const [file] = client.visible().find(isFile)?.attachments ?? [];
      const link = new URL(new URL(file?.url ?? "", opened.url).pathname, opened.url);
      await expect.poll(() => fetch(link).then((answer) => answer.text()), { timeout: 15_000 }).toBe("an image");
    },
  );
});
