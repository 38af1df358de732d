import {
  HandoverError,
  ProviderApiError,
  type Attachment,
  type AttachmentContent,
  type DeliveryReport,
  type HandoverEvent,
} from "@handover/core";
import type { VisibleEntry } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { metric, poll } from "../catalogue/support/talk.ts";
import { fileOf, png, textOf } from "./support/files.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { describeOnPostgres, describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { WorldOptions } from "./support/world.ts";

const open = useWorld();
type Download = NonNullable<DeskScript["downloadAttachment"]>;

/** A file as a provider reports it: with the vendor's id and signed link. */
const vendorFile = (id: string, facts: Partial<Attachment> = {}): Attachment => ({
  id,
  name: `${id}.txt`,
  type: "text/plain",
  sizeBytes: 4,
  url: `https://desk.example/${id}?signature=secret-of-the-vendor`,
  providerData: { file: id },
  ...facts,
});

const message = (id: string, attachments: readonly Attachment[], text?: string): HandoverEvent => ({
  type: "message-received",
  message: {
    id,
    author: { role: "agent", name: "Ada" },
    attachments,
    sentAt: new Date().toISOString(),
    ...(text === undefined ? {} : { text }),
  },
});

/** A handover whose desk sends files; `download` is its connection's method. */
async function openDesk(download: Download | undefined, options: WorldOptions = {}) {
  const downloads: string[] = [];
  const reports: DeliveryReport[] = [];
  const desks = scriptDesks({
    desk: {
      downloadAttachment:
        download &&
        ((handover, attachment, call) => {
          downloads.push(attachment.id);
          return download(handover, attachment, call);
        }),
      reportDelivery: async (_handover, report) => void reports.push(report),
    },
  });
  const world = await open({ ...options, runtime: { ...desks.runtime, ...options.runtime } });
  const chat = world.record("c");
  await world.say("c", "ask", "agent");
  await chat.untilStatus("queued");
  const withFile = (name: string) => chat.until(name, ({ attachments }) => attachments?.some((file) => file.name === name) === true);
  const idOf = (entry: VisibleEntry) => entry.attachments?.[0]?.id ?? "";
  const read = async (id: string) => textOf(await world.runtime.getAttachment({ endpoint: "web", conversation: "c", id }));
  return {
    world,
    chat,
    downloads,
    reports,
    withFile,
    idOf,
    read,
    codeOf: (id: string) =>
      read(id).then(
        (text) => text,
        (error: unknown) => (error as HandoverError).code,
      ),
    calls: desks.calls,
    tell: (...events: readonly HandoverEvent[]) => desks.deliver(world.runtime, "desk", { events }),
    stored: () =>
      world.runtimes.reduce((sum, runtime) => sum + metric(runtime, "handover_attachments_total", { from: "desk", result: "stored" }), 0),
  };
}

const missing = () => new ProviderApiError({ message: "The vendor answered 404 for a file.", status: 404 });
const neverEnding = () => new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(10)) });

