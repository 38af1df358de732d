import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Loose } from "./harness.ts";
import { createManualClock, startBench } from "./harness.ts";

const control = "/control/live-agent";
const updatesOf = (list: readonly Loose[]): string[] =>
  list.flatMap(({ event, changed_attributes: changed }) =>
    event === "conversation_updated"
      ? [...changed].map((attribute) => Object.keys(attribute)[0]!).filter((name) => name !== "updated_at")
      : [],
  );

describe("who is at work", () => {
  test("should be online, busy, away or offline, with skills, languages and inboxes", async () => {
    const { ok, http } = await startBench();
    const second = await ok("POST", "/inboxes", { name: "Second", channel: { type: "api" } });
    const agents = [
      { name: "Ann Agent", skills: ["billing"], languages: ["german"] },
      { name: "Ben Agent", status: "busy", role: "supervisor" },
      { name: "Cleo New", status: "away", inboxes: [second.id] },
    ];
    expect((await http("PUT", `${control}/agents`, { agents })).status).toBe(200);
    const listed = await ok("GET", "/agents");
    expect(listed.map(({ name, availability_status: status }) => [name, status])).toEqual([
      ["Handover Bot", "offline"],
      ["Ann Agent", "online"],
      ["Ben Agent", "busy"],
      ["Cleo New", "away"],
    ]);
    expect(listed[2]).toMatchObject({ role: "supervisor" });
    expect(listed[1]).toMatchObject({ custom_attributes: { skills: ["billing"], languages: ["german"] } });
    const members = async (inbox: number): Promise<string[]> =>
      (await ok("GET", `/inbox_members/${inbox}`)).payload.map(({ name }: { name: string }) => name);
    expect([await members(1), await members(second.id)]).toEqual([["Ann Agent", "Ben Agent"], ["Cleo New"]]);
    expect((await http("PUT", `${control}/agents`, { agents: [{ name: "x", status: "asleep" }] })).status).toBe(400);
    expect((await http("PUT", `${control}/agents`, { agents: "all" })).status).toBe(400);
  });

  test("should take the nearest agent: skills and languages are wishes", async () => {
    const { converse, liveAgent } = await startBench();
    liveAgent.setAgents({
      agents: [{ name: "Ann Agent" }, { name: "Ben Agent", skills: ["Billing"], languages: ["german"] }],
    });
    const skilled = String(await converse("s1", { custom_attributes: { skills: ["billing"], languages: ["german"] } }));
    expect(liveAgent.accept(skilled).agent).toBe("Ben Agent");
    const texts = String(await converse("s2", { additional_attributes: { skills: "Billing, tax" } }));
    expect(liveAgent.accept(texts).agent).toBe("Ben Agent");
    const nobody = String(await converse("s3", { custom_attributes: { skills: ["juggling"] } }));
    expect(liveAgent.accept(nobody).agent).toBe("Ann Agent");
  });

  test("should share new conversations among who is online where the inbox assigns by itself", async () => {
    const { converse, liveAgent, ok } = await startBench();
    liveAgent.setInbox({ enableAutoAssignment: true });
    const names: (string | undefined)[] = [];
    for (const sourceId of ["s1", "s2"]) names.push(liveAgent.conversation(String(await converse(sourceId))).agent);
    expect(names).toEqual(["Ann Agent", "Ben Agent"]);
    expect(liveAgent.conversation("1").status, "assigned is not active").toBe("queued");
    liveAgent.setAgents({ online: 0 });
    expect(liveAgent.conversation(String(await converse("s3")))).not.toHaveProperty("agent");
    expect((await ok("GET", "/conversations/meta")).meta).toMatchObject({ assigned_count: 2, unassigned_count: 1 });
  });
});

describe("the place in the queue", () => {
  test.each([
    ["nested-endpoint", "/queue_details", { queue_details: { position: 1, estimated_wait_time: 60_000 } }],
    ["conversation", "", { queue_details: { position: 1, estimated_wait_time: 60_000 } }],
    ["conversation-position", "", { position: 1 }],
    ["conversation-queue-position", "", { queue_position: 1 }],
  ] as const)("should be told as %s", async (queueDetails, path, shape) => {
    const { ok, converse, liveAgent } = await startBench({ profile: "4.15", behaviour: { queueDetails } });
    liveAgent.setQueue({ estimatedWaitMs: 60_000 });
    const id = await converse();
    expect(await ok("GET", `/conversations/${id}${path}`)).toMatchObject(shape);
    liveAgent.say(String(id), { text: "Hello" });
    const after = path === "" ? await ok("GET", `/conversations/${id}`) : undefined;
    for (const key of Object.keys(shape)) expect(after ?? {}).not.toHaveProperty(key);
  });

  test("should not be told at all when told so", async () => {
    const { api, converse, http } = await startBench({ behaviour: { queueDetails: "none" } });
    expect((await api("GET", `/conversations/${await converse()}/queue_details`)).status).toBe(404);
    expect((await http("PUT", `${control}/queue`, { position: 1 })).status).toBe(409);
  });
});

