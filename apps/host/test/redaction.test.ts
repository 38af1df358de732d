import { afterEach, expect, test } from "vitest";
import { startBotServer, type BotServer } from "./support/bot-server.ts";
import { readUntil } from "./support/read-events.ts";
import { marked } from "./support/test-configuration.ts";
import { send, startTestHost, supportEndpoint, type TestHost } from "./support/test-host.ts";

let host: TestHost | undefined;
let bot: BotServer | undefined;

afterEach(async () => {
  await host?.stop();
  await bot?.close();
  host = bot = undefined;
});

test("should be what every way out of a host shows: its readers, its bot, the desk, its log and its metrics [F121 part: the host]", async () => {
  const [card, mail] = ["4111-1111", "ada@example.com"];
  let isBroken = false;
  bot = await startBotServer(({ message }) => ({ handover: {}, messages: [{ text: `So it is ${message?.text ?? ""}, ${card}?` }] }));
  const { url: botUrl } = bot;
  host = await startTestHost({
    endpoints: [{ ...supportEndpoint, bot: { http: { url: botUrl, secret: marked.botSecret } } }],
    host: {
      redact: {
        beforeStore(text) {
          if (isBroken) throw new Error(`cannot read ${text}`);
          return text.replaceAll(card, "[card]");
        },
        beforeDesk: (text) => text.replaceAll(mail, "[mail]"),
      },
    },
  });
  const url = host.conversation("c");
  await send("POST", `${url}/messages`, { id: "1", text: `${card} of ${mail}` });
  await readUntil(url, ({ status }) => status === "queued");
  const [ticket] = await host.desk.waitFor(([one]) => one?.messages.length === 2);
  isBroken = true;
  const refused = await send("POST", `${url}/messages`, { id: "2", text: `again ${card}` });
  expect(refused).toMatchObject({ status: 503, json: { code: "REDACTION_FAILED" } });
  expect(JSON.stringify(refused)).not.toContain(card);
  isBroken = false;
  expect(await send("POST", `${url}/messages`, { id: "2", text: `again ${card}` })).toMatchObject({ status: 202 });
  await host.desk.waitFor(([one]) => one?.messages.at(-1)?.text === "again [card]");
  host.desk.say(ticket!.id, { text: `Is it ${card}?` });
  const entries = await readUntil(url, ({ text }) => text === "Is it [card]?");
  expect(entries.flatMap(({ text, kind }) => (kind === "message" ? [text] : []))).toEqual([
    `[card] of ${mail}`,
    `So it is [card] of ${mail}, [card]?`,
    "again [card]",
    "Is it [card]?",
  ]);
  expect(bot.requests.map(({ turn }) => turn.message?.text)).toEqual([`[card] of ${mail}`]);
  const atDesk = host.desk.conversations()[0]?.messages.map(({ text }) => text);
  expect(atDesk?.slice(0, 2)).toEqual(["[card] of [mail]", "So it is [card] of [mail], [card]?"]);
  const metrics = await (await fetch(`${host.url}/metrics`)).text();
  expect(metrics).toContain("handover_redactions_total");
  for (const text of [...host.logLines, metrics]) expect(text.includes(card) || text.includes(mail)).toBe(false);
});
