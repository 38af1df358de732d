import { describe, expect, test } from "vitest";
import { startBench } from "./harness.ts";

const profile = "/live-agent/api/v1/profile";

describe("who may call", () => {
  test.each(["api_access_token", "Api-Access-Token", "API-ACCESS-TOKEN"])("should take the token as %s", async (name) => {
    const { http, liveAgent } = await startBench();
    const answer = await http("GET", profile, undefined, { [name]: liveAgent.apiKey });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ id: 1, role: "administrator", accounts: [{ id: 1, role: "administrator" }] });
  });

  test("should refuse a call without a token with the product's own body", async () => {
    const { http } = await startBench();
    const answer = await http("GET", profile);
    expect([answer.status, answer.text]).toEqual([401, '{"errors":["You need to sign in or sign up before continuing."]}']);
  });

  test("should not read a bearer token", async () => {
    const { http, liveAgent } = await startBench();
    expect((await http("GET", profile, undefined, { authorization: `Bearer ${liveAgent.apiKey}` })).status).toBe(401);
  });

  test("should refuse an unknown token", async () => {
    const { api } = await startBench();
    const answer = await api("GET", "/inboxes", undefined, { api_access_token: "wrong" });
    expect([answer.status, answer.text]).toEqual([401, '{"error":"Invalid Access Token"}']);
  });

  test("should answer an unknown account with 404", async () => {
    const { http, liveAgent } = await startBench({ accountId: "12345" });
    const headers = { api_access_token: liveAgent.apiKey };
    expect((await http("GET", "/live-agent/api/v1/accounts/12345/inboxes", undefined, headers)).status).toBe(200);
    const answer = await http("GET", "/live-agent/api/v1/accounts/1/inboxes", undefined, headers);
    expect([answer.status, answer.text]).toEqual([404, '{"error":"Resource could not be found"}']);
  });

  test("should answer an unknown route as Rails does", async () => {
    const { http } = await startBench();
    const answer = await http("GET", "/live-agent/api/v2/nothing");
    expect([answer.status, answer.text]).toEqual([404, '{"status":404,"error":"Not Found"}']);
  });

  test("should assign a conversation to the agent whose token opens it", async () => {
    const { api, converse } = await startBench();
    const id = await converse();
    const { json } = await api("GET", `/conversations/${id}`);
    expect(json.meta.assignee).toBeUndefined();
    const contactId = json.meta.sender.id;
    const body = { inbox_id: 1, contact_id: contactId, source_id: "session-abc" };
    const opened = await api("POST", "/conversations", body, { api_access_token: "simulator-live-agent-agent-2" });
    expect(opened.json.meta.assignee).toMatchObject({ id: 2, name: "Ann Agent" });
  });
});

describe("the account", () => {
  test("should tell its version and health without a token", async () => {
    const { http } = await startBench({ profile: "4.15" });
    expect((await http("GET", "/live-agent/api")).json).toMatchObject({ version: "4.15.1", queue_services: "ok", data_services: "ok" });
    expect((await http("GET", "/live-agent/health")).json).toEqual({ status: "woot" });
  });

  test("should list the inbox, with its secret only where there is one", async () => {
    const old = await startBench();
    const { payload } = (await old.api("GET", "/inboxes")).json;
    expect(payload).toHaveLength(1);
    expect(payload[0]).toMatchObject({ id: 1, name: "Handover", channel_type: "Channel::Api", webhook_url: `${old.receiver.url}/hook` });
    expect(payload[0]!.inbox_identifier).toBeTypeOf("string");
    expect(payload[0]).not.toHaveProperty("secret");

    const signing = await startBench({ profile: "4.15", webhookSecret: "s3" });
    expect((await signing.api("GET", "/inboxes/1")).json.secret).toBe("s3");
    const asAgent = await signing.api("GET", "/inboxes/1", undefined, { api_access_token: "simulator-live-agent-agent-2" });
    expect(asAgent.json).not.toHaveProperty("secret");
    expect((await signing.api("GET", "/inboxes/9")).status).toBe(404);
  });

  test("should list agents, members and assignable agents", async () => {
    const { api } = await startBench();
    const agents = (await api("GET", "/agents")).json;
    expect(agents.map(({ id, name, availability_status }) => [id, name, availability_status])).toEqual([
      [1, "Handover Bot", "offline"],
      [2, "Ann Agent", "online"],
      [3, "Ben Agent", "online"],
    ]);
    const idsOf = async (path: string): Promise<number[]> => (await api("GET", path)).json.payload.map((agent: { id: number }) => agent.id);
    expect(await idsOf("/inbox_members/1")).toEqual([2, 3]);
    expect(await idsOf("/assignable_agents?inbox_ids[]=1")).toEqual([1, 2, 3]);
  });
});
