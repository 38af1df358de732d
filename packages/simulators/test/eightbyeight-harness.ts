import { createPublicKey, verify } from "node:crypto";
import { crc32 } from "node:zlib";
import { expect, onTestFinished } from "vitest";
import type { EightbyeightBehaviour, EightbyeightSimulator, EightbyeightSimulatorOptions, SimulatorClock } from "../src/index.ts";
import { startSimulators } from "../src/index.ts";
import type { Receiver, ReceivedWebhook } from "./harness.ts";
import { call, startReceiver } from "./harness.ts";

export type Wire = Readonly<Record<string, unknown>>;

export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Wire;
}

export interface EightbyeightBench {
  readonly url: string;
  readonly simulator: EightbyeightSimulator;
  readonly receiver: Receiver;
  /** A call of the gateway with the key. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<WireAnswer>;
  /** Any call of the simulators' server. */
  http(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<WireAnswer>;
  /** A conversation in the queue; returns its id. */
  converse(fields?: object): Promise<string>;
  /** What came since the last time it was asked, once all is delivered. */
  told(): Promise<Wire[]>;
}

/** Retries do not wait, unless the test says so. */
export async function startEightbyeight(
  options: EightbyeightSimulatorOptions = {},
  behaviour: Partial<EightbyeightBehaviour> = {},
  clock?: SimulatorClock,
): Promise<EightbyeightBench> {
  const receiver = await startReceiver();
  const simulators = await startSimulators({
    eightbyeight: { webhookUrl: `${receiver.url}/hook`, ...options },
    ...(clock ? { clock } : {}),
  });
  onTestFinished(() => simulators.close());
  const { url, eightbyeight: simulator } = simulators;
  simulator.setBehaviour({ webhookRetryDelayMs: 0, ...behaviour });
  let seen = 0;

  const http: EightbyeightBench["http"] = async (method, path, body, headers = {}) => {
    const { status, headers: answered, text } = await call(method, `${url}${path}`, body, headers);
    return { status, headers: answered, text, json: parse(text) };
  };
  const api: EightbyeightBench["api"] = (method, path, body, headers = {}) =>
    http(method, `/eightbyeight/chat-gateway/v1${path}`, body, { "x-api-key": simulator.apiKey, ...headers });
  return {
    url,
    simulator,
    receiver,
    api,
    http,
    async converse(fields = {}) {
      const created = await api("POST", "/conversations", { channelId: simulator.channelId, user: { name: "Uma User" }, ...fields });
      expect([created.status, created.text]).toEqual([202, expect.stringContaining("conversationId")]);
      return String(created.json["conversationId"]);
    },
    async told() {
      await simulator.webhooksIdle();
      const fresh = receiver.received.slice(seen);
      seen = receiver.received.length;
      return fresh.map(({ raw }) => JSON.parse(raw) as Wire);
    },
  };
}

export function parse(text: string): Wire {
  try {
    return JSON.parse(text) as Wire;
  } catch {
    return {};
  }
}

/** Events in short: their type with what makes the difference. */
export function brief(events: readonly Wire[]): string[] {
  return events.map((event) => {
    const data = (event["data"] ?? {}) as Wire;
    const assignment = data["assignment"] as Wire | undefined;
    const details: unknown[] = [data["state"], assignment?.["type"], data["queueId"], data["memberType"], data["change"], data["text"]];
    return [event["eventType"], ...details.filter((detail) => detail !== undefined)].join(" ");
  });
}

/** Checks a webhook as a receiver has to, with nothing of the simulator's code. */
export async function isSignedRight(bench: EightbyeightBench, { headers, raw }: ReceivedWebhook): Promise<boolean> {
  const header = (name: string): string => String(headers[`x-8x8-${name}`]);
  const [protectedPart = "", middle, signature = ""] = header("signature").split(".");
  const decoded = JSON.parse(Buffer.from(protectedPart, "base64url").toString()) as { kid: string };
  expect(middle).toBe("");
  const payload =
    `{"checksum":${crc32(Buffer.from(raw))},"cid":"${header("customer-id")}","eid":"${header("event-id")}",` +
    `"retry":${header("retry")},"tid":"${header("tenant-id")}","tt":${header("transmission-time")}}`;
  const key = await bench.http("GET", `/eightbyeight/chat-gateway/v1/jwk/${decoded.kid}/public`);
  if (key.status !== 200) return false;
  const publicKey = createPublicKey({ key: key.json, format: "jwk" });
  return verify("RSA-SHA256", Buffer.from(`${protectedPart}.${payload}`), publicKey, Buffer.from(signature, "base64url"));
}

/** The page of a list. */
export function embedded(answer: WireAnswer, plural: string): Wire[] {
  expect(answer.status).toBe(200);
  return ((answer.json["_embedded"] ?? {}) as Record<string, Wire[]>)[plural] ?? [];
}
