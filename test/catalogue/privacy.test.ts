import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { LogFields, Logger } from "@handover/core";
import { readUntil } from "../../apps/host/test/support/read-events.ts";
import { marked } from "../../apps/host/test/support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "../../apps/host/test/support/test-host.ts";
import { startBotServer, type BotServer } from "../../apps/host/test/support/bot-server.ts";

const mark = "MARKED";
const conversation = "conversation-1f2e3d";
const user = { id: `${mark}-user`, name: `${mark} Miller`, email: `${mark}@secret.example`, phone: `${mark}-555` };

/** A token as the host app would sign it. */
function signToken(claims: object, secret = marked.signingSecret): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const content = `${encode({ alg: "HS256" })}.${encode(claims)}`;
  return `${content}.${createHmac("sha256", secret).update(content).digest("base64url")}`;
}

const inOneHour = Math.floor(Date.now() / 1000) + 3_600;
const token = signToken({ conversation, sub: user.id, name: user.name, email: user.email, exp: inOneHour });
/** Names of keys are the words of developers and may be told. Each of these in a place where it has no business is a leak. */
const secrets = [mark, token, token.split(".")[2]!];

const logLines: string[] = [];
const write =
  (level: string) =>
  (message: string, fields?: LogFields): void =>
    void logLines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
const logger: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };

let host: TestHost;
let bot: BotServer;
const errors: string[] = [];

