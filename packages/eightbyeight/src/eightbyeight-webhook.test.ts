import { verify } from "node:crypto";
import { crc32 } from "node:zlib";
import { WebhookRefusedError, type ProviderContext, type RawRequest, type ReceivedWebhook } from "@handover/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openKeyServer, signedHeaders, testKey, type KeyServer, type SignedParts } from "../test/signing.ts";
import { makeCall, makeContext, makeSettings } from "./__fixtures__/calls.ts";
import { eightbyeightProvider } from "./index.ts";
import { readHeaders, readSignatureHead, signedPayload, toKey } from "./eightbyeight-signature.ts";

/** The worked example of the reference page. */
const vector = {
  body: '{"eventType":"MESSAGE","conversationId":"ID-0","timestamp":1713100000000,"data":{"isEcho":false,"sender":{"id":"ag1","type":"agent"},"text":"Grüße / 👋"}}',
  payload: '{"checksum":2225927865,"cid":"cust01","eid":"evt-0001","retry":0,"tid":"tenant01","tt":1713100000123}',
  head: "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJraWQiOiJ0ZXN0LWtleS0xIiwiYWxnIjoiUlMyNTYifQ",
  signature:
    "tax9fEVDxRK_X8fn5Piu72QMVhb2CvHafzDUP3OZqLnZJihPkeIWTIu-bFJKts_KMV1oOQDliAjfqyrbmror7GEdmvH8iVBaYpxRpZQGK_P1CjnpgVLKX2fL0t74YCHmw2NQv7lKJ75DK-7xExhNJTP8SwdBwvhXgoCY27y4wqOc5gXUReYOgxLgciUGPdMVBQve1EPGTBTdkHrFP12-8rdyqlcoR6_9HzfN39JF715oaOOkGIrgQ9xxxaJLA3_cwntJbL4wWn8EjDgzMWF0lCFaH0sQDMrN37HIC8_pvMPT8CgG7cYw7rJXvLgnN88PQGsoXhyu3MjvwyF4p8F-Lw",
  jwk: {
    kty: "RSA",
    e: "AQAB",
    n: "vNlcSPC0O96XcGG-XzQd7mV8RH6IYQj16w-isyDqhezlE1Wh7ukarAc6Eo3ra2QcjX_HvtRiLh3bnvg2ugfK7IqTlrTFJt7wOOcDOE1SPrDEBxkK1jtoBerL4I8RV3Y5_sqO2_bq2nSExO5uEcwTiNO97k-zCF9KPEP4hc26kUAjUPBWOflskl_30H6RDBDTKq1hVJBiYCuSezEXvKHf81OhVFoWepQfeCNy8m01D0KbMxWR9gfpskPgbwZzRKmkupZzSPFk95xqtbrXSE6yHGUOMdB6Ioh0S6yOqMTdvVGb8b2ruKnWHQ3nbz6LYcTL3ce_q5G4t_IjPUxRuTu6uQ",
  },
};
const vectorHeaders = {
  "x-8x8-customer-id": "cust01",
  "x-8x8-event-id": "evt-0001",
  "x-8x8-retry": "0",
  "x-8x8-tenant-id": "tenant01",
  "x-8x8-transmission-time": "1713100000123",
  "x-8x8-signature": `${vector.head}..${vector.signature}`,
};

let keys: KeyServer;
let nowMs: number;
let connections: { close?(): Promise<void> }[];
beforeEach(async () => {
  keys = await openKeyServer();
  nowMs = Date.now();
  connections = [];
});
afterEach(async () => {
  for (const connection of connections) await connection.close?.();
  await keys.close();
});

interface Door {
  (request: Partial<RawRequest>): Promise<ReceivedWebhook>;
}

/** What comes in through a connection with these settings. */
function openDoor(settings: Record<string, unknown> = {}, fields: Partial<ProviderContext> = {}): Door {
  const parsed = makeSettings({ tenant: "acme01", jwkBaseUrl: keys.baseUrl, ...settings });
  const connection = eightbyeightProvider.connect(parsed, makeContext({ clock: { now: () => nowMs }, ...fields }));
  connections.push(connection);
  return async (request) => {
    const raw: RawRequest = {
      method: "POST",
      path: "/hook",
      query: "",
      headers: {},
      body: new Uint8Array(),
      hasValidSecret: false,
      ...request,
    };
    return (await connection.receiveWebhook?.(raw, makeCall())) ?? { deliveries: [] };
  };
}

