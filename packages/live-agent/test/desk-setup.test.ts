import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import type { HandoverError } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall, makeContext, makeStartCall } from "../src/__fixtures__/calls.ts";
import { makeRequest, openDesk, type Desk } from "./desk.ts";

let desk: Desk;
const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
  await desk.close();
});

const createCall = "POST /live-agent/api/v1/accounts/1/conversations";
const created = (): Record<string, unknown>[] =>
  desk
    .calls(createCall)
    .filter(({ path }) => path.endsWith("/conversations"))
    .map(({ body }) => body as Record<string, unknown>);

async function failureOf(promise: Promise<unknown>): Promise<HandoverError> {
  return (await promise.then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

async function ask(path: string): Promise<unknown> {
  const response = await fetch(`${desk.simulator.baseUrl}/accounts/1${path}`, { headers: { "Api-Access-Token": desk.simulator.apiKey } });
  return response.json();
}

describe("contacts at the desk", () => {
  it("should make 10 contacts and no bot for 100 handovers of 10 users, and one contact inbox for each [F089]", async () => {
    desk = await openDesk();
    for (let index = 0; index < 100; index += 1) {
      const id = `user-${index % 10}`;
      // Half of them on an instance that remembers nothing.
      const connection = index % 2 === 0 ? desk.connection : desk.connect({}, makeContext());
      await connection.start(makeRequest({ user: { id, isVerified: true }, conversation: `c${index}` }), makeStartCall());
    }
    const contacts = new Set(created().map(({ contact_id: contactId }) => contactId));
    expect([contacts.size, created().length]).toEqual([10, 100]);
    expect(new Set(created().map(({ source_id: sourceId }) => sourceId)).size).toBe(100);
    const links = await Promise.all([...contacts].map((id) => ask(`/contacts/${String(id)}`)));
    const sources = links.flatMap((link) =>
      (link as { payload: { contact_inboxes: { source_id: string }[] } }).payload.contact_inboxes.map(
        ({ source_id: sourceId }) => sourceId,
      ),
    );
    expect(new Set(sources)).toEqual(new Set(created().map(({ source_id: sourceId }) => sourceId)));
    expect(sources).toHaveLength(100);
    expect(desk.calls("agent_bot")).toEqual([]);
  });

  it("should keep ann and joann apart, and merge nobody by an e-mail that a user typed [F090]", async () => {
    desk = await openDesk();
    for (const isVerified of [true, false]) {
      for (const id of ["joann", "ann"])
        await desk.startHandover({ user: { id, isVerified }, conversation: `${id} ${String(isVerified)}` });
    }
    await desk.startHandover({ user: { id: "eve", isVerified: true, email: "ann@example.com" }, conversation: "verified" });
    await desk.startHandover({ user: { id: "ann", email: "ann@example.com" }, conversation: "typed" });
    expect(new Set(created().map(({ contact_id: contactId }) => contactId)).size).toBe(6);
  });
});

describe("an inbox that does not give a fresh, open conversation", () => {
  it("should open what a bot on the inbox made pending [F050: pending]", async () => {
    desk = await openDesk({ profile: "4.15" });
    desk.simulator.setAgentBot({ url: "http://127.0.0.1:9/bot" });
    const started = await desk.startHandover();
    expect(desk.simulator.conversation(started.state.conversationId).details).toMatchObject({ status: "open" });
    expect(desk.calls("/toggle_status").map(({ body }) => body)).toEqual([{ status: "open" }]);
  });

  it("should get a new conversation from an inbox that is locked to a single one [F050: locked] [F078: second handover]", async () => {
    desk = await openDesk({ profile: "4.15" });
    desk.simulator.setInbox({ lockToSingleConversation: true });
    const user = { id: "ann", isVerified: true };
    const first = await desk.startHandover({ user });
    desk.simulator.close(first.state.conversationId);
    const second = await desk.startHandover({ user, ordinal: 2 });
    expect(second.state.conversationId).not.toBe(first.state.conversationId);
    expect(desk.simulator.conversation(first.state.conversationId).status).toBe("closed");
    expect(desk.simulator.conversation(second.state.conversationId).status).toBe("queued");
  });

  it("should fail for a contact that agents have blocked, and leave nothing open [F050: blocked]", async () => {
    desk = await openDesk({ profile: "4.15" });
    const user = { id: "ann", isVerified: true };
    const first = await desk.startHandover({ user });
    desk.simulator.block(first.state.conversationId, { isBlocked: true });
    expect(await failureOf(desk.startHandover({ user }))).toMatchObject({ code: "CONTACT_BLOCKED", effect: "handover" });
    expect(desk.simulator.conversations().map(({ status }) => status)).not.toContain("active");
    expect(desk.simulator.conversations()[1]!.status).toBe("closed");
  });

  it("should name an inbox in which agents could not answer [F176: can_reply]", async () => {
    desk = await openDesk({ profile: "4.15" });
    desk.simulator.setInbox({ agentReplyTimeWindow: 24 });
    expect(await failureOf(desk.startHandover())).toMatchObject({ code: "REPLY_WINDOW_SET", effect: "handover" });
    expect(desk.simulator.conversations().map(({ status }) => status)).toEqual(["closed"]);
    const findings = await desk.connection.checkConnection(makeCall());
    expect(findings.map(({ code }) => code)).toContain("REPLY_WINDOW_SET");
  });
});

describe("what agents and rules have set", () => {
  it("should survive what is added later, and an unknown agent changes nothing [F097]", async () => {
    desk = await openDesk({ profile: "4.15" });
    const started = await desk.startHandover({ options: { customAttributes: { plan: "gold" } } });
    const { conversationId } = started.state;
    const [agent] = desk.simulator.overview().agents;
    desk.simulator.setLabels(conversationId, { labels: ["vip"] });
    desk.simulator.accept(conversationId, { agent: agent!.name });
    const handover = desk.handover(started);
    await desk.connection.updateHandover(handover, { options: { labels: ["bot"], customAttributes: { tier: "A" } } }, makeCall());
    expect(desk.simulator.conversation(conversationId)).toMatchObject({
      agent: agent!.name,
      details: { labels: ["vip", "bot"], customAttributes: { plan: "gold", tier: "A" } },
    });
    const before = desk.calls().filter(({ method }) => method !== "GET").length;
    const error = await failureOf(desk.connection.updateHandover(handover, { options: { assigneeId: "999" } }, makeCall()));
    expect([error.code, desk.calls().filter(({ method }) => method !== "GET").length]).toEqual(["ASSIGNEE_NOT_FOUND", before]);
    expect(desk.simulator.conversation(conversationId).agent).toBe(agent!.name);
  });

  it("should make no further write of the events that its own writes cause [F065]", async () => {
    desk = await openDesk({ profile: "4.15" });
    const [agent] = desk.simulator.overview().agents;
    const options = { labels: ["bot"], priority: "high" as const, customAttributes: { plan: "gold" }, assigneeId: agent!.id };
    const started = await desk.startHandover({ options });
    const handover = desk.handover(started);
    await desk.connection.updateHandover(handover, { options: { labels: ["late"] } }, makeCall());
    await desk.simulator.webhooksIdle();
    const before = desk.calls().length;
    expect(desk.deliveries.length).toBeGreaterThan(3);
    let { state } = handover;
    for (const delivery of desk.deliveries) {
      const { events, state: next } = desk.connection.translate({ ...handover, state }, delivery);
      state = next ?? state;
      // Nothing that the runtime answers with a call.
      expect(events.map(({ type }) => type).filter((type) => type === "reopened" || type === "ended")).toEqual([]);
    }
    expect(desk.calls()).toHaveLength(before);
    // And the same again finds nothing to do.
    await desk.connection.updateHandover(handover, { options: { ...options, labels: ["bot", "late"] } }, makeCall());
    expect(
      desk
        .calls()
        .slice(before)
        .filter(({ method }) => method !== "GET"),
    ).toEqual([]);
  });
});

describe("a long transcript", () => {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      seq: index + 1,
      message: {
        id: `m${index}`,
        author: { role: index % 2 === 0 ? ("user" as const) : ("bot" as const) },
        text: `line ${index + 1} of many`,
        sentAt: "2026-01-01T09:58:07.000Z",
      },
    }));

  it("should stay below the vendor's rate limit: the beginning is one note, in order, with times and authors [F099: 201 turns] [F098: per minute]", async () => {
    desk = await openDesk({ profile: "4.15" });
    const transcript = lines(201);
    const started = await desk.startHandover({ transcript, summary: "Wants a refund." });
    expect(started.transcriptThrough).toBe(101);
    const handover = desk.handover(started);
    for (const { seq, message } of transcript) {
      if (seq <= started.transcriptThrough) continue;
      for (const part of desk.connection.planMessage(handover, message)) await desk.connection.sendMessage(handover, part, makeCall());
    }
    const { messages, notes } = desk.simulator.conversation(started.state.conversationId);
    expect(messages.filter(({ author }) => author !== "system").map(({ text }) => text)).toEqual(
      transcript.slice(101).map(({ message }) => message.text),
    );
    expect(notes).toHaveLength(1);
    expect(notes[0]!.text).toMatch(
      /^Wants a refund\.\n\n\[2026-01-01 09:58 UTC\] User:\nline 1 of many\n\n\[2026-01-01 09:58 UTC\] Bot:\nline 2 of many/,
    );
    expect(notes[0]!.text).toMatch(/line 101 of many$/);
    // The user goes on writing, within the same minute.
    const [live] = desk.connection.planMessage(handover, { ...transcript[0]!.message, id: "live", text: "still there" });
    await desk.connection.sendMessage(handover, live!, makeCall());
  });

  it("should be lines of their own while there are not too many", async () => {
    desk = await openDesk();
    expect((await desk.startHandover({ transcript: lines(150) })).transcriptThrough).toBe(0);
  });
});