describeOnStores("files of the desk", (store) => {
  it("should come with name, type, size and caption, in order with the text, under our own ids [F132 from the agent, runtime part]", async () => {
    const desk = await openDesk(async (_handover, { id, name, type }) => fileOf(id === "image" ? png : `bytes of ${id}`, { name, type }), {
      store,
      runtime: { attachmentUrl: ({ conversation, id }) => `/of/${conversation}/${id}` },
    });
    const files = [
      vendorFile("image", { name: "Foto 部屋.png", type: "image/png", sizeBytes: png.length }),
      vendorFile("pdf", { name: "../Grundriß.pdf", type: "application/pdf" }),
      vendorFile("audio", { name: "voice", type: "audio/ogg; codecs=opus" }),
      vendorFile("odd", { name: "", type: "", sizeBytes: -1 }),
    ];
    await desk.tell(message("v1", files.slice(0, 2), "two at once"), message("v2", files.slice(2)), message("v3", [], "done"));
    await desk.chat.until("the last", ({ text }) => text === "done");
    // A webhook that comes again brings nothing twice.
    await desk.tell(message("v1", files.slice(0, 2), "two at once"));
    const shown = desk.chat.visible().filter(({ author }) => author?.role === "agent");
    const messages = shown.filter(({ kind }) => kind === "message");
    expect(
      messages.map(({ text, attachments }) => [text, attachments?.map(({ name, type, sizeBytes }) => [name, type, sizeBytes])]),
    ).toEqual([
      [
        "two at once",
        [
          ["Foto 部屋.png", "image/png", png.length],
          ["Grundriß.pdf", "application/pdf", 4],
        ],
      ],
      [
        undefined,
        [
          ["voice", "audio/ogg", 4],
          ["file", "application/octet-stream", undefined],
        ],
      ],
      ["done", undefined],
    ]);
    const attachments = messages.flatMap((entry) => entry.attachments ?? []);
    for (const { id, url } of attachments) expect(url).toBe(`/of/c/${id}`);
    expect(JSON.stringify(desk.chat.entries)).not.toMatch(/secret-of-the-vendor|providerData|desk\.example/);
    await poll(() => desk.stored()).toBe(4);
    expect(await Promise.all(attachments.map(({ id }) => desk.read(id)))).toEqual([
      png.toString(),
      "bytes of pdf",
      "bytes of audio",
      "bytes of odd",
    ]);
    expect(desk.downloads.toSorted()).toEqual(["audio", "image", "odd", "pdf"]);
    await expect(
      desk.world.runtime.getAttachment({ endpoint: "web", conversation: "d", id: attachments[0]?.id ?? "" }),
    ).rejects.toMatchObject({
      code: "ATTACHMENT_NOT_FOUND",
    });
  });

  it("should be fetched again by the next process when this one could not, and from then on be ours [F133 runtime part: link expires]", async () => {
    let [isDown, isExpired] = [true, false];
    const desk = await openDesk(
      async (_handover, { id }) => {
        if (isExpired) throw missing();
        if (isDown) throw new HandoverError({ code: "VENDOR_UNREACHABLE", message: "down", isRetryable: true, effect: "connection" });
        return fileOf(`bytes of ${id}`);
      },
      { store },
    );
    await desk.tell(message("v1", [vendorFile("late")]));
    const id = desk.idOf(await desk.withFile("late.txt"));
    await poll(() => desk.downloads.length).toBeGreaterThan(1);
    expect(await desk.codeOf(id)).toBe("ATTACHMENT_NOT_READY");
    // A host of files that is down says nothing about the desk.
    expect(metric(desk.world.runtime, "handover_paused_accounts")).toBe(0);
    await desk.world.say("c", "m2", "hello");
    await poll(() => desk.calls).toContain("desk.send hello");
    await desk.world.restart();
    isDown = false;
    await poll(() => desk.stored()).toBe(1);
    isExpired = true;
    expect(await desk.read(id)).toBe("bytes of late");
    await desk.world.restart();
    expect(await desk.read(id)).toBe("bytes of late");
  });

  it("should not be fetched again when the process died between keeping the file and noting that", async () => {
    let dies = true;
    const hangs = Promise.withResolvers<undefined>();
    const desk = await openDesk(async (_handover, { id }) => fileOf(`bytes of ${id}`), {
      store,
      timing: { callTimeoutMs: 500, leaseMs: 1_000 },
      wrapStore: (inner) =>
        new Proxy(inner, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name, target);
            if (typeof value !== "function") return value;
            const method = value.bind(target) as (...given: unknown[]) => unknown;
            let hasFile = false;
            if (name !== "commit") return method;
            return async (...given: unknown[]) => {
              const { handovers = [] } = given[0] as { handovers?: readonly { files?: unknown }[] };
              hasFile ||= (await target.listBlobs({ limit: 1 })).length > 0;
              if (dies && hasFile && handovers.some(({ files }) => files === undefined)) {
                hangs.resolve(undefined);
                return new Promise(() => undefined);
              }
              return method(...given);
            };
          },
        }),
    });
    await desk.tell(message("v1", [vendorFile("once")]));
    const id = desk.idOf(await desk.withFile("once.txt"));
    await hangs.promise;
    dies = false;
    await desk.world.kill();
    await desk.world.another();
    expect(await desk.read(id)).toBe("bytes of once");
    await desk.tell(message("v2", [vendorFile("second")]));
    await poll(() => desk.stored()).toBe(1);
    expect(desk.downloads).toEqual(["once", "second"]);
  });

  it("should be gone with the user, also when it came while that was done [F127 files]", async () => {
    const begun = Promise.withResolvers<undefined>();
    const late = Promise.withResolvers<AttachmentContent>();
    const desk = await openDesk(
      (_handover, { id }) => {
        if (id === "early") return Promise.resolve(fileOf("early"));
        begun.resolve(undefined);
        return late.promise;
      },
      { store },
    );
    await desk.world.runtime.receiveMessage({
      endpoint: "web",
      conversation: "c",
      message: { id: "m", text: "hi" },
      user: { id: "ada", isVerified: true },
    });
    await desk.tell(message("v1", [vendorFile("early")]), message("v2", [vendorFile("late")]));
    const ids = [desk.idOf(await desk.withFile("early.txt")), desk.idOf(await desk.withFile("late.txt"))];
    await poll(() => desk.stored()).toBe(1);
    await begun.promise;
    expect(await desk.world.runtime.eraseUser({ user: "ada" })).toEqual({ erased: 1, waiting: 0 });
    late.resolve(fileOf("late"));
    await poll(() => desk.stored()).toBe(2);
    await expect.poll(async () => Promise.all(ids.map((id) => desk.codeOf(id)))).toEqual(["ATTACHMENT_NOT_FOUND", "ATTACHMENT_NOT_FOUND"]);
  });
});