async function refusalOf(promise: Promise<unknown>): Promise<{ status?: number; code?: string; message?: string }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(WebhookRefusedError.isInstance(error), `not refused, but: ${String(error)}`).toBe(true);
  return error as WebhookRefusedError;
}

const event = (fields: object = {}): string =>
  JSON.stringify({ eventType: "TRANSFER", conversationId: "conversation-42", timestamp: nowMs, ...fields });
const signed = (body: string, parts: SignedParts = {}): Partial<RawRequest> => ({
  body: Buffer.from(body),
  headers: signedHeaders(body, { atMs: nowMs, ...parts }),
});

describe("the signature of webhooks", () => {
  it("should count as the reference page does", () => {
    const raw: RawRequest = {
      method: "POST",
      path: "",
      query: "",
      headers: vectorHeaders,
      body: Buffer.from(vector.body),
      hasValidSecret: false,
    };
    expect(raw.body).toHaveLength(158);
    expect(signedPayload(readHeaders(raw), raw.body)).toBe(vector.payload);
    expect(readSignatureHead(vectorHeaders["x-8x8-signature"])).toEqual({ encoded: vector.head, keyId: "test-key-1" });
    const key = toKey(vector.jwk);
    expect(
      key && verify("RSA-SHA256", Buffer.from(`${vector.head}.${vector.payload}`), key, Buffer.from(vector.signature, "base64url")),
    ).toBe(true);
    expect(crc32(Buffer.from("123456789"))).toBe(3421780262);
    const sample =
      '{"eventType":"AGENT_JOINED","messageType":"SYSTEM","conversationId":"Aka5NMHU8MtIG7lUQOxI0DTOvM4","agentId":"cmalutan","agentName":"Cosmin,Malutan","timestamp":1629804577002}';
    expect(crc32(Buffer.from(sample))).toBe(1564621066);
  });

  it("should let the example of the reference page in, and nothing that differs from it [F104 part: bytes, F106 part: wrong CRC]", async () => {
    nowMs = 1713100000123;
    keys.answer = { status: 200, body: vector.jwk };
    const door = openDoor({ tenant: "tenant01" });
    const body = Buffer.from(vector.body);
    const { deliveries } = await door({ body, headers: vectorHeaders });
    expect(deliveries).toMatchObject([{ id: "event:evt-0001", references: ["conversation:ID-0"] }]);
    const flipped = Buffer.from(body);
    flipped[60] = (flipped[60] ?? 0) ^ 1;
    const changes: Partial<RawRequest>[] = [
      { body: flipped, headers: vectorHeaders },
      { body: Buffer.concat([body, Buffer.from("\n")]), headers: vectorHeaders },
      { body, headers: { ...vectorHeaders, "x-8x8-retry": "1" } },
      { body, headers: { ...vectorHeaders, "x-8x8-customer-id": "cust02" } },
      { body, headers: { ...vectorHeaders, "x-8x8-event-id": "evt-0002" } },
      { body, headers: { ...vectorHeaders, "x-8x8-transmission-time": "1713100000124" } },
    ];
    for (const change of changes) expect(await refusalOf(door(change))).toMatchObject({ status: 401, code: "SIGNATURE_OF_OTHER_CONTENT" });
    const otherTenant = { ...vectorHeaders, "x-8x8-tenant-id": "tenant02" };
    expect(await refusalOf(door({ body, headers: otherTenant }))).toMatchObject({ status: 401, code: "TENANT_FOREIGN" });
    expect(await refusalOf(openDoor({ tenant: "tenant02" })({ body, headers: otherTenant }))).toMatchObject({
      code: "SIGNATURE_OF_OTHER_CONTENT",
    });
  });

  it("should take bodies as they are: any characters, escaped slashes, another layout [F104 part: raw bytes]", async () => {
    const door = openDoor();
    const bodies = [
      event({ data: { text: "Grüße 😀 \u2028 你好" } }),
      event().replace("TRANSFER", "TRANSFER").replaceAll('":"', '" :\t"'),
      `{"timestamp":${nowMs},"conversationId":"a\\/b","eventType":"TRANSFER"}\r\n`,
    ];
    for (const body of bodies) expect((await door(signed(body))).deliveries).toHaveLength(1);
  });

  const heads: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["alg none", { alg: "none" }, "SIGNATURE_ALGORITHM"],
    ["HS256", { alg: "HS256" }, "SIGNATURE_ALGORITHM"],
    ["RS512", { alg: "RS512" }, "SIGNATURE_ALGORITHM"],
    ["no algorithm", { alg: undefined }, "SIGNATURE_ALGORITHM"],
    ["b64 true", { b64: true }, "SIGNATURE_MALFORMED"],
    ["no b64", { b64: undefined }, "SIGNATURE_MALFORMED"],
    ["no crit", { crit: undefined }, "SIGNATURE_MALFORMED"],
    ["another crit", { crit: ["b64", "exp"] }, "SIGNATURE_MALFORMED"],
    ["a path as key id", { kid: "../../webhooks" }, "SIGNATURE_KEY_ID"],
    ["an address as key id", { kid: "https://evil.example/key" }, "SIGNATURE_KEY_ID"],
    ["a very long key id", { kid: "k".repeat(129) }, "SIGNATURE_KEY_ID"],
    ["no key id", { kid: undefined }, "SIGNATURE_KEY_ID"],
  ];
  it.each(heads)("should refuse %s, and ask nobody for a key [F106 part: the header]", async (_what, change, code) => {
    const head = { b64: false, crit: ["b64"], kid: testKey.kid, alg: "RS256", ...change };
    expect(await refusalOf(openDoor()(signed(event(), { head })))).toMatchObject({ status: 401, code });
    expect(keys.asked).toEqual([]);
  });

  it("should not go where the header says that its key is [F106 part: jku]", async () => {
    const head = {
      b64: false,
      crit: ["b64"],
      kid: testKey.kid,
      alg: "RS256",
      jku: "http://127.0.0.1:1/",
      jwk: testKey.jwk,
      x5u: "http://127.0.0.1:1/",
    };
    await openDoor()(signed(event(), { head }));
    expect(keys.asked).toEqual([testKey.kid]);
  });

  it.each(["", "a.b", "a.b.c", "a..b.c", "..c", "{}..c", "a.."])("should refuse the signature %j", async (signature) => {
    const request = signed(event());
    const headers = { ...request.headers, "x-8x8-signature": signature };
    const { status, code } = await refusalOf(openDoor()({ ...request, headers }));
    expect(status).toBe(401);
    expect(["SIGNATURE_MALFORMED", "SIGNATURE_ALGORITHM", "WEBHOOK_HEADER_MISSING"]).toContain(code);
  });

  it.each(Object.keys(vectorHeaders))("should refuse a webhook without %s [F103 part: unsigned]", async (name) => {
    const request = signed(event());
    const headers = Object.fromEntries(Object.entries(request.headers ?? {}).filter(([key]) => key !== name));
    expect(await refusalOf(openDoor()({ ...request, headers }))).toMatchObject({ status: 401, code: "WEBHOOK_HEADER_MISSING" });
  });

  it.each(["x-8x8-retry", "x-8x8-transmission-time"])("should refuse %s that is no number", async (name) => {
    const request = signed(event());
    for (const value of ["-1", "1.5", "1e3", "zero", "9".repeat(16)]) {
      const headers = { ...request.headers, [name]: value };
      expect(await refusalOf(openDoor()({ ...request, headers }))).toMatchObject({ status: 401, code: "WEBHOOK_HEADER_MALFORMED" });
    }
  });

  it("should refuse times of ten minutes ago and in ten minutes, and take those in between [F105 part: time, F106 part: stale]", async () => {
    const door = openDoor();
    for (const offsetMs of [-600_000, 600_000, -300_001, 300_001]) {
      expect(await refusalOf(door(signed(event(), { atMs: nowMs + offsetMs })))).toMatchObject({
        status: 401,
        code: "TRANSMISSION_TIME_STALE",
      });
    }
    for (const offsetMs of [-299_000, 299_000]) await door(signed(event(), { atMs: nowMs + offsetMs }));
    expect(keys.asked).toEqual([testKey.kid]);
  });

  it("should refuse the signed events of another tenant [F103 part: other tenant, F106 part: other tenant]", async () => {
    expect(await refusalOf(openDoor()(signed(event(), { tenant: "stranger" })))).toMatchObject({ status: 401, code: "TENANT_FOREIGN" });
    const { deliveries } = await openDoor({ expectedTenant: "stranger" })(signed(event(), { tenant: "stranger" }));
    expect(deliveries).toHaveLength(1);
  });

  it("should name the tenant of each event where none is configured", async () => {
    const [delivery] = (await openDoor({ tenant: undefined })(signed(event(), { tenant: "any" }))).deliveries;
    expect(delivery?.payload).toMatchObject({ tenant: "any" });
  });

  it("should give a retry with new time and signature, and a replay with another body, the id of the first [F106 part: event id used before]", async () => {
    const door = openDoor();
    const ids: (string | undefined)[] = [];
    for (const [retry, body] of [event(), event(), event({ timestamp: 1 })].entries()) {
      const { deliveries } = await door(signed(body, { eventId: "evt-1", retry, atMs: nowMs + retry * 1000 }));
      ids.push(...deliveries.map(({ id }) => id));
    }
    // The inbox takes each id once.
    expect(ids).toEqual(["event:evt-1", "event:evt-1", "event:evt-1"]);
  });

  it("should take no other event under the id of one that left nothing behind [F105 part: another body]", async () => {
    const door = openDoor();
    const typing = { eventType: "ACTIVITY", data: { name: "typing", value: { users: [{ type: "agent", id: "ag1" }] } } };
    const echo = { eventType: "MESSAGE", data: { isEcho: true, sender: { type: "bot", id: "b" }, text: "hello" } };
    for (const [eventId, kept] of Object.entries({ "evt-typing": typing, "evt-echo": echo })) {
      const before = await door(signed(event(kept), { eventId }));
      expect((await door(signed(event(kept), { eventId, retry: 1 }))).deliveries, "a retry").toHaveLength(before.deliveries.length);
      expect((await door(signed(event(), { eventId }))).deliveries, "another body").toEqual([]);
    }
    expect((await door(signed(event()))).deliveries, "an id of its own").toHaveLength(1);
  });

  it("should answer WEB_HOOK_VERIFY well, signed or not, and do nothing [F106 part: WEB_HOOK_VERIFY]", async () => {
    const body = '{"notificationVersion":"Chat Gateway v1.0","eventType":"WEB_HOOK_VERIFY"}';
    expect(await openDoor()({ body: Buffer.from(body) })).toEqual({ deliveries: [] });
    expect(await openDoor()(signed(body, { tenant: "stranger" }))).toEqual({ deliveries: [] });
    expect(await openDoor({ requireUrlSecret: true })({ body: Buffer.from(body) })).toEqual({ deliveries: [] });
    expect(keys.asked).toEqual([]);
    const disguised = '{"eventType":"WEB_HOOK_VERIFY","conversationId":"conversation-42"}';
    await refusalOf(openDoor()({ body: Buffer.from(disguised) }));
  });

  it("should say what was compared, without any secret [F111 part: 8x8]", async () => {
    const { message: changed = "", code } = await refusalOf(openDoor()(signed(event(), { checksum: 1 })));
    keys.answer = { status: 200, body: { ...vector.jwk, kid: testKey.kid } };
    const { message: foreign = "", code: otherCode } = await refusalOf(openDoor()(signed(event())));
    expect([code, otherCode]).toEqual(["SIGNATURE_OF_OTHER_CONTENT", "SIGNATURE_OF_OTHER_KEY"]);
    expect(changed).toContain("CRC-32 of the body");
    expect(foreign).toContain("by another key");
    for (const message of [changed, foreign]) {
      expect(message).toMatch(/RSA, SHA-256/);
      expect(message).toContain(testKey.kid);
      expect(message).toContain("transmission time, which was there");
      expect(message).not.toContain("api-key-words");
    }
  });

  it("should ask for the secret of the URL too where the settings say so, and alone where signatures are off", async () => {
    const both = openDoor({ requireUrlSecret: true });
    expect(await refusalOf(both(signed(event())))).toMatchObject({ status: 401, code: "URL_SECRET_MISSING" });
    expect((await both({ ...signed(event()), hasValidSecret: true })).deliveries).toHaveLength(1);
    const unsigned = openDoor({ verifySignature: false });
    expect(await refusalOf(unsigned(signed(event())))).toMatchObject({ status: 401, code: "URL_SECRET_MISSING" });
    const open = { body: Buffer.from(event()), hasValidSecret: true };
    const [first, again] = [await unsigned(open), await unsigned(open)];
    expect(first.deliveries).toHaveLength(1);
    expect(again).toEqual(first);
    const other = await unsigned({ body: Buffer.from(event({ timestamp: 5 })), hasValidSecret: true });
    expect(other.deliveries[0]?.id).not.toBe(first.deliveries[0]?.id);
  });
});

