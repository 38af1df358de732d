import { describe, expect, test } from "vitest";
import type { Bench, Loose } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

const png = Buffer.from("not really a picture");

async function upload(bench: Bench, path: string, body: FormData): Promise<{ status: number; json: Loose }> {
  const response = await fetch(`${bench.liveAgent.baseUrl}/accounts/1${path}`, {
    method: "POST",
    headers: { api_access_token: bench.liveAgent.apiKey },
    body,
  });
  return { status: response.status, json: (await response.json()) as Loose };
}

function form(fields: Readonly<Record<string, string>>, files: readonly (readonly [string, string])[], part = "attachments[]"): FormData {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  for (const [name, type] of files) body.append(part, new Blob([png], { type }), name);
  return body;
}

const look = (url: string, headers: Record<string, string> = {}): Promise<Response> => fetch(url, { headers, redirect: "manual" });

describe("files up", () => {
  test("should come as parts of a form, each with the kind of its media type", async () => {
    const bench = await startBench({ profile: "4.15" });
    const path = `/conversations/${await bench.converse()}/messages`;
    const files = [
      ["a.png", "image/png"],
      ["b.mp4", "video/mp4"],
      ["c.mp3", "audio/mpeg"],
      ["d.pdf", "application/pdf"],
      ["e.svg", "image/svg+xml"],
    ] as const;
    const fields = { content: "Look", message_type: "incoming", source_id: "m-1", content_attributes: '{"marker":"x"}', private: "false" };
    const { status, json } = await upload(bench, path, form(fields, files));
    expect(status).toBe(200);
    expect(json).toMatchObject({ content: "Look", message_type: 0, source_id: "m-1", content_attributes: { marker: "x" }, private: false });
    expect(json.attachments.map(({ file_type: kind, extension }) => [kind, extension])).toEqual([
      ["image", "png"],
      ["video", "mp4"],
      ["audio", "mp3"],
      ["file", "pdf"],
      ["file", "svg"],
    ]);
    expect(json.attachments[0]).toMatchObject({ message_id: json.id, account_id: 1, file_size: png.length, content_type: "image/png" });
    expect(bench.liveAgent.conversation("1").messages[0]!.attachments![0]).toMatchObject({
      name: "a.png",
      type: "image/png",
      sizeBytes: 20,
    });
    const logged = bench.liveAgent.requests().at(-1)!.body as Loose;
    expect(logged.attachments[0]).toEqual({ name: "a.png", type: "image/png", sizeBytes: png.length });
  });

  test("should be at most fifteen, and need no text", async () => {
    const bench = await startBench();
    const path = `/conversations/${await bench.converse()}/messages`;
    const many = (count: number): FormData =>
      form(
        {},
        Array.from({ length: count }, (_, index) => [`${index}.txt`, "text/plain"] as const),
      );
    const fifteen = await upload(bench, path, many(15));
    expect([fifteen.status, fifteen.json.content, fifteen.json.attachments.length]).toEqual([200, null, 15]);
    const sixteen = await upload(bench, path, many(16));
    expect([sixteen.status, sixteen.json.error]).toEqual([422, "Validation failed: Attachments exceeded maximum allowed"]);
  });

  test("should be large: a body above the limit of JSON", async () => {
    const bench = await startBench();
    const body = new FormData();
    body.append("attachments[]", new Blob([new Uint8Array(3_000_000)]), "large.bin");
    const { status, json } = await upload(bench, `/conversations/${await bench.converse()}/messages`, body);
    expect([status, json.attachments[0]!.file_size]).toEqual([200, 3_000_000]);
  });

  test("should be uploaded first and attached by their name then", async () => {
    const bench = await startBench();
    const { status, json } = await upload(bench, "/upload", form({}, [["a.png", "image/png"]], "attachment"));
    expect([status, json.file_url]).toEqual([200, expect.stringContaining("/rails/active_storage/blobs/redirect/") as string]);
    const path = `/conversations/${await bench.converse()}/messages`;
    const message = await bench.ok("POST", path, { content: "Look", attachments: [json.blob_id] });
    expect(message.attachments[0]).toMatchObject({ file_type: "image", extension: "png" });
    const forged = await bench.api("POST", path, { attachments: [`${json.blob_id.slice(0, -2)}xx`] });
    expect([forged.status, forged.json]).toEqual([422, { error: "mismatched digest" }]);
    expect((await bench.api("POST", "/upload", { external_url: "http://169.254.169.254/x.png" })).status).toBe(422);
    expect((await bench.api("POST", "/upload", {})).status).toBe(422);
  });

  test("should be refused without a boundary", async () => {
    const bench = await startBench();
    const headers = { api_access_token: bench.liveAgent.apiKey, "content-type": "multipart/form-data" };
    expect((await bench.api("POST", `/conversations/${await bench.converse()}/messages`, "x", headers)).status).toBe(400);
  });
});