describe("people at work", () => {
  it("should be counted as those who can be assigned [F146]", async () => {
    desk = await openDesk();
    desk.simulator.setAgents({
      agents: [
        { name: "Ann", skills: ["billing"], languages: ["german"] },
        { name: "Ben", skills: ["returns"] },
        { name: "Cleo", status: "busy", skills: ["billing"] },
        { name: "Dan", status: "away", skills: ["billing"] },
        { name: "Eva", status: "offline", skills: ["billing"] },
        { name: "Finn", inboxes: [], skills: ["billing"] },
      ],
    });
    const count = async (options = {}): Promise<unknown> => (await desk.connection.checkAvailability(options, makeCall())).agents;
    expect([await count(), await count({ skills: ["Billing"] }), await count({ skills: ["billing"], languages: ["French"] })]).toEqual([
      2, 1, 0,
    ]);
    // As many can really be assigned: everybody else is refused or is not online.
    const assignable = (await ask("/assignable_agents?inbox_ids[]=1")) as { payload: { availability_status: string; role: string }[] };
    const able = assignable.payload.filter((agent) => agent.availability_status === "online" && agent.role !== "administrator");
    expect(await count()).toBe(able.length);
  });

  it("should be told where the queue stands, in each way a server may say it", async () => {
    desk = await openDesk();
    desk.simulator.setQueue({ position: 4, estimatedWaitMs: 90_000 });
    const started = await desk.startHandover();
    for (const queueDetails of [
      "endpoint",
      "nested-endpoint",
      "conversation",
      "conversation-position",
      "conversation-queue-position",
    ] as const) {
      desk.simulator.setBehaviour({ queueDetails });
      const connection = desk.connect({}, makeContext());
      const statuses = await connection.getQueueStatuses([desk.handover(started)], makeCall());
      expect([...statuses.values()][0], queueDetails).toMatchObject({ position: 4 });
    }
  });
});

