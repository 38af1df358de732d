import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { send, startTestHost, type TestHost } from "./support/test-host.ts";

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

/** fetch would tidy the path up. */
function rawStatus(path: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(host.url);
    const request = httpRequest({ hostname, port, path }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk) => (body += String(chunk)));
      response.once("end", () => resolve({ status: response.statusCode, body }));
    });
    request.once("error", reject).end();
  });
}

test("should serve the page with a policy that lets nothing foreign run [F114 policy of the page]", async () => {
  const page = await send("GET", `${host.url}/chat/support`);
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
  );
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(page.headers.get("referrer-policy")).toBe("no-referrer");
  expect(page.text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=/);
});

test("should serve every file that the page names, and those only once they changed", async () => {
  const page = (await send("GET", `${host.url}/chat/support`)).text;
  const files = [...page.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map((match) => match[1] ?? "");
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    const first = await send("GET", `${host.url}/chat/${file}`);
    expect(first.status).toBe(200);
    expect(first.headers.get("content-type")).toMatch(/javascript|css|svg|png|icon/);
    const again = await send("GET", `${host.url}/chat/${file}`, undefined, { "if-none-match": first.headers.get("etag") ?? "" });
    expect(again).toMatchObject({ status: 304, text: "" });
  }
});

test("should answer 404 with the page for an endpoint that is not there", async () => {
  const answer = await send("GET", `${host.url}/chat/none`);
  expect(answer.status).toBe(404);
  expect(answer.text).toContain("<!doctype html>");
});

test.each([
  "/chat/assets/../../package.json",
  "/chat/assets/..%2F..%2Fpackage.json",
  "/chat/assets/%2e%2e/%2e%2e/package.json",
  "/chat/assets/..%5C..%5Cpackage.json",
  "/chat/assets/tsconfig.json",
  "/chat/assets/chat-types.d.ts",
  "/chat/assets/chat.html",
  "/chat/assets/__proto__",
  "/chat/assets/chat-app.js%00.svg",
  "/chat/assets//etc/passwd",
])("should serve nothing else: %s", async (path) => {
  const { status, body } = await rawStatus(path);
  expect(status).toBe(404);
  expect(body).not.toContain("@handover/host");
});
