import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BotTurn } from "@handover/runtime";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openEvents, readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

const turns: BotTurn[] = [];
let server: Server;
let host: TestHost;
let count = 0;
const newId = () => `presence ${(count += 1)}`;

function answer({ message, event }: BotTurn): object {
  if (message?.text === "person") return { handover: {} };
  if (event?.type === "queued") return { messages: [{ text: "only you", destination: "user-only" }], inactivityTimer: { minutes: 0.001 } };
  if (event?.type === "inactive")
    return { messages: [{ text: `silent ${event.count ?? 0}` }], endHandover: true, closeHandoverInProvider: false };
  return {};
}

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk) => (body += String(chunk)));
    request.once("end", () => {
      const turn = JSON.parse(body) as BotTurn;
      turns.push(turn);
      response.end(JSON.stringify(answer(turn)));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/turn`;
  const http = { url, secret: marked.botSecret, events: ["queued", "ended"] };
  host = await startTestHost({
    root: { timing: { botTimeoutSeconds: 5 } },
    endpoints: [
      supportEndpoint,
      { ...supportEndpoint, token: "timed", bot: { http } },
      {
        ...supportEndpoint,
        token: "signed",
        access: { signed: { secret: marked.signingSecret } },
      },
      {
        ...supportEndpoint,
        token: "cancel",
        handover: { connections: ["desk"], texts: { cancelButton: "Never mind" }, cancelWords: ["stop"], userIdleTimeoutSeconds: 600 },
      },
    ],
  });
});
afterAll(async () => {
  await host.stop();
  server.close();
});

const problem = (status: number, code: string) => ({ status, json: { status, code } });

describe("who is there", () => {
  test("should be told to the runtime when the first tab comes and when the last one goes", async () => {
    const said: unknown[] = [];
    const spy = vi.spyOn(host.runtime, "setPresence").mockImplementation(async (request) => void said.push(request));
    const conversation = newId();
    const url = host.conversation(conversation);
    const [one, two] = [await openEvents(`${url}/events`), await openEvents(`${url}/events`)];
    one.close();
    await one.ended;
    // Another reader shows that the first one's going was noticed and told nobody.
    const three = await openEvents(`${url}/events`);
    two.close();
    three.close();
    await expect
      .poll(() => said, { timeout: 10_000 })
      .toEqual([
        { endpoint: "support", conversation, isPresent: true },
        { endpoint: "support", conversation, isPresent: false },
      ]);
    spy.mockRestore();
  });
});

describe("what was read", () => {
  test("should be taken with 204, refused beyond the end, and look the same for a conversation that is not there", async () => {
    const url = host.conversation(newId());
    await send("POST", `${url}/messages`, { id: "1", text: "hello" });
    await readUntil(url, ({ seq }) => seq === 2);
    expect(await send("POST", `${url}/read`, { seq: 2 })).toMatchObject({ status: 204, text: "" });
    expect(await send("POST", `${url}/read`, { seq: 1 })).toMatchObject({ status: 204 });
    const beyond = await send("POST", `${url}/read`, { seq: 3 });
    expect(beyond).toMatchObject(problem(400, "INVALID_SEQ"));
    const unknown = await send("POST", `${host.conversation(newId())}/read`, { seq: 1 });
    expect(unknown.json).toEqual(beyond.json);
    for (const body of [{ seq: 0 }, { seq: "1" }, { seq: 1.5 }, {}, { seq: 1, more: 1 }]) {
      expect(await send("POST", `${url}/read`, body)).toMatchObject(problem(400, "INVALID_BODY"));
    }
    expect(await send("POST", `${host.conversation("x", "signed")}/read`, { seq: 1 })).toMatchObject(problem(401, "TOKEN_REQUIRED"));
    expect(await send("POST", `${host.conversation("x", "none")}/read`, { seq: 1 })).toMatchObject(problem(404, "ENDPOINT_NOT_FOUND"));
  });

  test("should be told to the runtime with what a reader has got of the desk's", async () => {
    const got: number[] = [];
    const spy = vi.spyOn(host.runtime, "markDelivered").mockImplementation(({ seq }) => void got.push(seq));
    const url = host.conversation(newId());
    await send("POST", `${url}/handover`, {});
    await readUntil(url, ({ status }) => status === "queued");
    const [{ id } = { id: "" }] = host.desk.conversations().slice(-1);
    host.desk.say(id, { text: "good day" });
    const entries = await readUntil(url, ({ text }) => text === "good day");
    const { seq } = entries.at(-1)!;
    await expect.poll(() => got).toContain(seq);
    expect(new Set(got)).toEqual(new Set([seq]));
    spy.mockRestore();
  });
});

describe("a survey's answers", () => {
  test("should be refused in words where there is no such survey, or they are none", async () => {
    const url = host.conversation(newId());
    const unknown = await send("POST", `${url}/survey`, { survey: "s", answers: { score: 5 } });
    expect(unknown).toMatchObject(problem(404, "SURVEY_NOT_FOUND"));
    await send("POST", `${url}/messages`, { id: "1", text: "hello" });
    expect((await send("POST", `${url}/survey`, { survey: "s", answers: { score: 5 } })).json).toEqual(unknown.json);
    for (const body of [
      { survey: "s" },
      { survey: "", answers: {} },
      { survey: "s", answers: { a: true } },
      { survey: "s", answers: [] },
    ]) {
      expect(await send("POST", `${url}/survey`, body)).toMatchObject(problem(400, "INVALID_BODY"));
    }
  });

  test("should come to the runtime as they are, with its own errors", async () => {
    const given: unknown[] = [];
    const spy = vi.spyOn(host.runtime, "submitSurvey").mockImplementation(async (request) => void given.push(request));
    const conversation = newId();
    const body = { survey: "s", answers: { score: 5, more: "fine" } };
    expect(await send("POST", `${host.conversation(conversation)}/survey`, body)).toMatchObject({ status: 204 });
    expect(given).toEqual([{ endpoint: "support", conversation, ...body }]);
    spy.mockRestore();
  });
});

describe("a bot behind a URL", () => {
  test("should set its timer, be told of silence, speak to the user alone, and take the conversation back without closing the desk's", async () => {
    const conversation = newId();
    const url = host.conversation(conversation, "timed");
    await send("POST", `${url}/messages`, { id: "1", text: "person" });
    const entries = await readUntil(url, ({ status }) => status === "ended");
    const shown = entries.filter(({ kind }) => kind === "message" || kind === "handover");
    expect(shown.map(({ text, status }) => status ?? text)).toEqual(["person", "requested", "queued", "only you", "silent 1", "ended"]);
    expect(entries.at(-1)).toMatchObject({ reason: "cancelled", cause: { actor: "bot" } });
    const own = () => turns.filter((turn) => turn.conversation === conversation).map(({ event }) => event);
    await expect.poll(own).toEqual([undefined, { type: "queued" }, { type: "inactive", count: 1 }, { type: "ended", reason: "cancelled" }]);
    const [last] = host.desk.conversations().slice(-1);
    expect(last?.status).not.toBe("closed");
    expect(JSON.stringify(last)).not.toContain("only you");
  });
});

describe("the button that cancels", () => {
  test.each([["button"], ["word"]])("should take the request back, at the desk too, without a message there: by %s", async (way) => {
    const url = host.conversation(newId(), "cancel");
    await send("POST", `${url}/messages`, { id: "1", text: "agent" });
    const entries = await readUntil(url, ({ status }) => status === "queued");
    const { seq, choices } = entries.at(-1)!;
    expect(choices).toEqual([{ id: "cancel", title: "Never mind" }]);
    await send("POST", `${url}/messages`, way === "button" ? { id: "2", answer: { seq, choice: "cancel" } } : { id: "2", text: "Stop" });
    const all = await readUntil(url, ({ status }) => status === "ended");
    expect(all.at(-1)).toMatchObject({ reason: "cancelled", cause: { actor: "user" } });
    const [last] = host.desk.conversations().slice(-1);
    expect(last?.status).toBe("closed");
    expect(JSON.stringify(last?.messages)).not.toMatch(/Never mind|Stop/);
  });
});
