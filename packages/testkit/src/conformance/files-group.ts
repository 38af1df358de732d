import { HandoverError, type Attachment, type AttachmentContent, type Json, type Message } from "@handover/core";
import { expect } from "vitest";
import type { ConformanceFile } from "./conformance-backend.ts";
import { receivedMessages, type DrivenHandover } from "./driven-handover.ts";
import type { Driver } from "./driver.ts";
import { expectReadable } from "./expectations.ts";
import { startLoopbackServer } from "./loopback-server.ts";
import { newMessage } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const files: readonly ConformanceFile[] = [
  { name: "photo.png", type: "image/png", bytes: Buffer.from("an image") },
  { name: "plan.pdf", type: "application/pdf", bytes: Buffer.from("%PDF-1.7 a plan") },
  { name: "voice.mp3", type: "audio/mpeg", bytes: Buffer.from("a voice") },
  { name: "README", type: "application/octet-stream", bytes: Buffer.from("without extension") },
  { name: "Übersicht 日本.txt", type: "text/plain", bytes: Buffer.from("a name of any characters") },
  { name: "data.unheardof", type: "application/octet-stream", bytes: Buffer.from("an unknown type") },
];

/** Files, both ways. */
export function fileTests(suite: Suite): readonly DrivenTest[] {
  const { backend } = suite;
  const canFetch = suite.has("downloadAttachment", "translate") && suite.hears;
  return [
    ...when(
      canFetch && backend.agentSendsFile,
      test("should show files of every kind with name, type and size, and fetch them [F132 part: kinds of files]", fetchesEveryKind),
      test("should fetch no file from where a forged link leads [F115 part: the provider]", (driver) => followsNothingElse(driver, "link")),
      test("should fetch no file from where a redirect leads that is none of the vendor's [F115 part: redirects]", (driver) =>
        followsNothingElse(driver, "redirect")),
    ),
    ...when(
      canFetch && backend.agentSendsFiles,
      test("should show two files of one message in order, with their caption [F132 part: two files, caption]", showsSeveral),
    ),
    ...when(
      suite.has("sendMessage"),
      test("should send nothing of a file that is too large, and say so at once, or name it [F134 part: limits]", refusesLargeFiles),
    ),
    ...when(
      suite.has("sendMessage") && backend.filesAtDesk,
      test("should send files with name, type and caption, in order [F132 part: from the user, F134 part: allowed]", sendsFiles),
      test("should send a file whole that comes slowly, once [F134 part: slow motion]", sendsSlowFile),
      test("should say at once that the vendor refuses a file, as too large, of a wrong type or infected, and send nothing [F134 part: refused]", (driver) =>
        sendsNothingRefused(driver)),
    ),
    ...when(
      suite.has("sendMessage") && backend.refusedFiles,
      test("should send nothing of a file that the desk does not take, and say what it takes [F134 part: wrong type]", refusesKinds),
    ),
  ];
}

async function fetchesEveryKind(driver: Driver): Promise<void> {
  const driven = await driver.start();
  for (const file of files) await driver.backend.agentSendsFile?.(driven.deskId, file);
  await driver.observe();
  const shown = shownFiles(driven);
  expect(shown.map(({ name }) => name)).toEqual(files.map(({ name }) => name));
  expect(new Set(shown.map(({ id }) => id)).size).toBe(files.length);
  for (const [index, attachment] of shown.entries()) {
    const { type = "", bytes = Buffer.alloc(0) } = files[index] ?? {};
    if (attachment.sizeBytes !== undefined) expect(attachment.sizeBytes).toBe(bytes.length);
    const content = await download(driver, driven, attachment);
    expect([content.type, Buffer.from(content.bytes).toString()]).toEqual([type, Buffer.from(bytes).toString()]);
  }
}

async function showsSeveral(driver: Driver): Promise<void> {
  const driven = await driver.start();
  await driver.backend.agentSendsFiles?.(driven.deskId, "Both plans", files.slice(0, 2));
  await driver.backend.agentSays(driven.deskId, "and a word");
  await driver.observe();
  const received = receivedMessages(driven).filter(({ author }) => author.role === "agent");
  expect(received.flatMap(({ text, attachments = [] }) => [...(text ? [text] : []), ...attachments.map(({ name }) => name)])).toEqual([
    "Both plans",
    "photo.png",
    "plan.pdf",
    "and a word",
  ]);
}