describe("the keys of signatures", () => {
  it("should be fetched once, also for many webhooks at once, and kept [F107 part: not at every event]", async () => {
    const door = openDoor();
    await Promise.all(Array.from({ length: 20 }, () => door(signed(event()))));
    nowMs += 3_500_000;
    await door(signed(event()));
    expect(keys.asked).toEqual([testKey.kid]);
    nowMs += 200_000;
    await door(signed(event()));
    expect(keys.asked, "8x8 may have taken it back").toEqual([testKey.kid, testKey.kid]);
  });

  it("should not be missed after one failure: the next event gets in [F107 part: 500 once]", async () => {
    const door = openDoor();
    const answers: NonNullable<KeyServer["answer"]>[] = [
      { status: 500 },
      { status: 429 },
      { status: 200, body: { kty: "EC" } },
      { status: 200 },
    ];
    for (const answer of answers) {
      keys.answer = answer;
      expect(await refusalOf(door(signed(event())))).toMatchObject({ status: 503, code: "SIGNING_KEY_UNAVAILABLE" });
    }
    keys.answer = undefined;
    expect((await door(signed(event()))).deliveries).toHaveLength(1);
  });

  it("should be none that was given under another id or is too short to trust", async () => {
    for (const body of [
      { ...testKey.jwk, kid: "another" },
      { kty: "RSA", e: "AQAB", n: "AQAB" },
    ]) {
      keys.answer = { status: 200, body };
      expect(await refusalOf(openDoor()(signed(event())))).toMatchObject({ status: 503, code: "SIGNING_KEY_UNAVAILABLE" });
    }
  });

  it("should be given up when the server does not answer in time", async () => {
    keys.answer = "hang";
    const door = openDoor({ requestTimeoutMs: 1_000 });
    expect(await refusalOf(door(signed(event())))).toMatchObject({ status: 503, code: "SIGNING_KEY_TIMEOUT" });
    keys.answer = undefined;
    expect((await door(signed(event()))).deliveries).toHaveLength(1);
  });

  it("should be asked for once a minute where 8x8 knows none [F107 part: at most one download per kid and minute]", async () => {
    const door = openDoor();
    for (let count = 0; count < 5; count += 1) {
      expect(await refusalOf(door(signed(event(), { keyId: "nobody" })))).toMatchObject({ status: 401, code: "SIGNING_KEY_UNKNOWN" });
    }
    expect(keys.asked).toEqual(["nobody"]);
    nowMs += 60_001;
    await refusalOf(door(signed(event(), { keyId: "nobody" })));
    expect(keys.asked).toEqual(["nobody", "nobody"]);
  });

  it("should not let a flood of invented ids become a flood of questions [F107 part: flood]", async () => {
    const door = openDoor();
    await door(signed(event()));
    const codes: (string | undefined)[] = [];
    for (let count = 0; count < 40; count += 1) {
      const { code, status } = await refusalOf(door(signed(event(), { keyId: `invented-${count}` })));
      codes.push(`${status} ${code}`);
    }
    expect(new Set(codes)).toEqual(new Set(["401 SIGNING_KEY_UNKNOWN", "503 TOO_MANY_SIGNING_KEYS"]));
    expect(keys.asked).toHaveLength(30);
    expect((await door(signed(event()))).deliveries, "what is known still gets in").toHaveLength(1);
    nowMs += 60_001;
    await refusalOf(door(signed(event(), { keyId: "invented-39" })));
    expect(keys.asked).toHaveLength(31);
  });

  it("should change without a restart [F107 part: rotation]", async () => {
    const door = openDoor();
    await door(signed(event()));
    keys.answer = { status: 200, body: { ...testKey.jwk, kid: "key-2" } };
    expect((await door(signed(event(), { keyId: "key-2" }))).deliveries).toHaveLength(1);
    expect(keys.asked).toEqual([testKey.kid, "key-2"]);
  });

  it("should be no stranger's: a signature by another key is wrong", async () => {
    keys.answer = { status: 200, body: { ...vector.jwk, kid: testKey.kid } };
    expect(await refusalOf(openDoor()(signed(event())))).toMatchObject({ status: 401, code: "SIGNATURE_OF_OTHER_KEY" });
  });

  it("should tell a damaged signature from a changed webhook", async () => {
    const request = signed(event());
    const [head, , signature = ""] = String(request.headers?.["x-8x8-signature"]).split(".");
    for (const damaged of [`${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`, signature.slice(0, 40), `${signature}AAAA`]) {
      const headers = { ...request.headers, "x-8x8-signature": `${head}..${damaged}` };
      expect(await refusalOf(openDoor()({ ...request, headers }))).toMatchObject({ status: 401, code: "SIGNATURE_OF_OTHER_KEY" });
    }
  });
});

