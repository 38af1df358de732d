import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestVendor, type TestVendor } from "../../../packages/testkit/src/index.ts";
import { png } from "../../../test/runtime/support/files.ts";
import { checkConfiguration } from "../src/configuration/load-configuration.ts";
import { sourceOfValue } from "../src/configuration/yaml-source.ts";
import { startBotServer, type BotServer } from "./support/bot-server.ts";
import { readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

const deskOrigin = "https://desk.example.com";
const limitBytes = 200_000;
let bot: BotServer;
let vendor: TestVendor;
let host: TestHost;

beforeAll(async () => {
  vendor = await createTestVendor();
  bot = await startBotServer(({ message }) => {
    if (message?.text === "agent") return { handover: {} };
    return {
      messages: [{ text: "a list", attachments: [{ name: "list.pdf", type: "application/pdf", url: "https://files.example/list.pdf" }] }],
    };
  });
  const handover = { connections: ["desk"] };
  host = await startTestHost({
    root: {
      plugins: [vendor.pluginFile],
      publicUrl: "http://127.0.0.1:1/base",
      connections: { desk: { provider: vendor.provider.name, settings: vendor.settings, webhookSecrets: [marked.webhookSecret] } },
      limits: { perConversation: { messages: 50, seconds: 10 }, attachmentBytes: limitBytes, attachmentsPerConversation: 8 },
      attachments: { deskOrigins: [deskOrigin] },
    },
    endpoints: [
      { ...supportEndpoint, handover, bot: { http: { url: bot.url, secret: marked.botSecret } } },
      { ...supportEndpoint, token: "signed", handover, access: { signed: { secret: marked.signingSecret } } },
    ],
  });
  vendor.backend.setWebhookUrl(`${host.url}/handover/${vendor.provider.name}/desk/${marked.webhookSecret}`);
});
afterAll(async () => {
  await host.stop();
  await vendor.close();
  await bot.close();
});

let count = 0;
const newId = () => `files ${(count += 1)}`;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: { readonly id?: string; readonly url?: string; readonly code?: string; readonly detail?: string; readonly name?: string };
}

async function upload(
  url: string,
  name: string,
  bytes: string | Uint8Array,
  type = "",
  headers: Record<string, string> = {},
): Promise<Answer> {
  const form = new FormData();
  form.append("note", "a field before it");
  form.append("file", new File([Buffer.from(bytes)], name, { type }));
  const response = await fetch(`${url}/attachments`, { method: "POST", body: form, headers });
  return { status: response.status, headers: response.headers, json: (await response.json()) as Answer["json"] };
}

