import type { HandoverEvent, Translation } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeCall, makeContext, makeHandover, makeSettings } from "./__fixtures__/calls.ts";
import {
  agentReply,
  cloudEventTyping,
  contactSender,
  conversationUpdated,
  oldAgentReply,
  typingOn,
} from "./__fixtures__/webhook-bodies.ts";
import { conversationDelivery, messageDelivery } from "./live-agent-deliveries.ts";
import type { LiveAgentState } from "./live-agent-state.ts";
import { translate } from "./live-agent-translate.ts";
import { receiveWebhook } from "./live-agent-webhook.ts";
import { conversationSchema, messageSchema } from "./live-agent-wire.ts";

const clock = { now: () => 1767261600_000 };

function see(body: unknown, state: Partial<LiveAgentState> = {}, settings: Record<string, unknown> = {}): Translation<LiveAgentState> {
  const parsed = makeSettings(settings);
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const request = { method: "POST", path: "/", query: "", headers: {}, body: bytes, hasValidSecret: true };
  const [delivery] = receiveWebhook({ settings: parsed, context: makeContext({ clock }) }, request, makeCall()).deliveries;
  if (!delivery) throw new Error("no delivery came of it");
  return translate(parsed, makeHandover(state), delivery);
}

function ignoredAs(reason: string): object {
  return { events: [], ignored: reason };
}

const update = (fields: object): object => ({ ...conversationUpdated, ...fields });
const assigned = (assignee: object | null, updatedAt: number, fields: object = {}): object =>
  update({ meta: { ...conversationUpdated.meta, assignee }, updated_at: updatedAt, ...fields });
const ann = { id: 2, name: "Ann Agent", available_name: "Ann", avatar_url: "", type: "user" };
const ben = { ...ann, id: 3, name: "Ben Agent", available_name: null, avatar_url: "https://desk.example/ben.png" };

