import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { AuthenticationError, HandoverError, ProviderApiError, RateLimitedError } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { Agent, buildConnector } from "undici";
import { z } from "zod";
import { createHttpClient, parseBody, pathOf, type HttpClient, type HttpClientOptions, type HttpRequest } from "./index.ts";

const clock = { now: () => Date.parse("2026-01-01T10:00:00Z") };
const lines: string[] = [];
const write = (message: string, fields?: unknown): void => {
  lines.push(message + JSON.stringify(fields));
};
const logger = { debug: write, info: write, warn: write, error: write };
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  lines.length = 0;
});

interface Seen {
  readonly request: IncomingMessage;
  readonly body: string;
}

async function serve(
  answer: (response: ServerResponse, seen: Seen, count: number) => void,
  options: Partial<HttpClientOptions> = {},
): Promise<{ client: HttpClient; seen: Seen[]; origin: string }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const entry = { request, body: Buffer.concat(chunks).toString() };
      seen.push(entry);
      answer(response, entry, seen.length);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createHttpClient({ baseUrl: `${origin}/api/`, context: { clock, logger }, ...options });
  cleanups.push(async () => {
    server.closeAllConnections();
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, seen, origin };
}

const status = (code: number, body = "", headers: Record<string, string> = {}) => {
  return (response: ServerResponse): void => void response.writeHead(code, headers).end(body);
};
const get = (path = pathOf`/things`): HttpRequest => ({ method: "GET", path, signal: new AbortController().signal });
const post = (json: unknown = {}): HttpRequest => ({ ...get(), method: "POST", json });

async function failureOf(promise: Promise<unknown>): Promise<ProviderApiError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(ProviderApiError.isInstance(error)).toBe(true);
  return error as ProviderApiError;
}

describe("what an HTTP client sends", () => {
  it("should encode each path value as one segment and keep the path of the base URL [F093]", async () => {
    const { client, seen } = await serve(status(200, "{}"));
    await client.request({ ...get(pathOf`/a/${"x/ü?#%2F"}/b`), query: { q: "ä b", "labels[]": ["x", "y"], none: undefined, page: 2 } });
    expect(seen[0]?.request.url).toBe("/api/a/x%2F%C3%BC%3F%23%252F/b?q=%C3%A4+b&labels%5B%5D=x&labels%5B%5D=y&page=2");
    expect(seen[0]?.request.headers["accept-encoding"]).toBeUndefined();
  });

  it.each(["", ".", ".."])("should refuse the path value %j", (value) => {
    expect(() => pathOf`/a/${value}`).toThrow(HandoverError);
  });

  it("should send JSON and forms with their type and the client's headers", async () => {
    const { client, seen } = await serve(status(200), { headers: () => ({ "x-key": "k" }) });
    await client.request(post({ text: "👋" }));
    await client.request({ ...get(), method: "POST", form: { a: "b c" } });
    expect(seen.map((entry) => [entry.request.headers["content-type"], entry.body, entry.request.headers["x-key"]])).toEqual([
      ["application/json", '{"text":"👋"}', "k"],
      ["application/x-www-form-urlencoded", "a=b+c", "k"],
    ]);
  });

  it("should send once more with fresh credentials after a 401, and not twice [F108]", async () => {
    let key = "old";
    const { client, seen } = await serve((response, entry) => status(entry.request.headers["x-key"] === "new" ? 200 : 401)(response), {
      headers: () => ({ "x-key": key }),
      refreshCredentials: () => {
        key = key === "old" ? "new" : "refused";
      },
    });
    await expect(client.request(post())).resolves.toMatchObject({ status: 200 });
    key = "wrong";
    await expect(client.request(post())).rejects.toThrow(AuthenticationError);
    expect(seen).toHaveLength(4);
  });

  it("should not follow redirects and name the likely cause", async () => {
    const { client, seen } = await serve(status(301, "", { location: "/elsewhere" }));
    const error = await failureOf(client.request(get()));
    expect([error.code, error.effect, error.isRetryable]).toEqual(["VENDOR_REDIRECTED", "connection", false]);
    expect(seen).toHaveLength(1);
  });

  it("should use the dispatcher of the context and leave it open", async () => {
    const calls: string[] = [];
    const dispatcher = {
      dispatch: (options: { path: string }) => {
        calls.push(options.path);
        throw new Error("stopped here");
      },
    };
    const client = createHttpClient({ baseUrl: "http://127.0.0.1:9/x", context: { clock, logger, dispatcher: dispatcher } });
    await expect(client.request(get())).rejects.toThrow(ProviderApiError);
    await client.close();
    expect(calls).toEqual(["/x/things"]);
  });
});