describe("POST .../attachments", () => {
  test("should keep a file that a message can name, and give its bytes back", async () => {
    const id = newId();
    const url = host.conversation(id);
    const { status, json } = await upload(url, "Grundriß 部屋.png", png, "image/png");
    const path = `/endpoints/support/conversations/${encodeURIComponent(id)}/attachments/${json.id ?? ""}`;
    const attachment = {
      id: json.id,
      name: "Grundriß 部屋.png",
      type: "image/png",
      sizeBytes: png.length,
      url: `http://127.0.0.1:1/base${path}`,
    };
    expect({ status, json }).toEqual({ status: 201, json: attachment });
    expect(await send("POST", `${url}/messages`, { id: "m1", attachments: [json.id] })).toMatchObject({ status: 202, json: { seq: 1 } });
    const entries = await readUntil(url, ({ author }) => author?.role === "bot");
    expect(entries[0]).toMatchObject({ seq: 1, id: "m1", attachments: [attachment] });
    expect(entries[1]?.attachments).toEqual([
      { id: expect.any(String) as string, name: "list.pdf", type: "application/pdf", url: "https://files.example/list.pdf" },
    ]);
    const given = await fetch(host.url + path);
    expect(Buffer.from(await given.bytes()).equals(png)).toBe(true);
    expect(Object.fromEntries(given.headers)).toMatchObject({
      "content-type": "image/png",
      "content-length": String(png.length),
      "content-disposition": "inline; filename=\"Grundri_ __.png\"; filename*=UTF-8''Grundri%C3%9F%20%E9%83%A8%E5%B1%8B.png",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "private, max-age=3600",
    });
    expect(await fetch(host.url + path, { method: "HEAD" })).toMatchObject({ status: 200 });
  });

  test.each([
    ["page.html", "<script>alert(1)</script>", "text/html", "application/octet-stream"],
    ["picture.png", "<script>alert(1)</script>", "image/png", "application/octet-stream"],
    ["picture.svg", "<svg onload=alert(1)>", "image/svg+xml", "application/octet-stream"],
    ["run.js", "alert(1)", "text/javascript", "application/octet-stream"],
    ["page.xml", "<x/>", "application/vnd.mozilla.xul+xml", "application/octet-stream"],
    ["empty", "", "", "application/octet-stream"],
    ["notes.txt", "notes", "text/plain", "text/plain"],
    ["voice.ogg", "voice", "audio/ogg", "audio/ogg"],
    [
      "table.xlsx",
      "x",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ],
    ['"><img src=x onerror=alert(1)>.txt', "x", "text/plain", "text/plain"],
    ["../../etc/=cmd().csv", "x", "text/csv", "text/csv"],
  ])("should have %s saved and never run [F114 file name, as it is served]", async (name, bytes, type, served) => {
    const url = host.conversation(newId());
    const { status, json } = await upload(url, name, bytes, type);
    expect(status).toBe(201);
    const given = await fetch(`${url}/attachments/${json.id ?? ""}`);
    expect(await given.text()).toBe(bytes);
    expect(given.headers.get("content-type")?.split(";")[0]).toBe(served);
    const saved = given.headers.get("content-disposition") ?? "";
    expect(saved).toMatch(/^attachment; filename="[^"\\]*"; filename\*=UTF-8''[\w.%!#$&+^`|~-]*$/);
    expect(saved).not.toMatch(/\.\.|<|>|\//);
    expect(given.headers.get("content-security-policy")).toContain("sandbox");
  });

  test("should refuse what is too large, and say the limit, whatever length was announced [F134 too big, user told with the limit]", async () => {
    const url = host.conversation(newId());
    const told = await upload(url, "big.bin", Buffer.alloc(limitBytes + 1));
    expect(told).toMatchObject({
      status: 413,
      json: { code: "ATTACHMENT_TOO_LARGE", detail: expect.stringContaining(String(limitBytes)) as string },
    });
    for (let index = 0; index < 5; index += 1) expect((await upload(url, "much.bin", Buffer.alloc(3_000_000))).status).toBe(413);
    expect((await upload(url, "fits.bin", Buffer.alloc(limitBytes))).status).toBe(201);
  });

  test("should refuse what is no form with a file, more files than are allowed, and files of others", async () => {
    const url = host.conversation(newId());
    expect(await send("POST", `${url}/attachments`, { file: "x" })).toMatchObject({ status: 415 });
    const form = new FormData();
    form.append("note", "no file");
    expect(await fetch(`${url}/attachments`, { method: "POST", body: form })).toMatchObject({ status: 400 });
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    for (const body of ["", "--x\r\n", "--x\r\ncontent-disposition: form-data; name=a; filename=b\r\n\r\nhalf"]) {
      expect((await fetch(`${url}/attachments`, { method: "POST", headers, body })).status, JSON.stringify(body)).toBe(400);
    }
    expect(
      await fetch(`${url}/attachments`, { method: "POST", headers: { "content-type": "multipart/form-data" }, body: "x" }),
    ).toMatchObject({ status: 400 });
    const files = [];
    for (let index = 0; index < 8; index += 1) files.push((await upload(url, `${index}`, "x")).json.id ?? "");
    expect(await upload(url, "9", "x")).toMatchObject({ status: 409, json: { code: "TOO_MANY_ATTACHMENTS" } });
    const other = host.conversation(newId());
    expect(await send("GET", `${other}/attachments/${files[0] ?? ""}`)).toMatchObject({
      status: 404,
      json: { code: "ATTACHMENT_NOT_FOUND" },
    });
    expect((await send("GET", `${other}/attachments/none`)).text).toBe((await send("GET", `${other}/attachments/${files[0] ?? ""}`)).text);
    for (const attachments of [files.slice(0, 1), ["none"]]) {
      expect(await send("POST", `${other}/messages`, { id: "m", attachments })).toMatchObject({
        status: 400,
        json: { code: "UNKNOWN_ATTACHMENT" },
      });
    }
    expect(await send("POST", `${other}/messages`, { id: "m", attachments: [] })).toMatchObject({
      status: 400,
      json: { code: "MESSAGE_EMPTY" },
    });
  });

  test("should keep nothing of an upload that is cut off, and go on", async () => {
    const url = host.conversation(newId());
    const cut = httpRequest(`${url}/attachments`, {
      method: "POST",
      headers: { "content-type": "multipart/form-data; boundary=x", "content-length": "100000" },
    });
    const gone = new Promise((resolve) => cut.once("error", resolve));
    cut.write(`--x\r\ncontent-disposition: form-data; name=a; filename=b\r\n\r\n${"half".repeat(100)}`, () =>
      cut.destroy(new Error("gone")),
    );
    await gone;
    expect((await upload(url, "whole", "whole")).status).toBe(201);
  });

  test("should keep to the limits of the conversation", async () => {
    const url = host.conversation(newId());
    const answers = await Promise.all(Array.from({ length: 52 }, () => send("POST", `${url}/attachments`, { no: "form" })));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(2);
    expect(answers.find(({ status }) => status === 429)?.headers.get("retry-after")).toMatch(/^\d+$/);
  });
});

test("should name what is wrong about files in a configuration", async () => {
  const value = {
    endpoints: [{ token: "a", access: "open" }],
    limits: { attachmentBytes: 0, attachmentsPerMessage: 21 },
    attachments: { deskOrigins: ["https://desk.example.com/"], allowPrivateLink: true },
  };
  const checked = checkConfiguration({
    source: sourceOfValue("test", value),
    path: "/nowhere/handover.yaml",
    options: { environment: {} },
  });
  const { problems } = (await checked.catch((error: unknown) => error)) as { problems: readonly { path: string; message: string }[] };
  expect(problems.map(({ path }) => path).toSorted()).toEqual([
    "attachments.allowPrivateLink",
    "attachments.deskOrigins[0]",
    "limits.attachmentBytes",
    "limits.attachmentsPerMessage",
  ]);
  expect(problems.map(({ message }) => message).join()).toContain("allowPrivateLinks");
});

test("should let only its own visitor into the files of a signed conversation, also by the cookie", async () => {
  const tokenFor = (conversation: string) =>
    new SignJWT({ sub: "u", conversation })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(marked.signingSecret));
  const url = host.conversation("mine", "signed");
  const mine = { authorization: `Bearer ${await tokenFor("mine")}` };
  const other = { authorization: `Bearer ${await tokenFor("other")}` };
  expect((await upload(url, "a", "x")).status).toBe(401);
  expect((await upload(url, "a", "x", "", other)).status).toBe(404);
  const { json } = await upload(url, "a", "secret", "", mine);
  const file = `${url}/attachments/${json.id ?? ""}`;
  expect(await send("GET", file)).toMatchObject({ status: 401 });
  expect(await send("GET", file, undefined, other)).toMatchObject({ status: 404 });
  expect(await send("GET", file, undefined, mine)).toMatchObject({ status: 200, text: "secret" });
  const cookie = (await send("POST", `${url}/access`, undefined, mine)).headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(await send("GET", file, undefined, { cookie })).toMatchObject({ status: 200, text: "secret" });
});

