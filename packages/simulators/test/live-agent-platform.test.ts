import { describe, expect, test } from "vitest";
import type { LiveAgentSimulatorOptions } from "../src/index.ts";
import type { Answer, Bench, Loose } from "./harness.ts";
import { startBench } from "./harness.ts";

interface PlatformBench extends Bench {
  platform(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
  /** A call of any account's API. */
  account(id: number, token: string, method: string, path: string, body?: unknown): Promise<Answer>;
}

const password = "Handover-1";

async function startPlatform(options: LiveAgentSimulatorOptions = {}): Promise<PlatformBench> {
  const bench = await startBench(options);
  return {
    ...bench,
    platform: (method, path, body, token = bench.liveAgent.platformToken) =>
      bench.http(method, `/live-agent/platform/api/v1${path}`, body, token === "" ? {} : { "Api-Access-Token": token }),
    account: (id, token, method, path, body) =>
      bench.http(method, `/live-agent/api/v1/accounts/${id}${path}`, body, { "Api-Access-Token": token }),
  };
}

/** The sequence of the reference; returns what a handover needs. */
async function provision(bench: PlatformBench): Promise<{ accountId: number; token: string; inbox: Loose; user: Loose }> {
  const { id: accountId } = (await bench.platform("POST", "/accounts", { name: "Organisation" })).json;
  const made = await bench.platform("POST", "/users", { name: "Handover", email: "Handover@example.com", password });
  const user = made.json;
  const place = await bench.platform("POST", `/accounts/${accountId}/account_users`, { user_id: user.id, role: "administrator" });
  expect([made.status, place.status]).toEqual([200, 200]);
  const token = user.access_token;
  const channel = { type: "api", webhook_url: `${bench.receiver.url}/provisioned` };
  const inbox = (await bench.account(accountId, token, "POST", "/inboxes", { name: "Handover", channel })).json;
  return { accountId, token, inbox, user };
}

describe("the platform token", () => {
  test("should have 24 letters and digits, and be the only one that the platform API takes", async () => {
    const { liveAgent, platform } = await startPlatform();
    expect(liveAgent.platformToken).toMatch(/^[A-Za-z0-9]{24}$/);
    for (const token of ["", "wrong", liveAgent.apiKey]) {
      const answer = await platform("POST", "/accounts", { name: "x" }, token);
      expect([answer.status, answer.text]).toEqual([401, '{"error":"Invalid access_token"}']);
    }
  });

  test("should not open the account API, unless the server is said to allow it", async () => {
    const { account, liveAgent } = await startPlatform();
    const call = (): Promise<Answer> => account(1, liveAgent.platformToken, "GET", "/inboxes");
    expect([(await call()).status, (await call()).text]).toEqual([401, '{"error":"Access to this endpoint is not authorized for bots"}']);
    liveAgent.setBehaviour({ allowsPlatformTokenEverywhere: true });
    expect((await call()).status).toBe(200);
  });

  test("should see only what it made", async () => {
    const { platform } = await startPlatform();
    const foreign = [
      platform("GET", "/accounts/1"),
      platform("GET", "/users/1"),
      platform("POST", "/accounts/1/account_users", { user_id: 2 }),
    ];
    for (const answer of await Promise.all(foreign)) {
      expect([answer.status, answer.text]).toEqual([401, '{"error":"Non permissible resource"}']);
    }
    for (const path of ["/accounts/99", "/users/99"]) {
      const answer = await platform("GET", path);
      expect([answer.status, answer.json]).toEqual([404, { status: 404, error: "Not Found" }]);
    }
  });
});

describe("provisioning", () => {
  test("should make an account, a user with a token, and an inbox with our webhook, and carry a handover", async () => {
    const bench = await startPlatform({ profile: "4.15" });
    const { accountId, token, inbox, user } = await provision(bench);
    expect(accountId).not.toBe(1);
    expect(user).toMatchObject({ email: "handover@example.com", accounts: [], account_id: null, role: null });
    expect(inbox).toMatchObject({
      name: "Handover",
      webhook_url: `${bench.receiver.url}/provisioned`,
      inbox_identifier: expect.any(String) as string,
    });
    expect([typeof inbox.hmac_token, typeof inbox.secret]).toEqual(["string", "string"]);

    const profile = (await bench.http("GET", "/live-agent/api/v1/profile", undefined, { "Api-Access-Token": token })).json;
    expect(profile).toMatchObject({ id: user.id, accounts: [{ id: accountId, role: "administrator" }] });
    const link = { inbox_id: inbox.id, source_id: "s1" };
    const created = (await bench.account(accountId, token, "POST", "/contacts", { ...link, name: "Uma" })).json.payload;
    const contactId = created.contact.id;
    const opened = (await bench.account(accountId, token, "POST", "/conversations", { ...link, contact_id: contactId })).json;
    expect([opened.id, opened.account_id], "display ids count per account").toEqual([1, accountId]);
    await bench.account(accountId, token, "POST", "/conversations/1/messages", { content: "I am a bot" });
    const id = `${accountId}:1`;
    bench.liveAgent.say(id, { text: "Hello" });
    await bench.liveAgent.webhooksIdle();
    const hooks = bench.receiver.received.filter(({ path }) => path === "/provisioned").map(({ body }) => body);
    expect(hooks.map(({ event }) => event)).toContain("message_created");
    expect(hooks.find(({ content }) => content === "Hello")).toMatchObject({ account: { id: accountId, name: "Organisation" } });
    expect(bench.liveAgent.conversation(id).messages.map(({ author }) => author)).toEqual(["bot", "agent"]);
    expect((await bench.api("GET", "/conversations/1")).status, "the first account has none").toBe(404);
    expect((await bench.api("GET", `/contacts/${contactId}`)).status).toBe(404);
    expect((await bench.api("GET", `/inboxes/${inbox.id}`)).status).toBe(404);
  });

  test("should be repeatable: a known e-mail gives that user, a place is changed, and the account stays another one", async () => {
    const bench = await startPlatform();
    const first = await provision(bench);
    const again = await bench.platform("POST", "/users", { name: "Other", email: "handover@example.com", password: "ignored" });
    expect([again.json.id, again.json.name, again.json.access_token]).toEqual([first.user.id, "Handover", first.token]);
    const places = `/accounts/${first.accountId}/account_users`;
    const place = (await bench.platform("POST", places, { user_id: first.user.id, role: "agent" })).json;
    expect(place).toMatchObject({ account_id: first.accountId, user_id: first.user.id, role: "agent" });
    const listed = (await bench.platform("GET", places)).json;
    expect(listed.filter(({ user_id: id }: Loose & { user_id?: number }) => id === first.user.id)).toEqual([place]);
    expect((await bench.platform("POST", "/accounts", { name: "Organisation" })).json.id).not.toBe(first.accountId);
  });

  test("should take over an existing user with its token", async () => {
    const bench = await startPlatform();
    const taken = (await bench.platform("POST", "/users", { email: "handover-bot@example.com" })).json;
    expect([taken.id, taken.access_token]).toEqual([1, bench.liveAgent.apiKey]);
    expect((await bench.platform("GET", "/users/1")).status).toBe(200);
  });

  test.each([
    ["short", ["Password is too short (minimum is 6 characters)"]],
    ["handover-1", ["Password must contain at least 1 uppercase letter"]],
    ["Handover1", ["Password must contain at least 1 special character"]],
    ["HANDOVER-x", ["Password must contain at least 1 number"]],
  ])("should refuse the password %s", async (weak, problems) => {
    const { platform } = await startPlatform();
    const answer = await platform("POST", "/users", { name: "x", email: "x@example.com", password: weak });
    expect(answer.status).toBe(422);
    for (const problem of problems) expect(answer.json.message).toContain(problem);
    expect(answer.json).toMatchObject({ attributes: expect.arrayContaining(["password"]) as string[] });
  });

  test("should refuse users where they come from Cognigy", async () => {
    const { platform } = await startPlatform({ behaviour: { allowsPlatformUsers: false } });
    const { id } = (await platform("POST", "/accounts", { name: "Organisation" })).json;
    const user = await platform("POST", "/users", { name: "x", email: "x@example.com", password });
    const place = await platform("POST", `/accounts/${id}/account_users`, { user_id: 1 });
    expect([user.status, place.status]).toEqual([401, 401]);
  });

  test("should list accounts since 4.5, give tokens since 4.3, and know but a name in 1.19", async () => {
    for (const [profile, token, list] of [
      ["1.19", 404, 404],
      ["4.2", 404, 404],
      ["4.15", 200, 200],
    ] as const) {
      const bench = await startPlatform({ profile });
      const made = (await bench.platform("POST", "/accounts", { name: "A", locale: "de", custom_attributes: { a: 1 } })).json;
      expect("custom_attributes" in made).toBe(profile !== "1.19");
      const { id } = (await bench.platform("POST", "/users", { name: "x", email: "x@example.com", password })).json;
      const answer = await bench.platform("POST", `/users/${id}/token`);
      expect(answer.status).toBe(token);
      if (token === 200) expect(answer.json).toMatchObject({ access_token: expect.any(String) as string, user: { id } });
      const listed = await bench.platform("GET", "/accounts");
      expect(listed.status).toBe(list);
      if (list === 200) expect(listed.json.map((account) => account.id)).toEqual([made.id]);
    }
  });

  test("should change, suspend and delete an account, and end what hangs on it", async () => {
    const bench = await startPlatform();
    const { accountId, token, user } = await provision(bench);
    const changed = await bench.platform("PATCH", `/accounts/${accountId}`, { name: "New", status: "suspended" });
    expect(changed.json).toMatchObject({ name: "New", status: "suspended" });
    const suspended = await bench.account(accountId, token, "GET", "/inboxes");
    expect([suspended.status, suspended.text]).toEqual([401, '{"error":"Account is suspended"}']);
    expect((await bench.platform("GET", `/users/${user.id}/login`)).json.url).toMatch(/\/app\/login\?email=.*sso_auth_token=/);
    const removed = await bench.platform("DELETE", `/accounts/${accountId}`);
    expect([removed.status, removed.text]).toEqual([200, ""]);
    expect((await bench.account(accountId, token, "GET", "/inboxes")).status).toBe(404);
    expect((await bench.platform("DELETE", `/users/${user.id}`)).status).toBe(200);
    expect((await bench.account(1, token, "GET", "/inboxes")).text).toBe('{"error":"Invalid Access Token"}');
  });

  test("should make a bot that an inbox can have", async () => {
    const bench = await startPlatform({ profile: "4.15" });
    const { accountId, token, inbox } = await provision(bench);
    const bot = (
      await bench.platform("POST", "/agent_bots", { name: "Bot", account_id: accountId, outgoing_url: `${bench.receiver.url}/bot` })
    ).json;
    expect(bot.access_token).toBeTypeOf("string");
    const path = `/inboxes/${inbox.id}`;
    expect((await bench.account(accountId, token, "POST", `${path}/set_agent_bot`, { agent_bot: bot.id })).text).toBe("");
    expect((await bench.account(accountId, token, "GET", `${path}/agent_bot`)).json.agent_bot).toMatchObject({ id: bot.id, name: "Bot" });
    expect((await bench.account(accountId, token, "POST", `${path}/set_agent_bot`, { agent_bot: null })).status).toBe(200);
    expect((await bench.account(accountId, token, "GET", `${path}/agent_bot`)).json.agent_bot).toEqual({});
    expect((await bench.account(accountId, token, "POST", `${path}/set_agent_bot`, { agent_bot: 999 })).status).toBe(404);
  });
});
