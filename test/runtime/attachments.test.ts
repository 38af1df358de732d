import type { AttachmentContent, HandoverError, Message } from "@handover/core";
import type { Bot } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { poll } from "../catalogue/support/talk.ts";
import { fileOf, png, textOf } from "./support/files.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnPostgres, describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, ticketOf } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { World, WorldOptions } from "./support/world.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };
const put = (world: World, name: string, content: string | Uint8Array, type = "text/plain", conversation = "c") =>
  world.runtime.putAttachment({ endpoint: "web", conversation, name, type, content: Buffer.from(content) });
const send = (
  world: World,
  id: string,
  message: { readonly text?: string; readonly attachments?: readonly string[] },
  conversation = "c",
) => world.runtime.receiveMessage({ endpoint: "web", conversation, message: { id, ...message } });

/** A handover whose desk reads every file that it is sent. */
async function openDesk(options: WorldOptions = {}, bot?: Bot) {
  const got: { readonly message: Message; readonly files: readonly (AttachmentContent & { readonly text: string })[] }[] = [];
  const desks = scriptDesks(
    {
      desk: {
        // The whole transcript goes through the lane, its files too.
        start: async (request) => ({ references: [ticketOf(request)], state: {}, transcriptThrough: 0, relay: "both" }),
        async sendMessage(_handover, { message }, call) {
          const files = (message.attachments ?? []).map(async ({ id }) => {
            const content = await call.readAttachment(id);
            return { ...content, text: await textOf(content) };
          });
          got.push({ message, files: await Promise.all(files) });
          return {};
        },
      },
    },
    bot ? { bot } : {},
  );
  const world = await open({ ...options, runtime: { ...desks.runtime, ...options.runtime } });
  const chat = world.record("c");
  return { world, chat, got, desks, filesOf: (id: string) => got.find(({ message }) => message.id === id)?.files };
}

