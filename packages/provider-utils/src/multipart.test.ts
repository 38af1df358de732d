import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpClient } from "./http-client.ts";
import { pathOf } from "./http-path.ts";
import type { MultipartBody } from "./http-types.ts";
import { encodeMultipart } from "./multipart.ts";

interface Received {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly form: FormData;
}

const received: Received[] = [];
let status = 200;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const headers = request.headers as Record<string, string>;
    // Only what this package itself has written is read here.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    void new Response(Buffer.concat(chunks), { headers: { "content-type": headers["content-type"] ?? "" } }).formData().then((form) => {
      received.push({ headers, form });
      response.writeHead(status).end("{}");
    });
  });
});
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
let refreshes = 0;
const client = () =>
  createHttpClient({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    context: { clock: { now: () => Date.now() }, logger: silent },
    headers: { authorization: "Bearer key" },
    refreshCredentials: () => void (refreshes += 1),
  });

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const streamOf = (text: string): ReadableStream<Uint8Array> => new Blob([text]).stream() as ReadableStream<Uint8Array>;

async function post(multipart: MultipartBody): Promise<Received> {
  const http = client();
  await http.request({ method: "POST", path: pathOf`/files`, multipart, signal: AbortSignal.timeout(10_000) }).finally(() => http.close());
  const last = received.at(-1);
  if (!last) throw new Error("nothing arrived");
  return last;
}

describe("multipart bodies", () => {
  it("should send fields and files with their names, types and bytes [F132 part: names of any characters]", async () => {
    const names = ["Grundriß.pdf", 'a "quoted" name.txt', "line\r\nbreak", "plain"];
    const { headers, form } = await post({
      fields: { content: "Grüße 👋\r\n--line", empty: "" },
      files: names.map((name, index) => {
        const text = `file ${index}: ü`;
        return {
          field: "attachments[]",
          name,
          type: index === 0 ? "application/pdf" : "text/plain",
          sizeBytes: Buffer.byteLength(text),
          stream: streamOf(text),
        };
      }),
    });
    expect(headers["authorization"]).toBe("Bearer key");
    expect(Number(headers["content-length"])).toBeGreaterThan(0);
    expect([form.get("content"), form.get("empty")]).toEqual(["Grüße 👋\r\n--line", ""]);
    const files = form.getAll("attachments[]") as File[];
    expect(files.map(({ name }) => name)).toEqual(["Grundriß.pdf", 'a "quoted" name.txt', "line\r\nbreak", "plain"]);
    expect(files[0]?.type).toBe("application/pdf");
    expect(await Promise.all(files.map((file) => file.text()))).toEqual(names.map((_, index) => `file ${index}: ü`));
  });

  it("should send a file whose size nobody knows", async () => {
    const { headers, form } = await post({ files: [{ field: "f", name: "x", type: "text/plain", sizeBytes: 0, stream: streamOf("abc") }] });
    expect(headers["content-length"]).toBeUndefined();
    expect(await (form.get("f") as File).text()).toBe("abc");
  });

  it("should not repeat by itself what it has streamed away", async () => {
    status = 401;
    const before = received.length;
    const file = { field: "f", name: "x", type: "text/plain", sizeBytes: 3, stream: streamOf("abc") };
    await expect(post({ files: [file] })).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED", isRetryable: true });
    status = 200;
    expect([received.length - before, refreshes]).toEqual([1, 1]);
  });

  it("should not let a name or type add lines to the head", async () => {
    const { body } = encodeMultipart({
      files: [{ field: "f", name: 'x"\r\nX-Evil: 1', type: "a/b\r\nX-Evil: 2", sizeBytes: 1, stream: streamOf("a") }],
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    expect(text).not.toMatch(/^X-Evil/m);
  });
});
