import { describe, expect, test } from "vitest";
import type { Loose } from "./harness.ts";
import { startBench } from "./harness.ts";

const agentToken = { api_access_token: "simulator-live-agent-agent-2" };
const idsOf = (list: Loose): number[] => list.map(({ id }) => id);

describe("inboxes", () => {
  test("should be made with a webhook and start without people", async () => {
    const { ok, api, receiver } = await startBench({ profile: "4.15" });
    const channel = { type: "api", webhook_url: `${receiver.url}/second`, additional_attributes: { agent_reply_time_window: 24 } };
    const inbox = await ok("POST", "/inboxes", { name: "Second", lock_to_single_conversation: true, csat_survey_enabled: true, channel });
    expect(inbox).toMatchObject({
      name: "Second",
      channel_type: "Channel::Api",
      webhook_url: `${receiver.url}/second`,
      lock_to_single_conversation: true,
      csat_survey_enabled: true,
      additional_attributes: { agent_reply_time_window: 24 },
    });
    expect(inbox.inbox_identifier).not.toBe((await ok("GET", "/inboxes/1")).inbox_identifier);
    expect(idsOf((await ok("GET", `/inbox_members/${inbox.id}`)).payload)).toEqual([]);
    expect((await api("POST", "/inboxes", { name: "x", channel: { type: "web_widget" } })).status).toBe(404);
    expect((await api("POST", "/inboxes", { name: " ", channel: { type: "api" } })).json).toMatchObject({ attributes: ["name"] });
    expect((await api("POST", "/inboxes", { name: "=x", channel: { type: "api" } })).status, "must not start like a formula").toBe(422);
  });

  test("should take another webhook and drop it, but no long or odd one", async () => {
    const { ok, api, receiver, converse } = await startBench({ profile: "2.16" });
    const change = (url: string | null): ReturnType<typeof api> => api("PATCH", "/inboxes/1", { channel: { webhook_url: url } });
    expect((await change(`${receiver.url}/moved`)).json.webhook_url).toBe(`${receiver.url}/moved`);
    await converse();
    await receiver.waitForCount(1);
    expect(receiver.received[0]!.path).toBe("/moved");
    expect((await change("ftp://x")).json).toEqual({ message: "Webhook url is invalid", attributes: ["webhook_url"] });
    const long = `http://127.0.0.1/${"x".repeat(300)}`;
    expect((await change(long)).status, "255 characters before 2.18").toBe(422);
    const newer = await startBench({ profile: "4.15" });
    expect((await newer.api("PATCH", "/inboxes/1", { channel: { webhook_url: long } })).status).toBe(200);
    expect((await change(null)).json.webhook_url).toBeNull();
    expect((await ok("PATCH", "/inboxes/1", { name: "New name", greeting_message: "Hi" })).name).toBe("New name");
  });

  test("should give another secret when asked, and sign with it", async () => {
    const { ok, receiver, converse, liveAgent } = await startBench({ profile: "4.15" });
    const before = (await ok("GET", "/inboxes/1")).secret;
    const after = (await ok("POST", "/inboxes/1/reset_secret")).secret;
    expect(after).not.toBe(before);
    await converse();
    await liveAgent.webhooksIdle();
    const { createHmac } = await import("node:crypto");
    const { headers, raw } = receiver.received[0]!;
    const expected = createHmac("sha256", after)
      .update(`${String(headers["x-chatwoot-timestamp"])}.${raw}`)
      .digest("hex");
    expect(headers["x-chatwoot-signature"]).toBe(`sha256=${expected}`);
  });

  test("should add, set and remove members", async () => {
    const { ok, api } = await startBench();
    const inbox = await ok("POST", "/inboxes", { name: "Second", channel: { type: "api" } });
    const change = (method: string, ids: number[]): ReturnType<typeof api> =>
      api(method, "/inbox_members", { inbox_id: inbox.id, user_ids: ids });
    expect(idsOf((await change("POST", [2])).json.payload)).toEqual([2]);
    expect(idsOf((await change("POST", [3])).json.payload)).toEqual([2, 3]);
    expect(idsOf((await change("PATCH", [3])).json.payload)).toEqual([3]);
    expect((await change("DELETE", [3])).text).toBe("");
    expect(idsOf((await ok("GET", `/inbox_members/${inbox.id}`)).payload)).toEqual([]);
    expect((await change("POST", [99])).status).toBe(404);
    expect(idsOf((await ok("GET", `/assignable_agents?inbox_ids[]=${inbox.id}`)).payload), "administrators need no membership").toEqual([
      1,
    ]);
  });
});