describeOnStores("files of users", (store) => {
  it("should come to the desk with name, type, size and caption, in order with the text [F132 from the user] [F134 allowed file]", async () => {
    const { world, chat, got } = await openDesk({ store });
    await world.say("c", "m1", "agent");
    await chat.untilStatus("queued");
    const files = [
      await put(world, "Ferienfoto 👩‍👩‍👧‍👦.png", png, "image/png"),
      await put(world, "Übersicht.pdf", "%PDF-1.7", "application/pdf"),
      await put(world, "ohne Endung", "", "weird type"),
    ];
    expect(files).toEqual([
      { id: expect.stringMatching(/^u-[\w-]{22}$/) as string, name: "Ferienfoto 👩‍👩‍👧‍👦.png", type: "image/png", sizeBytes: png.length },
      { id: expect.any(String) as string, name: "Übersicht.pdf", type: "application/pdf", sizeBytes: 8 },
      { id: expect.any(String) as string, name: "ohne Endung", type: "application/octet-stream", sizeBytes: 0 },
    ]);
    const message = { text: "see these", attachments: files.map(({ id }) => id) };
    const first = await send(world, "m2", message);
    // The same again does nothing, also when the files are named no more.
    expect(await send(world, "m2", { text: "other" })).toEqual(first);
    await send(world, "m3", { attachments: [files[1]?.id ?? ""] });
    await send(world, "m4", { text: "done" });
    await poll(() => got.map(({ message: { id } }) => id).slice(-3)).toEqual(["m2", "m3", "m4"]);
    const [withCaption, fileOnly] = got.slice(-3);
    expect(withCaption?.message).toMatchObject({ text: "see these", attachments: files });
    expect(withCaption?.files.map(({ stream: _stream, url: _url, ...file }) => file)).toEqual([
      { name: "Ferienfoto 👩‍👩‍👧‍👦.png", type: "image/png", sizeBytes: png.length, text: png.toString() },
      { name: "Übersicht.pdf", type: "application/pdf", sizeBytes: 8, text: "%PDF-1.7" },
      { name: "ohne Endung", type: "application/octet-stream", sizeBytes: 0, text: "" },
    ]);
    expect(fileOnly?.message.text).toBeUndefined();
    expect(await chat.until("the caption", ({ seq }) => seq === first.seq)).toMatchObject({ text: "see these", attachments: files });
  });

  it("should be unknown to every other conversation, and to messages of it", async () => {
    const { world } = await openDesk({ store });
    const { id } = await put(world, "a.txt", "mine");
    await put(world, "b.txt", "theirs", "text/plain", "d");
    const mine = await world.runtime.getAttachment({ ...address, id });
    expect(mine).toMatchObject({ name: "a.txt", type: "text/plain", sizeBytes: 4 });
    expect(await textOf(mine)).toBe("mine");
    const refusals = [
      { conversation: "d", id },
      { conversation: "nobody", id },
      { conversation: "c", id: "u-none" },
      { conversation: "c", id: "\0".repeat(300) },
    ];
    const errors = await Promise.all(
      refusals.map((refusal) =>
        world.runtime
          .getAttachment({ endpoint: "web", ...refusal })
          .catch((error: unknown) => `${(error as HandoverError).code} ${(error as HandoverError).message}`),
      ),
    );
    expect(new Set(errors).size).toBe(1);
    expect(errors[0]).toMatch(/^ATTACHMENT_NOT_FOUND /);
    for (const attachments of [[id], ["u-none"], ["\ud800"]]) {
      await expect(send(world, "m1", { text: "x", attachments }, "d")).rejects.toMatchObject({ code: "UNKNOWN_ATTACHMENT" });
    }
  });

  it("should be refused while it is sent as soon as it is too large, with the limit, and leave nothing behind [F134 too big]", async () => {
    const { world } = await openDesk({
      store,
      runtime: { limits: { attachmentBytes: 1_000, attachmentsPerConversation: 2, attachmentsPerMessage: 1 } },
    });
    let pulls = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1;
        controller.enqueue(new Uint8Array(100));
      },
    });
    await expect(world.runtime.putAttachment({ ...address, name: "big", content: endless })).rejects.toMatchObject({
      code: "ATTACHMENT_TOO_LARGE",
      message: expect.stringContaining("1000 bytes") as string,
    });
    expect(pulls).toBeLessThan(20);
    const broken = (async function* () {
      yield await Promise.resolve(new Uint8Array(10));
      throw new Error("The sender went away.");
    })();
    await expect(world.runtime.putAttachment({ ...address, name: "half", content: broken })).rejects.toThrow("The sender went away.");
    const files = [await put(world, "one", Buffer.alloc(1_000)), await put(world, "two", "2")];
    await expect(put(world, "three", "3")).rejects.toMatchObject({ code: "TOO_MANY_ATTACHMENTS" });
    await expect(send(world, "m1", { attachments: files.map(({ id }) => id) })).rejects.toMatchObject({ code: "TOO_MANY_ATTACHMENTS" });
  });

  it("should be gone after a day in no message, and with their user otherwise", async () => {
    const clock = createManualClock();
    const { world, chat } = await openDesk({ store, runtime: { clock } });
    const [used, unused] = [await put(world, "used", "used"), await put(world, "unused", "unused")];
    await world.runtime.receiveMessage({
      ...address,
      message: { id: "m1", attachments: [used.id] },
      user: { id: "ada", isVerified: true },
    });
    await chat.until("the file", ({ attachments }) => attachments !== undefined);
    await clock.advance(23.5 * 60 * 60 * 1000);
    await world.quiet();
    await expect(send(world, "m2", { attachments: [unused.id] })).rejects.toMatchObject({ code: "UNKNOWN_ATTACHMENT" });
    const codeOf = (id: string) =>
      world.runtime.getAttachment({ ...address, id }).then(
        ({ stream }) => stream.cancel().then(() => "there"),
        (error: unknown) => (error as HandoverError).code,
      );
    expect(await codeOf(unused.id)).toBe("there");
    for (let turn = 0; turn < 50 && (await codeOf(unused.id)) === "there"; turn += 1) {
      await clock.advance(10 * 60 * 1000);
      await world.quiet();
    }
    expect(await codeOf(unused.id)).toBe("ATTACHMENT_NOT_FOUND");
    expect(await codeOf(used.id)).toBe("there");
    await world.runtime.eraseUser({ user: "ada" });
    expect(await codeOf(used.id)).toBe("ATTACHMENT_NOT_FOUND");
  });
});

describe("files of users", () => {
  it.each([
    ["../../x", "x"],
    ["..\\..\\C:\\windows\\system.ini", "system.ini"],
    ["/etc/", "etc"],
    ["..", "file"],
    ["", "file"],
    ["a\0b\r\nc\u202egpj.exe", "abcgpj.exe"],
    ["  Grundriß 部屋 ☕️.pdf ", "Grundriß 部屋 ☕️.pdf"],
    ["\ud800.txt", "\ufffd.txt"],
    ['"><img src=x onerror=alert(1)>.png', '"><img src=x onerror=alert(1)>.png'],
    [`${"x".repeat(500)}.jpeg`, `${"x".repeat(195)}.jpeg`],
  ])("should keep of the name %j what can be shown and saved", async (name, kept) => {
    const { world } = await openDesk();
    expect(await put(world, name, "x")).toMatchObject({ name: kept });
  });

  it.each([
    ["image/png", "<html><script>alert(1)</script>", "application/octet-stream"],
    ["image/jpeg", png, "application/octet-stream"],
    ["image/png", "", "application/octet-stream"],
    ["image/jpg", Buffer.from([0xff, 0xd8, 0xff, 0xe0]), "image/jpeg"],
    ["IMAGE/PNG; name=x", png, "image/png"],
    ["image/gif", "GIF89a", "image/gif"],
    ["image/webp", "RIFF1234WEBPVP8 ", "image/webp"],
    ["text/html", "<html>", "text/html"],
    ["a/b\r\nset-cookie: x", "x", "application/octet-stream"],
  ])("should believe %j only as far as the bytes allow", async (type, bytes, kept) => {
    const { world } = await openDesk();
    expect(await put(world, "file", bytes, type)).toMatchObject({ type: kept });
  });

  it("should have links that are proof by themselves, tell nothing, and expire", async () => {
    const clock = createManualClock();
    const { world, chat, filesOf } = await openDesk({ runtime: { clock } });
    const { id } = await put(world, "a.txt", "linked");
    await world.say("c", "m1", "agent");
    await chat.untilStatus("queued");
    await send(world, "m2", { attachments: [id] });
    await poll(() => filesOf("m2")).toBeDefined();
    const url = filesOf("m2")?.[0]?.url ?? "";
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/files\/[\w-]+$/);
    const token = url.split("/").at(-1) ?? "";
    expect(Buffer.from(token, "base64url").toString("latin1")).not.toContain(id);
    expect(await textOf(await world.runtime.openAttachmentLink(token))).toBe("linked");
    const changed = `${token.slice(0, -4)}${token.endsWith("AAAA") ? "BBBB" : "AAAA"}`;
    for (const bad of [changed, "", "x", token.slice(0, 30), `${token}x`.repeat(50)]) {
      await expect(world.runtime.openAttachmentLink(bad), bad).rejects.toMatchObject({ code: "ATTACHMENT_NOT_FOUND" });
    }
    await clock.advance(24 * 60 * 60 * 1000);
    await expect(world.runtime.openAttachmentLink(token)).rejects.toMatchObject({ code: "ATTACHMENT_NOT_FOUND" });
  });
});