describe("files down", () => {
  const file = { name: "größe.png", type: "image/png", content: png.toString("base64") };

  async function receive(options: Parameters<typeof startBench>[0] = {}, clock?: Parameters<typeof startBench>[1]) {
    const bench = await startBench(options, clock);
    const id = String(await bench.converse());
    bench.liveAgent.say(id, { text: "", attachment: file });
    const message = (await bench.told()).find(({ event }) => event === "message_created")!;
    return { bench, id, message, url: message.attachments[0]!.data_url };
  }

  test("should be announced without text, with an address that is not there at first, redirects then, and needs no token", async () => {
    const { message, url, bench } = await receive();
    expect([message.content, message.attachments.length]).toEqual([null, 1]);
    expect(url.startsWith(`${bench.url}/live-agent/rails/active_storage/blobs/redirect/`)).toBe(true);
    expect((await look(url)).status).toBe(404);
    const redirect = await look(url);
    const storage = redirect.headers.get("location") ?? "";
    expect([redirect.status, storage]).toEqual([302, expect.stringContaining("signature=") as string]);
    const got = await look(storage);
    expect([got.status, got.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect(got.headers.get("content-disposition")).toContain(encodeURIComponent(file.name));
    expect(Buffer.from(await got.arrayBuffer()).equals(png)).toBe(true);
  });

  test("should not be given to who sends the token on to the storage", async () => {
    const { url, bench } = await receive({ behaviour: { attachmentNotFoundTimes: 0 } });
    const storage = (await look(url)).headers.get("location") ?? "";
    for (const header of ["api_access_token", "Api-Access-Token", "authorization"]) {
      expect((await look(storage, { [header]: bench.liveAgent.apiKey })).status).toBe(400);
    }
  });

  test("should be there for some minutes in the storage, and for ever or a while at its own address", async () => {
    const clock = createManualClock();
    const { url, bench } = await receive({ behaviour: { attachmentNotFoundTimes: 0 } }, clock);
    const storage = (await look(url)).headers.get("location") ?? "";
    clock.advance(300_000);
    expect((await look(storage)).status).toBe(403);
    expect((await look(url)).status).toBe(302);
    bench.liveAgent.setBehaviour({ attachmentUrlSeconds: 600, attachmentNotFoundTimes: 0 });
    const { data_url: limited } = (await bench.ok("GET", "/conversations/1/messages")).payload[0]!.attachments[0]!;
    expect((await look(limited)).status).toBe(302);
    clock.advance(300_000);
    expect((await look(limited)).status).toBe(404);
  });

  test("should not be given to guesses", async () => {
    const { url } = await receive({ behaviour: { attachmentNotFoundTimes: 0 } });
    const storage = (await look(url)).headers.get("location") ?? "";
    expect((await look(url.replace("--", "--x"))).status).toBe(404);
    expect((await look(storage.replace("signature=", "signature=x"))).status).toBe(403);
  });

  test("should be with another host when told so", async () => {
    const { url } = await receive({ behaviour: { attachmentNotFoundTimes: 0, storageOrigin: "https://storage.example.com" } });
    expect((await look(url)).headers.get("location")).toMatch(
      /^https:\/\/storage\.example\.com\/live-agent\/rails\/active_storage\/disk\//,
    );
  });

  test("should be gone when the message is deleted, and several can be in one", async () => {
    const { url, bench, id } = await receive({ behaviour: { attachmentNotFoundTimes: 0 } });
    const storage = (await look(url)).headers.get("location") ?? "";
    bench.liveAgent.delete(id);
    const [deleted] = (await bench.told()).filter(({ event }) => event === "message_updated");
    expect(deleted).toMatchObject({ content_attributes: { deleted: true } });
    expect(deleted).not.toHaveProperty("attachments");
    expect([(await look(url)).status, (await look(storage)).status]).toEqual([404, 404]);
    bench.liveAgent.say(id, { text: "two", attachments: [file, { name: "b.txt" }] });
    const message = (await bench.told()).find(({ event }) => event === "message_created")!;
    expect(message.attachments.map(({ file_type: kind }) => kind)).toEqual(["image", "file"]);
  });
});
