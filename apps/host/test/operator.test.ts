import { readFile, stat } from "node:fs/promises";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RuntimeError } from "@handover/runtime";
import { createServer } from "../src/server/server.ts";
import { writeMetrics } from "../src/server/metrics-text.ts";
import { readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

let host: TestHost;
let guarded: TestHost;
beforeAll(async () => {
  host = await startTestHost();
  guarded = await startTestHost({ root: { metrics: { token: marked.metricsToken }, operator: { token: marked.operatorToken } } });
});
afterAll(async () => {
  await host.stop();
  await guarded.stop();
});

function sqlitePath({ configuration: { store } }: TestHost): string {
  if (store.kind !== "sqlite") throw new Error("This host has another store.");
  return store.path;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** fetch does not let the Host header be set. */
function getWith(url: string, headers: IncomingHttpHeaders): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { ...headers } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once("error", reject).end();
  });
}

describe("health", () => {
  test("should say that the host is alive and ready", async () => {
    expect(await send("GET", `${host.url}/healthz`)).toMatchObject({ status: 200, json: { status: "ok" } });
    expect(await send("GET", `${host.url}/readyz`)).toMatchObject({ status: 200, json: { status: "ready" } });
    expect((await fetch(`${host.url}/healthz`, { method: "HEAD" })).status).toBe(200);
  });

  test("should say that it is not ready without its store, and still be alive [F126 store down]", async () => {
    const runtime = {
      ...host.runtime,
      checkStore: () => Promise.reject(new RuntimeError("STORE_FAILED", "The disk is full.")),
      receiveMessage: () => Promise.reject(new RuntimeError("STORE_FAILED", "The disk is full.")),
    };
    const server = await createServer({ configuration: host.configuration, runtime, logger: silent });
    expect((await server.inject("/healthz")).statusCode).toBe(200);
    expect((await server.inject("/readyz")).json()).toMatchObject({ status: 503, code: "NOT_READY" });
    const sent = await server.inject({
      method: "POST",
      url: "/endpoints/support/conversations/c/messages",
      payload: { id: "1", text: "x" },
    });
    expect(sent.json()).toMatchObject({ status: 503, code: "STORE_FAILED" });
    expect(sent.headers["retry-after"]).toBe("1");
    await server.close();
  });
});

describe("metrics", () => {
  test("should be given to this machine as Prometheus text", async () => {
    await send("POST", `${host.conversation("m")}/messages`, { id: "1", text: "Hello" });
    const answer = await send("GET", `${host.url}/metrics`);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(answer.text).toMatch(/^# HELP handover_messages_received_total .+\n# TYPE handover_messages_received_total counter\n/m);
    expect(answer.text).toContain('handover_messages_received_total{endpoint="support"} 1\n');
    expect(answer.text).toMatch(/handover_open_streams \d+\n$/);
  });

  test("should not be given through a proxy on this machine, nor under another name", async () => {
    for (const headers of [
      { "x-forwarded-for": "203.0.113.9" },
      { forwarded: "for=203.0.113.9" },
      { via: "1.1 proxy" },
      { host: "evil.example" },
    ]) {
      expect(await getWith(`${host.url}/metrics`, headers)).toBe(401);
    }
    expect(await getWith(`${host.url}/metrics`, { host: "localhost:4000" })).toBe(200);
  });

  test("should need the token where there is one", async () => {
    expect((await send("GET", `${guarded.url}/metrics`)).status).toBe(401);
    expect((await send("GET", `${guarded.url}/metrics`, undefined, bearer("wrong"))).status).toBe(401);
    expect((await send("GET", `${guarded.url}/metrics`, undefined, bearer(marked.metricsToken))).status).toBe(200);
  });

  test("should be written with each name once and labels escaped", () => {
    const metric = (name: string, value: number, labels: Record<string, string> = {}) => ({
      name,
      help: `Help\nfor ${name}`,
      type: "counter" as const,
      labels,
      value,
    });
    expect(writeMetrics([metric("a", 1, { x: 'q"b\\s\nn' }), metric("b", 2), metric("a", 3, { x: "y", z: "w" })])).toBe(
      '# HELP a Help\\nfor a\n# TYPE a counter\na{x="q\\"b\\\\s\\nn"} 1\na{x="y",z="w"} 3\n# HELP b Help\\nfor b\n# TYPE b counter\nb 2\n',
    );
  });
});

describe("the operator's routes", () => {
  test("should need a token even from this machine, because webhook URLs hold secrets", async () => {
    for (const [method, path] of [
      ["GET", "/operator/connections"],
      ["POST", "/operator/check"],
    ] as const) {
      expect(await send(method, `${guarded.url}${path}`)).toMatchObject({ status: 401, json: { code: "OPERATOR_ONLY" } });
      expect((await send(method, `${guarded.url}${path}`, undefined, bearer(marked.metricsToken))).status).toBe(401);
      expect((await send(method, `${guarded.url}${path}`, undefined, bearer(marked.operatorToken))).status).toBe(200);
    }
  });

  test("should be open to the command line through a file that only this user can read", async () => {
    const file = `${sqlitePath(host)}.operator.json`;
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { url, token } = JSON.parse(await readFile(file, "utf8")) as { url: string; token: string };
    expect(url).toBe(host.url);
    const answer = await send("GET", `${url}/operator/connections`, undefined, bearer(token));
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.text).toContain(`/handover/live-agent/desk/${marked.webhookSecret}`);
  });

  test("should go away with the host", async () => {
    const other = await startTestHost();
    const file = `${sqlitePath(other)}.operator.json`;
    await other.stop();
    await expect(stat(file)).rejects.toThrow();
  });
});

test("should not tell secrets anywhere else [F112 no secret in answers]", async () => {
  const paths = ["/endpoints/support", "/healthz", "/readyz", "/metrics", "/operator/connections", "/chat/support", "/nothing"];
  const answers = await Promise.all(paths.map((path) => send("GET", `${host.url}${path}`)));
  expect(JSON.stringify(answers)).not.toContain("MARKED");
  expect(host.logLines.join("\n")).not.toContain("MARKED");
});

test("should count refused webhooks by code [F124 a trace of what was refused]", async () => {
  await send("POST", `${host.url}/handover/live-agent/desk/wrong`, "{}");
  expect((await send("GET", `${host.url}/metrics`)).text).toMatch(/handover_webhooks_total\{connection="desk",result="[A-Z_]+"\} 1\n/);
});

test("should keep other endpoints and the process going when a connection has a wrong key [F161]", async () => {
  const wrong = await startTestHost({
    endpoints: [
      supportEndpoint,
      {
        token: "wrong",
        access: "open",
        bot: { demo: {} },
        handover: { provider: "live-agent", settings: { baseUrl: host.desk.baseUrl, accountId: "1", inboxId: "1", apiKey: "not-the-key" } },
      },
    ],
  });
  const [good, bad] = [wrong.conversation("good"), wrong.conversation("bad", "wrong")];
  await send("POST", `${bad}/messages`, { id: "1", text: "agent" });
  const failed = await readUntil(bad, ({ status }) => status === "ended");
  expect(failed.at(-1)).toMatchObject({ status: "ended", reason: "failed" });
  await send("POST", `${good}/messages`, { id: "1", text: "agent" });
  await readUntil(good, ({ status }) => status === "queued");
  expect((await send("GET", `${wrong.url}/healthz`)).status).toBe(200);
  await wrong.stop();
});
