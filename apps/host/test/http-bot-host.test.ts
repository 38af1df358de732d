import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { BotTurn } from "@handover/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

const turns: BotTurn[] = [];
let server: Server;
let host: TestHost;

function answer({ message, event }: BotTurn): object {
  if (event) return { messages: [{ text: `It was ${event.reason ?? event.type}.` }] };
  if (message?.text === "person") return { messages: [{ text: "I will get somebody." }], handover: { options: { priority: "urgent" } } };
  return {
    messages: [
      { text: `You said ${message?.answer?.payload ?? message?.text ?? ""}` },
      { text: "Yes?", choices: [{ id: "y", title: "Yes", payload: "YES_1" }] },
    ],
  };
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
  host = await startTestHost({ endpoints: [{ ...supportEndpoint, bot: { http: { url, secret: marked.botSecret, name: "Bo" } } }] });
});
afterAll(async () => {
  await host.stop();
  server.close();
});

test("should give messages to the bot, let it ask for a person, and give it the conversation back (HTTP bot) [F063 the next message]", async () => {
  const url = host.conversation("c");
  await send("POST", `${url}/messages`, { id: "1", text: "hello" });
  const first = await readUntil(url, ({ choices }) => choices !== undefined);
  expect(first.map(({ author, text }) => `${author?.name ?? author?.role ?? ""}: ${text ?? ""}`)).toEqual([
    "user: hello",
    "Bo: You said hello",
    "Bo: Yes?",
  ]);

  await send("POST", `${url}/messages`, { id: "2", text: "person" });
  const queued = await readUntil(url, ({ status }) => status === "queued");
  const kinds = queued.slice(3).map(({ kind, text, status }) => text ?? status ?? kind);
  expect(kinds.slice(0, 3)).toEqual(["person", "I will get somebody.", "requested"]);

  await send("DELETE", `${url}/handover`);
  await readUntil(url, ({ text }) => text === "It was cancelled.");
  await send("POST", `${url}/messages`, { id: "3", text: "back" });
  await readUntil(url, ({ text }) => text === "You said back");
  expect(turns.map(({ message, event }) => message?.text ?? event?.type)).toEqual(["hello", "person", "ended", "back"]);
});

test("should give the bot the payload of a choice while the log shows its title [F131 bot and log]", async () => {
  const url = host.conversation("choices");
  await send("POST", `${url}/messages`, { id: "1", text: "hello" });
  const offered = await readUntil(url, ({ choices }) => choices !== undefined);
  await send("POST", `${url}/messages`, { id: "2", answer: { seq: offered.at(-1)?.seq, choice: "y" } });
  const entries = await readUntil(url, ({ id }) => id === "2");
  expect(entries.at(-1)?.text).toBe("Yes");
  await readUntil(url, ({ text }) => text === "You said YES_1");
});
