import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { parseConfig } from "@handover/core";
import { liveAgentProvider } from "../src/index.ts";
import { makeContext } from "../src/__fixtures__/calls.ts";
import { expectDocumented } from "./request-schemas.ts";
import type { Connection } from "./desk.ts";

export interface StubCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** What a form holds, files among it. */
  readonly form?: FormData;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a server answers: a body with 200, or a status with a body that is sent as it is when it is a text. */
export type StubAnswer =
  { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> } | object | undefined;

/** By method and end of the path; the longest one that fits counts. Everything else is a 404. */
export type StubRoutes = Readonly<Record<string, (call: StubCall) => StubAnswer>>;

/** An installation that does what no profile of the simulator does: old versions, odd settings, broken answers. */
export interface Stub {
  readonly connection: Connection;
  readonly calls: StubCall[];
  close(): Promise<void>;
}

export async function openStub(routes: StubRoutes, settings: Record<string, unknown> = {}): Promise<Stub> {
  const calls: StubCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      void readCall(request, Buffer.concat(chunks)).then((call) => {
        calls.push(call);
        const { status, body: answer, headers } = answerOf(routes, call);
        response.writeHead(status, headers).end(typeof answer === "string" ? answer : JSON.stringify(answer ?? ""));
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/path`;
  const required = { baseUrl, accountId: "1", inboxId: "3", apiKey: "stub-key" };
  const parsed = parseConfig(liveAgentProvider.settings, { ...required, ...settings }, "test");
  const connection = liveAgentProvider.connect(parsed, makeContext()) as Connection;
  return {
    connection,
    calls,
    async close() {
      await connection.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      expectDocumented(calls);
    },
  };
}

async function readCall(request: IncomingMessage, bytes: Buffer): Promise<StubCall> {
  const url = new URL(request.url ?? "/", "http://stub");
  const headers = request.headers as Record<string, string>;
  const type = headers["content-type"] ?? "";
  const call = { method: request.method ?? "", path: url.pathname, query: url.searchParams, headers };
  if (type.startsWith("multipart/")) {
    // Only what the provider itself has written is read here.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    return { ...call, body: {}, form: await new Response(new Uint8Array(bytes), { headers: { "content-type": type } }).formData() };
  }
  const text = bytes.toString();
  return { ...call, body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
}

function answerOf(routes: StubRoutes, call: StubCall): { status: number; body?: unknown; headers?: Record<string, string> } {
  const called = `${call.method} ${call.path}`;
  const [route] = Object.keys(routes)
    .filter((key) => called.startsWith(key.split(" ")[0] ?? "") && called.endsWith(key.split(" ")[1] ?? ""))
    .sort((left, right) => right.length - left.length);
  const answer = route === undefined ? undefined : routes[route]?.(call);
  if (answer === undefined) return { status: 404, body: { error: "Resource could not be found" } };
  return "status" in answer && typeof answer.status === "number" ? answer : { status: 200, body: answer };
}
