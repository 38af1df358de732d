import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openDownload } from "./open-download.ts";

let server: Server;
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
}

const open = (url: string, signal = new AbortController().signal) => openDownload({ url, headers: { "x-key": "k" }, context: {}, signal });

describe("openDownload", () => {
  it("should give status, headers, size and bytes", async () => {
    const url = await serve((request, response) =>
      response.writeHead(200, { "content-length": 4, "x-got": request.headers["x-key"] }).end("plan"),
    );
    const { status, headers, sizeBytes, stream } = await open(url);
    expect([status, headers["x-got"], sizeBytes, await new Response(stream).text()]).toEqual([200, "k", 4, "plan"]);
  });

  it("should follow no redirect, and know no size where there is none [F115 part: redirects]", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: "http://127.0.0.1:1/" });
      response.write("no");
      response.end("where");
    });
    const { status, sizeBytes, stream } = await open(url);
    expect([status, sizeBytes, await new Response(stream).text()]).toEqual([302, 0, "nowhere"]);
  });

  it("should let go of a file that is not wanted, however much of it comes", async () => {
    const closed = Promise.withResolvers<string>();
    const url = await serve((_request, response) => {
      response.on("close", () => closed.resolve("closed"));
      const write = (): void => {
        while (response.write(Buffer.alloc(65_536)) && !response.destroyed);
      };
      response.on("drain", write);
      write();
    });
    const { stream } = await open(url);
    await stream.cancel();
    expect(await closed.promise).toBe("closed");
  });

  it("should stop when the signal does", async () => {
    const url = await serve((_request, response) => void response.writeHead(200).write("a part"));
    const controller = new AbortController();
    const { stream } = await open(url, controller.signal);
    controller.abort();
    await expect(new Response(stream).text()).rejects.toThrow();
    await expect(open(url, AbortSignal.abort())).rejects.toThrow();
  });
});