describe("files of the desk", () => {
  it("should be fetched again when the vendor has shown the message before its file [F133 runtime part: 404 twice]", async () => {
    let tries = 0;
    const desk = await openDesk(async () => {
      tries += 1;
      if (tries < 3) throw tries === 1 ? missing() : new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: "not there" });
      return fileOf("there");
    });
    await desk.tell(message("v1", [vendorFile("slow")]));
    const id = desk.idOf(await desk.withFile("slow.txt"));
    await poll(() => desk.stored()).toBe(1);
    expect(await desk.read(id)).toBe("there");
    expect(tries).toBe(3);
    expect(desk.chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
  });

  it("should be given up when it is no use, and both sides be told [F135 a file that cannot be had]", async () => {
    const desk = await openDesk(
      async (_handover, { id }) => {
        if (id === "big") return fileOf(new Uint8Array(2_000));
        if (id === "endless")
          return { ...fileOf(""), stream: new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100)) }) };
        if (id === "gone") throw missing();
        throw new HandoverError({ code: "INFECTED", message: "The desk says that the file is infected." });
      },
      { runtime: { limits: { attachmentBytes: 1_000 } }, timing: { messageRetryMs: 50 } },
    );
    const names = ["big", "endless", "gone", "infected"];
    for (const name of names) await desk.tell(message(name, [vendorFile(name)]));
    const entries = await Promise.all(names.map((name) => desk.withFile(`${name}.txt`)));
    const notices = await Promise.all(
      entries.map(({ seq }) => desk.chat.until("the notice", ({ event, about }) => event === "message-failed" && about === seq)),
    );
    expect(notices.map(({ text, cause }) => [text, cause?.code])).toEqual(
      ["ATTACHMENT_TOO_LARGE", "ATTACHMENT_TOO_LARGE", "VENDOR_CALL_FAILED", "INFECTED"].map((code) => [
        "A file of this message could not be loaded.",
        code,
      ]),
    );
    for (const entry of entries) expect(await desk.codeOf(desk.idOf(entry))).toBe("ATTACHMENT_UNAVAILABLE");
    await poll(() => desk.reports.map(({ vendorMessageIds, status }) => `${vendorMessageIds.join()} ${status}`).toSorted()).toEqual(
      names.map((name) => `${name} failed`),
    );
    expect(JSON.stringify(desk.reports)).toContain("(ATTACHMENT_TOO_LARGE)");
    expect(desk.downloads.filter((id) => id !== "gone").toSorted()).toEqual(["big", "endless", "infected"]);
  });

  it("should never hold up messages, and be waited for no longer than they may take", async () => {
    let tries = 0;
    const sent: string[] = [];
    const desk = await openDesk(
      async (_handover, _attachment, call) => {
        tries += 1;
        if (tries > 1) return fileOf("at last");
        call.signal.addEventListener("abort", () => sent.push("aborted"));
        return { ...fileOf(""), stream: neverEnding() };
      },
      { timing: { attachmentTimeoutMs: 600 } },
    );
    await desk.tell(message("v1", [vendorFile("slow")]), message("v2", [], "and text"));
    const id = desk.idOf(await desk.withFile("slow.txt"));
    const opened = desk.codeOf(id);
    await desk.chat.until("the text", ({ text }) => text === "and text");
    await desk.world.say("c", "m2", "and back");
    await desk.tell(message("v3", [], "and forth"));
    await desk.chat.until("the text", ({ text }) => text === "and forth");
    expect(tries).toBe(1);
    expect(await opened).toBe("ATTACHMENT_NOT_READY");
    await poll(() => desk.stored()).toBe(1);
    expect(sent).toEqual(["aborted"]);
    expect(await desk.read(id)).toBe("at last");
  });

  it("should come after the end only if the agent sent it before [F077 files]", async () => {
    const desk = await openDesk(async (_handover, { id }) => fileOf(`bytes of ${id}`));
    await desk.world.runtime.endHandover({ endpoint: "web", conversation: "c" });
    const end = await desk.chat.untilStatus("ended");
    const before = { sentAt: new Date(Date.parse(end.at) - 1_000).toISOString() };
    const after = { sentAt: new Date(Date.parse(end.at) + 1_000).toISOString() };
    const at = (event: HandoverEvent, time: { readonly sentAt: string }): HandoverEvent =>
      event.type === "message-received" ? { ...event, message: { ...event.message, ...time } } : event;
    await desk.tell(at(message("v1", [vendorFile("after")], "too late"), after), at(message("v2", [vendorFile("before")]), before));
    const id = desk.idOf(await desk.withFile("before.txt"));
    await poll(() => desk.stored()).toBe(1);
    expect(await desk.read(id)).toBe("bytes of before");
    expect(desk.downloads).toEqual(["before"]);
    expect(JSON.stringify(desk.chat.entries)).not.toContain("after.txt");
  });

  it("should be gone when the agent deletes the message, whether they are here or still fetched", async () => {
    const late = Promise.withResolvers<AttachmentContent>();
    const desk = await openDesk(async (_handover, { id }) => (id === "late" ? late.promise : fileOf(`bytes of ${id}`)));
    await desk.tell(message("v1", [vendorFile("early")]), message("v2", [vendorFile("late")]), message("v3", [vendorFile("kept")]));
    const ids = await Promise.all(["early", "late", "kept"].map(async (name) => desk.idOf(await desk.withFile(`${name}.txt`))));
    await poll(() => desk.stored()).toBe(2);
    await desk.tell(...["v1", "v2"].map((messageId): HandoverEvent => ({ type: "message-changed", messageId, change: "deleted" })));
    await desk.chat.until("the change", ({ event }) => event === "message-changed");
    late.resolve(fileOf("late"));
    const codes = ["ATTACHMENT_NOT_FOUND", "ATTACHMENT_NOT_FOUND", "bytes of kept"];
    await expect.poll(() => Promise.all(ids.map((id) => desk.codeOf(id))), { timeout: 10_000 }).toEqual(codes);
    await poll(() => desk.stored()).toBe(3);
    expect(await Promise.all(ids.map((id) => desk.codeOf(id)))).toEqual(codes);
    expect(desk.chat.visible().filter(({ event }) => event === "message-failed")).toEqual([]);
  });

  it("should be opened at once by who asks while it is fetched, with one call", async () => {
    const file = Promise.withResolvers<AttachmentContent>();
    const desk = await openDesk(() => file.promise);
    await desk.tell(message("v1", [vendorFile("shared")]));
    const id = desk.idOf(await desk.withFile("shared.txt"));
    const readers = [desk.read(id), desk.read(id), desk.read(id)];
    await poll(() => desk.downloads.length).toBe(1);
    file.resolve(fileOf("for all"));
    expect(await Promise.all(readers)).toEqual(["for all", "for all", "for all"]);
    expect(desk.downloads).toEqual(["shared"]);
  });

  it("should not be asked for more often because somebody opens it again and again", async () => {
    const clock = createManualClock();
    const down = new HandoverError({ code: "VENDOR_UNREACHABLE", message: "down", isRetryable: true });
    const desk = await openDesk(() => Promise.reject(down), { runtime: { clock } });
    await desk.tell(message("v1", [vendorFile("a")]));
    const id = desk.idOf(await desk.withFile("a.txt"));
    await poll(() => desk.downloads.length).toBe(1);
    await desk.world.quiet();
    for (let times = 0; times < 5; times += 1) expect(await desk.codeOf(id)).toBe("ATTACHMENT_NOT_READY");
    expect(desk.downloads).toEqual(["a"]);
  });

  it("should be fetched by their link where the connection cannot, if the host follows links", async () => {
    const asked: string[] = [];
    const fetchFile = async (url: string) => {
      asked.push(url);
      if (url.includes("inner")) throw new HandoverError({ code: "LINK_REFUSED", message: "A private address." });
      return fileOf("from the link", { type: "application/pdf" });
    };
    const desk = await openDesk(undefined, { runtime: { fetchFile } });
    const inner = vendorFile("inner");
    await desk.tell(message("v1", [vendorFile("a", { type: "application/octet-stream" })]), message("v2", [inner]));
    const id = desk.idOf(await desk.withFile("a.txt"));
    await poll(() => desk.stored()).toBe(1);
    const content = await desk.world.runtime.getAttachment({ endpoint: "web", conversation: "c", id });
    expect(content).toMatchObject({ name: "a.txt", type: "application/pdf" });
    expect(await textOf(content)).toBe("from the link");
    await desk.chat.until("the notice", ({ event, cause }) => event === "message-failed" && cause?.code === "LINK_REFUSED");
    expect(asked).toEqual(["https://desk.example/a?signature=secret-of-the-vendor", inner.url]);
    const blind = await openDesk(undefined);
    await blind.tell(message("v1", [vendorFile("a")]));
    await blind.chat.until("the notice", ({ cause }) => cause?.code === "ATTACHMENT_UNAVAILABLE");
  });
});

describeOnPostgres("files of the desk on several instances", () => {
  it("should open on an instance that does not work on the conversation, before and after they are stored", async () => {
    const desk = await openDesk(async (_handover, { id }) => fileOf(`bytes of ${id}`), { store: "postgres" });
    const second = await desk.world.another();
    await desk.tell(message("v1", [vendorFile("a")]));
    const id = desk.idOf(await desk.withFile("a.txt"));
    for (const runtime of [second, ...desk.world.runtimes]) {
      expect(await textOf(await runtime.getAttachment({ endpoint: "web", conversation: "c", id }))).toBe("bytes of a");
    }
  });
});