describe("what happens to a conversation at the desk", () => {
  test("should be assigned, moved to a team or inbox, prioritised and labelled, each told once", async () => {
    const { ok, converse, liveAgent, told } = await startBench();
    liveAgent.setTeams({ teams: [{ name: "Support" }] });
    const inbox = await ok("POST", "/inboxes", { name: "Second", channel: { type: "api" } });
    const id = String(await converse());
    await told();
    liveAgent.accept(id);
    liveAgent.transfer(id, { to: "Support" });
    expect(liveAgent.conversation(id).status, "a team's queue is a queue").toBe("queued");
    liveAgent.setPriority(id, { priority: "urgent" });
    liveAgent.setLabels(id, { labels: ["vip"] });
    const events = await told();
    expect(updatesOf(events)).toEqual(["assignee_id", "assignee_id", "team_id", "priority", "label_list"]);
    expect(events.at(-1)).toMatchObject({ labels: ["vip"], priority: "urgent", meta: { team: { name: "Support" } } });
    expect((await ok("GET", `/conversations/${id}`)).meta.team).toMatchObject({ name: "Support" });
    expect((await ok("GET", `/conversations?team_id=${(await ok("GET", "/teams"))[0]!.id}`)).data.payload).toHaveLength(1);
    liveAgent.transfer(id, { to: `inbox:${inbox.id}` });
    const moved = await ok("GET", `/conversations/${id}`);
    expect(moved.inbox_id).toBe(inbox.id);
    expect(liveAgent.conversation(id).details).toMatchObject({ inbox: "Second", team: "Support" });
    expect(liveAgent.team(id, { team: null }).details).toMatchObject({ team: undefined });
  });

  test("should be pending, snoozed and open again, without an end", async () => {
    const { http, converse, liveAgent, told, ok } = await startBench();
    const id = String(await converse());
    await told();
    const changes: Loose[] = [];
    for (const body of [{ status: "pending" }, { status: "snoozed", until: "2027-01-15T08:00:00.000Z" }, { status: "open" }]) {
      expect((await http("POST", `${control}/conversations/${id}/status`, body)).status).toBe(200);
      changes.push(...(await told()).filter(({ event }) => event === "conversation_status_changed"));
    }
    expect(changes.map(({ status }) => status)).toEqual(["pending", "snoozed", "open"]);
    expect(liveAgent.conversation(id).status).toBe("queued");
    expect((await http("POST", `${control}/conversations/${id}/status`, { status: "resolved" })).status).toBe(400);
    await ok("POST", `/conversations/${id}/toggle_status`, { status: "snoozed" });
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    expect((await ok("GET", `/conversations/${id}`)).status).toBe("open");
  });

  test("should be muted: resolved upstream, still open in Live Agent", async () => {
    for (const [profile, status] of [
      ["4.15", "resolved"],
      ["live-agent", "open"],
    ] as const) {
      const { ok, converse } = await startBench({ profile });
      const id = await converse();
      await ok("POST", `/conversations/${id}/mute`);
      expect(await ok("GET", `/conversations/${id}`)).toMatchObject({ muted: true, status, meta: { sender: { blocked: true } } });
      await ok("POST", `/conversations/${id}/unmute`);
      expect((await ok("GET", `/conversations/${id}`)).meta.sender).toMatchObject({ blocked: false });
    }
  });

  test("should not be reopened by a blocked contact, and a new one of them is resolved at once", async () => {
    const { ok, converse, liveAgent } = await startBench({ profile: "4.15" });
    const id = await converse();
    liveAgent.block(String(id), { isBlocked: true });
    liveAgent.close(String(id));
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    expect((await ok("GET", `/conversations/${id}`)).status).toBe("resolved");
    const { sender } = (await ok("GET", `/conversations/${id}`)).meta;
    const body = { inbox_id: 1, contact_id: sender.id, source_id: "session-abc" };
    expect((await ok("POST", "/conversations", body)).status).toBe("resolved");
  });

  test("should be deleted altogether: 404 from then on, and nothing is told", async () => {
    const { api, converse, liveAgent, told } = await startBench();
    const id = await converse();
    await told();
    liveAgent.remove(String(id));
    for (const path of ["", "/messages", "/labels"]) {
      const answer = await api("GET", `/conversations/${id}${path}`);
      expect([answer.status, answer.text]).toEqual([404, '{"error":"Resource could not be found"}']);
    }
    expect(await told()).toEqual([]);
    expect(liveAgent.conversations()).toEqual([]);
  });

  test("should be the last one again in an inbox with a single conversation, though it is resolved", async () => {
    const { ok, converse, liveAgent, http } = await startBench();
    const id = await converse();
    liveAgent.close(String(id));
    expect((await http("PUT", `${control}/inbox`, { lockToSingleConversation: true })).status).toBe(200);
    const { sender } = (await ok("GET", `/conversations/${id}`)).meta;
    const again = await ok("POST", "/conversations", { inbox_id: 1, contact_id: sender.id, source_id: "session-abc" });
    expect([again.id, again.status]).toEqual([id, "resolved"]);
  });

  test("should take no answer long after the customer's last line, where the inbox says so", async () => {
    const clock = createManualClock();
    const { ok, converse, liveAgent, http } = await startBench({}, clock);
    liveAgent.setInbox({ agentReplyTimeWindow: 24 });
    const id = await converse();
    await ok("POST", `/conversations/${id}/messages`, { content: "Hi", message_type: "incoming" });
    expect(await ok("GET", `/conversations/${id}`)).toMatchObject({ can_reply: true });
    clock.advance(24 * 3_600_000);
    expect(await ok("GET", `/conversations/${id}`)).toMatchObject({ can_reply: false });
    expect((await http("POST", `${control}/conversations/${id}/say`, { text: "Hello" })).status).toBe(409);
  });

  test("should tell the greeting once, and an absence outside working hours", async () => {
    const sunday = Date.UTC(2026, 0, 4, 12);
    const { ok, converse, liveAgent } = await startBench({}, createManualClock(sunday));
    liveAgent.setInbox({ greetingMessage: "Welcome", outOfOfficeMessage: "We are closed", workingHoursEnabled: true });
    const id = String(await converse());
    for (const content of ["one", "two"]) await ok("POST", `/conversations/${id}/messages`, { content, message_type: "incoming" });
    expect(liveAgent.conversation(id).messages.map(({ text }) => text)).toEqual(["one", "Welcome", "We are closed", "two"]);
    const other = String(await converse("s2"));
    await ok("POST", `/conversations/${other}/messages`, { content: "the bot said" });
    await ok("POST", `/conversations/${other}/messages`, { content: "hi", message_type: "incoming" });
    expect(liveAgent.conversation(other).messages, "a replayed line suppresses it").toHaveLength(2);
  });
});

