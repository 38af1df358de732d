import { describe, expect, test } from "vitest";
import { embedded, startEightbyeight } from "./eightbyeight-harness.ts";

const version = "Chat Gateway v1.0";

describe("authentication", () => {
  test.each([{}, { "x-api-key": "wrong" }, { "8x8-apikey": "simulator-eightbyeight-key" }])("should answer 401 to %j", async (headers) => {
    const { http } = await startEightbyeight();
    const answer = await http("GET", "/eightbyeight/chat-gateway/v1/channels", undefined, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(answer.json).toEqual({
      message: "Access Denied",
      errors: [{ message: "Access Denied", code: "access_denied" }],
      referenceId: expect.any(String) as string,
    });
  });

  test("should answer 401 as the API gateway before it, when told to", async () => {
    const { http } = await startEightbyeight({}, { unauthorizedBody: "gateway" });
    const answer = await http("GET", "/eightbyeight/chat-gateway/v1/channels");
    expect([answer.status, answer.json]).toEqual([
      401,
      { fault: { faultstring: expect.any(String) as string, detail: { errorcode: expect.any(String) as string } } },
    ]);
  });

  test("should answer 403 with texts to another tenant, and to none when there are two", async () => {
    const bench = await startEightbyeight({ tenant: "acme01", otherTenants: ["acme02"] });
    const read = (headers: Record<string, string>) => bench.api("GET", "/channels", undefined, headers);
    for (const headers of [{}, { "x-8x8-tenant": "ACME01" }, { "x-8x8-tenant": "stranger" }] as Record<string, string>[]) {
      const answer = await read(headers);
      expect([answer.status, answer.json]).toEqual([
        403,
        { message: expect.any(String) as string, errors: [expect.stringContaining("customer01") as string] },
      ]);
    }
    expect((await read({ "X-8x8-Tenant": "acme02" })).status).toBe(200);
    const single = await startEightbyeight();
    expect((await single.api("GET", "/channels")).status).toBe(200);
    expect((await single.api("GET", "/channels", undefined, { "x-8x8-tenant": "acme02" })).status).toBe(403);
  });

  test("should answer 403 when the product is not attached to the key, in the shape of the call", async () => {
    const bench = await startEightbyeight({}, { keyHasProduct: false });
    expect((await bench.api("GET", "/channels")).json["errors"]).toEqual([expect.any(String)]);
    const created = await bench.api("POST", "/channels", {});
    expect([created.status, created.json["errors"]]).toEqual([403, [{ code: "forbidden", message: expect.any(String) as string }]]);
  });

  test("should keep tenants apart", async () => {
    const bench = await startEightbyeight({ otherTenants: ["acme02"] });
    const { channelId } = bench.simulator;
    const as = (tenant: string) => ({ "x-8x8-tenant": tenant });
    const created = await bench.api("POST", "/conversations", { channelId, user: {} }, as("acme01"));
    const path = `/conversations/${String(created.json["conversationId"])}`;
    expect((await bench.api("GET", path, undefined, as("acme01"))).status).toBe(200);
    expect((await bench.api("GET", path, undefined, as("acme02"))).status).toBe(404);
    expect(embedded(await bench.api("GET", "/conversations", undefined, as("acme02")), "conversations")).toEqual([]);
    expect((await bench.api("POST", "/conversations", { channelId, user: {} }, as("acme02"))).status).toBe(400);
  });

  test("should give public keys without any, and 404 for an unknown one", async () => {
    const bench = await startEightbyeight();
    await bench.converse();
    await bench.simulator.webhooksIdle();
    const [protectedPart = ""] = String(bench.receiver.received[0]?.headers["x-8x8-signature"]).split(".");
    const { kid } = JSON.parse(Buffer.from(protectedPart, "base64url").toString()) as { kid: string };
    const answer = await bench.http("GET", `/eightbyeight/chat-gateway/v1/jwk/${kid}/public`);
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(answer.json).toEqual({ kty: "RSA", e: "AQAB", kid, n: expect.stringMatching(/^[\w-]{342}$/) as string });
    expect((await bench.http("GET", "/eightbyeight/chat-gateway/v1/jwk/unknown/public")).status).toBe(404);
  });
});

describe("webhooks", () => {
  test("should be created, read, changed, listed and deleted", async () => {
    const { api, receiver, simulator } = await startEightbyeight();
    const uri = `${receiver.url}/other`;
    const created = await api("POST", "/webhooks", { name: "Bot", uri, version, notificationVersion: version });
    expect([created.status, created.headers.get("content-type")]).toEqual([200, expect.stringMatching(/^application\/hal\+json/)]);
    const { id } = created.json;
    expect(created.json).toEqual({ id: expect.any(String) as string, name: "Bot", uri, version });
    expect((await api("GET", `/webhooks/${String(id)}`)).json).toEqual(created.json);
    expect((await api("PUT", `/webhooks/${String(id)}`, { name: "Bot 2", uri, version })).json).toMatchObject({ name: "Bot 2" });
    const listed = embedded(await api("GET", "/webhooks"), "webhooks");
    expect(listed.map((webhook) => webhook["name"]).sort()).toEqual(["Bot 2", "Handover"]);
    expect((await api("DELETE", `/webhooks/${simulator.webhookId}`)).status).toBe(204);
    expect((await api("GET", `/webhooks/${simulator.webhookId}`)).status).toBe(404);
    expect((await api("GET", `/channels/${simulator.channelId}`)).json).not.toHaveProperty("webHookId");
  });

  test.each([
    { name: "Bot", uri: "https://bot.example/", version: "v2.0" },
    { name: "Bot", uri: "https://bot.example/" },
    { name: "Bot", uri: "http://bot.example/", version },
    { name: "Bot", uri: "bot.example", version },
    { name: "x".repeat(257), uri: "https://bot.example/", version },
    { uri: "https://bot.example/", version },
  ])("should not be created as %j", async (body) => {
    const { api } = await startEightbyeight();
    const answer = await api("POST", "/webhooks", body);
    expect([answer.status, answer.json]).toEqual([
      400,
      { message: expect.any(String) as string, errors: [{ code: expect.any(String) as string, message: expect.any(String) as string }] },
    ]);
  });

  test.each([true, false])("should be verified on creation, signed: %s", async (signsVerification) => {
    const { api, receiver, told } = await startEightbyeight({}, { signsVerification });
    await api("POST", "/webhooks", { name: "Bot", uri: `${receiver.url}/other`, version });
    expect(await told()).toEqual([{ notificationVersion: version, eventType: "WEB_HOOK_VERIFY" }]);
    expect(receiver.received[0]?.path).toBe("/other");
    expect(receiver.received[0]?.headers["x-8x8-signature"] !== undefined).toBe(signsVerification);
  });

  test("should be verified before they are created: 204 once the call was taken, else an error", async () => {
    const { api, receiver } = await startEightbyeight();
    const uri = `${receiver.url}/new`;
    expect((await api("POST", "/webhooks/verify", { version, uri })).status).toBe(204);
    expect(receiver.received.map(({ path }) => path)).toEqual(["/new"]);
    receiver.respond = (response) => void response.writeHead(401).end();
    const refused = await api("POST", "/webhooks/verify", { version, uri });
    expect([refused.status, refused.json["errors"]]).toEqual([400, [expect.objectContaining({ code: expect.any(String) as string })]]);
    expect(receiver.received).toHaveLength(2);
    expect((await api("POST", "/webhooks/verify", { version, uri: "http://127.0.0.1:1/" })).status).toBe(400);
    expect((await api("POST", "/webhooks/verify", { version: "v2.0", uri })).status).toBe(400);
  });
});

describe("channels and queues", () => {
  test("should be created with a webhook and a queue, read, changed, listed and deleted", async () => {
    const { api, simulator } = await startEightbyeight();
    const fields = { name: "Bot", type: "ChatAPI", webHookId: simulator.webhookId, routingOptions: { type: "queue", id: "102" } };
    const created = await api("POST", "/channels", fields);
    const id = String(created.json["id"]);
    expect([created.status, created.json]).toEqual([200, { id, ...fields }]);
    expect((await api("GET", `/channels/${id}`)).json).toEqual({ id, ...fields });
    expect((await api("PUT", `/channels/${id}`, { ...fields, name: "Bot 2" })).json).toMatchObject({ name: "Bot 2" });
    expect(embedded(await api("GET", "/channels?filter=name==Bot*"), "channels")).toHaveLength(1);
    expect((await api("DELETE", `/channels/${id}`)).status).toBe(204);
    expect((await api("GET", `/channels/${id}`)).status).toBe(404);
  });

  test.each([
    [{ type: "WhatsApp" }, "invalid_channel_type"],
    [{ webHookId: "nobody" }, "invalid_webhook"],
    [{ routingOptions: { type: "queue", id: "999" } }, "invalid_queue"],
    [{ routingOptions: undefined }, "invalid_json_object"],
    [{ name: "x".repeat(256) }, "invalid_parameter"],
  ])("should not be created with %j", async (wrong, code) => {
    const { api, simulator } = await startEightbyeight();
    const fields = { name: "Bot", webHookId: simulator.webhookId, routingOptions: { type: "queue", id: "101" } };
    const answer = await api("POST", "/channels", { ...fields, ...wrong });
    expect([answer.status, answer.json["errors"]]).toEqual([400, [{ code, message: expect.any(String) as string }]]);
  });

  test("should be missing where nothing was provisioned", async () => {
    const { api, receiver } = await startEightbyeight({ hasChannel: false });
    expect(embedded(await api("GET", "/channels"), "channels")).toEqual([]);
    expect(embedded(await api("GET", "/webhooks"), "webhooks")).toEqual([]);
    const webhook = await api("POST", "/webhooks", { name: "Bot", uri: `${receiver.url}/hook`, version });
    const routingOptions = { type: "queue", id: "101" };
    const channel = await api("POST", "/channels", { name: "Bot", webHookId: webhook.json["id"], routingOptions });
    expect((await api("POST", "/conversations", { channelId: channel.json["id"], user: {} })).status).toBe(202);
    await receiver.waitForCount(4);
  });

  test("should tell how a queue is doing", async () => {
    const { http, converse, simulator } = await startEightbyeight();
    const headers = { "x-api-key": simulator.apiKey };
    const read = async (): Promise<unknown> =>
      (await http("GET", "/eightbyeight/cc/v1/stats/rt/queue/101", undefined, headers)).json["queue"];
    await converse();
    simulator.accept(await converse());
    expect(await read()).toMatchObject({
      "queue-id": "101",
      "queue-name": "Support",
      "queue-size": 1,
      "number-in-progress": 1,
      "enabled-agent-count": 2,
      "agent-count-busy": 1,
      "agent-count-waitTransact": 1,
    });
    simulator.setQueue({ position: 7, estimatedWaitMs: 90_000 });
    expect(await read()).toMatchObject({ "queue-size": 7, "longest-wait-time": 90 });
    simulator.setAgents({ online: 0 });
    expect(await read()).toMatchObject({ "enabled-agent-count": 0, "agent-count-loggedOut": 2 });
    const closed = await http("GET", "/eightbyeight/cc/v1/schedules/1/status", undefined, headers);
    expect(closed.json).toEqual({ "schedule-status": { status: "closed" } });
    expect((await http("GET", "/eightbyeight/cc/v1/stats/rt/queue/999", undefined, headers)).status).toBe(404);
  });
});
