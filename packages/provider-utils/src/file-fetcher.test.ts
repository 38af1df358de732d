import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createFileFetcher, type FileFetcher } from "./file-fetcher.ts";
import { isPublicAddress } from "./public-address.ts";

const open: { readonly servers: Server[]; readonly fetchers: FileFetcher[] } = { servers: [], fetchers: [] };
const requests: string[] = [];

afterEach(async () => {
  for (const fetcher of open.fetchers.splice(0)) await fetcher.close();
  for (const server of open.servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  requests.length = 0;
});

async function serve(
  answers: Readonly<Record<string, { status?: number; headers?: Record<string, string>; body?: string }>>,
): Promise<string> {
  const server = createServer((request, response) => {
    requests.push(`${request.url ?? ""} ${request.headers.authorization ?? "-"} ${request.headers.cookie ?? "-"}`);
    const { status = 200, headers = {}, body = "" } = answers[request.url ?? ""] ?? { status: 404 };
    response.writeHead(status, headers).end(body);
  });
  open.servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fetcher(allowsThisMachine: boolean): FileFetcher {
  const made = createFileFetcher(allowsThisMachine ? { allowsAddress: (address) => address === "127.0.0.1" } : {});
  open.fetchers.push(made);
  return made;
}

const { signal } = new AbortController();

describe("a file behind a link", () => {
  it("should come with name, type and size, also by way of redirects", async () => {
    const base = await serve({
      "/a": { status: 302, headers: { location: "/b/Grundri%C3%9F.pdf?sig=1" } },
      "/b/Grundri%C3%9F.pdf?sig=1": { headers: { "content-type": "application/pdf", "content-length": "5" }, body: "bytes" },
    });
    const file = await fetcher(true).fetch(`${base}/a`, { signal });
    expect(file).toMatchObject({ name: "Grundriß.pdf", type: "application/pdf", sizeBytes: 5 });
    expect(await new Response(file.stream).text()).toBe("bytes");
    expect(requests).toEqual(["/a - -", "/b/Grundri%C3%9F.pdf?sig=1 - -"]);
  });

  it("should not be fetched from this machine, by address or by name [F115 loopback]", async () => {
    const base = await serve({ "/a": { body: "secret" } });
    const { port } = new URL(base);
    for (const host of ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "a.localhost"]) {
      await expect(fetcher(false).fetch(`http://${host}:${port}/a`, { signal }), host).rejects.toMatchObject({
        code: host === "a.localhost" ? (expect.stringMatching(/LINK_REFUSED|FILE_NOT_FETCHED/) as string) : "LINK_REFUSED",
      });
    }
    expect(requests).toEqual([]);
  });

  it.each([
    "file:///etc/passwd",
    "ftp://example.com/a",
    "javascript:alert(1)",
    "https://user:pass@example.com/a",
    "not a link",
    "http://169.254.169.254/latest",
  ])("should not be fetched by a link that must not be followed: %s [F115 link-local]", async (link) => {
    await expect(fetcher(false).fetch(link, { signal })).rejects.toMatchObject({ code: "LINK_REFUSED" });
  });

  it("should not be fetched where a redirect leads to a place that is not allowed, or in circles [F115 a redirect to one]", async () => {
    const base = await serve({
      "/scheme": { status: 302, headers: { location: "file:///etc/passwd" } },
      "/circle": { status: 302, headers: { location: "/circle" } },
      "/inside": { status: 307, headers: { location: "http://127.0.0.2:80/" } },
      "/pass": { status: 302, headers: { location: "http://user:pass@127.0.0.1/" } },
    });
    for (const path of ["/scheme", "/circle", "/pass", "/inside"]) {
      await expect(fetcher(true).fetch(base + path, { signal })).rejects.toMatchObject({ code: "LINK_REFUSED" });
    }
  });

  it("should say whether asking again can help", async () => {
    const base = await serve({ "/500": { status: 500 }, "/403": { status: 403 } });
    const made = fetcher(true);
    await expect(made.fetch(`${base}/500`, { signal })).rejects.toMatchObject({ code: "FILE_NOT_FETCHED", isRetryable: true });
    await expect(made.fetch(`${base}/403`, { signal })).rejects.toMatchObject({ status: 403, isRetryable: false });
    await expect(made.fetch(`${base}/404`, { signal })).rejects.toMatchObject({ status: 404, isRetryable: false });
    await expect(made.fetch("http://127.0.0.1:1/", { signal })).rejects.toMatchObject({ code: "FILE_NOT_FETCHED", isRetryable: true });
  });
});

it("should tell public addresses from all others", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "223.255.255.255"]) expect(isPublicAddress(address), address).toBe(true);
  const inner = ["10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255"];
  const innerToo = ["::1", "::", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1", "host", ""];
  for (const address of [...inner, ...innerToo]) expect(isPublicAddress(address), address).toBe(false);
});
