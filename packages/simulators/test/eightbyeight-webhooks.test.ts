import { createPublicKey, verify } from "node:crypto";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildPayload } from "../src/eightbyeight/eightbyeight-signature.ts";
import type { EightbyeightBench, Wire } from "./eightbyeight-harness.ts";
import { isSignedRight, startEightbyeight } from "./eightbyeight-harness.ts";
import type { ReceivedWebhook } from "./harness.ts";
import { createManualClock } from "./harness.ts";

const vector = {
  body: '{"eventType":"MESSAGE","conversationId":"ID-0","timestamp":1713100000000,"data":{"isEcho":false,"sender":{"id":"ag1","type":"agent"},"text":"Grüße / 👋"}}',
  payload: '{"checksum":2225927865,"cid":"cust01","eid":"evt-0001","retry":0,"tid":"tenant01","tt":1713100000123}',
  protectedPart: "eyJiNjQiOmZhbHNlLCJjcml0IjpbImI2NCJdLCJraWQiOiJ0ZXN0LWtleS0xIiwiYWxnIjoiUlMyNTYifQ",
  signature:
    "tax9fEVDxRK_X8fn5Piu72QMVhb2CvHafzDUP3OZqLnZJihPkeIWTIu-bFJKts_KMV1oOQDliAjfqyrbmror7GEdmvH8iVBaYpxRpZQGK_P1CjnpgVLKX2fL0t74YCHmw2NQv7lKJ75DK-7xExhNJTP8SwdBwvhXgoCY27y4wqOc5gXUReYOgxLgciUGPdMVBQve1EPGTBTdkHrFP12-8rdyqlcoR6_9HzfN39JF715oaOOkGIrgQ9xxxaJLA3_cwntJbL4wWn8EjDgzMWF0lCFaH0sQDMrN37HIC8_pvMPT8CgG7cYw7rJXvLgnN88PQGsoXhyu3MjvwyF4p8F-Lw",
  jwk: {
    kty: "RSA",
    e: "AQAB",
    n: "vNlcSPC0O96XcGG-XzQd7mV8RH6IYQj16w-isyDqhezlE1Wh7ukarAc6Eo3ra2QcjX_HvtRiLh3bnvg2ugfK7IqTlrTFJt7wOOcDOE1SPrDEBxkK1jtoBerL4I8RV3Y5_sqO2_bq2nSExO5uEcwTiNO97k-zCF9KPEP4hc26kUAjUPBWOflskl_30H6RDBDTKq1hVJBiYCuSezEXvKHf81OhVFoWepQfeCNy8m01D0KbMxWR9gfpskPgbwZzRKmkupZzSPFk95xqtbrXSE6yHGUOMdB6Ioh0S6yOqMTdvVGb8b2ruKnWHQ3nbz6LYcTL3ce_q5G4t_IjPUxRuTu6uQ",
  },
};

/** A bench whose one webhook from now on is a line of an agent. */
async function startQuietly(...parameters: Parameters<typeof startEightbyeight>): Promise<EightbyeightBench & { id: string }> {
  const bench = await startEightbyeight(...parameters);
  const id = await bench.converse();
  bench.simulator.accept(id);
  await bench.told();
  bench.receiver.received.length = 0;
  return { ...bench, id };
}

const headerOf = (webhook: ReceivedWebhook | undefined, name: string): string => String(webhook?.headers[`x-8x8-${name}`]);
const jwsHeader = (webhook: ReceivedWebhook | undefined): Wire =>
  JSON.parse(Buffer.from(headerOf(webhook, "signature").split(".")[0] ?? "", "base64url").toString()) as Wire;

