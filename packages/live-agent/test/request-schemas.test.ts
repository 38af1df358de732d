import { describe, expect, it } from "vitest";
import { findRequestProblem } from "./request-schemas.ts";

const api = "/live-agent/api/v1/accounts/1";
const message = { content: "hi", message_type: "incoming", private: false, source_id: "key", external_created_at: 1767261600 };

describe("the vendor's field tables", () => {
  it("should take what they have", () => {
    for (const request of [
      { method: "GET", path: "/live-agent/api" },
      { method: "GET", path: `${api}/conversations/meta` },
      { method: "GET", path: `${api}/contacts/search`, query: { q: "ann" } },
      { method: "POST", path: `${api}/conversations/42/messages`, body: message },
      { method: "POST", path: `${api}/conversations`, body: { inbox_id: 1, contact_id: 2, source_id: "handover_x", status: "open" } },
      { method: "POST", path: `${api}/conversations/42/assignments`, body: { assignee_id: 5 } },
    ])
      expect(findRequestProblem(request)).toBeUndefined();
  });

  it.each([
    ["a misspelt field", { method: "POST", path: `${api}/conversations/42/messages`, body: { ...message, message_typ: "x" } }],
    ["a missing field", { method: "POST", path: `${api}/conversations`, body: { inbox_id: 1, contact_id: 2 } }],
    ["an id as a text", { method: "POST", path: `${api}/conversations/42/assignments`, body: { assignee_id: "5" } }],
    [
      "a source id that is too long",
      { method: "POST", path: `${api}/conversations`, body: { inbox_id: 1, contact_id: 2, source_id: "x".repeat(45) } },
    ],
    [
      "callback_url instead of webhook_url",
      { method: "POST", path: `${api}/inboxes`, body: { name: "a", channel: { type: "api", callback_url: "x" } } },
    ],
    ["another filter", { method: "GET", path: `${api}/conversations`, query: { source: "x" } }],
    ["a call that there is not", { method: "POST", path: `${api}/conversations/42/resolve` }],
    ["a body where none belongs", { method: "GET", path: `${api}/agents`, body: { a: 1 } }],
    [
      "a form without its files",
      { method: "POST", path: `${api}/conversations/42/messages`, headers: { "content-type": "multipart/form-data" }, body: {} },
    ],
  ])("should refuse %s", (_name, request) => {
    expect(findRequestProblem(request)).toMatch(new RegExp(`^${request.method} /api/v1/`));
  });
});