describe("what an HTTP client makes of an answer", () => {
  it.each([
    [429, "RATE_LIMITED", true, "connection", "not-applied"],
    [401, "AUTHENTICATION_FAILED", true, "connection", "not-applied"],
    [403, "PERMISSION_DENIED", true, "connection", "not-applied"],
    [503, "VENDOR_FAILED", true, "connection", "not-applied"],
    [500, "VENDOR_FAILED", true, "message", "unknown"],
    [502, "VENDOR_FAILED", true, "connection", "unknown"],
    [504, "VENDOR_FAILED", true, "message", "unknown"],
    [408, "VENDOR_TIMEOUT", true, "message", "unknown"],
    [404, "VENDOR_REFUSED_CALL", false, "message", "not-applied"],
    [422, "VENDOR_REFUSED_CALL", false, "message", "not-applied"],
    [451, "VENDOR_REFUSED_CALL", false, "message", "not-applied"],
  ])("should turn %i to a write into %s [F109]", async (code, errorCode, isRetryable, effect, outcome) => {
    const { client } = await serve(status(code, "<html>secret words</html>", { "x-request-id": "ref-1" }));
    const error = await failureOf(client.request(post()));
    expect([error.code, error.isRetryable, error.effect, error.outcome]).toEqual([errorCode, isRetryable, effect, outcome]);
    expect([error.status, error.vendorReferenceId]).toEqual([code, "ref-1"]);
  });

  it("should call the outcome of a failed read not applied", async () => {
    const { client } = await serve(status(500));
    expect((await failureOf(client.request(get()))).outcome).toBe("not-applied");
    expect((await failureOf(client.request({ ...post(), isRepeatable: true }))).outcome).toBe("not-applied");
  });

  it.each([
    ["7", 7000],
    ["Thu, 01 Jan 2026 10:00:30 GMT", 30_000],
    ["Thu, 01 Jan 2026 09:00:00 GMT", 0],
    ["99999999", 86_400_000],
    ["soon", undefined],
  ])("should read Retry-After %s [F101]", async (header, expected) => {
    const { client } = await serve(status(429, "slow down", { "retry-after": header }));
    const error = await failureOf(client.request(get()));
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error.retryAfterMs).toBe(expected);
  });

  it("should keep queries, bodies, keys and path values out of errors and logs [F120] [F112]", async () => {
    const { client } = await serve(status(422, '{"error":"user-words"}'), { headers: { "x-key": "key-words" } });
    const error = await failureOf(
      client.request({ ...post({ text: "body-words" }), path: pathOf`/u/${"id-words"}`, query: { q: "q-words" } }),
    );
    expect(error.message).toBe("POST /u/: answered 422.");
    expect(JSON.stringify([error, error.message, error.stack, lines])).not.toMatch(/-words/);
  });

  it("should add what describeError says, on one short line", async () => {
    const { client } = await serve(status(422, '{"error":"x"}'), {
      describeError: () => ({ code: "SPECIAL", vendorCode: "a\nb".padEnd(300, "c"), vendorReferenceId: "own", message: "Do this." }),
    });
    const error = await failureOf(client.request(get()));
    expect([error.code, error.vendorReferenceId, error.message]).toEqual(["SPECIAL", "own", "GET /things answered 422. Do this."]);
    expect(error.vendorCode).toMatch(/^a bc{96,}$/);
    expect(error.vendorCode?.length).toBe(100);
  });

  it("should let a call decide about a status itself", async () => {
    const { client } = await serve(status(404, "{}"));
    const gone = new Error("gone");
    await expect(client.request({ ...get(), onStatus: () => gone })).rejects.toBe(gone);
    await expect(client.request({ ...get(), onStatus: () => "accept" })).resolves.toMatchObject({ status: 404, body: {} });
    await expect(client.request({ ...get(), onStatus: () => undefined })).rejects.toThrow(ProviderApiError);
  });

  it("should take a success without a body, and refuse one where a field is needed [F094]", async () => {
    const bodies = ["", "<html>", '{"id":', '{"id":"x"}'];
    const { client } = await serve((response, _seen, count) => status(200, bodies[count - 1])(response));
    const schema = z.object({ id: z.number() });
    for (const problem of [/empty/, /not JSON/, /not JSON/, /check id/]) {
      const response = await client.request(post());
      expect(() => parseBody(response, schema)).toThrow(problem);
      const error = await failureOf(Promise.resolve().then(() => parseBody(response, schema)));
      expect([error.code, error.outcome, error.status]).toEqual(["VENDOR_ANSWER_UNEXPECTED", "unknown", 200]);
    }
  });

  it("should refuse an answer over the limit", async () => {
    const { client } = await serve(status(200, "x".repeat(2000)), { maxResponseBytes: 1000 });
    const error = await failureOf(client.request(post()));
    expect([error.code, error.outcome]).toEqual(["VENDOR_ANSWER_TOO_LARGE", "unknown"]);
  });
});

