import type { ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { HttpDispatcher } from "@handover/core";
import { Agent, request as sendRequest, type Dispatcher } from "undici";
import { startLoopbackServer, type LoopbackRequest } from "./loopback-server.ts";

/** What becomes of a call: an answer instead of the vendor's, the vendor's answer lost on its way, without its body, or late. */
export type GatewayFault =
  | { readonly kind: "answer"; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly kind: "lose-answer" }
  | { readonly kind: "empty-answer" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "cut" };

/** A call of the provider, as it left. */
export interface GatewayCall {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Stands between provider and vendor: records each call, and makes calls fail without any help of the vendor. A provider that
 * sends its requests through `context.dispatcher` passes it.
 */
export interface Gateway {
  readonly dispatcher: HttpDispatcher;
  readonly calls: GatewayCall[];
  /** Asked for each call, counted from 1 since this was set; nothing lets the call pass. */
  setFaults(decide: ((call: GatewayCall, index: number) => GatewayFault | undefined) | undefined): void;
  close(): Promise<void>;
}

const targetHeader = "x-conformance-origin";

/** Starts a gateway on 127.0.0.1. */
export async function startGateway(): Promise<Gateway> {
  const agent = new Agent({ pipelining: 1, allowH2: false });
  const calls: GatewayCall[] = [];
  let decide: Parameters<Gateway["setFaults"]>[0];
  let index = 0;

  async function handle(request: LoopbackRequest, response: ServerResponse): Promise<void> {
    const call = toCall(request);
    calls.push(call);
    index += 1;
    const fault = decide?.(call, index);
    if (fault?.kind === "cut") return void response.destroy();
    if (fault?.kind === "answer") return void response.writeHead(fault.status, fault.headers).end(fault.body);
    if (fault?.kind === "delay") await setTimeout(fault.delayMs);
    const answer = await forward(agent, call, request);
    if (fault?.kind === "lose-answer") return void response.destroy();
    if (fault?.kind === "empty-answer") return void response.writeHead(answer.status).end();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  const server = await startLoopbackServer(handle);
  return {
    calls,
    dispatcher: { dispatch: (options: never, handler: never) => divert(agent, server.origin, options, handler) },
    setFaults(next) {
      decide = next;
      index = 0;
    },
    async close() {
      await server.close();
      await agent.destroy();
    },
  };
}

/** Sends a request to the gateway instead, with a note where it was meant to go. */
function divert(agent: Agent, origin: string, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
  const note = [targetHeader, String(options.origin)];
  const headers = Array.isArray(options.headers) ? [...options.headers, ...note] : withNote(options.headers, note);
  return agent.dispatch({ ...options, origin, headers }, handler);
}

function withNote(headers: Dispatcher.DispatchOptions["headers"], [name = "", value = ""]: readonly string[]): Record<string, string> {
  const entries = headers && Symbol.iterator in headers ? [...(headers as Iterable<[string, string]>)] : Object.entries(headers ?? {});
  return { ...(Object.fromEntries(entries) as Record<string, string>), [name]: value };
}

function toCall(request: LoopbackRequest): GatewayCall {
  const { [targetHeader]: origin = "", host: _host, ...headers } = request.headers;
  return { method: request.method, url: origin + request.url, headers, body: Buffer.from(request.body).toString("utf8") };
}

async function forward(agent: Agent, call: GatewayCall, request: LoopbackRequest) {
  const { connection: _connection, "transfer-encoding": _encoding, "content-length": _length, ...headers } = call.headers;
  const answer = await sendRequest(call.url, {
    dispatcher: agent,
    method: call.method,
    headers,
    body: request.body.length > 0 ? Buffer.from(request.body) : null,
  });
  const { connection: _alive, "keep-alive": _keep, "transfer-encoding": _chunked, "content-length": _size, ...kept } = answer.headers;
  return { status: answer.statusCode, headers: kept as Record<string, string>, body: await answer.body.bytes() };
}
