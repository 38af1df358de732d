import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { HandoverError, ProviderApiError } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeCall, makeContext, makeHandover, makeSettings } from "./__fixtures__/calls.ts";
import { readError } from "./eightbyeight-errors.ts";
import { eightbyeightProvider } from "./index.ts";

const reference = "4d1f-77";
const words = "James lives at james@example.com";

/** The error of sending a message to a server that answers this. */
async function errorOf(status: number, body: string, type = "application/problem+json"): Promise<ProviderApiError> {
  const server = createServer((_request, response) => response.writeHead(status, { "content-type": type }).end(body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connection = eightbyeightProvider.connect(makeSettings({ baseUrl: `http://127.0.0.1:${port}` }), makeContext());
  const part = { message: { id: "m", author: { role: "user" as const }, text: "hello", sentAt: "2026-01-30T08:30:00Z" } };
  const error = await Promise.resolve(connection.sendMessage?.(makeHandover(), part, makeCall())).catch((reason: unknown) => reason);
  await connection.close?.();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return error as ProviderApiError;
}

const shapes: readonly (readonly [string, number, unknown, Partial<ProviderApiError>, RegExp])[] = [
  [
    "one object",
    400,
    { message: words, errors: { code: "invalid_json_object", message: words }, referenceId: reference },
    { code: "VENDOR_REFUSED_CALL", vendorCode: "invalid_json_object", vendorReferenceId: reference },
    /invalid_json_object.*8x8's reference: 4d1f-77/,
  ],
  [
    "a list of objects",
    401,
    { message: "Access Denied", errors: [{ message: "Access Denied", code: "access_denied" }], referenceId: reference },
    { code: "API_KEY_REFUSED", vendorCode: "access_denied", vendorReferenceId: reference },
    /API Key.*8x8's reference: 4d1f-77/s,
  ],
  [
    "a list of texts",
    403,
    {
      message: "The tenant does not belong to customer.",
      errors: ["Header X-8x8-Tenant doesn't match tenant information for customerId=aaaa"],
    },
    { code: "TENANT_REFUSED" },
    /set 8x8-Tenant/,
  ],
  [
    "a list of texts and a reference id",
    500,
    { message: words, errors: [words], referenceId: reference },
    { code: "VENDOR_FAILED", vendorReferenceId: reference },
    /answered 500.*8x8's reference: 4d1f-77/,
  ],
  [
    "a list of objects by id",
    404,
    { message: words, errors: [{ code: "resource_not_found", message: words }], referenceId: reference },
    { code: "CONVERSATION_GONE", vendorReferenceId: reference },
    /conversation.*8x8's reference: 4d1f-77/,
  ],
  [
    "a list of texts by id",
    404,
    { message: words, errors: [words] },
    { code: "CONVERSATION_GONE" },
    /does not have this conversation any more, or it is over\.$/,
  ],
  [
    "the gateway's fault",
    401,
    { fault: { faultstring: "Invalid ApiKey", detail: { errorcode: "oauth.v2.InvalidApiKey" } } },
    { code: "API_KEY_REFUSED", vendorCode: "oauth.v2.InvalidApiKey" },
    /API Key/,
  ],
  [
    "validations",
    422,
    { validations: [{ field: "user", value: words, code: "too_long", message: words }] },
    { vendorCode: "too_long" },
    /too_long/,
  ],
  ["a code that is a sentence", 500, { errors: [{ code: words }] }, { code: "VENDOR_FAILED", outcome: "unknown" }, /answered 500/],
];

describe("errors of 8x8", () => {
  it.each(shapes)(
    "should be told from a body with %s (%i), in our own words and with the reference id [F094 part: 8x8]",
    async (_shape, status, body, expected, message) => {
      const error = await errorOf(status, JSON.stringify(body));
      expect(error).toMatchObject({ status, ...expected });
      expect(error.message).toMatch(message);
      expect(JSON.stringify([error.message, error]), "no word of the body [F120 part: 8x8]").not.toMatch(/James|customerId/);
    },
  );

  it.each([
    ["", "empty"],
    ["<html><body>502 Bad Gateway</body></html>", "proxy"],
    ['{"mess', "no JSON"],
    ["null", "answered 502"],
    ["[1]", "answered 502"],
    ['"text"', "answered 502"],
  ])("should be told from the body %j [F094 part: 8x8]", async (body, message) => {
    const error: HandoverError = await errorOf(502, body, "text/html");
    expect(error).toMatchObject({ code: "VENDOR_FAILED", isRetryable: true, outcome: "unknown" });
    expect(error.message).toContain(message);
  });

  it("should take no reference id that could be anything else", () => {
    for (const referenceId of ["a b", "x".repeat(101), 7, null, "<b>"]) {
      expect(readError({ body: { referenceId } })).toEqual({ codes: [], words: "" });
    }
  });
});