describe("what an HTTP client makes of silence", () => {
  it("should call a lost answer unknown for a write and not applied for a read [F022]", async () => {
    const { client } = await serve((response) => response.socket?.destroy());
    expect(await failureOf(client.request(post()))).toMatchObject({
      code: "VENDOR_CONNECTION_LOST",
      outcome: "unknown",
      isRetryable: true,
    });
    expect(await failureOf(client.request(get()))).toMatchObject({ code: "VENDOR_CONNECTION_LOST", outcome: "not-applied" });
  });

  it("should call an answer that breaks off in the middle unknown", async () => {
    const { client } = await serve((response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("{", () => response.socket?.destroy());
    });
    expect(await failureOf(client.request(post()))).toMatchObject({ code: "VENDOR_CONNECTION_LOST", outcome: "unknown" });
  });

  it("should give up after the timeout", async () => {
    const { client } = await serve(() => undefined, { timeoutMs: 50 });
    expect(await failureOf(client.request(post()))).toMatchObject({ code: "VENDOR_TIMEOUT", outcome: "unknown", effect: "message" });
  });

  it("should call a refused connection not applied and stop the connection", async () => {
    const { client, origin } = await serve(status(200));
    for (const cleanup of cleanups.splice(0)) await cleanup();
    const fresh = createHttpClient({ baseUrl: origin, context: { clock, logger } });
    const error = await failureOf(fresh.request(post()));
    expect(error).toMatchObject({ code: "VENDOR_UNREACHABLE", outcome: "not-applied", effect: "connection", isRetryable: true });
    await fresh.close();
    await expect(client.request(post())).rejects.toMatchObject({ outcome: "not-applied" });
  });

  it("should stop with its caller: not applied before it was sent, unknown after", async () => {
    const controller = new AbortController();
    const { client, seen } = await serve(() => {
      controller.abort();
    });
    const late = await failureOf(client.request({ ...post(), signal: controller.signal }));
    expect([late.code, late.outcome]).toEqual(["CALL_ABORTED", "unknown"]);
    const early = await failureOf(client.request({ ...post(), signal: controller.signal }));
    expect([early.code, early.outcome]).toEqual(["CALL_ABORTED", "not-applied"]);
    expect(seen).toHaveLength(1);
  });

  it("should call it not applied when its caller gives up while credentials are fetched", async () => {
    const controller = new AbortController();
    const { client, seen } = await serve(status(200), {
      headers: (signal) => {
        controller.abort();
        return Promise.reject(signal.reason as Error);
      },
    });
    const error = await failureOf(client.request({ ...post(), signal: controller.signal }));
    expect([error.code, error.outcome, seen.length]).toEqual(["CALL_ABORTED", "not-applied", 0]);
  });
});

describe("a process that was stopped while it connected", () => {
  it("should not write its request when its time is over, although no timer has gone off", async () => {
    let isLate = false;
    const connect = buildConnector({});
    const dispatcher = new Agent({
      connect: (options, callback) => {
        isLate = true;
        connect(options, callback);
      },
    });
    cleanups.push(() => dispatcher.close());
    const { client, seen } = await serve(status(200, "{}"), { context: { clock, logger, dispatcher } });
    const signal = Object.defineProperty(new AbortController().signal, "aborted", { get: () => isLate });
    await expect(client.request({ ...post(), signal })).rejects.toMatchObject({ outcome: "unknown" });
    expect(seen).toEqual([]);
    isLate = false;
    await client.request(post());
    expect(seen).toHaveLength(1);
  });
});
