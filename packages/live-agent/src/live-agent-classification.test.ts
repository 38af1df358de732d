import type { HandoverEvent, WebhookRefusedError } from "@handover/core";
import { computeHmac } from "@handover/provider-utils";
import { describe, expect, it } from "vitest";
import { makeCall, makeContext, makeHandover, makeSettings } from "./__fixtures__/calls.ts";
import { agentReply, cloudEventTyping, contactSender, conversationUpdated, typingOn } from "./__fixtures__/webhook-bodies.ts";
import type { LiveAgentState } from "./live-agent-state.ts";
import { translate } from "./live-agent-translate.ts";
import { receiveWebhook } from "./live-agent-webhook.ts";

/** What comes of one webhook: a status that refuses it, `nothing` to store, why it was ignored, or the events. */
type Outcome = number | "nothing" | `ignored: ${string}` | readonly string[];

interface Row {
  /** Number of the rule in section 4.5 of the reference page. */
  readonly rule: string;
  readonly what: string;
  readonly body: unknown;
  readonly outcome: Outcome;
  readonly settings?: Record<string, unknown>;
  readonly state?: Partial<LiveAgentState>;
  readonly hasNoSecret?: true;
  readonly headers?: Record<string, string>;
}

const ann = { id: 2, name: "Ann Agent", type: "user" };
const technicalUser = { id: 1, name: "Handover", email: "handover@example.com", type: "user" };
const reply = (fields: object): object => ({ ...agentReply, ...fields });
const update = (fields: object): object => ({ ...conversationUpdated, ...fields });
const assigned = (assignee: object | null, fields: object = {}): object =>
  update({ meta: { ...conversationUpdated.meta, assignee }, ...fields });
const incoming = { sender: contactSender, message_type: "incoming" };
const secondsNow = 1767261600;

const signed = (body: unknown, secret: string, seconds = secondsNow): Record<string, string> => {
  const data = [String(seconds), ".", JSON.stringify(body)];
  return {
    "x-chatwoot-timestamp": String(seconds),
    "x-chatwoot-signature": `sha256=${computeHmac({ algorithm: "sha256", encoding: "hex", secret, data })}`,
    "x-chatwoot-delivery": "5f7c",
  };
};

const message: readonly string[] = ["message-received agent"];
const systemMessage: readonly string[] = ["message-received system"];
const echo: readonly string[] = ["message-echoed"];