describe("messages", () => {
  it("should deliver an agent's message with name, files and Markdown [F088] [F095] [F132]", () => {
    expect(see(agentReply).events).toEqual([
      {
        type: "message-received",
        atMs: 1767261600_000,
        message: {
          id: "1001",
          author: { role: "agent", id: "2", name: "Ann" },
          text: "Hello **there**",
          format: "markdown",
          attachments: [
            {
              id: "7",
              name: "a.png",
              type: "image/png",
              sizeBytes: 1234,
              url: "https://la.example/rails/active_storage/blobs/redirect/SIGNED/a.png",
              providerData: { message: "1001", url: "https://la.example/rails/active_storage/blobs/redirect/SIGNED/a.png" },
            },
          ],
          sentAt: "2026-01-01T10:00:00.000Z",
        },
      },
    ]);
    expect(see(oldAgentReply).events).toMatchObject([
      { message: { author: { role: "agent", name: "Ann" }, attachments: [{ type: "image/png" }] } },
    ]);
  });

  it("should deliver a file without text, and files of unknown kinds and names [F132]", () => {
    const file = { id: 8, file_type: "file", data_url: "https://la.example/x/na%C3%AFve%20file" };
    const wrong = { id: 9, file_type: "file", data_url: "javascript:alert(1)" };
    const place = { id: 10, file_type: "location", fallback_title: "Main Street 1", data_url: "" };
    expect(see({ ...agentReply, content: null, attachments: [file, wrong] }).events).toMatchObject([
      { message: { attachments: [{ id: "8", name: "naïve file", type: "application/octet-stream" }] } },
    ]);
    expect(see({ ...agentReply, content: null, attachments: [place] }).events).toMatchObject([{ message: { text: "Main Street 1" } }]);
  });

  it("should ask the API for a message of an old server whose files were overtaken by the next message [F133: old payloads]", () => {
    const overtaken = structuredClone(oldAgentReply);
    Object.assign(overtaken.conversation.messages[0] ?? {}, { id: 1002 });
    expect(see(overtaken)).toEqual({ events: [], pull: true });
    expect(see({ ...overtaken, conversation: { ...overtaken.conversation, labels: [] } }).events).toMatchObject([
      { type: "message-received" },
    ]);
    expect(see({ ...overtaken, message_type: "incoming", sender: contactSender }).events).toMatchObject([{ type: "message-echoed" }]);
  });

  it("should give the API's listing the same id and meaning as the webhook", () => {
    const listed = messageSchema.parse({ ...agentReply, message_type: 1, created_at: 1767261600, sender: { ...ann, type: "user" } });
    const delivery = messageDelivery(listed, ["conversation:42"]);
    expect(delivery.id).toBe("message:1001");
    expect(translate(makeSettings(), makeHandover(), delivery).events).toEqual(see(agentReply).events);
  });

  it("should turn the hard breaks of old versions into line breaks [F095]", () => {
    expect(see({ ...agentReply, content: "one\\\ntwo\nthree *x* <b>" }).events).toMatchObject([
      { message: { text: "one\ntwo\nthree *x* <b>" } },
    ]);
  });

  it("should not show an e-mail address as a name [F123]", () => {
    const sender = { id: 4, name: "dan@example.com", type: "user" };
    const [event] = see({ ...agentReply, sender, conversation: { id: 42 } }).events;
    expect(event).toMatchObject({ message: { author: { role: "agent", id: "4" } } });
    expect(JSON.stringify(event)).not.toContain("@");
  });

  it("should keep private notes from the user, and what is not clearly public [F119]", () => {
    const note = see({ ...agentReply, private: true });
    expect(note.events).toMatchObject([{ type: "desk-note", id: "1001", text: "Hello **there**", author: { role: "agent", name: "Ann" } }]);
    for (const audience of [null, undefined, "managers", 1]) {
      expect(see({ ...agentReply, private: audience }).events).toMatchObject([{ type: "desk-note" }]);
    }
    expect(see({ ...agentReply, private: true, sender: { id: 1, type: "user" } })).toEqual(ignoredAs("own-note"));
  });

  it("should recognise what we posted, by each mark that a version keeps [F019]", () => {
    const own = { ...agentReply, sender: { id: 1, name: "Handover Bot", type: "user" } };
    const echoed = (key?: string): HandoverEvent[] => [
      { type: "message-echoed", vendorMessageId: "1001", ...(key ? { idempotencyKey: key } : {}) },
    ];
    const incoming = { ...agentReply, message_type: "incoming", sender: contactSender };
    expect(see({ ...incoming, source_id: "key-1" }).events).toEqual(echoed("key-1"));
    expect(see({ ...incoming, message_type: 0, content_attributes: { handover_key: "key-2" } }).events).toEqual(echoed("key-2"));
    expect(see({ ...own, source_id: "key-3" }).events).toEqual(echoed("key-3"));
    expect(see(own).events).toEqual(echoed());
    expect(see({ ...own, content_attributes: { external_created_at: 1 } }, { technicalUserId: "99" }).events).toEqual(echoed());
  });

  it("should take greetings and automations for the system, and hide them on request [F152] [F053]", () => {
    const template = { ...agentReply, message_type: "template", sender: null };
    const automation = { ...agentReply, sender: null, content_attributes: { automation_rule_id: 4 } };
    for (const body of [template, automation]) {
      expect(see(body).events).toMatchObject([{ type: "message-received", message: { author: { role: "system" } } }]);
      expect(see(body, {}, { deliverTemplates: false })).toEqual(ignoredAs("template"));
    }
  });

  it.each([
    ["a bot of the desk", { sender: { id: 1, name: "Bot", type: "agent_bot" } }, "desk-bot"],
    ["the desk's assistant", { sender: { id: 1, type: "captain_assistant" } }, "desk-bot"],
    ["Cognigy", { sender: { id: 1, type: "cognigy" } }, "desk-bot"],
    ["an activity line", { message_type: "activity" }, "activity"],
    ["an unknown type", { message_type: "brand_new" }, "unknown-message-type"],
    ["an empty line", { content: " \n", attachments: [] }, "empty-message"],
    ["no content", { content: null, attachments: undefined, conversation: { id: 42, labels: [] } }, "empty-message"],
    ["a deleted line of ours", { sender: { id: 1, type: "user" }, content_attributes: { deleted: true } }, "own-message-deleted"],
    ["a deleted line of the user", { message_type: "incoming", content_attributes: { deleted: true } }, "user-message-deleted"],
  ])("should make nothing of %s [F019] [F130]", (_name, fields, reason) => {
    expect(see({ ...agentReply, ...fields })).toEqual(ignoredAs(reason));
  });

  it("should tell of a deletion, once the user has the message", () => {
    const deleted = { ...agentReply, event: "message_updated", content: "This message was deleted", content_attributes: { deleted: true } };
    expect(see(deleted).events).toEqual([{ type: "message-changed", messageId: "1001", change: "deleted" }]);
  });

  it("should still deliver a message that the vendor marks as failed: its webhook was lost [F001]", () => {
    const failed = { ...agentReply, event: "message_updated", content_attributes: { external_error: "timeout" } };
    expect(see(failed).events).toMatchObject([{ type: "message-received", message: { id: "1001" } }]);
  });
});