describe("GET /files/{token}", () => {
  async function linkFor(content: string | Uint8Array, name: string, type: string): Promise<string> {
    const url = host.conversation(newId());
    const { json } = await upload(url, name, content, type);
    await send("POST", `${url}/messages`, { id: "m", attachments: [json.id] });
    await readUntil(url, ({ author }) => author?.role === "bot");
    const file = bot.requests.flatMap(({ turn }) => turn.message?.attachments ?? []).find(({ id }) => id === json.id);
    const link = new URL(file?.url ?? "");
    expect(link.pathname).toMatch(/^\/base\/files\/[\w-]+$/);
    return `${host.url}${link.pathname.replace("/base", "")}`;
  }

  test("should give a desk in the agent's browser the file, from the origins that are listed [F136]", async () => {
    const link = await linkFor(png, "shot.png", "image/png");
    const given = await fetch(link, { headers: { origin: deskOrigin } });
    expect(given.headers.get("access-control-allow-origin")).toBe(deskOrigin);
    expect(Buffer.from(await given.bytes()).equals(png)).toBe(true);
    expect((await fetch(link, { method: "OPTIONS", headers: { origin: deskOrigin } })).headers.get("access-control-allow-origin")).toBe(
      deskOrigin,
    );
    const elsewhere = await fetch(link, { headers: { origin: "https://elsewhere.example" } });
    expect(elsewhere.headers.get("access-control-allow-origin")).toBeNull();
    expect(elsewhere.headers.get("vary")).toContain("Origin");
    await elsewhere.body?.cancel();
  });

  test("should serve it as safely as the channel does, and nothing for a link that is not ours", async () => {
    const link = await linkFor("<script>alert(1)</script>", "x.html", "text/html");
    const given = await send("GET", link);
    expect(given.headers.get("content-type")).toBe("application/octet-stream");
    expect(given.headers.get("content-disposition")).toMatch(/^attachment;/);
    for (const token of ["x", link.slice(-30), randomBytes(100).toString("base64url")]) {
      expect(await send("GET", `${host.url}/files/${token}`)).toMatchObject({ status: 404, json: { code: "ATTACHMENT_NOT_FOUND" } });
    }
    expect(host.logLines.join("\n")).not.toContain(link.split("/").at(-1));
  });
});