describe("the signature", () => {
  test("should have the checksum and the payload of the reference's vector, whose signature holds", () => {
    expect(crc32("123456789")).toBe(3_421_780_262);
    const transmission = { body: vector.body, customerId: "cust01", eventId: "evt-0001", tenant: "tenant01", atMs: 1_713_100_000_123 };
    const payload = buildPayload({ ...transmission, retry: 0 });
    expect(payload).toBe(vector.payload);
    const key = createPublicKey({ key: vector.jwk, format: "jwk" });
    const holds = (signed: string): boolean =>
      verify("RSA-SHA256", Buffer.from(`${vector.protectedPart}.${signed}`), key, Buffer.from(vector.signature, "base64url"));
    expect(holds(payload)).toBe(true);
    expect(holds(buildPayload({ ...transmission, retry: 1 }))).toBe(false);
    expect(holds(buildPayload({ ...transmission, retry: 0, body: vector.body.replace("ag1", "ag2") }))).toBe(false);
    expect(holds(buildPayload({ ...transmission, retry: 0, tenant: "tenant02" }))).toBe(false);
  });

  test("should be a detached JWS over the raw bytes of every event, with six headers", async () => {
    const clock = createManualClock();
    const bench = await startQuietly({}, {}, clock);
    bench.simulator.say(bench.id, { text: "Grüße / 👋\u2028" });
    await bench.told();
    const [webhook] = bench.receiver.received;
    expect(webhook?.raw).toContain("Grüße / 👋\u2028");
    expect(webhook?.headers).toMatchObject({
      "content-type": "application/json",
      "x-8x8-tenant-id": "acme01",
      "x-8x8-customer-id": "customer01",
      "x-8x8-event-id": expect.stringMatching(/^[\w-]+$/) as string,
      "x-8x8-transmission-time": String(clock.now()),
      "x-8x8-retry": "0",
      "x-8x8-signature": expect.stringMatching(/^[\w-]+\.\.[\w-]{342}$/) as string,
    });
    expect(jwsHeader(webhook)).toEqual({ b64: false, crit: ["b64"], kid: expect.stringMatching(/^[\w-]{1,128}$/) as string, alg: "RS256" });
    expect(await isSignedRight(bench, webhook!)).toBe(true);
    expect(await isSignedRight(bench, { ...webhook!, raw: `${webhook!.raw} ` })).toBe(false);
  });

  test("should use a new key after a rotation, the old one staying known", async () => {
    const bench = await startQuietly();
    bench.simulator.say(bench.id, { text: "old" });
    await bench.told();
    expect((await bench.http("PUT", "/control/eightbyeight/faults", { rotateKeys: true })).status).toBe(200);
    bench.simulator.say(bench.id, { text: "new" });
    await bench.told();
    const [old, fresh] = bench.receiver.received;
    expect(jwsHeader(fresh)["kid"]).not.toBe(jwsHeader(old)["kid"]);
    expect([await isSignedRight(bench, old!), await isSignedRight(bench, fresh!)]).toEqual([true, true]);
  });

  test.each(["wrong-signature", "wrong-checksum", "wrong-key", "unknown-key", "alg-none", "alg-hs256"] as const)(
    "should not hold: %s",
    async (tamper) => {
      const bench = await startQuietly({}, { tamper });
      bench.simulator.say(bench.id, { text: "Hi" });
      await bench.told();
      const [webhook] = bench.receiver.received;
      expect(await isSignedRight(bench, webhook!)).toBe(false);
      const algorithms: Readonly<Record<string, string>> = { "alg-none": "none", "alg-hs256": "HS256" };
      expect(jwsHeader(webhook)["alg"]).toBe(algorithms[tamper] ?? "RS256");
    },
  );

  test("should hold and still be wrong: without b64, too old, of a stranger's tenant", async () => {
    const clock = createManualClock();
    const bench = await startQuietly({}, {}, clock);
    for (const tamper of ["without-b64", "stale", "foreign-tenant"] as const) {
      bench.simulator.setBehaviour({ tamper });
      bench.simulator.say(bench.id, { text: tamper });
      await bench.told();
    }
    const [withoutB64, stale, foreign] = bench.receiver.received;
    expect(Object.keys(jwsHeader(withoutB64)).sort()).toEqual(["alg", "kid"]);
    expect(clock.now() - Number(headerOf(stale, "transmission-time"))).toBeGreaterThan(300_000);
    expect(headerOf(foreign, "tenant-id")).toBe("tenant-of-a-stranger");
    expect([await isSignedRight(bench, stale!), await isSignedRight(bench, foreign!)]).toEqual([true, true]);
  });

  test.each([
    "x-8x8-tenant-id",
    "x-8x8-customer-id",
    "x-8x8-event-id",
    "x-8x8-transmission-time",
    "x-8x8-retry",
    "x-8x8-signature",
  ] as const)("should come without %s, when told to", async (withoutHeader) => {
    const bench = await startQuietly({}, { withoutHeader });
    bench.simulator.say(bench.id, { text: "Hi" });
    await bench.told();
    const names = Object.keys(bench.receiver.received[0]?.headers ?? {}).filter((name) => name.startsWith("x-8x8-"));
    expect(names).toHaveLength(5);
    expect(names).not.toContain(withoutHeader);
  });
});