describe("status", () => {
  const openState = { updatedAt: 1767261300 };

  it.each([
    ["resolved", "completed", "agent"],
    ["abandoned", "abandoned", "system"],
    ["closed", "completed", "agent"],
  ])("should end with %s [F054]", (status, reason, actor) => {
    for (const event of ["conversation_status_changed", "conversation_updated", "conversation_resolved"]) {
      const result = see(update({ event, status, changed_attributes: null }), openState);
      expect(result.events).toEqual([{ type: "ended", reason, actor, vendorReason: status, atMs: 1767261300_500 }]);
      expect(result.state).toMatchObject({ status, updatedAt: 1767261300.5 });
      // The other signals of the same end, and a later change of what is over.
      const later = { ...result.state };
      expect(see(update({ status }), later)).toEqual(ignoredAs("already-ended"));
      expect(see(update({ status, updated_at: 1767261999 }), later)).toEqual(ignoredAs("already-ended"));
    }
  });

  it.each(["open", "pending", "snoozed", "some-new-status"])("should not end with %s [F091]", (status) => {
    expect(see(update({ status, meta: {} }), openState).events).toEqual([]);
  });

  it("should ask the API about a conversation that is over when its creation is told [F033: provider] [F050: blocked]", () => {
    const created = { event: "conversation_created", changed_attributes: undefined };
    expect(see(update({ ...created, status: "resolved" }))).toEqual({ events: [], pull: true });
    expect(see(update({ ...created, status: "resolved" }), { status: "resolved" })).toEqual(ignoredAs("created"));
    expect(see(update({ ...created, status: "open" }))).toEqual(ignoredAs("created"));
  });

  it("should not let an older snapshot overwrite a newer one [F034]", () => {
    const closed = { status: "resolved", updatedAt: 1767261301 };
    expect(see(conversationUpdated, closed)).toEqual(ignoredAs("older-snapshot"));
    expect(see(update({ updated_at: 1767261301 }), closed)).toEqual(ignoredAs("older-snapshot"));
    const old = { updated_at: undefined, last_activity_at: undefined };
    expect(see(update({ ...old, timestamp: 1767260000 }), { lastActivityAt: 1767261000 })).toEqual(ignoredAs("older-snapshot"));
  });

  it("should tell of a conversation that the desk opened again [F078]", () => {
    const closed = { status: "resolved", updatedAt: 1767261300 };
    const result = see(conversationUpdated, closed);
    expect(result.events).toEqual([{ type: "reopened", atMs: 1767261300_500 }]);
    expect(result.state?.status).toBe("open");
  });

  it("should ask the API where an old version does not say when [F034]", () => {
    const { updated_at: _none, ...timeless } = conversationUpdated;
    const closed = { status: "resolved" };
    expect(see(timeless, closed)).toEqual({ events: [], pull: true });
    const listed = conversationDelivery(conversationSchema.parse(timeless), ["conversation:42"], true);
    expect(translate(makeSettings(), makeHandover(closed), listed).events).toEqual([{ type: "reopened" }]);
    expect(listed.id).not.toBe(conversationDelivery(conversationSchema.parse(timeless), [], false).id);
  });
});

