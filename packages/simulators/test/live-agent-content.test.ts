import { describe, expect, test } from "vitest";
import { createManualClock, startBench } from "./harness.ts";

const inbox = "/live-agent/public/api/v1/inboxes/simulator-inbox-1/contacts/session-abc/conversations";
const day = 86_400_000;

describe("choices, cards, forms and articles", () => {
  const valid: [string, object[]][] = [
    ["input_select", [{ title: "Billing", value: "billing" }]],
    [
      "cards",
      [
        {
          title: "Phone",
          description: "New",
          media_url: "https://x.example/a.png",
          actions: [{ type: "link", text: "See", uri: "https://x.example" }],
        },
      ],
    ],
    ["form", [{ type: "text", name: "email", label: "E-mail", placeholder: "you@example.com", required: true }]],
    ["article", [{ title: "Help", description: "All about it", link: "https://x.example/help" }]],
  ];

  test.each(valid)("should take %s with its items and show them everywhere", async (contentType, items) => {
    const { ok, converse, liveAgent, told } = await startBench({ profile: "3.16" });
    const id = await converse();
    const posted = await ok("POST", `/conversations/${id}/messages`, {
      content: "Choose",
      content_type: contentType,
      content_attributes: { items },
    });
    expect(posted).toMatchObject({ content_type: contentType, content_attributes: { items } });
    liveAgent.say(String(id), { text: "Choose", contentType, items });
    const webhooks = (await told()).filter(({ event }) => event === "message_created");
    for (const webhook of webhooks) expect(webhook).toMatchObject({ content_type: contentType, content_attributes: { items } });
    expect(liveAgent.conversation(String(id)).messages.at(-1)).toMatchObject({ author: "agent", contentType });
  });

  test.each([
    ["input_select", undefined],
    ["input_select", []],
    ["input_select", [{ title: "x", value: "y", colour: "red" }]],
    ["cards", [{ title: "x" }]],
    ["cards", [{ title: "x", actions: [{ href: "y" }] }]],
    ["article", [{ headline: "x" }]],
    ["form", ["x"]],
  ])("should refuse %s with the items %j", async (contentType, items) => {
    const { api, converse, http } = await startBench();
    const id = await converse();
    const answer = await api("POST", `/conversations/${id}/messages`, {
      content: "x",
      content_type: contentType,
      content_attributes: { items },
    });
    expect([answer.status, answer.json.error]).toEqual([422, expect.stringContaining("Content attributes") as string]);
    const say = await http("POST", `/control/live-agent/conversations/${id}/say`, { text: "x", contentType, items: items ?? [] });
    expect([400, 409]).toContain(say.status);
  });

  test("should keep what the customer submits, and tell it", async () => {
    const { ok, converse, liveAgent, told, http } = await startBench();
    const id = await converse();
    liveAgent.say(String(id), { text: "Choose", contentType: "input_select", items: [{ title: "Billing", value: "billing" }] });
    const { id: message } = (await ok("GET", `/conversations/${id}/messages`)).payload.at(-1)!;
    await told();
    const values = [{ name: "choice", title: "Billing", value: "billing" }];
    const answer = await http("PATCH", `${inbox}/${id}/messages/${message}`, { submitted_values: values });
    expect(answer.json.content_attributes).toMatchObject({ submitted_values: values });
    expect((await told())[0]).toMatchObject({ event: "message_updated", id: message, content_attributes: { submitted_values: values } });
  });
});