const rules: readonly Row[] = [
  { rule: "1", what: "a wrong secret", body: agentReply, hasNoSecret: true, outcome: 401 },
  { rule: "1", what: "a wrong secret and no JSON", body: "{", hasNoSecret: true, outcome: 401 },
  {
    rule: "1",
    what: "a wrong signature beside the right secret",
    body: agentReply,
    settings: { signatureSecret: "s" },
    headers: signed(agentReply, "other"),
    outcome: 401,
  },
  {
    rule: "1",
    what: "a signature instead of the secret",
    body: agentReply,
    hasNoSecret: true,
    settings: { signatureSecret: "s" },
    headers: signed(agentReply, "s"),
    outcome: message,
  },
  {
    rule: "1",
    what: "a signature of ten minutes ago",
    body: agentReply,
    settings: { signatureSecret: "s" },
    headers: signed(agentReply, "s", secondsNow - 600),
    outcome: 401,
  },
  { rule: "1", what: "no JSON", body: "{", outcome: 400 },
  { rule: "1", what: "JSON that is no object", body: "5", outcome: 400 },
  { rule: "1", what: "an event nobody knows", body: { event: "something_new" }, outcome: "nothing" },
  { rule: "1", what: "no event and no type", body: { id: 1 }, outcome: "nothing" },
  {
    rule: "1",
    what: "a CloudEvent of another type",
    body: { ...cloudEventTyping, type: "ai.cognigy.live-agent.other" },
    outcome: "nothing",
  },
  ...["contact_created", "contact_updated", "inbox_created", "inbox_updated", "webwidget_triggered"].map((event): Row => ({
    rule: "1",
    what: event,
    body: { ...contactSender, event },
    outcome: "nothing",
  })),
  { rule: "2", what: "another account", body: reply({ account: { id: 2 } }), outcome: "nothing" },
  {
    rule: "2",
    what: "another account inside the conversation",
    body: reply({ account: undefined, conversation: { ...agentReply.conversation, account: { id: 2 } } }),
    outcome: "nothing",
  },
  {
    rule: "2",
    what: "another inbox",
    body: reply({ inbox: { id: 99 }, conversation: { ...agentReply.conversation, inbox_id: 99 } }),
    outcome: message,
  },
  { rule: "3", what: "a private note", body: reply({ private: true }), outcome: ["desk-note"] },
  { rule: "3", what: "a private note of ours", body: reply({ private: true, sender: technicalUser }), outcome: "ignored: own-note" },
  { rule: "3", what: "a note for an audience nobody knows", body: reply({ private: "managers" }), outcome: ["desk-note"] },
  { rule: "3", what: "a message that does not say whether it is public", body: reply({ private: undefined }), outcome: ["desk-note"] },
  { rule: "4", what: "incoming as text", body: reply(incoming), outcome: echo },
  { rule: "4", what: "incoming as number", body: reply({ ...incoming, message_type: 0 }), outcome: echo },
  {
    rule: "4",
    what: "incoming of a contact with a type",
    body: reply({ ...incoming, sender: { ...contactSender, type: "contact" } }),
    outcome: echo,
  },
  { rule: "4", what: "an answer on behalf of the user", body: reply({ ...incoming, sender: ann }), outcome: echo },
  {
    rule: "4",
    what: "an answer on behalf of the user, wanted",
    body: reply({ ...incoming, sender: ann }),
    settings: { deliverRepliesOnBehalf: true },
    outcome: systemMessage,
  },
  {
    rule: "4",
    what: "our own message, where answers on behalf are wanted",
    body: reply({ ...incoming, source_id: "key-1" }),
    settings: { deliverRepliesOnBehalf: true },
    outcome: echo,
  },
  {
    rule: "4",
    what: "our own message of an old server, where they are wanted",
    body: reply({ ...incoming, content_attributes: { external_created_at: 1 } }),
    settings: { deliverRepliesOnBehalf: true },
    outcome: echo,
  },
  { rule: "5", what: "activity as text", body: reply({ message_type: "activity", sender: null }), outcome: "ignored: activity" },
  { rule: "5", what: "activity as number", body: reply({ message_type: 2, sender: null }), outcome: "ignored: activity" },
  {
    rule: "6",
    what: "an update: deleted",
    body: reply({ event: "message_updated", content_attributes: { deleted: true } }),
    outcome: ["message-changed"],
  },
  {
    rule: "6",
    what: "an update: our delivery failed",
    body: reply({ event: "message_updated", content_attributes: { external_error: "x" } }),
    outcome: message,
  },
  { rule: "7", what: "our source_id of the technical user", body: reply({ sender: technicalUser, source_id: "key-1" }), outcome: echo },
  { rule: "7", what: "our marker", body: reply({ content_attributes: { handover_key: "key-1", external_created_at: 1 } }), outcome: echo },
  {
    rule: "7",
    what: "our marker as JSON in a text",
    body: reply({ content_attributes: '{"handover_key":"key-1","external_created_at":1}' }),
    outcome: echo,
  },
  {
    rule: "7",
    what: "the original time that only we give",
    body: reply({ content_attributes: { external_created_at: 1767261000 } }),
    outcome: echo,
  },
  {
    rule: "7",
    what: "a line of our bot in its own name",
    body: reply({ sender: { id: 1, type: "agent_bot" }, content_attributes: { external_created_at: 1 } }),
    outcome: echo,
  },
  ...["agent_bot", "captain_assistant", "cognigy"].flatMap((type): Row[] => [
    { rule: "8", what: type, body: reply({ sender: { id: 1, name: "Bot", type } }), outcome: "ignored: desk-bot" },
    {
      rule: "8",
      what: `${type}, wanted`,
      body: reply({ sender: { id: 1, name: "Bot", type } }),
      settings: { deliverBotMessages: true },
      outcome: systemMessage,
    },
  ]),
  { rule: "9", what: "our technical user without a marker", body: reply({ sender: technicalUser }), outcome: echo },
  { rule: "9", what: "another person than our technical user", body: agentReply, state: { technicalUserId: "99" }, outcome: message },
  { rule: "10", what: "a template as text", body: reply({ message_type: "template", sender: null }), outcome: systemMessage },
  { rule: "10", what: "a template as number", body: reply({ message_type: 3, sender: null }), outcome: systemMessage },
  {
    rule: "10",
    what: "an automation",
    body: reply({ sender: null, content_attributes: { automation_rule_id: 4 } }),
    outcome: systemMessage,
  },
  {
    rule: "10",
    what: "an automation, not wanted",
    body: reply({ sender: null }),
    settings: { deliverTemplates: false },
    outcome: "ignored: template",
  },
  {
    rule: "10",
    what: "the survey where answers can be handed in",
    body: reply({ message_type: "template", sender: null, content_type: "input_csat" }),
    state: { inboxIdentifier: "abc" },
    outcome: ["survey-offered"],
  },
  {
    rule: "10",
    what: "the survey where they cannot",
    body: reply({ message_type: "template", sender: null, content_type: "input_csat" }),
    outcome: systemMessage,
  },
  { rule: "11", what: "an agent's message", body: agentReply, outcome: message },
  { rule: "11", what: "an agent's message as number", body: reply({ message_type: 1 }), outcome: message },
  { rule: "11", what: "a content type nobody knows", body: reply({ content_type: "typescognigy" }), outcome: message },
  { rule: "11", what: "a content type as number", body: reply({ content_type: 2017 }), outcome: message },
  {
    rule: "11",
    what: "a type of message nobody knows",
    body: reply({ message_type: "brand_new" }),
    outcome: "ignored: unknown-message-type",
  },
  {
    rule: "11",
    what: "a type of sender nobody knows",
    body: reply({ sender: { id: 3, type: "brand_new" } }),
    outcome: "ignored: desk-bot",
  },
];