describe("assignment", () => {
  it("should report who comes, changes and goes, and never as accepted [F053] [F057] [F058] [F141]", () => {
    const steps: [object, HandoverEvent[]][] = [
      [assigned(null, 1), []],
      [assigned(ann, 2), [{ type: "agent-joined", agent: { id: "2", name: "Ann" }, hasAccepted: false, atMs: 2000 }]],
      [assigned(ann, 3), []],
      [assigned(ben, 4), [{ type: "transferred", agent: { id: "3", name: "Ben Agent", avatarUrl: ben.avatar_url }, atMs: 4000 }]],
      [
        assigned({ ...ben, available_name: "Benny" }, 5),
        [{ type: "agent-updated", agent: { id: "3", name: "Benny", avatarUrl: ben.avatar_url }, atMs: 5000 }],
      ],
      [assigned(null, 6), [{ type: "agent-left", agent: { id: "3", name: "Benny", avatarUrl: ben.avatar_url }, atMs: 6000 }]],
    ];
    let state: Partial<LiveAgentState> = {};
    for (const [body, events] of steps) {
      const result = see(body, state);
      expect(result.events).toEqual(events);
      state = { agent: undefined, ...result.state } as Partial<LiveAgentState>;
      if (!result.state?.agent) delete state.agent;
    }
  });

  it("should not take our own user or a bot for an agent who came [F053]", () => {
    expect(see(assigned({ ...ann, id: 1 }, 2)).events).toEqual([]);
    expect(see(assigned(ann, 2, { meta: { assignee: ann, assignee_type: "AgentBot" } })).events).toEqual([]);
  });

  it("should report a change of the team as a transfer of queue [F057]", () => {
    const team = (id: number, updatedAt: number): object => update({ meta: { team: { id, name: `Team ${id}` } }, updated_at: updatedAt });
    const first = see(team(1, 1));
    expect(first.events).toEqual([{ type: "queue-updated", queue: { name: "Team 1" }, atMs: 1000 }]);
    expect(see(team(2, 2), first.state).events).toEqual([{ type: "transferred", queue: { name: "Team 2" }, atMs: 2000 }]);
  });

  it("should say nothing of agents once it is over [F034]", () => {
    const result = see(assigned(ann, 2, { status: "resolved" }));
    expect(result.events.map((event) => event.type)).toEqual(["ended"]);
    expect(see(assigned(ben, 3, { status: "resolved" }), result.state)).toEqual(ignoredAs("already-ended"));
  });
});

describe("typing", () => {
  it("should show a person of the desk typing [F140]", () => {
    expect(see(typingOn).events).toEqual([
      { type: "typing-changed", author: { role: "agent", id: "2", name: "Ann Agent" }, isTyping: true },
    ]);
    const withAgent = see(cloudEventTyping, { agent: { id: "2", name: "Ann" } });
    expect(withAgent.events).toEqual([{ type: "typing-changed", author: { role: "agent", id: "2", name: "Ann" }, isTyping: true }]);
    expect(see(cloudEventTyping).events).toMatchObject([{ author: { role: "agent" } }]);
  });

  it.each([
    ["for a note", { is_private: true }, "private-typing"],
    ["for whoever", { is_private: "managers" }, "private-typing"],
    ["by the contact", { user: contactSender }, "own-typing"],
    ["by our user", { user: { id: 1, type: "user" } }, "own-typing"],
    ["by a bot", { user: { id: 5, type: "agent_bot" } }, "own-typing"],
  ])("should not show typing %s [F119] [F140]", (_name, fields, reason) => {
    expect(see({ ...typingOn, ...fields })).toEqual(ignoredAs(reason));
  });
});

