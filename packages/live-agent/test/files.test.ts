import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Attachment, HandoverConnection } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { logged, makeCall, makeHandover } from "../src/__fixtures__/calls.ts";
import { agentReply } from "../src/__fixtures__/webhook-bodies.ts";
import type { LiveAgentOptions, LiveAgentState } from "../src/index.ts";
import { openStub, type Stub, type StubRoutes } from "./stub.ts";

type Connection = Required<HandoverConnection<LiveAgentOptions, LiveAgentState>>;

let stub: Stub | undefined;
let storage: Server | undefined;
const storageRequests: (string | undefined)[] = [];
afterEach(async () => {
  storage?.closeAllConnections();
  storage?.close();
  await stub?.close();
  storageRequests.length = 0;
});

async function open(
  routes: StubRoutes,
  settings: Record<string, unknown> = {},
): Promise<{ stub: Stub; connection: Connection; origin: string }> {
  let origin = "";
  const listed: StubRoutes = {
    "GET /conversations/42/messages": () => ({
      payload: [{ ...listing, attachments: [{ id: 7, data_url: `${origin}/rails/active_storage/fresh` }] }],
    }),
  };
  stub = await openStub({ ...listed, ...routes }, settings);
  const call = await stub.connection.checkConnection(makeCall()).then(() => stub?.calls[0]);
  origin = `http://${call?.headers["host"] ?? ""}`;
  stub.calls.length = 0;
  return { stub, connection: stub.connection as unknown as Connection, origin };
}

/** Where a cloud keeps the bytes: another host than the desk. */
async function openStorage(text: string): Promise<string> {
  storage = createServer((request, response) => {
    storageRequests.push(request.headers["api-access-token"] as string | undefined);
    response.writeHead(200, { "content-type": "image/png" }).end(text);
  });
  storage.listen(0, "127.0.0.1");
  await once(storage, "listening");
  return `127.0.0.1:${(storage.address() as AddressInfo).port}`;
}

const listing = { id: 1001, message_type: 1, private: false, content: null, created_at: 1767261600, content_attributes: {} };
const handover = makeHandover();

const attachmentOf = (url: string, fields: Partial<Attachment> = {}): Attachment => ({
  id: "7",
  name: "Grundriß.png",
  type: "application/octet-stream",
  providerData: { message: "1001", url },
  ...fields,
});

async function read(connection: Connection, attachment: Attachment): Promise<{ name: string; type: string; text: string }> {
  const { name, type, stream } = await connection.downloadAttachment(handover, attachment, makeCall());
  return { name, type, text: await new Response(stream).text() };
}

