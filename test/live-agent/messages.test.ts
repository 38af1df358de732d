import { afterEach, describe, expect, it } from "vitest";
import type { VisibleEntry } from "@handover/runtime";
import { startTestHost, type TestHost, type TestHostOptions } from "../../apps/host/test/support/test-host.ts";
import { openChannelClient, type ChannelClient } from "../crash/channel-client.ts";
import { openSignals, type SignalReader } from "../support/read-signals.ts";

/** Host, provider and simulator as people run them: everything but plain text. */
let host: TestHost | undefined;
const open: { close(): void }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  await host?.stop();
  host = undefined;
});

interface Stage {
  readonly host: TestHost;
  readonly chat: ChannelClient;
  readonly signals: SignalReader;
  readonly ticket: string;
  /** Posts to a route of the conversation. */
  post(route: string, body: object): Promise<Response>;
}

async function handOver(options: TestHostOptions = {}): Promise<Stage> {
  host = await startTestHost({ ...options, root: { timing: { catchUpIntervalSeconds: 1 }, ...options.root } });
  const base = host.conversation("c");
  const chat = openChannelClient(host.url, "support", "c");
  const signals = openSignals(`${base}/events`);
  open.push(chat, signals);
  await chat.send("ask", "I need a human");
  await chat.until("the queue", (entries) => entries.some(({ status }) => status === "queued"));
  const post = (route: string, body: object): Promise<Response> =>
    fetch(`${base}/${route}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return { host, chat, signals, ticket: host.desk.conversations()[0]?.id ?? "", post };
}

const fromAgent = (entries: readonly VisibleEntry[]): VisibleEntry[] =>
  entries.filter(({ kind, author }) => kind === "message" && author?.role === "agent");

describe("Live Agent behind the host", () => {
  it("should bring files both ways, with names, types and captions [F132 live agent, F133 live agent]", async () => {
    const { host: opened, chat, ticket, post } = await handOver();
    const form = new FormData();
    form.append("file", new File(["%PDF-1.7 plan"], "Grundriß.pdf", { type: "application/pdf" }));
    const upload = await fetch(`${opened.conversation("c")}/attachments`, { method: "POST", body: form });
    expect(upload.status).toBe(201);
    const { id } = (await upload.json()) as { id: string };
    expect((await post("messages", { id: "file", text: "my plan", attachments: [id] })).status).toBe(202);
    const [seen] = await opened.desk.waitFor((all) => all[0]?.messages.some(({ attachments }) => attachments !== undefined) ?? false);
    const sent = seen?.messages.find(({ text }) => text === "my plan");
    expect(sent).toMatchObject({ author: "user", attachments: [{ name: "Grundriß.pdf", type: "application/pdf", sizeBytes: 13 }] });

    const files = [
      { name: "Übersicht.png", type: "image/png", content: new Uint8Array(Buffer.from("an image")) },
      { name: "voice.ogg", type: "audio/ogg", content: new Uint8Array(Buffer.from("a voice")) },
    ];
    opened.desk.say(ticket, { text: "**Both** files", attachments: files });
    await chat.until("the agent's files", (entries) => fromAgent(entries).length === 1);
    const [entry] = fromAgent(chat.visible());
    expect(entry).toMatchObject({ text: "**Both** files", format: "markdown" });
    expect(entry?.attachments?.map(({ name, type }) => [name, type])).toEqual([
      ["Übersicht.png", "image/png"],
      ["voice.ogg", "audio/ogg"],
    ]);
    for (const [index, { url }] of (entry?.attachments ?? []).entries()) {
      expect(url ?? "").not.toContain("active_storage");
      expect(await openFile(opened, url ?? "")).toBe(["an image", "a voice"][index]);
    }
    // The desk's own links work no longer.
    opened.desk.setBehaviour({ attachmentNotFoundTimes: 100 });
    for (const { url } of entry?.attachments ?? []) expect(await openFile(opened, url ?? "")).toMatch(/^an? /);
  });

  it("should offer an agent's choices, and show the desk which one was pressed", async () => {
    const { host: opened, chat, ticket, post } = await handOver();
    const items = [
      { title: "Red", value: "color-red" },
      { title: "Blue", value: "color-blue" },
    ];
    opened.desk.say(ticket, { text: "Which colour?", contentType: "input_select", items });
    await chat.until("the choices", (entries) => fromAgent(entries).some(({ choices }) => choices?.length === 2));
    const [question] = fromAgent(chat.visible());
    const choice = question?.choices?.find(({ title }) => title === "Blue")?.id;
    const answered = await post("messages", { id: "pressed", text: "Blue", answer: { seq: question?.seq, choice } });
    expect(answered.status).toBe(202);
    await opened.desk.waitFor((all) => all[0]?.messages.some(({ author, text }) => author === "user" && text === "Blue") ?? false);
    await until(() => opened.desk.requests().some(({ method, body }) => method === "PATCH" && JSON.stringify(body).includes("color-blue")));
  });

  it("should offer the survey after the end and bring its answers", async () => {
    const { host: opened, chat, ticket, post } = await handOver();
    opened.desk.say(ticket, { text: "done" });
    await chat.until("the answer", (entries) => fromAgent(entries).length === 1);
    opened.desk.close(ticket);
    await chat.until("the end", (entries) => entries.some(({ status }) => status === "ended"));
    if (!chat.visible().some(({ event }) => event === "survey-offered")) opened.desk.survey(ticket);
    await chat.until("the survey", (entries) => entries.some(({ event }) => event === "survey-offered"));
    const survey = chat.visible().find(({ event }) => event === "survey-offered")?.survey;
    expect(survey?.questions[0]).toMatchObject({ type: "rating", minimum: 1, maximum: 5 });
    const answers = { rating: 4, feedback: "Sehr nett, danke!" };
    expect((await post("survey", { survey: survey?.id, answers })).status).toBe(204);
    const [rated] = await opened.desk.waitFor((all) => all[0]?.survey !== undefined, { timeoutMs: 10_000 });
    expect(rated?.survey).toEqual({ rating: 4, feedback: "Sehr nett, danke!" });
    expect(rated?.status).toBe("closed");
  });

  it.each(["webhook", "cloud-events"] as const)(
    "should show typing both ways, the agent's by %s [F140 behind the host]",
    async (typing) => {
      const { host: opened, chat, signals, ticket, post } = await handOver({ liveAgent: { behaviour: { typing } } });
      opened.desk.say(ticket, { text: "hello" });
      await chat.until("the answer", (entries) => fromAgent(entries).length === 1);
      opened.desk.type(ticket, { isTyping: true });
      await signals.until("the agent types", ({ event, data }) => event === "typing" && data["isTyping"] === true);
      await post("typing", { isTyping: true });
      await opened.desk.waitFor((all) => all[0]?.isUserTyping === true);
      await post("typing", { isTyping: false });
      await opened.desk.waitFor((all) => all[0]?.isUserTyping === undefined);
      const typists = signals.seen.filter(({ event }) => event === "typing").map(({ data }) => (data["author"] as { role: string }).role);
      expect(new Set(typists)).toEqual(new Set(["agent"]));
    },
  );

  it("should show each side what the other has read", async () => {
    const { host: opened, chat, signals, ticket, post } = await handOver();
    await chat.send("live", "anybody there?");
    await opened.desk.waitFor((all) => all[0]?.messages.some(({ text }) => text === "anybody there?") ?? false);
    opened.desk.accept(ticket);
    await signals.until("the desk has read the question", ({ event, data }) => event === "receipt" && data["delivery"] === "read");
    opened.desk.say(ticket, { text: "read this" });
    await chat.until("the answer", (entries) => fromAgent(entries).length === 1);
    const [answer] = fromAgent(chat.visible());
    expect((await post("read", { seq: answer?.seq })).status).toBe(204);
    await opened.desk.waitFor((all) => all[0]?.messages.find(({ text }) => text === "read this")?.isRead === true);
  });

  it("should tell the agent once that the user has gone, and once that the user is back [F071 live agent]", async () => {
    const timing = { catchUpIntervalSeconds: 1, presenceGraceSeconds: 1 };
    const { host: opened, chat, signals, ticket } = await handOver({ root: { timing } });
    opened.desk.say(ticket, { text: "hello" });
    await chat.until("the answer", (entries) => fromAgent(entries).length === 1);
    const notes = (): string[] => opened.desk.conversation(ticket).notes.map(({ text }) => text);
    for (const one of [chat, signals]) one.close();
    await until(() => notes().length > 0);
    const back = openChannelClient(opened.url, "support", "c");
    open.push(back);
    await until(() => notes().length > 1);
    expect(notes()).toEqual(["User left the conversation", "User joined the conversation"]);
    await back.until("the answer again", (entries) => fromAgent(entries).length === 1);
  });

  it("should tell of messages that an agent edits and deletes, in their place", async () => {
    const { host: opened, chat, ticket } = await handOver();
    for (const text of ["frist", "second"]) opened.desk.say(ticket, { text });
    await chat.until("both", (entries) => fromAgent(entries).length === 2);
    const [first, second] = fromAgent(chat.visible());
    opened.desk.edit(ticket, { text: "first", ...(first ? { message: first.id } : {}) });
    opened.desk.delete(ticket, second ? { message: second.id } : {});
    const changes = (entries: readonly VisibleEntry[]) => entries.filter(({ event }) => event === "message-changed");
    await chat.until("both changes", (entries) => changes(entries).length === 2);
    expect(changes(chat.visible()).map(({ about, text }) => [about, text])).toEqual([
      [first?.seq, "first"],
      [second?.seq, undefined],
    ]);
    expect(fromAgent(chat.visible())).toHaveLength(2);
  });

  it("should keep going through another assignee, team and inbox, and through pending and snoozed [F057 live agent, F096 live agent]", async () => {
    const { host: opened, chat, ticket } = await handOver();
    opened.desk.say(ticket, { text: "one" });
    await chat.until("one", (entries) => fromAgent(entries).length === 1);
    opened.desk.setStatus(ticket, { status: "snoozed" });
    opened.desk.setStatus(ticket, { status: "pending" });
    opened.desk.setStatus(ticket, { status: "open" });
    const place = opened.desk.overview().queues?.find(({ id }) => id.startsWith("inbox:"));
    if (place) opened.desk.transfer(ticket, { to: place.id });
    opened.desk.say(ticket, { text: "two" });
    await chat.until("two", (entries) => fromAgent(entries).length === 2);
    await chat.send("back", "still there?");
    await opened.desk.waitFor((all) => all[0]?.messages.some(({ text }) => text === "still there?") ?? false);
    expect(chat.visible().filter(({ status }) => status === "ended")).toEqual([]);
  });
});

/** The host answers 503 until it has fetched the file. */
async function openFile(opened: TestHost, url: string): Promise<string> {
  let text = "";
  await until(async () => {
    const answer = await fetch(new URL(new URL(url, opened.url).pathname, opened.url));
    text = await answer.text();
    return answer.ok;
  });
  return text;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 15_000;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error("Not so after 15 seconds.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
