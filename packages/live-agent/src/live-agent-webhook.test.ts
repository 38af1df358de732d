import type { RawRequest, VendorDelivery, WebhookRefusedError } from "@handover/core";
import { computeHmac } from "@handover/provider-utils";
import { beforeEach, describe, expect, it } from "vitest";
import { logged, makeCall, makeContext, makeSettings } from "./__fixtures__/calls.ts";
import { agentReply, cloudEventTyping, conversationUpdated, oldAgentReply, typingOn } from "./__fixtures__/webhook-bodies.ts";
import { receiveWebhook } from "./live-agent-webhook.ts";

const nowMs = 1767261600_000;
let context = makeContext({ clock: { now: () => nowMs } });
beforeEach(() => (context = makeContext({ clock: { now: () => nowMs } })));

function request(body: unknown, fields: Partial<RawRequest> = {}): RawRequest {
  const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  return { method: "POST", path: "/handover/liveagent/desk", query: "", headers: {}, body: bytes, hasValidSecret: true, ...fields };
}

function receive(body: unknown, fields: Partial<RawRequest> = {}, settings: Record<string, unknown> = {}): readonly VendorDelivery[] {
  return receiveWebhook({ settings: makeSettings(settings), context }, request(body, fields), makeCall()).deliveries;
}

function refusal(run: () => unknown): [number, string] {
  try {
    run();
  } catch (error) {
    const { status, code } = error as WebhookRefusedError;
    return [status, code];
  }
  throw new Error("it was accepted");
}