describe("anything else", () => {
  it("should not throw for the timer or for a payload of another release", () => {
    expect(translate(makeSettings(), makeHandover(), { wake: true, atMs: 0 })).toEqual(ignoredAs("no-timer"));
    expect(translate(makeSettings(), makeHandover(), { references: [], payload: { kind: "later" } })).toEqual(ignoredAs("unknown-event"));
  });
});

describe("edited messages", () => {
  const updated = (content: string): object => ({ ...agentReply, event: "message_updated", content });
  const deliveriesOf = (body: object) => {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const request = { method: "POST", path: "/", query: "", headers: {}, body: bytes, hasValidSecret: true };
    return receiveWebhook({ settings: makeSettings(), context: makeContext({ clock }) }, request, makeCall()).deliveries;
  };
  const editOf = (body: object) => deliveriesOf(body)[1] ?? { references: [], payload: null };

  it("should tell of another text, once, and of nothing when only the state of a message changes", () => {
    const { state } = see(agentReply);
    expect(JSON.stringify(state)).not.toContain("Hello");
    const seen = makeHandover(state);
    expect(translate(makeSettings(), seen, editOf(updated("Hello **there**")))).toEqual(ignoredAs("no-change"));
    const edited = translate(makeSettings(), seen, editOf(updated("Good bye")));
    expect(edited.events).toEqual([{ type: "message-changed", messageId: "1001", change: "edited", text: "Good bye" }]);
    expect(translate(makeSettings(), makeHandover(edited.state), editOf(updated("Good bye")))).toEqual(ignoredAs("no-change"));
  });

  it("should bring the message itself with its update, with an id of its own for each text, in the message's place", () => {
    const [message, edit] = deliveriesOf(updated("Good bye"));
    expect([message?.id, edit?.id]).toEqual(["message:1001", expect.stringMatching(/^message:1001:text:/)]);
    expect(edit?.order).toEqual(message?.order);
    expect(editOf(updated("Other")).id).not.toBe(edit?.id);
    expect(deliveriesOf({ ...updated("note"), private: true })).toHaveLength(1);
    expect(deliveriesOf({ ...updated("gone"), content_attributes: { deleted: true } })).toHaveLength(1);
    expect(translate(makeSettings(), makeHandover(), editOf(updated("x")))).toEqual(ignoredAs("update-of-unknown-message"));
  });

  it("should remember no more than the last texts", () => {
    let state: Partial<LiveAgentState> = {};
    for (let id = 1; id <= 100; id += 1) state = see({ ...agentReply, id, conversation: { id: 42 } }, state).state ?? state;
    expect(Object.keys(state.texts ?? {})).toEqual(Array.from({ length: 30 }, (_, index) => String(71 + index)));
  });
});

describe("what agents have read and where the conversation is", () => {
  it("should say up to when an agent has read, when that is news", () => {
    const seen = update({ meta: {}, agent_last_seen_at: 1767261250 });
    const first = see(seen);
    expect(first.events).toEqual([{ type: "delivery-changed", target: { upToMs: 1767261250_999 }, status: "read" }]);
    expect(see({ ...seen, updated_at: 1767261301 }, first.state)).toMatchObject({ events: [], state: { agentSeenAt: 1767261250 } });
  });

  it("should report the move to another inbox as a transfer, and the first inbox not [F057] [F096]", () => {
    const inInbox = (inbox: number, updatedAt: number): object => update({ meta: {}, inbox_id: inbox, updated_at: updatedAt });
    const first = see(inInbox(3, 1));
    expect(first.events).toEqual([]);
    expect(see(inInbox(7, 2), first.state).events).toEqual([{ type: "transferred", atMs: 2000 }]);
  });
});