describe("delivery", () => {
  test("should be tried again with the same event and body, counted, at a new time and signed anew", async () => {
    const clock = createManualClock();
    const bench = await startQuietly({}, {}, clock);
    bench.receiver.respond = (response) => {
      clock.advance(1000);
      response.writeHead(bench.receiver.received.length < 3 ? 503 : 204).end();
    };
    bench.simulator.say(bench.id, { text: "Hi" });
    await bench.told();
    const tries = bench.receiver.received;
    expect(tries.map((webhook) => headerOf(webhook, "retry"))).toEqual(["0", "1", "2"]);
    expect(new Set(tries.map((webhook) => headerOf(webhook, "event-id"))).size).toBe(1);
    expect(new Set(tries.map(({ raw }) => raw)).size).toBe(1);
    expect(new Set(tries.map((webhook) => headerOf(webhook, "transmission-time"))).size).toBe(3);
    expect(await Promise.all(tries.map((webhook) => isSignedRight(bench, webhook)))).toEqual([true, true, true]);
    const attempts = bench.simulator.webhooks().slice(-3);
    expect(attempts.map(({ outcome, retry }) => [outcome, retry])).toEqual([
      ["failed", undefined],
      ["failed", 1],
      ["delivered", 2],
    ]);
  });

  test("should be given up after so many tries, and the next event leave then", async () => {
    const bench = await startQuietly({}, { webhookRetries: 2 });
    bench.receiver.respond = (response, { raw }) => void response.writeHead(raw.includes("lost") ? 500 : 200).end();
    bench.simulator.say(bench.id, { text: "lost" });
    bench.simulator.say(bench.id, { text: "next" });
    await bench.told();
    expect(bench.receiver.received.map(({ raw }) => (raw.includes("lost") ? "lost" : "next"))).toEqual(["lost", "lost", "lost", "next"]);
  });

  test("should wait before it is tried again, and after a timeout too", async () => {
    const clock = createManualClock();
    const bench = await startQuietly({ webhookTimeoutMs: 3000 }, { webhookRetryDelayMs: 7000, webhookRetries: 1 }, clock);
    const arrived = new Promise<void>((resolve) => {
      bench.receiver.respond = () => resolve();
    });
    bench.simulator.say(bench.id, { text: "Hi" });
    await arrived;
    bench.receiver.respond = (response) => void response.end();
    const failed = bench.simulator.waitFor(() => bench.simulator.webhooks().at(-1)?.error === "Timed out");
    clock.advance(3000);
    await failed;
    clock.advance(6999);
    expect(bench.receiver.received).toHaveLength(1);
    clock.advance(1);
    await bench.simulator.webhooksIdle();
    expect(bench.receiver.received.map((webhook) => headerOf(webhook, "retry"))).toEqual(["0", "1"]);
  });

  test("should be in order, one at a time in a conversation, others not waiting for it", async () => {
    const bench = await startQuietly();
    const other = await bench.converse();
    await bench.told();
    bench.receiver.received.length = 0;
    const held: (() => void)[] = [];
    bench.receiver.respond = (response, { raw }) => {
      if (raw.includes(other)) response.end();
      else held.push(() => response.end());
    };
    bench.simulator.say(bench.id, { text: "one" });
    bench.simulator.say(bench.id, { text: "two" });
    bench.simulator.type(other, { isTyping: true });
    await bench.receiver.waitForCount(4);
    expect(held).toHaveLength(1);
    held.shift()?.();
    await bench.receiver.waitForCount(5);
    held.shift()?.();
    await bench.simulator.webhooksIdle();
    const texts = bench.receiver.received.flatMap(({ raw }) => /"text":"(\w+)"/.exec(raw)?.[1] ?? []);
    expect(texts).toEqual(["one", "two"]);
  });

  test("should be doubled, dropped and put out of order by faults, a double being the same event", async () => {
    const bench = await startQuietly();
    bench.simulator.setFaults({ duplicateWebhookRate: 1 });
    bench.simulator.say(bench.id, { text: "twice" });
    await bench.told();
    const [first, second] = bench.receiver.received;
    expect(headerOf(first, "event-id")).toBe(headerOf(second, "event-id"));
    expect([headerOf(second, "retry"), await isSignedRight(bench, second!)]).toEqual(["0", true]);
    bench.receiver.received.length = 0;
    bench.simulator.setFaults({ dropWebhookRate: 1, times: 1 });
    for (const text of ["dropped", "kept"]) bench.simulator.say(bench.id, { text });
    await bench.told();
    bench.simulator.setFaults({ reorderWebhooks: true });
    for (const text of ["a", "b"]) bench.simulator.say(bench.id, { text });
    await bench.simulator.webhooksIdle();
    expect(bench.receiver.received.flatMap(({ raw }) => /"text":"(\w+)"/.exec(raw)?.[1] ?? [])).toEqual(["kept", "b", "a"]);
  });

  test("should go nowhere without an address, and to a new one at once", async () => {
    const bench = await startQuietly();
    bench.simulator.setWebhookUrl(null);
    bench.simulator.say(bench.id, { text: "nobody hears" });
    await bench.simulator.webhooksIdle();
    bench.simulator.setWebhookUrl(`${bench.receiver.url}/new`);
    bench.simulator.say(bench.id, { text: "Hi" });
    await bench.simulator.webhooksIdle();
    expect(bench.receiver.received.map(({ path }) => path)).toEqual(["/new"]);
  });
});