describe("the CSAT survey", () => {
  async function offered(options: Parameters<typeof startBench>[0] = {}, clock?: Parameters<typeof startBench>[1]) {
    const bench = await startBench(options, clock);
    bench.liveAgent.setInbox({ csatSurveyEnabled: true });
    const id = String(await bench.converse());
    bench.liveAgent.say(id, { text: "Bye" });
    await bench.told();
    bench.liveAgent.close(id);
    const survey = (await bench.told()).find(({ event, message_type: type }) => event === "message_created" && type === "template")!;
    return { bench, id, survey };
  }

  test("should be offered once, after the end, as a template with the address of its page", async () => {
    const { bench, id, survey } = await offered();
    const { uuid } = await bench.ok("GET", `/conversations/${id}`);
    expect(survey).toMatchObject({ content_type: "input_csat", sender: null, conversation: { status: "resolved" } });
    expect(survey.content).toMatch(new RegExp(`/survey/responses/${uuid}$`));
    const again = await bench.http("POST", `/control/live-agent/conversations/${id}/survey`);
    expect([again.status, again.json.code]).toEqual([409, "NOT_POSSIBLE"]);
    expect(bench.liveAgent.conversation(id).messages.at(-1)).toMatchObject({ author: "system", contentType: "input_csat" });
  });

  test("should be offered by hand too, and not told before 2.18", async () => {
    const { liveAgent, converse, told } = await startBench({ profile: "2.16" });
    const id = String(await converse());
    await told();
    expect(liveAgent.survey(id).messages.at(-1)).toMatchObject({ contentType: "input_csat" });
    expect(await told()).toEqual([]);
  });

  test("should take the customer's answer by the public API, and tell it", async () => {
    const { bench, id, survey } = await offered();
    const response = { rating: 4, feedback_message: "Quick" };
    const path = `${inbox}/${id}/messages/${survey.id}`;
    const answer = await bench.http("PATCH", path, { submitted_values: { csat_survey_response: response } });
    expect([answer.status, answer.json.content_attributes]).toEqual([200, { submitted_values: { csat_survey_response: response } }]);
    expect((await bench.told())[0]).toMatchObject({
      event: "message_updated",
      message_type: "template",
      content_attributes: { submitted_values: { csat_survey_response: response } },
    });
    expect(bench.liveAgent.conversation(id).survey).toEqual({ rating: 4, feedback: "Quick" });
    for (const rating of [0, 6, "good"]) {
      expect((await bench.http("PATCH", path, { submitted_values: { csat_survey_response: { rating } } })).status).toBe(422);
    }
    expect(bench.liveAgent.answerSurvey(id, { rating: 2 }).survey, "it can be changed").toEqual({ rating: 2 });
  });

  test("should have a page of its own where the customer answers", async () => {
    const { bench, id, survey } = await offered();
    const address = /http\S+$/.exec(survey.content)![0];
    const page = await fetch(address);
    expect([page.status, page.headers.get("content-security-policy")]).toEqual([200, "default-src 'none'; form-action 'self'"]);
    expect(await page.text()).toContain('name="rating" value="5"');
    const submit = (rating: string): Promise<Response> =>
      fetch(address, { method: "POST", body: new URLSearchParams({ rating, feedback: "Quick" }) });
    expect((await submit("9")).status).toBe(422);
    expect((await submit("3")).status).toBe(200);
    expect(bench.liveAgent.conversation(id).survey).toEqual({ rating: 3, feedback: "Quick" });
    expect((await bench.told())[0]).toMatchObject({ event: "message_updated", id: survey.id });
    expect((await fetch(`${bench.url}/live-agent/survey/responses/other`)).status).toBe(404);
  });

  test("should be locked after fourteen days", async () => {
    const clock = createManualClock();
    const { bench, id, survey } = await offered({}, clock);
    const answer = (): ReturnType<typeof bench.http> =>
      bench.http("PATCH", `${inbox}/${id}/messages/${survey.id}`, { submitted_values: { csat_survey_response: { rating: 5 } } });
    clock.advance(14 * day);
    expect((await answer()).status).toBe(200);
    clock.advance(1);
    expect((await answer()).status).toBe(422);
  });
});

describe("messages that change", () => {
  test("should be edited by an agent, and told", async () => {
    const { ok, converse, liveAgent, told } = await startBench();
    const id = String(await converse());
    liveAgent.say(id, { text: "first" });
    liveAgent.say(id, { text: "second" });
    await told();
    const [first] = (await ok("GET", `/conversations/${id}/messages`)).payload;
    liveAgent.edit(id, { text: "second, better" });
    liveAgent.edit(id, { text: "first, better", message: String(first!.id) });
    expect((await told()).map(({ event, content }) => [event, content])).toEqual([
      ["message_updated", "second, better"],
      ["message_updated", "first, better"],
    ]);
    expect(liveAgent.conversation(id).messages.map(({ text }) => text)).toEqual(["first, better", "second, better"]);
  });

  test("should be deleted by an agent, and nothing of the content stay", async () => {
    const { ok, converse, liveAgent, told } = await startBench();
    const id = String(await converse());
    liveAgent.say(id, { text: "secret", contentType: "input_select", items: [{ title: "x", value: "secret" }] });
    await told();
    liveAgent.delete(id);
    const [update] = await told();
    expect(update).toMatchObject({ event: "message_updated", content_type: "text", content_attributes: { deleted: true } });
    expect(JSON.stringify([update, await ok("GET", `/conversations/${id}`)])).not.toContain("secret");
  });

  test("should be sent again: what an earlier failure left is gone, and so are the other attributes", async () => {
    const bench = await startBench({ profile: "4.15" });
    const id = String(await bench.converse());
    await bench.told();
    bench.receiver.respond = (response) => void response.writeHead(500).end();
    const { id: message } = await bench.ok("POST", `/conversations/${id}/messages`, { content: "x", content_attributes: { marker: "x" } });
    await bench.told();
    bench.receiver.respond = (response) => void response.end();
    const path = `/conversations/${id}/messages`;
    expect((await bench.ok("GET", path)).payload[0]).toMatchObject({ status: "failed", content_attributes: { marker: "x" } });
    expect(await bench.ok("POST", `${path}/${message}/retry`)).toMatchObject({ status: "sent", content_attributes: {} });
    expect((await bench.told()).map(({ event }) => event)).toEqual(["message_updated"]);
  });

  test("should take no line of the customer by API in an inbox of another kind", async () => {
    const { ok, api, liveAgent } = await startBench();
    const foreign = liveAgent.addForeignInbox({ name: "Website" }) as { id: number };
    const { contact } = (await ok("POST", "/contacts", { name: "Uma" })).payload;
    const { id } = await ok("POST", "/conversations", { inbox_id: foreign.id, contact_id: contact.id, source_id: "s1" });
    const refused = await api("POST", `/conversations/${id}/messages`, { content: "x", message_type: "incoming" });
    expect([refused.status, refused.json]).toEqual([422, { error: "Incoming messages are only allowed in Api inboxes" }]);
    const { id: message } = await ok("POST", `/conversations/${id}/messages`, { content: "x" });
    const patched = await api("PATCH", `/conversations/${id}/messages/${message}`, { status: "read" });
    expect([patched.status, patched.json]).toEqual([403, { error: "Message status update is only allowed for API inboxes" }]);
    expect((await ok("GET", `/inboxes/${foreign.id}`)).channel_type).toBe("Channel::WebWidget");
  });
});