describe("what webhooks are cut into", () => {
  const deliveriesOf = async (fields: object, settings: Record<string, unknown> = {}) =>
    (await openDoor(settings)(signed(event(fields)))).deliveries;

  it("should name the handover where its id comes back", async () => {
    const user = {
      additionalProperties: [
        { key: "Intent", value: "balance" },
        { key: "handoverId", value: "h-1-1", id: "p2" },
      ],
    };
    const update = {
      eventType: "CONVERSATION_UPDATE",
      data: { state: "active", assignment: { type: "agent", id: "ag1", resourceId: "r" }, user },
    };
    expect(await deliveriesOf(update)).toMatchObject([
      {
        references: ["conversation:conversation-42", "handover:h-1-1"],
        payload: { kind: "update", state: "active", assignment: { type: "agent", id: "ag1" } },
      },
    ]);
  });

  it("should take messages of agents only, without their words", async () => {
    const message = (sender: object) => ({ eventType: "MESSAGE", data: { isEcho: false, sender, text: "a word" } });
    const [delivery] = await deliveriesOf(message({ type: "agent", id: "ag1" }));
    expect(JSON.stringify(delivery)).not.toContain("a word");
    expect(delivery?.payload).toMatchObject({ kind: "announcement", sender: "ag1" });
    for (const type of ["user", "bot", "system", "supervisor", undefined])
      expect(await deliveriesOf(message({ type, id: "x" }))).toEqual([]);
  });

  it("should keep pre-signed URLs out of what is stored [F112 part: pre-signed URLs]", async () => {
    const attachments = [{ id: "att-1", type: "image", preSignedUrl: "https://files.example/att-1?sig=abc", fileName: "shot.png" }];
    const deliveries = await deliveriesOf({ eventType: "MESSAGE", data: { sender: { type: "agent", id: "ag1" }, attachments } });
    expect(JSON.stringify(deliveries)).not.toContain("sig=abc");
  });

  it("should show typing of agents and keep none of it", async () => {
    const typing = (users: object[]) => ({ eventType: "ACTIVITY", data: { name: "typing", value: { users } } });
    expect(await deliveriesOf(typing([{ type: "agent", id: "ag1" }]))).toMatchObject([
      { isEphemeral: true, payload: { isTyping: true, agentId: "ag1" } },
    ]);
    expect(await deliveriesOf(typing([]))).toMatchObject([{ isEphemeral: true, payload: { isTyping: false } }]);
    expect(await deliveriesOf(typing([{ type: "user", id: "u" }]))).toEqual([]);
  });

  it("should read receipts of agents", async () => {
    const value = [
      { timestamp: 5, users: [{ id: "ag1", type: "agent" }] },
      { timestamp: 9, users: [{ id: "u", type: "user" }] },
    ];
    expect(await deliveriesOf({ eventType: "ACTIVITY", data: { name: "read-receipts", value } })).toMatchObject([
      { payload: { kind: "read", upToMs: 5 } },
    ]);
  });

  it("should make nothing of what is pressed on 8x8's own channel, or of what nobody knows [F066 part: postbacks]", async () => {
    const pressed = { type: "postback", data: { title: "Order status", payload: "order_status" } };
    const activities = [
      { name: "quickReply/action", value: pressed },
      { name: "adaptiveCard/action", value: { type: "Action.Submit", data: { rating: 5 } } },
      { name: "interactive/reply", value: { type: "button_reply", button_reply: { id: "btn-1", title: "Yes" } } },
      { name: "never-heard-of" },
    ];
    for (const data of activities) expect(await deliveriesOf({ eventType: "ACTIVITY", data })).toEqual([]);
    for (const eventType of ["NEVER_HEARD_OF", undefined, 5]) expect(await deliveriesOf({ eventType })).toEqual([]);
    expect(await deliveriesOf({ conversationId: undefined })).toEqual([]);
  });
});
