import { HandoverError, parseConfig, type Json, type TranscriptEntry } from "@handover/core";
import { expect } from "vitest";
import type { DrivenHandover } from "./driven-handover.ts";
import { agentTexts } from "./driven-handover.ts";
import type { Driver } from "./driver.ts";
import { newMessage, newTranscript } from "./samples.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** Ids as clients make them: what would break a path, a query, a header or a key. */
const oddIds = ["a/b", "a%2Fb", "==a_b-c==", "a b+c&d=e?f#g", "..", "ü/日本/😀", "a:b|c;d,e"];

/** What the desk is told with a handover: times, order, routing, ids and addresses. */
export function handOverTests(suite: Suite): readonly DrivenTest[] {
  const wanted = routingValues(suite.options.options ?? {});
  const urls = Object.entries((suite.options.settings ?? {}) as Readonly<Record<string, unknown>>).filter(([, value]) => isHttpUrl(value));
  return [
    ...when(
      suite.has("sendMessage"),
      test("should show each line of the transcript with its original time [F037]", showsOriginalTimes),
      test("should keep the order of a transcript whatever each call takes [F036 part: latency]", keepsOrder),
    ),
    ...when(
      wanted.length > 0,
      test("should hand over routing exactly as it was given, before anything is written [F051, F150 part: exact values]", (driver) =>
        routesFirst(driver, wanted)),
    ),
    test("should hand over what is known of the user before anything is written [F051 part: language and attributes]", tellsUserFirst),
    ...when(
      suite.backend.unknownRouting,
      test("should name what the desk has when a handover asks for something that it has not [F150 part: unknown names]", namesKnown),
    ),
    ...oddIds.map((id) =>
      test(`should start, relay and end with the ids ${JSON.stringify(id)} [F093 part: ids]`, (driver) => runWithId(driver, id)),
    ),
    ...when(
      urls.length > 0,
      test("should send the same requests whether or not a URL in the settings ends with a slash [F173 part: addresses]", (driver) =>
        ignoresSlash(driver, urls)),
    ),
  ];
}

/** Written by people in several time zones, days ago. */
function oldTranscript(): TranscriptEntry[] {
  const times = ["2026-01-31T22:59:58.000Z", "2026-02-01T00:01:02.000Z", "2026-03-29T01:30:00.000Z", "2026-03-29T02:30:00.000Z"];
  return times.map((sentAt, index) => ({
    seq: index + 1,
    message: newMessage({ role: index % 2 === 0 ? "user" : "bot", text: `old line ${index + 1}`, sentAt }),
  }));
}

async function showsOriginalTimes(driver: Driver): Promise<void> {
  const transcript = oldTranscript();
  const driven = await driver.start({ transcript });
  const { messages } = await driver.desk(driven);
  for (const { message } of transcript) {
    const line = messages.find(({ text }) => text.includes(message.text ?? ""));
    const shown = line?.at === undefined ? NaN : Date.parse(line.at);
    const isInField = Math.abs(shown - Date.parse(message.sentAt)) < 1000;
    const isInText = line?.text.includes(message.sentAt.slice(11, 16)) ?? false;
    expect(isInField || isInText, `"${message.text ?? ""}" of ${message.sentAt} is shown as of ${line?.at ?? "no time"}`).toBe(true);
  }
}

async function keepsOrder(driver: Driver): Promise<void> {
  const delaysMs = [30, 0, 20, 5, 0, 40, 10, 0];
  driver.gateway.setFaults((_call, index) => ({ kind: "delay", delayMs: delaysMs[index % delaysMs.length] ?? 0 }));
  const transcript = newTranscript(8);
  const driven = await driver.start({ transcript });
  driver.gateway.setFaults(undefined);
  const all = (await driver.desk(driven)).messages.map(({ text }) => text).join("\n");
  const places = transcript.map(({ message }) => all.indexOf(message.text ?? ""));
  expect(places, "a line is missing").not.toContain(-1);
  expect(places.toSorted((left, right) => left - right)).toEqual(places);
}

/** The values that the suite's options give for one handover, as they stand in a request. */
function routingValues(options: Readonly<Record<string, Json>>): readonly string[] {
  const leaves = (value: Json | undefined): string[] => {
    if (typeof value === "string" || typeof value === "number") return [String(value)];
    return typeof value === "object" && value !== null ? Object.values(value as Readonly<Record<string, Json>>).flatMap(leaves) : [];
  };
  return leaves(options);
}