/** Sends, and keeps what was said about a failure. */
async function tell(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<number> {
  const { status, text } = await send(method, `${host.url}${path}`, body, headers);
  if (status >= 400) errors.push(text);
  return status;
}

const bearer = { authorization: `Bearer ${token}` };
const channel = (endpoint: string, route: string) => `/endpoints/${endpoint}/conversations/${conversation}/${route}`;

beforeAll(async () => {
  bot = await startBotServer(({ message, event }) => {
    switch (message?.text?.split(" ")[1]) {
      case "agent":
        return { messages: [{ text: `${mark} bot says` }], handover: { summary: `${mark} summary` } };
      case "broken":
        return { status: 500, text: `${mark} stack of the bot` };
      case "garbage":
        return `${mark} {{{`;
      case "wrong":
        return { messages: [{ text: 5, choices: mark }], more: mark };
      case "options":
        return { handover: { options: { priority: `${mark}-priority`, color: mark } } };
      default:
        return { messages: [{ text: `${mark} ${event?.type ?? "echo"}` }] };
    }
  });
  const http = { url: bot.url, secret: marked.botSecret };
  host = await startTestHost({
    logger,
    root: {
      limits: { perConversation: { messages: 12, seconds: 10 }, messageCharacters: 500 },
      timing: {
        botTimeoutSeconds: 1,
        callTimeoutSeconds: 1,
        startTimeoutSeconds: 0.3,
        messageRetrySeconds: 0.2,
        connectionRetrySeconds: 0.2,
      },
      metrics: { token: marked.metricsToken },
    },
    endpoints: [
      { ...supportEndpoint, access: { signed: { secret: marked.signingSecret } }, bot: { http } },
      { ...supportEndpoint, token: "open", bot: { http } },
    ],
  });
}, 30_000);

afterAll(async () => {
  await host.stop();
  await bot.close();
});

async function wholeHandover(): Promise<void> {
  const cookie = (await send("POST", `${host.url}${channel("support", "access")}`, undefined, bearer)).headers.get("set-cookie") ?? "";
  expect(
    await tell("POST", channel("support", "messages"), { id: `${mark}-1`, text: `${mark} agent` }, { cookie: cookie.split(";")[0]! }),
  ).toBe(202);
  const [ticket] = await host.desk.waitFor(([first]) => first?.messages.some(({ text }) => text === `${mark} agent`) ?? false);
  host.desk.accept(ticket!.id);
  host.desk.say(ticket!.id, { text: `${mark} agent says` });
  host.desk.note(ticket!.id, { text: `${mark} note` });
  await tell("POST", channel("support", "messages"), { id: `${mark}-2`, text: `${mark} thanks` }, bearer);
  await tell("POST", channel("support", "typing"), { isTyping: true }, bearer);
  await host.desk.waitFor(([first]) => first?.messages.some(({ text }) => text === `${mark} thanks`) ?? false);
  host.desk.close(ticket!.id);
  await expect.poll(() => bot.requests.some(({ turn }) => turn.event?.type === "ended")).toBe(true);
}

async function everythingGoesWrong(): Promise<void> {
  const open = `/endpoints/open/conversations/${conversation}`;
  const webhook = `/handover/live-agent/desk/${marked.webhookSecret}`;
  const messages = `${open}/messages`;
  expect(await tell("POST", messages, `{"id":"${mark}`)).toBe(400);
  expect(await tell("POST", messages, { id: "x", text: `${mark} ${"long ".repeat(200)}` })).toBe(413);
  expect(await tell("POST", messages, { id: "x", text: mark, color: mark })).toBe(400);
  expect(await tell("POST", messages, { id: "x", answer: { seq: 1, choice: mark } })).toBe(400);
  expect(await tell("POST", `${open}/handover`, { options: { priority: mark } })).toBe(400);
  expect(await tell("POST", `${open}/handover`, { options: { color: mark } })).toBe(400);
  expect(
    await tell("POST", channel("support", "messages"), { id: "x", text: mark }, { authorization: `Bearer ${signToken({}, mark)}` }),
  ).toBe(401);
  expect(await tell("POST", channel("support", "messages"), { id: "x", text: mark })).toBe(401);
  expect(await tell("POST", `/endpoints/${mark}/conversations/${conversation}/messages`, { id: "x", text: mark })).toBe(404);
  expect(await tell("GET", `/${mark}/${conversation}`)).toBe(404);
  expect(await tell("POST", `/handover/live-agent/desk/${mark}`, { content: mark })).toBe(401);
  expect(await tell("POST", webhook, `${mark} is not JSON`)).toBe(400);
  expect(await tell("POST", webhook, { event: "message_created", content: mark, conversation: mark })).toBe(200);
  expect(await tell("GET", "/metrics")).toBe(401);
  // A bot that fails in every way.
  for (const [index, word] of ["broken", "garbage", "wrong", "options"].entries()) {
    const path = `/endpoints/open/conversations/${conversation}-${word}/messages`;
    expect(await tell("POST", path, { id: String(index), text: `${mark} ${word}`, user })).toBe(202);
    await expect.poll(() => bot.requests.some(({ turn }) => turn.message?.text === `${mark} ${word}`)).toBe(true);
  }
  await readUntil(host.conversation(`${conversation}-options`, "open"), ({ status }) => status === "ended");
  await deskGoesWrong(messages);
}

async function deskGoesWrong(messages: string): Promise<void> {
  const url = `${host.url}${messages.replace(/\/messages$/, "")}`;
  // A start that is refused, messages that are refused for good, an end that is refused.
  host.desk.setFaults({ failRate: 1, status: 422, only: "POST /conversations" });
  await tell("POST", messages, { id: `${mark}-10`, text: `${mark} agent`, user });
  const refused = await readUntil(url, ({ status }) => status === "ended");
  host.desk.setFaults({});
  await tell("POST", messages, { id: `${mark}-11`, text: `${mark} agent` });
  const queued = await readUntil(url, ({ status, seq }) => status === "queued" && seq > refused.at(-1)!.seq);
  await host.desk.waitFor((all) => all.at(-1)?.messages.some(({ text }) => text === `${mark} bot says`) ?? false);
  await host.desk.webhooksIdle();
  host.desk.setFaults({ failRate: 1, status: 422, only: "POST /" });
  await tell("POST", messages, { id: `${mark}-12`, text: `${mark} never arrives` });
  await readUntil(url, ({ event, seq }) => event === "message-failed" && seq > queued.at(-1)!.seq);
  await tell("DELETE", `${messages.replace(/\/messages$/, "")}/handover`);
  await readUntil(url, ({ status, seq }) => status === "ended" && seq > queued.at(-1)!.seq);
  host.desk.setFaults({});
  for (let count = 0; (await tell("POST", messages, { id: `limit ${count}`, text: mark })) === 202; count += 1)
    expect(count).toBeLessThan(20);
}

function expectNoMark(text: string): void {
  for (const secret of secrets) expect(text).not.toContain(secret);
}

it("should tell texts, e-mail addresses, tokens, cookies and secrets to no log of any level, no error, no metric and no URL, and know a client by a header only [F120, F112 URLs, logs and client authentication]", async () => {
  await wholeHandover();
  await everythingGoesWrong();
  const metrics = await send("GET", `${host.url}/metrics`, undefined, { authorization: `Bearer ${marked.metricsToken}` });
  expect(metrics.status).toBe(200);
  // What is looked through is there.
  expect(new Set(logLines.map((line) => line.split(" ")[0]))).toContain("error");
  expect(errors.length).toBeGreaterThan(10);
  expect(metrics.text).toContain("handover_ended_total");
  for (const line of [...logLines, ...errors, ...metrics.text.split("\n")]) expectNoMark(line);
  expectNoMark(host.logLines.join("\n"));

  const urls = [
    ...host.desk.requests().map(({ path, query }) => `${path} ${JSON.stringify(query)}`),
    ...bot.requests.map(({ url }) => url),
  ];
  expect(urls.length).toBeGreaterThan(10);
  for (const url of urls) for (const secret of [...Object.values(marked), token]) expect(url).not.toContain(secret);
  for (const { headers, body } of bot.requests) {
    expect(`${JSON.stringify(headers)} ${body}`).not.toContain(marked.botSecret);
    expect(headers["x-handover-signature"]).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  }
  const path = channel("support", "events");
  for (const query of [`access_token=${token}`, `token=${token}`, `authorization=Bearer%20${token}`]) {
    expect((await send("GET", `${host.url}${path}?${query}`)).status).toBe(401);
  }
  for (const line of [...logLines, ...host.logLines]) for (const secret of Object.values(marked)) expect(line).not.toContain(secret);
}, 30_000);
