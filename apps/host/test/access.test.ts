import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEvents, readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

const inOneHour = () => Math.floor(Date.now() / 1000) + 3600;
const keys = await generateKeyPair("ES256", { extractable: true });

let host: TestHost;
let keyServer: Server;
beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "ES256" };
  keyServer = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] }))).listen(0, "127.0.0.1");
  await once(keyServer, "listening");
  const jwksUrl = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/jwks`;
  host = await startTestHost({
    root: { limits: { perConversation: { messages: 1_000, seconds: 10 } }, publicUrl: "https://bot.example.com/handover" },
    endpoints: [
      { ...supportEndpoint, access: { signed: { secret: marked.signingSecret } } },
      { ...supportEndpoint, token: "keys", access: { signed: { jwksUrl, issuer: "https://app.example", audience: "handover" } } },
      { ...supportEndpoint, token: "no-keys", access: { signed: { jwksUrl: "http://127.0.0.1:1/jwks" } } },
      { ...supportEndpoint, token: "open" },
    ],
  });
});
afterAll(async () => {
  await host.stop();
  keyServer.close();
});

function sign(claims: JWTPayload, options: { secret?: string; expires?: number | undefined } = {}): Promise<string> {
  const token = new SignJWT({ sub: "user-7", ...claims }).setProtectedHeader({ alg: "HS256" });
  if (!("expires" in options) || options.expires !== undefined) token.setExpirationTime(options.expires ?? inOneHour());
  return token.sign(new TextEncoder().encode(options.secret ?? marked.signingSecret));
}

function post(conversation: string, token: string | undefined, endpoint = "support") {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return send("POST", `${host.conversation(conversation, endpoint)}/messages`, { id: "m", text: "Hello" }, headers);
}

describe("signed access", () => {
  test("should let in whom the token of the host app names", async () => {
    expect(await post("mine", await sign({ conversation: "mine" }))).toMatchObject({ status: 202, json: { seq: 1 } });
  });

  test.each([
    ["no token", async () => undefined],
    ["no JWT", async () => "abc"],
    ["another secret", () => sign({ conversation: "c" }, { secret: "another secret of thirty-two characters" })],
    ["no expiry", () => sign({ conversation: "c" }, { expires: undefined })],
    ["no user", () => sign({ conversation: "c", sub: "" })],
    ["no conversation", () => sign({})],
    ["a conversation that is a number", () => sign({ conversation: 5 })],
    ["no signature", async () => new UnsecuredJWT({ conversation: "c", sub: "u", exp: inOneHour() }).encode()],
  ])("should refuse %s with 401", async (_case, make) => {
    const answer = await post("c", await make());
    expect(answer).toMatchObject({ status: 401, json: { code: "TOKEN_REQUIRED" } });
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("should tell an expired token from a wrong one", async () => {
    const token = await sign({ conversation: "c" }, { expires: Math.floor(Date.now() / 1000) - 60 });
    expect(await post("c", token)).toMatchObject({ status: 401, json: { code: "TOKEN_EXPIRED" } });
  });

  test("should answer the same for the conversation of somebody else and for one that does not exist", async () => {
    await post("theirs", await sign({ conversation: "theirs" }));
    const token = await sign({ conversation: "mine" });
    const headers = { authorization: `Bearer ${token}` };
    for (const [method, path] of [
      ["POST", "/messages"],
      ["GET", "/events"],
      ["POST", "/typing"],
      ["POST", "/handover"],
      ["DELETE", "/handover"],
      ["POST", "/access"],
    ] as const) {
      const body = path === "/messages" ? { id: "x", text: "x" } : path === "/typing" ? { isTyping: true } : undefined;
      const theirs = await send(method, `${host.conversation("theirs")}${path}`, body, headers);
      const nobodys = await send(method, `${host.conversation("nobodys")}${path}`, body, headers);
      expect(theirs).toMatchObject({ status: 404, json: { code: "CONVERSATION_NOT_FOUND" } });
      expect(nobodys.text).toBe(theirs.text);
    }
  });

  test("should take the user from the token and refuse one from the client", async () => {
    const token = await sign({ conversation: "who", name: "Ada Lovelace", email: "ada@example.com" });
    const headers = { authorization: `Bearer ${token}` };
    const url = host.conversation("who");
    const claimed = await send("POST", `${url}/messages`, { id: "0", text: "x", user: { id: "somebody else" } }, headers);
    expect(claimed).toMatchObject({ status: 400, json: { code: "USER_NOT_ALLOWED" } });
    await send("POST", `${url}/messages`, { id: "1", text: "Agent for Ada, please" }, headers);
    const all = await host.desk.waitFor((conversations) => conversations.some(({ messages }) => messages[0]?.text.includes("for Ada")));
    expect(all.find(({ messages }) => messages[0]?.text.includes("for Ada"))?.user).toBe("Ada Lovelace");
  });

  test("should verify with the keys of the host app, its issuer and its audience", async () => {
    const signWith = (claims: JWTPayload) =>
      new SignJWT({ conversation: "c", sub: "u", ...claims })
        .setProtectedHeader({ alg: "ES256", kid: "k1" })
        .setExpirationTime("1h")
        .sign(keys.privateKey);
    const right = { iss: "https://app.example", aud: "handover" };
    expect((await post("c", await signWith(right), "keys")).status).toBe(202);
    expect((await post("c", await signWith({ ...right, iss: "https://other.example" }), "keys")).status).toBe(401);
    expect((await post("c", await signWith({ ...right, aud: "other" }), "keys")).status).toBe(401);
    const stranger = await generateKeyPair("ES256");
    const forged = await new SignJWT({ conversation: "c", sub: "u", ...right })
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .setExpirationTime("1h")
      .sign(stranger.privateKey);
    expect((await post("c", forged, "keys")).status).toBe(401);
  });

  test("should not take a public key as the secret of a symmetric signature", async () => {
    const publicKey = await exportSPKI(keys.publicKey);
    const token = await new SignJWT({ conversation: "c", sub: "u", iss: "https://app.example", aud: "handover" })
      .setProtectedHeader({ alg: "HS256", kid: "k1" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(publicKey));
    expect((await post("c", token, "keys")).status).toBe(401);
  });

  test("should answer 503 when the keys cannot be fetched", async () => {
    const token = await new SignJWT({ conversation: "c", sub: "u" })
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .setExpirationTime("1h")
      .sign(keys.privateKey);
    const answer = await post("c", token, "no-keys");
    expect(answer).toMatchObject({ status: 503, json: { code: "KEYS_UNAVAILABLE" } });
    expect(answer.headers.get("retry-after")).toBe("5");
  });
});

describe("the cookie", () => {
  const exchange = async (conversation: string, claims: JWTPayload = {}) =>
    send("POST", `${host.conversation(conversation)}/access`, undefined, {
      authorization: `Bearer ${await sign({ conversation, ...claims })}`,
    });

  test("should be given for a token, kept from scripts and other sites, and last as long as the token", async () => {
    const answer = await exchange("a/b");
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(cookie).toMatch(/^handover_access_[0-9a-f]{24}=ey/);
    expect(cookie.split("; ").slice(1)).toEqual([
      "Path=/handover/endpoints/",
      expect.stringMatching(/^Max-Age=3(599|600)$/) as unknown,
      "HttpOnly",
      "SameSite=Strict",
      "Secure",
    ]);
  });

  test("should let events and messages of that conversation in, and of no other", async () => {
    const cookie = (await exchange("cookie")).headers.get("set-cookie")?.split(";")[0] ?? "";
    const sent = await send(
      "POST",
      `${host.conversation("cookie")}/messages`,
      { id: "1", text: "By cookie" },
      { cookie: `other=1; ${cookie}` },
    );
    expect(sent.status).toBe(202);
    const reader = await openEvents(`${host.conversation("cookie")}/events`, { cookie });
    await reader.until((events) => events.some(({ event }) => event === "entry"));
    reader.close();
    expect((await send("GET", `${host.conversation("another")}/events`, undefined, { cookie })).status).toBe(401);
    expect((await send("GET", `${host.conversation("cookie", "keys")}/events`, undefined, { cookie })).status).toBe(401);
  });

  test("should not be renewed by itself, nor given without a token", async () => {
    const cookie = (await exchange("renew")).headers.get("set-cookie")?.split(";")[0] ?? "";
    expect((await send("POST", `${host.conversation("renew")}/access`, undefined, { cookie })).status).toBe(401);
    expect((await send("POST", `${host.conversation("renew")}/access`)).status).toBe(401);
  });

  test("should be refused for a token that no browser would keep", async () => {
    expect(await exchange("long", { extra: "x".repeat(4_000) })).toMatchObject({ status: 400, json: { code: "TOKEN_TOO_LONG" } });
  });

  test("should end the events when the token expires", async () => {
    const token = await sign({ conversation: "soon" }, { expires: Math.floor(Date.now() / 1000) + 1 });
    const reader = await openEvents(`${host.conversation("soon")}/events`, { authorization: `Bearer ${token}` });
    expect(reader.response.status).toBe(200);
    expect(await reader.ended).toBe("ended");
  });
});

describe("open access", () => {
  test("should treat what a client says about the user as unverified", async () => {
    const url = host.conversation("claimed", "open");
    const user = { id: "user-7", name: "Claims to be Ada", email: "ada@example.com" };
    expect((await send("POST", `${url}/messages`, { id: "1", text: "Agent for open, please", user })).status).toBe(202);
    await readUntil(url, ({ status }) => status === "queued");
    const all = host.desk.conversations();
    expect(all.find(({ messages }) => messages[0]?.text.includes("for open"))?.user).not.toBe("Ada Lovelace");
  });
});

test("should keep secrets and tokens out of answers and logs [F112 answers and logs]", async () => {
  const token = await sign({ conversation: "theirs" });
  const answers = [await post("mine", token), await post("mine", `${token}x`), await post("mine", undefined)];
  const texts = [...answers.map(({ text }) => text), ...host.logLines].join("\n");
  expect(texts).not.toContain("MARKED");
  expect(texts).not.toContain(token.split(".")[2]);
});
