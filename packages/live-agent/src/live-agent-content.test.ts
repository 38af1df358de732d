import type { HandoverEvent } from "@handover/core";
import { describe, expect, it } from "vitest";
import { makeHandover, makeSettings } from "./__fixtures__/calls.ts";
import { agentReply } from "./__fixtures__/webhook-bodies.ts";
import { readOffer } from "./live-agent-content.ts";
import { messageDelivery } from "./live-agent-deliveries.ts";
import type { LiveAgentState } from "./live-agent-state.ts";
import { translate } from "./live-agent-translate.ts";
import { messageSchema } from "./live-agent-wire.ts";

function see(fields: object, state: Partial<LiveAgentState> = {}): readonly HandoverEvent[] {
  const message = messageSchema.parse({ ...agentReply, attachments: undefined, ...fields });
  return translate(makeSettings(), makeHandover(state), messageDelivery(message, ["conversation:42"])).events;
}

const items = (contentType: string, ...list: unknown[]): object => ({ content_type: contentType, content_attributes: { items: list } });

describe("what a message of the desk offers", () => {
  it("should show choices, with what the vendor wants back", () => {
    expect(
      see({ content: "Which?", ...items("input_select", { title: "Red", value: "r" }, { title: "Blue" }, { value: 3 }, {}) }),
    ).toMatchObject([
      {
        type: "message-received",
        message: {
          text: "Which?",
          choices: [
            { id: "1", title: "Red", payload: "r", providerData: { title: "Red", value: "r" } },
            { id: "2", title: "Blue", payload: "Blue" },
            { id: "3", title: "3", payload: "3" },
          ],
        },
      },
    ]);
  });

  it("should show cards with their buttons and one link, and further links as text", () => {
    const actions = [
      { type: "link", text: "Buy", uri: "https://s.example/buy" },
      { type: "link", text: "More", uri: "https://s.example/more" },
      { type: "postback", text: "Later", payload: "LATER" },
      { type: "link", text: "Bad", uri: "javascript:alert(1)" },
    ];
    const card = { title: "Shoe", description: "42 euro", media_url: "https://s.example/a.png", actions };
    expect(see({ content: "Look", ...items("cards", card, { title: null, media_url: "data:x", actions: "none" }) })).toMatchObject([
      {
        message: {
          text: "Look\nMore: https://s.example/more",
          cards: [
            {
              title: "Shoe",
              text: "42 euro",
              imageUrl: "https://s.example/a.png",
              url: "https://s.example/buy",
              choices: [
                { id: "1.3", title: "Later", payload: "LATER" },
                { id: "1.4", title: "Bad" },
              ],
            },
          ],
        },
      },
    ]);
  });

  it("should show articles as cards, and forms as lines", () => {
    expect(
      see({ content: null, ...items("article", { title: "Returns", description: "How to", link: "https://h.example/1" }) }),
    ).toMatchObject([{ message: { cards: [{ title: "Returns", text: "How to", url: "https://h.example/1" }] } }]);
    const form = items(
      "form",
      { label: "Your size", type: "select", options: [{ label: "S" }, { value: "M" }] },
      { name: "e-mail", type: "email" },
    );
    expect(see({ content: "Please fill in", ...form })).toMatchObject([
      { message: { text: "Please fill in\n- Your size: S / M\n- e-mail" } },
    ]);
  });

  it("should take any items of any type without breaking [F091: items]", () => {
    for (const type of ["input_select", "cards", "form", "article", "typescognigy", "2016", undefined]) {
      for (const list of [
        undefined,
        null,
        "x",
        5,
        {},
        [null],
        [5],
        ["x"],
        [[]],
        [{ actions: [null, 5], options: [null] }],
        Array(500).fill({ title: "t" }),
      ]) {
        expect(readOffer(type, { items: list })).toBeTypeOf("object");
      }
    }
    expect(readOffer("input_select", { items: Array(500).fill({ title: "t" }) }).choices).toHaveLength(50);
  });
});

describe("the survey", () => {
  const csat = {
    message_type: "template",
    sender: null,
    content_type: "input_csat",
    content: "Please rate us https://la.example/survey/responses/5f1c-uuid",
  };

  it("should be offered with a rating and a comment, until the vendor closes it", () => {
    expect(see(csat, { inboxIdentifier: "abc", status: "resolved" })).toEqual([
      {
        type: "survey-offered",
        survey: {
          id: "1001",
          questions: [
            { id: "rating", text: "Please rate us", type: "rating", minimum: 1, maximum: 5, isRequired: true },
            { id: "feedback", text: expect.any(String) as string, type: "text" },
          ],
          openUntilMs: 1767261600_000 + 14 * 86_400_000,
        },
        atMs: 1767261600_000,
      },
    ]);
  });

  it("should be a text with its link where answers cannot be handed in", () => {
    expect(see(csat)).toMatchObject([
      {
        type: "message-received",
        message: { author: { role: "system" }, text: "Please rate us https://la.example/survey/responses/5f1c-uuid" },
      },
    ]);
  });
});
