import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { ApiAnswer, ApiCall } from "./vendor-api.ts";
import { VendorApiRefusal } from "./vendor-error.ts";
import type { FaultPlan } from "./vendor-faults.ts";
import type { VendorAccess } from "./vendor-tokens.ts";

/** A call that arrived, without its secrets. */
export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The HTTP server of the test vendor. */
export interface VendorServer {
  readonly baseUrl: string;
  readonly calls: ReceivedCall[];
  close(): Promise<void>;
}

/** Serves the API on 127.0.0.1 and a free port. */
export async function startVendorServer(options: {
  readonly admits: VendorAccess["admits"];
  readonly plan: FaultPlan;
  readonly handle: (call: ApiCall) => ApiAnswer;
  /** Awaited before the answer of a create call, for vendors whose events are faster than their answers. */
  readonly beforeAnswer: () => Promise<void>;
}): Promise<VendorServer> {
  const calls: ReceivedCall[] = [];
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://vendor");
    const path = url.pathname.replace(/^\/api/, "");
    const text = await readBody(request);
    const body = parse(text);
    const method = request.method ?? "GET";
    calls.push({ method, path: path + url.search, body });
    const fault = options.plan.forCall(method, path);
    if (fault.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, fault.latencyMs));
    if (fault.status !== undefined) {
      return send(response, refusal(fault.status, "fault"), fault.retryAfterSeconds);
    }
    const segments = path.split("/").slice(1).map(decodeURIComponent);
    const isAuthentic = options.admits({ method, path, authorization: request.headers.authorization ?? "" });
    const answer = isAuthentic ? attempt(() => options.handle({ method, segments, query: url.searchParams, body })) : refusal(401, "key");
    if (method === "POST" && path === "/conversations" && options.plan.faults().eventBeforeStartAnswer) await options.beforeAnswer();
    if (fault.losesAnswer) return void response.destroy();
    send(response, answer);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    calls,
    close: () => closeServer(server),
  };
}

/** Closes a server and what still hangs on it. */
async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function attempt(run: () => ApiAnswer): ApiAnswer {
  try {
    return run();
  } catch (error) {
    if (error instanceof VendorApiRefusal) return refusal(error.status, error.code);
    throw error;
  }
}

function refusal(status: number, code: string): ApiAnswer {
  return { status, json: { error: { code, message: "refused" } } };
}

function send(response: ServerResponse, answer: ApiAnswer, retryAfterSeconds?: number): void {
  if (retryAfterSeconds !== undefined) response.setHeader("retry-after", String(retryAfterSeconds));
  response.statusCode = answer.status;
  if (answer.bytes) return void response.setHeader("content-type", answer.type ?? "application/octet-stream").end(answer.bytes);
  if (answer.json === undefined) return void response.end();
  response.setHeader("content-type", "application/json").end(JSON.stringify(answer.json));
}

/** Reads a whole body. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString("utf8")) as Record<string, unknown>;
  } catch {
    return {};
  }
}