const facts: readonly Row[] = [
  ...["open", "pending"].map((status): Row => ({
    rule: "created",
    what: status,
    body: update({ event: "conversation_created", status }),
    outcome: "ignored: created",
  })),
  { rule: "first message", what: "of a person", body: agentReply, outcome: message },
  { rule: "first message", what: "assigned alone", body: assigned(ann), outcome: ["agent-joined"] },
  ...["pending", "snoozed"].map((status): Row => ({
    rule: "paused",
    what: status,
    body: assigned(null, { status }),
    outcome: "ignored: no-change",
  })),
  { rule: "moved", what: "another assignee", body: assigned(ann), state: { agent: { id: "3" } }, outcome: ["transferred"] },
  {
    rule: "moved",
    what: "another team",
    body: assigned(null, { meta: { team: { id: 2, name: "B" } } }),
    state: { team: "1" },
    outcome: ["transferred"],
  },
  { rule: "moved", what: "another inbox", body: assigned(null, { inbox_id: 7 }), state: { inbox: "3" }, outcome: ["transferred"] },
  { rule: "moved", what: "unassigned", body: assigned(null), state: { agent: { id: "3" } }, outcome: ["agent-left"] },
  ...["conversation_status_changed", "conversation_updated", "conversation_resolved"].flatMap((event) =>
    ["resolved", "closed", "abandoned"].map((status): Row => ({
      rule: "over",
      what: `${event} ${status}`,
      body: update({ event, status }),
      outcome: [status === "abandoned" ? "ended abandoned" : "ended completed"],
    })),
  ),
  {
    rule: "over",
    what: "told a second time",
    body: update({ status: "resolved" }),
    state: { status: "resolved" },
    outcome: "ignored: already-ended",
  },
  {
    rule: "reopened",
    what: "conversation_opened after the end",
    body: update({ event: "conversation_opened" }),
    state: { status: "resolved", updatedAt: 1 },
    outcome: ["reopened"],
  },
  { rule: "seen", what: "an agent has looked", body: assigned(null, { agent_last_seen_at: 1767261000 }), outcome: ["delivery-changed"] },
  {
    rule: "seen",
    what: "nothing new was looked at",
    body: assigned(null, { agent_last_seen_at: 1767261000 }),
    state: { agentSeenAt: 1767261000 },
    outcome: "ignored: no-change",
  },
  { rule: "typing", what: "of an agent", body: typingOn, outcome: ["typing-changed"] },
  { rule: "typing", what: "for a note", body: { ...typingOn, is_private: true }, outcome: "ignored: private-typing" },
  { rule: "typing", what: "of the contact", body: { ...typingOn, user: contactSender }, outcome: "ignored: own-typing" },
  { rule: "typing", what: "by CloudEvent", body: cloudEventTyping, outcome: ["typing-changed"] },
];