async function routesFirst(driver: Driver, wanted: readonly string[]): Promise<void> {
  const transcript = newTranscript(2);
  await driver.start({ transcript });
  const { calls } = driver.gateway;
  const text = transcript[0]?.message.text ?? "";
  const firstWords = calls.findIndex(({ body }) => body.includes(JSON.stringify(text).slice(1, -1)));
  for (const value of wanted) {
    const place = calls.findIndex(({ body, url }) => body.includes(value) || decodeURIComponent(url).includes(value));
    expect(place, `"${value}" of the options was never sent`).toBeGreaterThanOrEqual(0);
    if (firstWords >= 0) expect(place, `"${value}" of the options was sent after the first line`).toBeLessThanOrEqual(firstWords);
  }
}

/** A vendor may have no field for the language; where it has one, it is there in time. */
async function tellsUserFirst(driver: Driver): Promise<void> {
  const user = {
    id: "user-with-attributes",
    name: "Ada",
    language: "de",
    isVerified: true,
    attributes: { customerNumber: "C-0815 & more" },
  };
  const transcript = newTranscript(2);
  await driver.start({ transcript, user });
  const bodies = driver.gateway.calls.map(({ body }) => body);
  const firstWords = bodies.findIndex((body) => transcript.some(({ message }) => body.includes(message.text ?? "-")));
  const attribute = bodies.findIndex((body) => body.includes("C-0815 & more"));
  expect(attribute, "an attribute of the user was never sent").toBeGreaterThanOrEqual(0);
  const language = bodies.findIndex((body) => body.includes('"de"'));
  if (firstWords >= 0)
    for (const place of [attribute, language]) expect(place, "sent after the first line").toBeLessThanOrEqual(firstWords);
}

/** Refused with the list, or taken with a warning that has it: whichever the vendor's routing is, hard or soft. */
async function namesKnown(driver: Driver): Promise<void> {
  const { provider } = driver.options;
  for (const { options, known } of driver.backend.unknownRouting ?? []) {
    const before = driver.logged.length;
    const all = { ...driver.options.options, ...options };
    const { started, error } = await driver.attemptStart(
      driver.request({ options: parseConfig(provider.options, all, "unknown routing") }),
    );
    const warnings = driver.logged.slice(before).filter((line) => line.startsWith("warn "));
    const told = HandoverError.isInstance(error) ? error.message : warnings.join("\n");
    for (const name of known) expect(told, `${name} of ${JSON.stringify(options)}`).toContain(name);
    if (started) continue;
    expect(HandoverError.isInstance(error) && [error.effect, error.outcome, error.isRetryable]).toEqual(["handover", "not-applied", false]);
    expect(await driver.backend.conversations()).toEqual([]);
  }
}

async function runWithId(driver: Driver, id: string): Promise<void> {
  const driven = await driver.start({ conversation: id, user: { id, name: "Ada" } });
  const other = await driver.start({ conversation: `${id}x`, user: { id: `${id}x`, name: "Ada" } });
  for (const [each, text] of [[driven, "for the one"] as const, [other, "for the other"] as const]) await says(driver, each, text);
  expect([agentTexts(driven), agentTexts(other)]).toEqual(driver.connection.translate ? [["for the one"], ["for the other"]] : [[], []]);
  await driver.connection.end?.(driven.handover, { reason: "completed", actor: "user" }, driver.call());
  if (driver.connection.end)
    expect([(await driver.desk(driven)).status, (await driver.desk(other)).status === "closed"]).toEqual(["closed", false]);
}

async function says(driver: Driver, driven: DrivenHandover, text: string): Promise<void> {
  await driver.backend.agentSays(driven.deskId, text);
  await driver.observe();
}

async function ignoresSlash(driver: Driver, urls: readonly (readonly [string, unknown])[]): Promise<void> {
  const withSlashes = Object.fromEntries(urls.map(([key, value]) => [key, `${String(value)}/`]));
  const { provider, settings, name } = driver.options;
  const firstCall = async (own: unknown): Promise<string | undefined> => {
    const connection = driver.connect(parseConfig(provider.settings, own, name));
    const before = driver.gateway.calls.length;
    await connection.start(driver.request(), driver.call()).finally(() => connection.close?.());
    return driver.gateway.calls.slice(before).find(({ method }) => method === "POST")?.url;
  };
  const usual = await firstCall(settings);
  expect(await firstCall({ ...(settings as object), ...withSlashes })).toBe(usual);
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === "string" && /^https?:\/\//.test(value) && !value.endsWith("/") && new URL(value).search === "";
}