describe("what a webhook is cut into", () => {
  it("should name a message by its id and find it by conversation and source", () => {
    const [delivery, ...others] = receive(agentReply);
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({
      id: "message:1001",
      references: ["conversation:42", "source:session-abc"],
      order: { group: "messages", position: 1001 },
    });
  });

  it("should keep no credential and no more than translate needs [F120]", () => {
    for (const body of [agentReply, conversationUpdated, typingOn, oldAgentReply]) {
      const text = JSON.stringify(receive(body));
      expect(text).not.toMatch(/REDACTED|pubsub|ann@example\.com|user-1/);
    }
  });

  it("should give the same id to both subscriptions, and another to a deletion [F018]", () => {
    const accountWebhook = receive({ ...agentReply, event: "message_updated" }, { headers: { "x-chatwoot-delivery": "another" } });
    expect(accountWebhook[0]?.id).toBe("message:1001");
    const deleted = receive({ ...agentReply, event: "message_updated", content_attributes: { deleted: true }, attachments: undefined });
    expect(deleted[0]?.id).toBe("message:1001:deleted");
  });

  it("should say once that a status is not known, as it may be an end", () => {
    logged.length = 0;
    for (const status of ["open", "pending", "snoozed", "resolved", "abandoned", "closed"]) receive({ ...conversationUpdated, status });
    expect(logged).toEqual([]);
    for (let count = 0; count < 3; count += 1) receive({ ...conversationUpdated, status: "given-up\n" });
    expect(logged).toEqual([expect.stringContaining('{"status":"given-up "}')]);
  });

  it("should take the top-level text when the nested message is a newer one [F038]", () => {
    const newer = structuredClone(agentReply);
    Object.assign(newer.conversation.messages[0]!, { id: 1002, content: "B" });
    expect(receive({ ...newer, content: "A" })[0]?.payload).toMatchObject({ text: "A", id: "1001" });
  });

  it("should find attachments in both places [F133: both payload shapes]", () => {
    for (const body of [agentReply, oldAgentReply]) {
      expect(receive(body)[0]?.payload).toMatchObject({ attachments: [{ id: "7", name: "a.png" }] });
    }
  });

  it("should take one event for one snapshot, whatever its name", () => {
    expect(receive({ ...conversationUpdated, event: "conversation_created" })[0]).toMatchObject({ id: "conversation:42:created" });
    const changed = receive({ ...conversationUpdated, event: "conversation_status_changed", changed_attributes: null });
    expect(changed[0]?.id).toBe("conversation:42:open:2:-:1767261300.5");
    expect(changed[0]?.id).toBe(receive(conversationUpdated)[0]?.id);
    expect(receive({ ...conversationUpdated, status: "resolved" })[0]?.id).toBe("conversation:42:resolved:2:-:1767261300.5");
    expect(receive({ ...conversationUpdated, updated_at: 1767261301 })[0]?.id).not.toBe(changed[0]?.id);
  });

  it("should cut a body with several events of several conversations, each by itself [F008]", () => {
    const bodies = [41, 42, 43].map((id) => ({ ...conversationUpdated, id }));
    const deliveries = receive([...bodies, { event: "something_new" }]);
    expect(deliveries.map((delivery) => delivery.references[0])).toEqual(["conversation:41", "conversation:42", "conversation:43"]);
  });

  it("should make typing ephemeral, from the webhook and from the event gateway [F140]", () => {
    const [webhook] = receive(typingOn);
    expect(webhook).toMatchObject({
      isEphemeral: true,
      references: ["conversation:42", "source:session-abc"],
      payload: { isTyping: true },
    });
    const [gateway] = receive(cloudEventTyping, { headers: { "content-type": "application/cloudevents+json" } });
    expect(gateway).toEqual({
      isEphemeral: true,
      references: ["source:session-abc"],
      payload: { kind: "typing", isTyping: true, isPublic: true },
    });
    const [bySubject] = receive({ ...cloudEventTyping, id: "another", type: "ai.cognigy.live-agent.conversation.typing_off", data: {} });
    expect(bySubject).toMatchObject({ references: ["conversation:42"], payload: { isTyping: false } });
    expect(receive({ ...cloudEventTyping, type: "ai.cognigy.live-agent.something" })).toEqual([]);
  });

  it("should take a sign that the transport repeats once, and everything else whenever it comes [F105 part: same delivery twice]", () => {
    const headers = { "x-chatwoot-delivery": "8b1f" };
    expect(receive(typingOn, { headers })).toHaveLength(1);
    expect(receive(typingOn, { headers })).toEqual([]);
    expect(receive(typingOn, { headers: { "x-chatwoot-delivery": "8b20" } })).toHaveLength(1);
    expect(receive(cloudEventTyping)).toHaveLength(1);
    expect(receive(cloudEventTyping)).toEqual([]);
    // Its first delivery may not have been stored.
    expect(receive(agentReply, { headers }).map(({ id }) => id)).toEqual(["message:1001"]);
    expect(receive(agentReply, { headers }).map(({ id }) => id)).toEqual(["message:1001"]);
  });

  it.each([
    [{ event: "webwidget_triggered", id: 1 }],
    [{ event: "contact_created", id: 9 }],
    [{ event: "message_created" }],
    [{ event: "message_created", id: 5, conversation: null }],
    [{ event: "conversation_updated", id: 42 }],
    [{ event: "conversation_typing_on", user: null }],
    [{ event: 5 }],
    [{ specversion: "1.0" }],
    [{}],
  ])("should accept %j and make nothing of it [F091]", (body) => {
    expect(receive(body)).toEqual([]);
  });

  it("should take every type that a field has somewhere [F091]", () => {
    const odd = {
      ...agentReply,
      id: "1001",
      message_type: 1,
      created_at: 1767261600,
      content_type: "typescognigy",
      content_attributes: '{"deleted":false}',
      attachments: "none",
      source_id: 5,
      extra: { deep: [] },
    };
    expect(receive(odd)[0]).toMatchObject({ id: "message:1001", payload: { type: "outgoing", atMs: nowMs, text: "Hello **there**" } });
    expect(receive({ ...agentReply, message_type: "brand_new", sender: { type: "cognigy" } })).toHaveLength(1);
  });

  it("should ignore the conversation of another account [F087] [F096: foreign account]", () => {
    expect(receive({ ...agentReply, account: { id: 2, name: "Other" } })).toEqual([]);
    expect(receive({ ...conversationUpdated, account: { id: "2" } })).toEqual([]);
    expect(logged.at(-1)).toContain("another Live Agent account");
    expect(receive({ ...conversationUpdated, account: { id: "1" } })).toHaveLength(1);
  });

  it("should take a conversation that was moved to another inbox [F096]", () => {
    expect(receive({ ...agentReply, inbox: { id: 7, name: "Other" } })).toHaveLength(1);
  });
});