describe("rights", () => {
  test("should leave inboxes, members, webhooks and people to administrators", async () => {
    const { api } = await startBench();
    const calls: [string, string, object][] = [
      ["POST", "/inboxes", { name: "x", channel: { type: "api" } }],
      ["PATCH", "/inboxes/1", { name: "x" }],
      ["POST", "/inbox_members", { inbox_id: 1, user_ids: [2] }],
      ["POST", "/inboxes/1/set_agent_bot", { agent_bot: null }],
      ["GET", "/webhooks", {}],
      ["POST", "/webhooks", { url: "http://127.0.0.1/x" }],
      ["POST", "/agents", { agent: { email: "x@example.com" } }],
      ["POST", "/labels", { title: "x" }],
    ];
    for (const [method, path, body] of calls) {
      const answer = await api(method, path, method === "GET" ? undefined : body, agentToken);
      expect([path, answer.status, answer.text]).toEqual([path, 401, '{"error":"You are not authorized to do this action"}']);
    }
  });

  test("should show an agent only the inboxes and conversations that are theirs, or their team's", async () => {
    const { ok, api, liveAgent } = await startBench();
    const inbox = await ok("POST", "/inboxes", { name: "Second", channel: { type: "api" } });
    const { contact } = (await ok("POST", "/contacts", { name: "Uma" })).payload;
    const id = (await ok("POST", "/conversations", { inbox_id: inbox.id, contact_id: contact.id, source_id: "s1" })).id;
    expect(idsOf((await ok("GET", "/inboxes", undefined, agentToken)).payload)).toEqual([1]);
    expect((await api("GET", `/inboxes/${inbox.id}`, undefined, agentToken)).status).toBe(401);
    expect((await api("GET", `/conversations/${id}`, undefined, agentToken)).status).toBe(401);
    liveAgent.setTeams({ teams: [{ name: "Experts", members: ["Ann Agent"] }] });
    const [team] = await ok("GET", "/teams");
    await ok("POST", `/conversations/${id}/assignments`, { team_id: team!.id });
    expect((await api("GET", `/conversations/${id}`, undefined, agentToken)).status).toBe(200);
  });

  test("should answer a user of another account, a suspended account and a demoted technical user", async () => {
    const { api, http, liveAgent } = await startBench();
    const platform = { "Api-Access-Token": liveAgent.platformToken };
    const other = (await http("POST", "/live-agent/platform/api/v1/accounts", { name: "Other" }, platform)).json.id;
    const foreign = await http("GET", `/live-agent/api/v1/accounts/${other}/inboxes`, undefined, { api_access_token: liveAgent.apiKey });
    expect([foreign.status, foreign.text]).toEqual([401, '{"error":"You are not authorized to access this account"}']);
    liveAgent.setTechnicalUser({ role: "agent" });
    expect((await api("GET", "/inboxes/1")).status).toBe(401);
    liveAgent.setAccount({ status: "suspended" });
    expect((await api("GET", "/inboxes")).text).toBe('{"error":"Account is suspended"}');
  });
});