describe("settings of the control API", () => {
  test("should name what it knows and refuse the rest", async () => {
    const { http } = await startBench();
    expect((await http("PUT", `${control}/nothing`, {})).json.message).toContain("agent-bot");
    expect((await http("PUT", `${control}/inbox`, { inbox: 77 })).status).toBe(409);
    expect((await http("PUT", `${control}/inbox`, { colour: "red" })).status).toBe(400);
    expect((await http("PUT", `${control}/agent-bot`, {})).status).toBe(400);
    expect((await http("PUT", `${control}/account-webhook`, { url: "ftp://x" })).status).toBe(400);
    expect((await http("PUT", `${control}/teams`, { teams: [5] })).status).toBe(400);
    expect((await http("PUT", `${control}/behaviour`, { typing: "loud" })).status).toBe(400);
    expect((await http("PUT", `${control}/behaviour`, { typing: "both" })).json).toMatchObject({ typing: "both", afterEnd: "stay-closed" });
    expect((await http("PUT", `${control}/behaviour`, {})).json).toMatchObject({ typing: "webhook" });
    expect((await http("PUT", "/control/eightbyeight/inbox", {})).status).toBe(404);
  });

  test.each([
    ["team", { team: "Nobody" }, 409],
    ["team", {}, 400],
    ["assign", { agent: 5 }, 400],
    ["priority", { priority: "extreme" }, 400],
    ["post", { text: "x", as: "ghost" }, 400],
    ["event", { event: "x", data: "y" }, 400],
    ["edit", { text: "x" }, 409],
    ["delete", { message: "1" }, 409],
    ["answer-survey", { rating: 5 }, 409],
    ["say", { attachment: {} }, 400],
    ["say", { items: "x", text: "x" }, 400],
  ])("should answer %s with %j by %i", async (action, body, status) => {
    const { http, converse } = await startBench();
    expect((await http("POST", `${control}/conversations/${await converse()}/${action}`, body)).status).toBe(status);
  });

  test("should be named in the readme, each switch, action and setting", async () => {
    const { liveAgent } = await startBench();
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const names = [...Object.keys(liveAgent.setBehaviour({})), ...Object.keys(liveAgent.ownActions), ...Object.keys(liveAgent.ownSettings)];
    expect(names.length).toBeGreaterThan(40);
    for (const name of names) expect(readme).toMatch(new RegExp(`[\`/]${name}\``));
  });

  test("should have it all as it was after a reset, but for the webhook and the count of ids", async () => {
    const { ok, converse, liveAgent, receiver } = await startBench();
    const id = await converse();
    liveAgent.setTeams({ teams: [{ name: "Support" }] });
    liveAgent.setBehaviour({ typing: "none" });
    liveAgent.setInbox({ csatSurveyEnabled: true });
    await ok("POST", "/inboxes", { name: "Second", channel: { type: "api" } });
    liveAgent.reset();
    expect((await ok("GET", "/inboxes")).payload).toEqual([
      expect.objectContaining({ id: 1, csat_survey_enabled: false, webhook_url: `${receiver.url}/hook` }),
    ]);
    expect(await ok("GET", "/teams")).toEqual([]);
    expect((await ok("GET", "/agents")).map((agent) => agent.id)).toEqual([1, 2, 3]);
    expect(await converse()).toBe(id + 1);
  });
});
