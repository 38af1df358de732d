import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** What a webhook of a test is signed with; the defaults are a right one. */
export interface SignedParts {
  readonly tenant?: string;
  readonly eventId?: string;
  readonly atMs?: number;
  readonly retry?: number;
  readonly customerId?: string;
  readonly keyId?: string;
  readonly head?: Readonly<Record<string, unknown>>;
  readonly checksum?: number;
}

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const { n = "", e = "" } = pair.publicKey.export({ format: "jwk" });
/** The key of the tests; a test's key server gives it out. */
export const testKey = { kid: "key-of-the-tests", jwk: { kty: "RSA", n, e, kid: "key-of-the-tests" } };
let lastEvent = 0;

/** The six headers of a webhook, signed by the key of the tests. */
export function signedHeaders(body: Uint8Array | string, parts: SignedParts = {}): Record<string, string> {
  const { tenant = "acme01", eventId = `event-${(lastEvent += 1)}`, atMs = Date.now(), retry = 0, customerId = "customer01" } = parts;
  const head = parts.head ?? { b64: false, crit: ["b64"], kid: parts.keyId ?? testKey.kid, alg: "RS256" };
  const encoded = Buffer.from(JSON.stringify(head)).toString("base64url");
  const checksum = parts.checksum ?? crc32(Buffer.from(body));
  const payload = `{"checksum":${checksum},"cid":"${customerId}","eid":"${eventId}","retry":${retry},"tid":"${tenant}","tt":${atMs}}`;
  const signature = sign("RSA-SHA256", Buffer.from(`${encoded}.${payload}`), pair.privateKey).toString("base64url");
  return {
    "x-8x8-tenant-id": tenant,
    "x-8x8-customer-id": customerId,
    "x-8x8-event-id": eventId,
    "x-8x8-transmission-time": String(atMs),
    "x-8x8-retry": String(retry),
    "x-8x8-signature": `${encoded}..${signature}`,
  };
}

/** Gives out keys as 8x8 does: that of the tests, and those of another server. */
export interface KeyServer {
  readonly baseUrl: string;
  /** Ids that were asked for. */
  readonly asked: string[];
  /** What it answers from now on, instead of the key. */
  answer: { readonly status: number; readonly body?: unknown; readonly delayMs?: number } | "hang" | undefined;
  close(): Promise<void>;
}

export async function openKeyServer(upstream?: () => string): Promise<KeyServer> {
  const server = createServer((request, response) => {
    void (async () => {
      const keyId = /\/chat-gateway\/v1\/jwk\/([^/]+)\/public$/.exec(request.url ?? "")?.[1] ?? "";
      keys.asked.push(keyId);
      if (keys.answer === "hang") return;
      if (keys.answer) return void response.writeHead(keys.answer.status).end(JSON.stringify(keys.answer.body ?? ""));
      if (keyId === testKey.kid) return void response.end(JSON.stringify(testKey.jwk));
      const answer = upstream && (await fetch(`${upstream()}/chat-gateway/v1/jwk/${keyId}/public`));
      response.writeHead(answer?.status ?? 404).end((await answer?.text()) ?? '{"message":"not found","errors":["not found"]}');
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const keys: KeyServer = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return keys;
}