/** A server that nobody may be led to: what stands in a message or in an answer can be anybody's. */
async function followsNothingElse(driver: Driver, way: "link" | "redirect"): Promise<void> {
  const visits: string[] = [];
  const trap = await startLoopbackServer(async ({ url }, response) => {
    visits.push(url);
    response.writeHead(200).end("secret of the inner network");
  });
  try {
    const driven = await driver.start();
    await driver.backend.agentSendsFile?.(driven.deskId, files[0] as ConformanceFile);
    await driver.observe();
    const [attachment] = shownFiles(driven);
    if (!attachment) throw new Error("The user was shown no file.");
    const target = `${trap.origin}/latest/meta-data`;
    const forged = way === "link" ? forgeLinks(attachment, target) : attachment;
    if (way === "redirect") driver.gateway.setFaults(() => ({ kind: "answer", status: 302, headers: { location: target } }));
    const content = await download(driver, driven, forged).catch((error: unknown) => error);
    if (content instanceof Error) expect(HandoverError.isInstance(content), "an error of a download is typed").toBe(true);
    expect(visits).toEqual([]);
  } finally {
    driver.gateway.setFaults(undefined);
    await trap.close();
  }
}

function forgeLinks(attachment: Attachment, target: string): Attachment {
  const isLink = (value: unknown): boolean => typeof value === "string" && /^https?:\/\//.test(value);
  return JSON.parse(JSON.stringify({ ...attachment, url: target }), (_key, value: Json) => (isLink(value) ? target : value)) as Attachment;
}

async function refusesLargeFiles(driver: Driver): Promise<void> {
  const driven = await driver.start();
  const before = (await driver.desk(driven)).messages.length;
  const file = { id: "huge", name: "film.mov", type: "video/quicktime", sizeBytes: 10 ** 12 };
  const message = newMessage({ text: "my film", attachments: [file] });
  let readBytes = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      readBytes += 1024 * 1024;
      if (readBytes > 2 ** 28) controller.error(new Error("The provider reads on and on."));
      else controller.enqueue(new Uint8Array(1024 * 1024));
    },
  });
  const outcome = await sendWith(driver, driven, message, async () => ({ ...file, stream })).catch((error: unknown) => error);
  const added = (await driver.desk(driven)).messages.slice(before);
  if (outcome === undefined) {
    for (const { text } of added) expectReadable(text);
    expect(added.map(({ text }) => text).join("\n")).toContain("film.mov");
    return;
  }
  if (!HandoverError.isInstance(outcome)) throw new Error("What fails for a file must be a typed error.", { cause: outcome });
  expect([outcome.effect, outcome.isRetryable, outcome.outcome]).toEqual(["message", false, "not-applied"]);
  expect(outcome.message, "the limit").toMatch(/\d/);
  expect(added).toEqual([]);
}

async function sendsSlowFile(driver: Driver): Promise<void> {
  const driven = await driver.start();
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, index) => `row ${index} of a slow file\n`).join(""));
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (let from = 0; from < bytes.length; from += 100) {
        await new Promise((resolve) => setImmediate(resolve));
        controller.enqueue(new Uint8Array(bytes.subarray(from, from + 100)));
      }
      controller.close();
    },
  });
  const file = { id: "slow", name: "slow.txt", type: "text/plain", sizeBytes: bytes.length };
  driver.gateway.setFaults(() => ({ kind: "delay", delayMs: 20 }));
  await sendWith(driver, driven, newMessage({ attachments: [file] }), async () => ({ ...file, stream }));
  driver.gateway.setFaults(undefined);
  const arrived = (await driver.backend.filesAtDesk?.(driven.deskId)) ?? [];
  expect(arrived.map((one) => [one.name, Buffer.from(one.bytes).toString()])).toEqual([["slow.txt", bytes.toString()]]);
}

