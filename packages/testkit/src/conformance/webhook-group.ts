import { WebhookRefusedError, type RawRequest, type VendorDelivery } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { agentTexts, type DrivenHandover } from "./driven-handover.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** Which requests are taken for the vendor's, and what is cut out of them. */
export function webhookTests(suite: Suite): readonly DrivenTest[] {
  if (!suite.has("receiveWebhook")) return [];
  const { webhookProof } = suite.backend;
  const isSigned = webhookProof === "signature" || webhookProof === "both";
  const needsSecret = webhookProof === "url-secret" || webhookProof === "both";
  return [
    test("should take the vendor's own requests and name the conversation", async (driver) => {
      const { driven, request } = await recordWebhook(driver, "hello");
      const { deliveries } = await receive(driver, request);
      expect(deliveries.length).toBeGreaterThan(0);
      for (const { references } of deliveries) {
        expect(references.some((reference) => driven.started.references.includes(reference))).toBe(true);
      }
    }),
    ...when(
      needsSecret,
      test("should refuse a request whose URL has a wrong secret with 401 [F103 part: URL secret]", async (driver) => {
        const { request } = await recordWebhook(driver, "hello");
        await expectRefused(driver, { ...request, hasValidSecret: false }, 401);
      }),
    ),
    ...when(
      isSigned,
      test("should refuse a request without a signature with 401 [F103 part: unsigned]", async (driver) => {
        const { request } = await recordWebhook(driver, "hello");
        await expectRefused(driver, { ...request, headers: { "content-type": "application/json" } }, 401);
      }),
      test("should refuse a body with one other byte with 401 [F103 part, F104 part: one flipped byte]", async (driver) => {
        const { request } = await recordWebhook(driver, "hello");
        const body = new Uint8Array(request.body);
        const place = Math.floor(body.length / 2);
        body[place] = (body[place] ?? 0) ^ 1;
        await expectRefused(driver, { ...request, body }, 401);
      }),
    ),
    ...when(
      isSigned,
      test("should say which algorithm and secret did not match, without any secret [F111 part: what was compared]", async (driver) => {
        const { request } = await recordWebhook(driver, "hello");
        const body = Buffer.concat([Buffer.from(request.body), Buffer.from(" ")]);
        const { message } = await driver.failure(() => receive(driver, { ...request, body }));
        expect(message).toMatch(/SHA-?(1|256|384|512)|MD5|Ed25519|RSA/i);
        expect(message).toMatch(/secret|key/i);
        for (const secret of driver.secrets) expect(message).not.toContain(secret);
      }),
    ),
    ...when(
      suite.backend.signWebhookAt,
      test("should refuse a signature of ten minutes ago, and of in ten minutes [F105 part: time]", async (driver) => {
        const { request } = await recordWebhook(driver, "hello");
        for (const offsetMs of [-600_000, 600_000]) {
          const headers = { ...request.headers, ...suite.backend.signWebhookAt?.(request.body, Date.now() + offsetMs) };
          await expectRefused(driver, { ...request, headers }, 401);
        }
        const now = suite.backend.signWebhookAt?.(request.body, Date.now());
        await receive(driver, { ...request, headers: { ...request.headers, ...now } });
      }),
    ),
    test("should refuse what is neither proven nor readable with 401, not 400", async (driver) => {
      const request = { ...emptyRequest(driver), hasValidSecret: false, headers: {} };
      await expectRefused(driver, { ...request, body: Buffer.from("{") }, 401);
    }),
    ...when(!isSigned || suite.backend.signWebhook, ...bodyTests(suite)),
    test("should give the same deliveries for the same request [F017 part: stable ids]", async (driver) => {
      const { request } = await recordWebhook(driver, "hello");
      expect(await receive(driver, request)).toEqual(await receive(driver, request));
    }),
    test("should give deliveries that are JSON and hold no secret [F120 part: payloads]", async (driver) => {
      await recordWebhook(driver, "hello");
      const stored = JSON.stringify(driver.deliveries);
      expect(JSON.parse(stored)).toEqual(driver.deliveries);
      for (const secret of driver.secrets) expect(stored.includes(secret)).toBe(false);
      for (const { id, references } of driver.deliveries) expect([id, ...references]).not.toContain("");
    }),
    ...when(
      suite.has("translate"),
      test("should take bodies with any characters and keep the text as it is [F104 part: raw bytes]", async (driver) => {
        const driven = await driver.start();
        const texts = ["Grüße 😀 你好", "line\u2028separator", 'a "quoted" \\ text/with </script>', "e\u0301 and é"];
        for (const text of texts) await driver.backend.agentSays(driven.deskId, text);
        await driver.observe();
        expect(agentTexts(driven)).toEqual(texts);
      }),
      test("should keep the conversations of one account apart", async (driver) => {
        const [first, second] = [await driver.start(), await driver.start()];
        await driver.backend.agentSays(second.deskId, "for the second");
        await driver.backend.agentSays(first.deskId, "for the first");
        await driver.observe();
        expect([agentTexts(first), agentTexts(second)]).toEqual([["for the first"], ["for the second"]]);
      }),
    ),
  ];
}

