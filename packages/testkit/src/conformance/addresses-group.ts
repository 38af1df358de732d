import { describeSettings, HandoverError, type Attachment, type Json, type JsonSchema } from "@handover/core";
import { expect } from "vitest";
import type { ConformanceFile } from "./conformance-backend.ts";
import { receivedMessages, type DrivenHandover } from "./driven-handover.ts";
import type { Driver } from "./driver.ts";
import { newMessage } from "./samples.ts";
import { userMark } from "./secrets.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

const file: ConformanceFile = { name: "plan.txt", type: "text/plain", bytes: Buffer.from("plan") };

/** What leads into the host's own network, in the ways of writing it that people try, and to somebody else. */
const otherAddresses = [
  "http://127.0.0.1:9/secret",
  "http://localhost:9/secret",
  "http://[::1]:9/secret",
  "http://[::ffff:127.0.0.1]:9/secret",
  "http://2130706433:9/secret",
  "http://169.254.169.254/latest/meta-data",
  "http://[fe80::1]/secret",
  "http://10.0.0.1/secret",
  "https://user:word@169.254.169.254/secret",
  "https://files.example.com/secret",
];

/** Where calls lead, and what stands in their addresses. */
export function addressTests(suite: Suite): readonly DrivenTest[] {
  const { backend, has, hears } = suite;
  return [
    test("should put no secret and no word of a user into any URL or log line, whatever it does [F112]", keepsUrlsClean),
    ...when(
      has("downloadAttachment", "translate") && hears && backend.agentSendsFile,
      test("should fetch a file from the vendor only, and never from an inner or foreign address that a link or a redirect names [F115]", async (driver) => {
        for (const target of otherAddresses) {
          for (const way of ["link", "redirect"] as const) await expectNoVisit(driver, target, way);
        }
      }),
    ),
  ];
}

/** Uses every ability; after the test no log line may hold a secret either, the one of the webhook's URL among them. */
async function keepsUrlsClean(driver: Driver): Promise<void> {
  const { connection, backend } = driver;
  const request = driver.request();
  const driven = await driver.start(request);
  const { handover, deskId } = driven;
  await connection.findStarted?.(request, driver.call());
  const [part] = driver.plan(driven, newMessage({ text: `a word of ${userMark}` }));
  const key = { idempotencyKey: "key-of-the-suite" };
  if (part) await connection.sendMessage?.(handover, part, driver.call(key));
  if (part) await connection.findSentMessage?.(handover, { part, ...key, firstAttemptAtMs: Date.now() }, driver.call());
  await connection.getQueueStatuses?.([handover], driver.call());
  await connection.setTyping?.(handover, true, driver.call());
  await connection.setUserPresence?.(handover, false, driver.call());
  await connection.updateHandover?.(handover, { user: { ...request.user, id: handover.id, name: userMark } }, driver.call());
  await backend.agentAccepts(deskId);
  await backend.agentSays(deskId, "hello");
  await backend.agentSendsFile?.(deskId, file);
  await driver.observe();
  await driver.catchUp(driven);
  const attachments = shownFiles(driven);
  for (const attachment of attachments) await connection.downloadAttachment?.(driven.handover, attachment, driver.call());
  await connection.findChanged?.(Date.now() - 1000, driver.call());
  await connection.checkAvailability?.(request.options, driver.call());
  await connection.checkConnection?.(driver.call());
  await connection.end?.(driven.handover, { reason: "completed", actor: "user" }, driver.call());
  await driver.observe();
  const own = driver.secrets.filter((secret) => secret !== driver.receiver.secret);
  for (const { method, url } of driver.gateway.calls) {
    const plain = decodeURIComponent(url).toLowerCase();
    const found = own.some((secret) => plain.includes(secret.toLowerCase())) || plain.includes(userMark.toLowerCase());
    expect(found, `the URL of ${method} ${new URL(url).pathname.replaceAll(/[^/]{20,}/g, "...")}`).toBe(false);
  }
  expect(unmarkedSecrets(describeSettings(driver.options.provider).settings), "secrets that the settings do not mark").toEqual([]);
  const links = attachments.flatMap(({ url = "" }) => driver.secrets.filter((secret) => url.includes(secret)));
  expect(links.length, "links that are shown and hold a secret").toBe(0);
}

/** What is named like a secret and not marked as one would be shown and logged. */
function unmarkedSecrets(schema: JsonSchema): string[] {
  const properties = Object.entries((schema["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>);
  return properties.flatMap(([name, own]) => {
    const isOpen =
      own["type"] === "string" && own["secret"] !== true && /((api|access|signing|private)key|token|secret|password)$/i.test(name);
    return [...(isOpen ? [name] : []), ...unmarkedSecrets(own)];
  });
}

/** The gateway answers in place of the inner network, so that nothing is really called. */
async function expectNoVisit(driver: Driver, target: string, way: "link" | "redirect"): Promise<void> {
  const driven = await driver.start();
  await driver.backend.agentSendsFile?.(driven.deskId, file);
  await driver.observe();
  const [attachment] = shownFiles(driven);
  if (!attachment) throw new Error("The user was shown no file.");
  const visits: string[] = [];
  const inner = new URL(target).host;
  driver.gateway.setFaults(({ url }) => {
    if (new URL(url).host === inner) {
      visits.push(url);
      return { kind: "answer", status: 200, body: "secret of the inner network" };
    }
    return way === "redirect" ? { kind: "answer", status: 302, headers: { location: target } } : undefined;
  });
  const forged = way === "link" ? withLinks(attachment, target) : attachment;
  const content = await Promise.resolve(driver.connection.downloadAttachment?.(driven.handover, forged, driver.call())).catch(
    (error: unknown) => error,
  );
  driver.gateway.setFaults(undefined);
  expect(visits).toEqual([]);
  const usual = await driver.connection.downloadAttachment?.(driven.handover, attachment, driver.call());
  expect(await new Response(usual?.stream ?? null).text(), "the file itself").toBe("plan");
  if (content instanceof Error) return expect(HandoverError.isInstance(content), `${way} to ${target}: ${content.name}`).toBe(true);
  if (way === "redirect") throw new Error(`A file was found behind a redirect to ${target}.`);
}

function withLinks(attachment: Attachment, target: string): Attachment {
  const isLink = (value: unknown): boolean => typeof value === "string" && /^https?:\/\//.test(value);
  return JSON.parse(JSON.stringify({ ...attachment, url: target }), (_key, value: Json) => (isLink(value) ? target : value)) as Attachment;
}

function shownFiles(driven: DrivenHandover): Attachment[] {
  return receivedMessages(driven).flatMap(({ attachments = [] }) => attachments);
}