/** The vendor itself refuses the call that carries the file. */
async function sendsNothingRefused(driver: Driver): Promise<void> {
  const driven = await driver.start();
  const bytes = Buffer.from("the file that is refused");
  const file = { id: "refused", name: "refused.txt", type: "text/plain", sizeBytes: bytes.length };
  const before = (await driver.desk(driven)).messages.length;
  for (const status of [413, 415, 422]) {
    driver.gateway.setFaults(({ body }) =>
      body.includes("the file that is refused") ? { kind: "answer", status, body: "{}" } : undefined,
    );
    const message = newMessage({ text: "see the file", attachments: [file] });
    const error = await driver.failure(() => sendWith(driver, driven, message, async () => ({ ...file, stream: streamOf(bytes) })));
    driver.gateway.setFaults(undefined);
    expect([status, error.effect, error.isRetryable, error.outcome]).toEqual([status, "message", false, "not-applied"]);
  }
  expect((await driver.desk(driven)).messages).toHaveLength(before);
  expect(await driver.backend.filesAtDesk?.(driven.deskId)).toEqual([]);
}

async function refusesKinds(driver: Driver): Promise<void> {
  const driven = await driver.start();
  const before = (await driver.desk(driven)).messages.length;
  for (const { file, reason } of driver.backend.refusedFiles ?? []) {
    const attachment = { id: "refused", name: file.name, type: file.type, sizeBytes: file.bytes.length };
    const message = newMessage({ text: "see the file", attachments: [attachment] });
    const content = async () => ({ ...attachment, stream: streamOf(file.bytes) });
    const error = await driver.failure(() => sendWith(driver, driven, message, content));
    expect([file.name, error.effect, error.isRetryable, error.outcome]).toEqual([file.name, "message", false, "not-applied"]);
    expect(error.message).toContain(reason);
  }
  expect((await driver.desk(driven)).messages).toHaveLength(before);
}

async function sendsFiles(driver: Driver): Promise<void> {
  const driven = await driver.start();
  const sent = files.slice(0, 3);
  const attachments = sent.map(({ name, type, bytes }, index) => ({ id: `file-${index}`, name, type, sizeBytes: bytes.length }));
  await driver.send(driven, newMessage({ text: "before the files" }));
  await sendWith(driver, driven, newMessage({ text: "a caption", attachments }), async (id) => {
    const { name, type, bytes } = sent[Number(id.split("-")[1])] as ConformanceFile;
    return { name, type, sizeBytes: bytes.length, stream: streamOf(bytes) };
  });
  await driver.send(driven, newMessage({ text: "after the files" }));
  const arrived = (await driver.backend.filesAtDesk?.(driven.deskId)) ?? [];
  const plain = (list: readonly ConformanceFile[]) => list.map(({ name, type, bytes }) => [name, type, Buffer.from(bytes).toString()]);
  expect(plain(arrived)).toEqual(plain(sent));
  const texts = (await driver.desk(driven)).messages.map(({ text }) => text).join("\n");
  expect(texts.indexOf("before the files")).toBeLessThan(texts.indexOf("a caption"));
  expect(texts.indexOf("a caption")).toBeLessThan(texts.indexOf("after the files"));
}

async function sendWith(
  driver: Driver,
  driven: DrivenHandover,
  message: Message,
  readAttachment: (id: string) => Promise<AttachmentContent>,
): Promise<void> {
  for (const part of driver.plan(driven, message)) {
    await driver.connection.sendMessage?.(driven.handover, part, { ...driver.call(), readAttachment });
  }
}

async function download(driver: Driver, driven: DrivenHandover, attachment: Attachment): Promise<ConformanceFile> {
  const content = await driver.connection.downloadAttachment?.(driven.handover, attachment, driver.call());
  if (!content) throw new Error("downloadAttachment gave nothing.");
  return { name: content.name, type: content.type, bytes: new Uint8Array(await new Response(content.stream).arrayBuffer()) };
}

function shownFiles(driven: DrivenHandover): Attachment[] {
  return receivedMessages(driven).flatMap(({ attachments = [] }) => attachments);
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([new Uint8Array(bytes)]).stream() as ReadableStream<Uint8Array>;
}