describe("files from the desk", () => {
  it("should follow the desk's redirect to its storage, without our token [F133: redirect]", async () => {
    const place = await openStorage("bytes");
    const routes = { "GET /a.png": () => ({ status: 302, headers: { location: `http://${place}/bucket/a.png` } }) };
    const { stub: desk, connection, origin } = await open(routes, { fileHosts: [place] });
    const attachment = attachmentOf(`${origin}/rails/active_storage/a.png`);
    expect(await read(connection, attachment)).toEqual({ name: "Grundriß.png", type: "image/png", text: "bytes" });
    expect(await read(connection, { ...attachment, type: "image/jpeg" })).toMatchObject({ type: "image/jpeg" });
    expect(storageRequests).toEqual([undefined, undefined]);
    for (const { headers } of desk.calls) expect(headers).not.toHaveProperty("api-access-token");
  });

  it("should give a first 404 back as one that may pass, after it has asked for a fresh link [F133: 404 twice, then 302, then bytes]", async () => {
    const place = await openStorage("bytes");
    let tries = 0;
    const answer = () => ((tries += 1) <= 2 ? { status: 404 } : { status: 302, headers: { location: `http://${place}/a` } });
    const { connection, origin } = await open({ "GET /old": answer, "GET /fresh": answer }, { fileHosts: [place] });
    const attachment = attachmentOf(`${origin}/rails/active_storage/old`);
    await expect(read(connection, attachment)).rejects.toMatchObject({ code: "FILE_NOT_FETCHED", status: 404 });
    expect(await read(connection, attachment)).toMatchObject({ text: "bytes" });
  });

  it.each([403, 404, 410, 400])("should ask the message for a fresh link when one has expired (%i) [F133: expired]", async (status) => {
    const {
      stub: desk,
      connection,
      origin,
    } = await open({
      "GET /old": () => ({ status }),
      "GET /fresh": () => ({ status: 200, body: "fresh bytes" }),
    });
    expect(await read(connection, attachmentOf(`${origin}/rails/active_storage/old`))).toMatchObject({ text: "fresh bytes" });
    expect(desk.calls.map(({ path }) => path.split("/").at(-1))).toEqual(["old", "messages", "fresh"]);
    expect(desk.calls[1]?.query.get("before")).toBe("1002");
  });

  it("should say that a file is gone when its message no longer has it", async () => {
    const { connection, origin } = await open({ "GET /conversations/42/messages": () => ({ payload: [{ ...listing, attachments: [] }] }) });
    const attachment = attachmentOf(`${origin}/rails/active_storage/old`);
    await expect(read(connection, attachment)).rejects.toMatchObject({ code: "ATTACHMENT_NOT_FOUND" });
    await expect(read(connection, { ...attachment, providerData: null })).rejects.toMatchObject({ code: "ATTACHMENT_NOT_FOUND" });
  });

  it("should go to no other host than the desk's and those that are named [F115: allowed hosts]", async () => {
    const place = await openStorage("secret");
    const port = place.split(":")[1] ?? "";
    const redirect = (location: string) => () => ({ status: 302, headers: { location } });
    const routes = {
      "GET /a": redirect(`http://${place}/a`),
      "GET /b": redirect(`http://localhost:${port}/b`),
      "GET /c": redirect("http://169.254.169.254/c"),
    };
    const { connection, origin } = await open(routes, { fileHosts: [`localhost:${port}`, "169.254.169.254"] });
    const links = ["a", "b", "c"].map((name) => `${origin}/rails/active_storage/${name}`);
    const others = [`http://${place}/x`, "http://10.0.0.1/x", "http://[::1]:1/x", "file:///etc/passwd", "https://files.example/x"];
    for (const link of [...links, ...others]) {
      await expect(read(connection, attachmentOf(link)), link).rejects.toMatchObject({ code: "LINK_REFUSED" });
    }
    expect(storageRequests).toEqual([]);
    expect(logged.join()).toContain(place);
  });

  it("should not fetch what is larger than allowed", async () => {
    const { connection, origin } = await open(
      { "GET /big": () => ({ status: 200, body: "12345", headers: { "content-length": "5" } }) },
      { maxFileBytes: 4 },
    );
    await expect(read(connection, attachmentOf(`${origin}/rails/active_storage/big`))).rejects.toMatchObject({
      code: "ATTACHMENT_TOO_LARGE",
    });
  });

  it("should find the file again with what the message was shown with", async () => {
    const { connection, origin } = await open({ "GET /a.png": () => ({ status: 200, body: "x" }) });
    const files = [{ id: 7, file_type: "image", data_url: `${origin}/rails/active_storage/a.png` }];
    const body = Buffer.from(JSON.stringify({ ...agentReply, attachments: files }));
    const request = { method: "POST", path: "/", query: "", headers: {}, body, hasValidSecret: true };
    const { deliveries } = await connection.receiveWebhook(request, makeCall());
    const [event] = deliveries.flatMap((delivery) => connection.translate(handover, delivery).events);
    const [attachment] = event?.type === "message-received" ? (event.message.attachments ?? []) : [];
    expect(attachment && (await read(connection, attachment))).toMatchObject({ name: "a.png", text: "x" });
  });
});