describeOnPostgres("files of users on several instances", () => {
  it("should open on any of them, by id and by link", async () => {
    const { world, chat, filesOf } = await openDesk({ store: "postgres" });
    const second = await world.another();
    const { id } = await put(world, "a.txt", "shared");
    expect(await textOf(await second.getAttachment({ ...address, id }))).toBe("shared");
    await world.say("c", "m1", "agent");
    await chat.untilStatus("queued");
    await send(world, "m2", { attachments: [id] });
    await poll(() => filesOf("m2")).toBeDefined();
    const token = filesOf("m2")?.[0]?.url?.split("/").at(-1) ?? "";
    for (const runtime of world.runtimes) expect(await textOf(await runtime.openAttachmentLink(token))).toBe("shared");
  });
});

describe("files of bots", () => {
  it("should come to users and desks as links, or as files that the bot has put there; what cannot be used is left out", async () => {
    const asked: Message[] = [];
    const opened: { world?: World } = {};
    const bot: Bot = {
      async answer({ message, endpoint, conversation }) {
        if (!message) return {};
        asked.push(message);
        const own = await opened.world?.runtime.putAttachment({ endpoint, conversation, name: "own.txt", content: Buffer.from("own") });
        const link = { name: "../price list.pdf", type: "application/pdf", url: "https://files.example/prices?id=1" };
        const bad = [{ name: "x", url: "javascript:alert(1)" }, { name: "y", url: "no link" }, { id: "u-none" }];
        return { handover: {}, messages: [{ text: "see", attachments: [link, { id: own?.id ?? "" }, ...bad] }, { attachments: bad }] };
      },
    };
    const fetched: string[] = [];
    const desk = await openDesk(
      {
        runtime: {
          attachmentUrl: ({ endpoint, conversation, id }) => `https://host.example/${endpoint}/${conversation}/${id}`,
          fetchFile: async (url) => {
            fetched.push(url);
            return fileOf("prices", { type: "text/html" });
          },
        },
      },
      bot,
    );
    const { world } = Object.assign(opened, { world: desk.world });
    const given = await put(world, "question.txt", "why?");
    await send(world, "m1", { attachments: [given.id] });
    const answer = await desk.chat.until("the answer", ({ author }) => author?.role === "bot");
    const [link, own] = answer.attachments ?? [];
    expect(answer.attachments).toEqual([
      { id: `${answer.id}.0`, name: "price list.pdf", type: "application/pdf", url: "https://files.example/prices?id=1" },
      { id: own?.id, name: "own.txt", type: "application/octet-stream", sizeBytes: 3, url: `https://host.example/web/c/${own?.id ?? ""}` },
    ]);
    await desk.chat.untilStatus("queued");
    expect(desk.chat.lines()).toEqual(["user: ", "bot: see"]);
    const token = asked[0]?.attachments?.[0]?.url?.split("/").at(-1) ?? "";
    expect(await textOf(await world.runtime.openAttachmentLink(token))).toBe("why?");
    await poll(() =>
      desk.filesOf(answer.id)?.map(({ name, type, text, url }) => ({ name, type, text, hasUrl: url !== undefined })),
    ).toEqual([
      { name: "price list.pdf", type: "application/pdf", text: "prices", hasUrl: true },
      { name: "own.txt", type: "application/octet-stream", text: "own", hasUrl: true },
    ]);
    expect(fetched).toEqual(["https://files.example/prices?id=1"]);
    await expect(world.runtime.getAttachment({ ...address, id: link?.id ?? "" })).rejects.toMatchObject({ code: "ATTACHMENT_NOT_FOUND" });
  });
});