describe("people, teams, labels and webhooks of the account", () => {
  test("should add agents, and give a known one a role", async () => {
    const { ok, api } = await startBench();
    const added = await ok("POST", "/agents", {
      agent: { email: "cleo@example.com", name: "Cleo", role: "administrator", availability: "busy" },
    });
    expect(added).toMatchObject({ name: "Cleo", role: "administrator", availability_status: "busy" });
    expect((await ok("POST", "/agents", { agent: { email: "cleo@example.com", role: "agent" } })).id).toBe(added.id);
    expect((await api("POST", "/agents", { agent: { email: "nobody" } })).status).toBe(422);
  });

  test("should list teams with members, and labels", async () => {
    const { ok, api, liveAgent } = await startBench();
    liveAgent.setTeams({ teams: [{ name: "Support", members: ["Ben Agent"] }, { name: "Sales" }] });
    const teams = await ok("GET", "/teams");
    expect(teams.map(({ name }) => name)).toEqual(["Support", "Sales"]);
    expect(idsOf(await ok("GET", `/teams/${teams[0]!.id}/team_members`))).toEqual([3]);
    expect((await api("GET", "/teams/9/team_members")).status).toBe(404);
    expect(await ok("POST", "/labels", { title: "VIP", color: "#ff0000" })).toMatchObject({ title: "vip", color: "#ff0000" });
    expect((await ok("GET", "/labels")).payload.map(({ title }) => title)).toEqual(["vip"]);
    expect((await api("POST", "/labels", { title: "vip" })).json).toMatchObject({ attributes: ["title"] });
    expect((await api("POST", "/labels", { title: "two words" })).status).toBe(422);
  });

  test("should keep account webhooks: one address once, known subscriptions only", async () => {
    const { ok, api } = await startBench({ profile: "4.15" });
    const made = (
      await ok("POST", "/webhooks", { webhook: { url: "http://127.0.0.1:1/x", name: "Ours", subscriptions: ["message_created"] } })
    ).payload.webhook;
    expect(made).toMatchObject({ name: "Ours", account_id: 1, subscriptions: ["message_created"], secret: expect.any(String) as string });
    expect((await ok("POST", "/webhooks", { url: "http://127.0.0.1:1/y", subscriptions: [] })).payload.webhook.url).toBe(
      "http://127.0.0.1:1/y",
    );
    expect((await api("POST", "/webhooks", { url: "http://127.0.0.1:1/x" })).json).toEqual({
      message: "Url has already been taken",
      attributes: ["url"],
    });
    expect((await api("POST", "/webhooks", { url: "http://127.0.0.1:1/z", subscriptions: ["everything"] })).status).toBe(422);
    const changed = await ok("PATCH", `/webhooks/${made.id}`, { webhook: { subscriptions: ["conversation_updated"] } });
    expect(changed.payload.webhook.subscriptions).toEqual(["conversation_updated"]);
    await ok("DELETE", `/webhooks/${made.id}`);
    expect((await ok("GET", "/webhooks")).payload.webhooks).toHaveLength(1);
    const older = await startBench({ profile: "3.16" });
    const typing = { url: "http://127.0.0.1:1/x", subscriptions: ["conversation_typing_on"] };
    expect((await older.api("POST", "/webhooks", typing)).status).toBe(422);
  });

  test("should send the account's events to its webhooks, each signed with its own secret, beside the inbox's", async () => {
    const { createHmac } = await import("node:crypto");
    const { ok, converse, receiver, liveAgent } = await startBench({ profile: "4.15" });
    const made = liveAgent.setAccountWebhook({ url: `${receiver.url}/account` }) as { secret: string };
    const id = await converse();
    await ok("PATCH", "/inboxes/1", { name: "Renamed" });
    await liveAgent.webhooksIdle();
    const eventsAt = (path: string): string[] => receiver.received.filter((hook) => hook.path === path).map(({ body }) => body.event);
    expect(eventsAt("/account").sort()).toEqual(["contact_created", "conversation_created", "inbox_updated"]);
    expect(eventsAt("/hook")).toEqual(["conversation_created"]);
    for (const { headers, raw, path } of receiver.received) {
      const secret = path === "/account" ? made.secret : "simulator-live-agent-secret";
      const expected = createHmac("sha256", secret)
        .update(`${String(headers["x-chatwoot-timestamp"])}.${raw}`)
        .digest("hex");
      expect(headers["x-chatwoot-signature"]).toBe(`sha256=${expected}`);
    }
    receiver.respond = (response, { path }) => void response.writeHead(path === "/account" ? 500 : 200).end();
    liveAgent.say(String(id), { text: "Hello" });
    await liveAgent.webhooksIdle();
    expect(liveAgent.conversation(String(id)).messages[0], "only the inbox's own webhook makes it fail").not.toHaveProperty("isFailed");
  });
});