describe("who may send a webhook", () => {
  const body = '{"event":"message_created","id":1001,"content":"Grüße 👋"}';
  const signature = "sha256=e7f524ada0d0f11bec0a3002a373c289ad4258c18dae846c70323c3e03892ee2";
  const signed = { "x-chatwoot-timestamp": "1767261600", "x-chatwoot-signature": signature };
  const withSecret = { signatureSecret: "test-secret" };

  it("should take the secret of the URL, or a valid signature [F103] [F104]", () => {
    expect(receive(body)).toEqual([]);
    expect(receive(body, { hasValidSecret: false, headers: signed }, withSecret)).toEqual([]);
    expect(receive(body, { hasValidSecret: true }, withSecret)).toEqual([]);
  });

  it("should refuse everybody else [F103]", () => {
    expect(refusal(() => receive(body, { hasValidSecret: false }))).toEqual([401, "SECRET_INVALID"]);
    expect(refusal(() => receive(body, { hasValidSecret: false, headers: signed }))).toEqual([401, "SECRET_INVALID"]);
    expect(refusal(() => receive(body, { hasValidSecret: false }, withSecret))).toEqual([401, "SECRET_INVALID"]);
  });

  it("should refuse a wrong signature even with the secret of the URL [F103]", () => {
    const wrong = { ...signed, "x-chatwoot-signature": signature.replace("e7", "e8") };
    expect(refusal(() => receive(body, { headers: wrong }, withSecret))).toEqual([401, "SIGNATURE_INVALID"]);
    expect(refusal(() => receive(`${body} `, { headers: signed }, withSecret))).toEqual([401, "SIGNATURE_INVALID"]);
    expect(refusal(() => receive(body, { headers: { "x-chatwoot-signature": signature } }, withSecret))).toEqual([
      401,
      "SIGNATURE_INVALID",
    ]);
    expect(refusal(() => receive(body, { headers: { ...signed, "x-chatwoot-signature": "" } }, withSecret))).toEqual([
      401,
      "SIGNATURE_INVALID",
    ]);
  });

  it("should want both where a signature is required", () => {
    const strict = { ...withSecret, requireSignature: true };
    expect(receive(body, { headers: signed }, strict)).toEqual([]);
    expect(refusal(() => receive(body, {}, strict))).toEqual([401, "SIGNATURE_MISSING"]);
    expect(refusal(() => receive(body, { headers: signed, hasValidSecret: false }, strict))).toEqual([401, "SECRET_INVALID"]);
  });

  it("should refuse a time that is more than 5 minutes off, on both sides [F105]", () => {
    const at = (seconds: number): Record<string, string> => {
      const data = [String(seconds), ".", body];
      const hex = computeHmac({ algorithm: "sha256", encoding: "hex", secret: "test-secret", data });
      return { "x-chatwoot-timestamp": String(seconds), "x-chatwoot-signature": `sha256=${hex}` };
    };
    const now = nowMs / 1000;
    expect(receive(body, { headers: at(now + 299) }, withSecret)).toEqual([]);
    expect(refusal(() => receive(body, { headers: at(now - 600) }, withSecret))).toEqual([401, "SIGNATURE_EXPIRED"]);
    expect(refusal(() => receive(body, { headers: at(now + 600) }, withSecret))).toEqual([401, "SIGNATURE_EXPIRED"]);
  });

  it("should take the hooks of inbox, account and agent bot on one URL, each with its own secret", () => {
    const signedWith = (secret: string): Record<string, string> => {
      const hex = computeHmac({ algorithm: "sha256", encoding: "hex", secret, data: ["1767261600", ".", body] });
      return { "x-chatwoot-timestamp": "1767261600", "x-chatwoot-signature": `sha256=${hex}` };
    };
    const all = { signatureSecret: "inbox", accountWebhookSecret: "account", agentBotSecret: "bot", requireSignature: true };
    for (const secret of ["inbox", "account", "bot"]) expect(receive(body, { headers: signedWith(secret) }, all)).toEqual([]);
    expect(refusal(() => receive(body, { headers: signedWith("other") }, all))).toEqual([401, "SIGNATURE_INVALID"]);
  });

  it("should take the former secret while it is being changed", () => {
    const rotating = { signatureSecret: "new-secret", previousSignatureSecret: "test-secret" };
    expect(receive(body, { headers: signed }, rotating)).toEqual([]);
  });

  it("should say what was compared, without any secret [F111]", () => {
    const act = (): unknown => receive(body, { headers: { ...signed, "x-chatwoot-signature": "sha256=00" } }, withSecret);
    expect(act).toThrow(/HMAC-SHA256 with the inbox's secret over timestamp and body; timestamp present.*hmac_token/);
    expect(act).not.toThrow(/test-secret/);
    expect(() => receive(body, { headers: { "x-chatwoot-signature": "sha256=00" } }, withSecret)).toThrow(/timestamp absent/);
  });

  it("should refuse what is not JSON, and what is too large, before reading it", () => {
    for (const wrong of ["", "{", "5", '"x"', "null", "[1]", new Uint8Array([0x7b, 0xff, 0x7d])]) {
      expect(refusal(() => receive(wrong))).toEqual([400, "BODY_INVALID"]);
    }
    expect(refusal(() => receive(new Uint8Array(5 * 1024 * 1024 + 1)))).toEqual([413, "BODY_TOO_LARGE"]);
    expect(() => receive('{"secret-words')).not.toThrow(/secret-words/);
  });
});