function bodyTests({ backend }: Suite): readonly DrivenTest[] {
  return [
    test("should refuse a malformed body with 400", async (driver) => {
      for (const text of ["", "{", "<html></html>", '{"events":']) await expectRefused(driver, signed(driver, Buffer.from(text)), 400);
    }),
    test("should make nothing out of bodies that it does not know", async (driver) => {
      const { request } = await recordWebhook(driver, "hello");
      const known = JSON.parse(Buffer.from(request.body).toString("utf8")) as Record<string, unknown>;
      for (const body of [{ something: "else" }, { ...known, event: "never_heard_of", type: "never-heard-of" }]) {
        const outcome = await receive(driver, signed(driver, Buffer.from(JSON.stringify(body)))).catch((error: unknown) => error);
        if (WebhookRefusedError.isInstance(outcome)) expect(outcome.status).toBe(400);
        else expect(outcome).toHaveProperty("deliveries");
      }
    }),
    test("should read the same from a body with another layout [F104 part: key order and white space]", async (driver) => {
      const { request } = await recordWebhook(driver, "hello");
      const value = JSON.parse(Buffer.from(request.body).toString("utf8")) as unknown;
      const other = Buffer.from(JSON.stringify(reversed(value), null, 3).replaceAll("/", "\\/"));
      const ids = ({ deliveries }: { readonly deliveries: readonly VendorDelivery[] }) => deliveries.map(({ id }) => id);
      expect(ids(await receive(driver, signed(driver, other)))).toEqual(ids(await receive(driver, request)));
    }),
    ...when(
      backend.combineWebhooks,
      test("should read every event of a body, whoever it is for [F008 part: provider]", async (driver) => {
        const bodies: Uint8Array[] = [];
        const driven: DrivenHandover[] = [];
        for (const text of ["first", "second", "third"]) {
          const recorded = await recordWebhook(driver, text);
          bodies.push(recorded.request.body);
          driven.push(recorded.driven);
        }
        const { deliveries } = await receive(driver, signed(driver, backend.combineWebhooks?.(bodies) ?? new Uint8Array()));
        for (const { started } of driven) {
          expect(deliveries.some(({ references }) => references.some((reference) => started.references.includes(reference)))).toBe(true);
        }
      }),
    ),
  ];
}

/** A fresh handover and the request with which the vendor reported a text of an agent. */
async function recordWebhook(driver: Driver, text: string): Promise<{ driven: DrivenHandover; request: RawRequest }> {
  const driven = await driver.start();
  await driver.observe();
  const before = driver.receiver.requests.length;
  await driver.backend.agentSays(driven.deskId, text);
  await driver.observe();
  const recorded = driver.receiver.requests.slice(before);
  const request = recorded.find(({ body }) => Buffer.from(body).toString("utf8").includes(text)) ?? recorded.at(-1);
  if (!request) throw new Error("The vendor sent no webhook for a message of an agent.");
  return { driven, request };
}

async function receive(driver: Driver, request: RawRequest) {
  const received = await driver.connection.receiveWebhook?.(request, driver.call());
  if (!received) throw new Error("receiveWebhook gave nothing.");
  return received;
}

async function expectRefused(driver: Driver, request: RawRequest, status: number): Promise<void> {
  const error = await driver.failure(() => receive(driver, request));
  expect(WebhookRefusedError.isInstance(error) && error.status).toBe(status);
}

function emptyRequest(driver: Driver): RawRequest {
  const path = `/handover/${driver.options.provider.name}/conformance`;
  return { method: "POST", path, query: "", headers: { "content-type": "application/json" }, body: new Uint8Array(), hasValidSecret: true };
}

/** A request of the vendor with this body, signed where the vendor signs. */
export function signed(driver: Driver, body: Uint8Array): RawRequest {
  const request = emptyRequest(driver);
  return { ...request, body, headers: { ...request.headers, ...driver.backend.signWebhook?.(body) } };
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}