const titled = (row: Row): [string, Row] => [`rule ${row.rule}: ${row.what} -> ${[row.outcome].flat().join()}`, row];

describe("classification of a webhook, each row of section 4.5 [F019] [F053] [F096] [F119] [F152]", () => {
  it.each([...rules, ...facts].map(titled))("should follow %s", (_title, row) => {
    expect(outcomeOf(row)).toEqual(row.outcome);
  });

  it("should cover every rule", () => {
    expect([...new Set(rules.map(({ rule }) => rule))]).toEqual(Array.from({ length: 11 }, (_, index) => String(index + 1)));
    // The rest of the status table is no webhook's: test/status-table.test.ts.
    const told = ["created", "first message", "paused", "moved", "over", "reopened", "seen", "typing"];
    expect([...new Set(facts.map(({ rule }) => rule))]).toEqual(told);
  });

  it("should give a repeated message and its update one id, and a deletion another [F018]", () => {
    const ids = (body: object): (string | undefined)[] =>
      deliveriesOf({ rule: "6", what: "", body, outcome: "nothing" }).map(({ id }) => id);
    const updated = reply({ event: "message_updated" });
    expect([ids(agentReply), ids(updated), ids(reply({ content_attributes: { deleted: true } }))]).toEqual([
      ["message:1001"],
      ["message:1001", expect.stringMatching(/^message:1001:text:/) as string],
      ["message:1001:deleted"],
    ]);
  });

  it("should name the conversation by account id and confirm it by our source id, for whoever does not know it yet [F041: references]", () => {
    for (const body of [agentReply, conversationUpdated, typingOn]) {
      const [delivery] = deliveriesOf({ rule: "2", what: "", body, outcome: "nothing" });
      expect(delivery?.references).toEqual(["conversation:42", "source:session-abc"]);
    }
  });
});

function deliveriesOf({ body, settings = {}, hasNoSecret, headers = {} }: Row) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const request = { method: "POST", path: "/", query: "", headers, body: Buffer.from(text), hasValidSecret: !hasNoSecret };
  const context = makeContext({ clock: { now: () => secondsNow * 1000 } });
  return receiveWebhook({ settings: makeSettings(settings), context }, request, makeCall()).deliveries;
}

function outcomeOf(row: Row): Outcome {
  let deliveries: ReturnType<typeof deliveriesOf>;
  try {
    deliveries = deliveriesOf(row);
  } catch (error) {
    return (error as WebhookRefusedError).status;
  }
  const [delivery] = deliveries;
  if (!delivery) return "nothing";
  const { events, ignored } = translate(makeSettings(row.settings), makeHandover(row.state), delivery);
  return events.length === 0 ? `ignored: ${ignored ?? "without a word"}` : events.map(wordOf);
}

function wordOf(event: HandoverEvent): string {
  if (event.type === "message-received") return `${event.type} ${event.message.author.role}`;
  return event.type === "ended" ? `${event.type} ${event.reason}` : event.type;
}