describe("a file of an agent", () => {
  async function handOver(): Promise<{ readonly url: string; readonly ticket: string }> {
    const id = newId();
    const url = host.conversation(id);
    const before = new Set(vendor.backend.conversations().map((conversation) => conversation.id));
    await send("POST", `${url}/messages`, { id: "ask", text: "agent" });
    await readUntil(url, ({ status }) => status === "queued");
    const [found] = await vendor.backend
      .waitFor((all) => all.some((one) => !before.has(one.id)))
      .then((all) => all.filter((one) => !before.has(one.id)));
    return { url, ticket: found?.id ?? "" };
  }

  test("should still open when the desk no longer has it, under a link of our own [F133 host part: link expires before the click]", async () => {
    const { url, ticket } = await handOver();
    await vendor.backend.agentSendsFile(ticket, { name: "Grundriß.pdf", type: "application/pdf", bytes: Buffer.from("%PDF-1.7") });
    const entries = await readUntil(url, ({ attachments }) => attachments !== undefined);
    const [file] = entries.at(-1)?.attachments ?? [];
    expect(file).toMatchObject({
      name: "Grundriß.pdf",
      type: "application/pdf",
      sizeBytes: 8,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/base\/endpoints\/support\//) as string,
    });
    expect(JSON.stringify(entries)).not.toContain(vendor.backend.baseUrl);
    expect(await send("GET", `${url}/attachments/${file?.id ?? ""}`)).toMatchObject({ status: 200, text: "%PDF-1.7" });
    vendor.backend.setFaults({ failRate: 1, status: 404, only: "GET /files/:" });
    expect(await send("GET", `${url}/attachments/${file?.id ?? ""}`)).toMatchObject({ status: 200, text: "%PDF-1.7" });
    vendor.backend.setFaults({});
  });

  test("should be said to come later while the desk does not have it yet, and then come [F133 host part: 404 at first]", async () => {
    const { url, ticket } = await handOver();
    vendor.backend.setFaults({ failRate: 1, status: 404, only: "GET /files/:" });
    await vendor.backend.agentSendsFile(ticket, { name: "a", type: "text/plain", bytes: Buffer.from("late") });
    const entries = await readUntil(url, ({ attachments }) => attachments !== undefined);
    const path = `${url}/attachments/${entries.at(-1)?.attachments?.[0]?.id ?? ""}`;
    const early = await send("GET", path);
    expect(early).toMatchObject({ status: 503, json: { code: "ATTACHMENT_NOT_READY" } });
    expect(early.headers.get("retry-after")).toMatch(/^\d+$/);
    vendor.backend.setFaults({});
    await expect.poll(() => send("GET", path), { timeout: 10_000 }).toMatchObject({ status: 200, text: "late" });
  });
});