describe("a proxy that drops headers with underscores", () => {
  it("should change nothing [F110]", async () => {
    desk = await openDesk();
    const target = new URL(desk.simulator.baseUrl);
    const proxy = createServer((incoming, outgoing) => {
      const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !name.includes("_")));
      const passed = forward({ port: target.port, method: incoming.method, path: incoming.url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(passed);
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    stopping.push(async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    });
    const { port } = proxy.address() as AddressInfo;
    const connection = desk.connect({ baseUrl: `http://127.0.0.1:${port}/live-agent` });
    const started = await connection.start(makeRequest(), makeStartCall());
    expect(desk.simulator.conversation(started.state.conversationId).status).toBe("queued");
    expect(
      (await connection.checkConnection(makeCall())).filter(({ code }) => code.includes("AUTH") || code.includes("CREDENTIALS")),
    ).toEqual([]);
    // Known to spoil the token on one version.
    expect(desk.calls().filter(({ headers }) => headers["accept-encoding"] !== undefined)).toEqual([]);
  });
});

describe("handover check", () => {
  const lineOf = async (settings: Record<string, unknown>): Promise<string> => {
    const findings = await desk.connect(settings, makeContext({ webhookUrl: "https://bot.example/hook" })).checkConnection(makeCall());
    return findings.map(({ level, code }) => `${level} ${code}`).join(", ");
  };

  it("should find a signature secret that is not the inbox's [F103: secret of signatures]", async () => {
    desk = await openDesk({ profile: "4.15", webhookSecret: "the-inbox-secret" });
    expect(await lineOf({ signatureSecret: "another-one" })).toContain("error SIGNATURE_SECRET_WRONG");
    for (const right of [
      { signatureSecret: "the-inbox-secret" },
      { signatureSecret: "the-next-one", previousSignatureSecret: "the-inbox-secret" },
      {},
    ])
      expect(await lineOf(right)).not.toContain("SIGNATURE");
  });

  it("should explain rights, account, inbox and people in one line each [F173] [F109]", async () => {
    desk = await openDesk({ profile: "4.15" });
    const inbox = desk.simulator.addForeignInbox({ name: "Website" }) as { id: number };
    expect(await lineOf({ inboxId: String(inbox.id) })).toContain("warning INBOX_NOT_API");
    desk.simulator.setAgents({
      agents: [
        { name: "Ann Agent", inboxes: [] },
        { name: "Ben Agent", inboxes: [] },
      ],
    });
    expect(await lineOf({})).toContain("warning INBOX_WITHOUT_AGENTS");
    expect(await lineOf({ accountId: "55" })).toBe("error ACCOUNT_NOT_FOUND");
    expect(await lineOf({ apiKey: desk.simulator.platformToken })).toBe("error WRONG_TOKEN_KIND");
    expect(await lineOf({ inboxId: "999" })).toContain("error INBOX_NOT_FOUND");
    desk.simulator.setTechnicalUser({ role: "agent" });
    expect(await lineOf({})).toContain("warning ROLE_TOO_LOW");
    desk.simulator.setAccount({ status: "suspended" });
    expect(await lineOf({})).toBe("error ACCOUNT_SUSPENDED");
  });
});
