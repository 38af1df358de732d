import { HandoverError, type AttachmentContent, type Message, type VendorDelivery } from "@handover/core";
import { afterEach, describe, expect, it } from "vitest";
import { makeCall } from "../src/__fixtures__/calls.ts";
import { mayFollow } from "../src/eightbyeight-files.ts";
import { openDesk, type Desk, type EightbyeightHandover } from "./desk.ts";

let desk: Desk;
afterEach(() => desk.close());

const message = (fields: Partial<Message> = {}): Message => ({
  id: "m1",
  author: { role: "user" },
  sentAt: new Date().toISOString(),
  ...fields,
});

async function failureOf(promise: Promise<unknown> | undefined): Promise<HandoverError> {
  return (await Promise.resolve(promise).then(
    () => undefined,
    (error: unknown) => error,
  )) as HandoverError;
}

async function begin(): Promise<{ handover: EightbyeightHandover; id: string }> {
  const started = await desk.startHandover();
  return { handover: desk.handover(started), id: started.state.conversationId };
}

async function send(handover: EightbyeightHandover, what: Message, files: Readonly<Record<string, AttachmentContent>> = {}): Promise<void> {
  const readAttachment = async (id: string): Promise<AttachmentContent> => {
    const file = files[id];
    if (file) return file;
    throw new HandoverError({ code: "ATTACHMENT_NOT_FOUND", message: "There is no such file." });
  };
  for (const part of desk.connection.planMessage?.(handover, what) ?? []) {
    await desk.connection.sendMessage?.(handover, part, makeCall({ readAttachment }));
  }
}

const fileOf = (name: string, type: string, content: string): AttachmentContent => ({
  name,
  type,
  sizeBytes: Buffer.byteLength(content),
  stream: new Blob([content]).stream() as ReadableStream<Uint8Array>,
});

/** What the API says happened, as the user sees it. */
async function caughtMessages(handover: EightbyeightHandover): Promise<Message[]> {
  const { deliveries } = (await desk.connection.catchUp?.(handover, undefined, makeCall())) ?? { deliveries: [] };
  return deliveries.flatMap((delivery: VendorDelivery) =>
    (desk.connection.translate?.(handover, delivery).events ?? []).flatMap((event) =>
      event.type === "message-received" ? [event.message] : [],
    ),
  );
}

describe("what the user and the bot say", () => {
  it("should stand there as the customer's and the bot's, with nothing that 8x8 does not know", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    await send(handover, message({ text: "from the user" }));
    await send(handover, message({ author: { role: "bot", name: "Botty" }, text: "from the bot" }));
    await send(handover, message({ author: { role: "system", name: "House" }, text: "from the house" }));
    expect(desk.simulator.conversation(id).messages.map(({ author, text }) => [author, text])).toEqual([
      ["user", "from the user"],
      ["bot", "from the bot"],
      ["bot", "House:\nfrom the house"],
    ]);
    expect(desk.bodies("/messages")).toEqual([
      { authorType: "user", text: "from the user" },
      { authorType: "bot", text: "from the bot" },
      { authorType: "bot", text: "House:\nfrom the house" },
    ]);
  });

  it("should be a pressed choice's title, or its payload where it has none [F066 part: forwarded to the agent]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const answer = { messageId: "m0", choice: "c1", payload: "order_status" };
    await send(handover, message({ text: "Order status", answer }));
    await send(handover, message({ answer: { ...answer, providerData: { title: "Order status" } } }));
    await send(handover, message({ answer }));
    expect(desk.simulator.conversation(id).messages.map(({ text }) => text)).toEqual(["Order status", "Order status", "order_status"]);
  });

  it("should be readable whatever it is, and nothing where there is nothing [F129 part: 8x8, F130 part: 8x8]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const choices = [
      { id: "a", title: "Blue" },
      { id: "b", title: "Red" },
    ];
    await send(
      handover,
      message({ author: { role: "bot" }, text: "Which one?", choices, cards: [{ title: "Shoe", url: "https://shop.example/shoe" }] }),
    );
    for (const text of ["", "  \n"]) await send(handover, message({ text }));
    await desk.connection.sendMessage?.(handover, { message: message() }, makeCall());
    const [line, ...more] = desk.simulator.conversation(id).messages;
    expect(line?.text).toBe("Which one?\n\nShoe\nhttps://shop.example/shoe\n\n- Blue\n- Red");
    expect(more).toEqual([]);
  });

  it("should be split where it is longer than 8x8 may take [F100 part: 8x8]", async () => {
    desk = await openDesk({}, { longestTextCharacters: 100 });
    const { handover, id } = await begin();
    await send(handover, message({ text: "word ".repeat(50) }));
    const lines = desk.simulator.conversation(id).messages.map(({ text }) => text);
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("should bring files with name, type and caption, and a link for what is only a link [F132 part: to 8x8, F134 part: order of calls]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const attachments = [
      { id: "f1", name: "Grundriß.pdf", type: "application/pdf" },
      { id: "f2", name: "voice", type: "audio/ogg" },
    ];
    const files = { f1: fileOf("Grundriß.pdf", "application/pdf", "%PDF"), f2: fileOf("voice", "audio/ogg", "la la") };
    await send(handover, message({ text: "See the plan", attachments }), files);
    const link = { id: "f3", name: "price list", type: "text/plain", url: "https://shop.example/prices" };
    await send(handover, message({ author: { role: "bot" }, attachments: [link] }));
    const lines = desk.simulator.conversation(id).messages;
    expect(lines.map(({ text }) => text)).toEqual(["See the plan", "File: price list\nhttps://shop.example/prices"]);
    expect(lines[0]?.attachments).toMatchObject([
      { name: "Grundriß.pdf", type: "application/pdf", sizeBytes: 4 },
      { name: "voice", type: "audio/ogg", sizeBytes: 5 },
    ]);
    expect(desk.calls("/attachments").map(({ body }) => (body as { authorType: string }).authorType)).toEqual(["user", "user"]);
  });

  it("should refuse what is too large before anything is sent, and tell what is not there [F134 part: limits]", async () => {
    desk = await openDesk({}, { largestFileBytes: 3 });
    const { handover, id } = await begin();
    const attachments = [{ id: "f1", name: "a", type: "text/plain" }];
    const tooLarge = await failureOf(send(handover, message({ attachments }), { f1: fileOf("a", "text/plain", "four") }));
    expect(tooLarge).toMatchObject({ code: "ATTACHMENT_TOO_LARGE", effect: "message", isRetryable: false });
    expect(tooLarge.message).toContain("3 bytes");
    expect(await failureOf(send(handover, message({ attachments })))).toMatchObject({ code: "ATTACHMENT_NOT_FOUND" });
    expect(desk.simulator.conversation(id).messages).toEqual([]);
  });

  it("should not go to a conversation that is over, by our knowledge or by 8x8's [F073 part: 8x8]", async () => {
    desk = await openDesk({ behaviour: { afterEnd: "refuse" } });
    const { handover, id } = await begin();
    const known = { ...handover, state: { ...handover.state, stage: "over" as const } };
    expect(await failureOf(send(known, message({ text: "late" })))).toMatchObject({ code: "CONVERSATION_GONE", effect: "handover" });
    expect(desk.calls("POST").filter(({ path }) => path.endsWith("/messages"))).toEqual([]);
    desk.simulator.close(id);
    expect(await failureOf(send(handover, message({ text: "late" })))).toMatchObject({ code: "CONVERSATION_GONE", isRetryable: false });
    desk.simulator.setFaults({ failRate: 1, status: 400, only: "POST /messages", times: 1 });
    const other = await begin();
    expect(await failureOf(send(other.handover, message({ text: "odd" })))).toMatchObject({ effect: "message" });
  });

  it("should be found again by author, content and time, and never by its text alone [F022 part: 8x8, F025 part: 8x8]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const part = { message: message({ text: "ok" }) };
    const find = (firstAttemptAtMs: number, what = part) =>
      desk.connection.findSentMessage?.(handover, { part: what, idempotencyKey: "k", firstAttemptAtMs }, makeCall());
    const beforeMs = Date.now() - 1;
    expect(await find(beforeMs)).toBe("absent");
    await send(handover, message({ text: "ok" }));
    const { id: lineId, at } = desk.simulator.conversation(id).messages[0] ?? { id: "", at: "" };
    expect(await find(beforeMs)).toEqual({ vendorMessageId: lineId });
    expect(await find(Date.parse(at) + 500), "an earlier one that is very near").toBe("unknown");
    expect(await find(Date.parse(at) + 10_000), "an earlier one").toBe("absent");
    expect(await find(beforeMs, { message: message({ text: "ok", author: { role: "bot" } }) })).toBe("absent");
    expect(await find(beforeMs, { message: message({ text: "OK" }) })).toBe("absent");
  });

  it("should be found again with its files too, uploaded or as links [F022 part: 8x8's files]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const beforeMs = Date.now() - 1;
    const file = { id: "f1", name: "plan.pdf", type: "application/pdf" };
    const link = { id: "f2", name: "price list", type: "text/plain", url: "https://shop.example/prices" };
    const stored = { ...link, id: "f3", url: "https://bot.example/stored" };
    const sent = message({ author: { role: "bot" }, text: "See", attachments: [file, link, stored] });
    const onlyLink = message({ author: { role: "bot" }, attachments: [link] });
    const find = (what: Message) =>
      desk.connection.findSentMessage?.(handover, { part: { message: what }, idempotencyKey: "k", firstAttemptAtMs: beforeMs }, makeCall());
    await send(handover, sent, { f1: fileOf("plan.pdf", "application/pdf", "%PDF"), f3: fileOf("price list", "text/plain", "1") });
    const [line] = desk.simulator.conversation(id).messages;
    expect([line?.text, line?.attachments?.length]).toEqual(["See\n\nFile: price list\nhttps://shop.example/prices", 2]);
    expect(await find(sent)).toEqual({ vendorMessageId: line?.id });
    expect(await find(onlyLink)).toBe("absent");
    expect(await find({ ...sent, attachments: [file, stored] })).toBe("absent");
    expect(await find({ ...sent, text: "See also" })).toBe("absent");
    await send(handover, onlyLink);
    expect(await find(onlyLink)).toEqual({ vendorMessageId: desk.simulator.conversation(id).messages[1]?.id });
  });
});

describe("what the agent says", () => {
  it("should bring quick replies as choices, adaptive cards as cards, and other content as text [F095 part: 8x8]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const quick = {
      options: [{ title: "Yes", data: { postback: "yes" } }, { title: "No", data: {} }, { data: { postback: "later" } }, {}],
    };
    const adaptive = {
      type: "AdaptiveCard",
      version: "1.6",
      body: [
        { type: "TextBlock", text: "Your order" },
        {
          type: "ColumnSet",
          columns: [
            {
              items: [
                { type: "TextBlock", text: "42 euro" },
                { type: "Image", url: "https://shop.example/shoe.png" },
              ],
            },
          ],
        },
        { type: "FactSet", facts: [{ title: "State", value: "sent" }] },
        { type: "Input.Text", id: "comment" },
        { type: "Image", url: "http://shop.example/unsafe.png" },
      ],
      actions: [
        { type: "Action.Submit", title: "Track", data: { track: 7 } },
        { type: "Action.OpenUrl", title: "Shop", url: "https://shop.example" },
        { type: "Action.OpenUrl", title: "Bad", url: "javascript:alert(1)" },
        { type: "Action.Execute", title: "Return" },
      ],
    };
    desk.simulator.say(id, {
      text: "Which?",
      cards: [
        { contentType: "application/8x8.quick.replies", content: quick },
        { contentType: "application/vnd.microsoft.card.adaptive", content: adaptive },
        { contentType: "Location", content: { name: "Shop", address: "Main street 1", latitude: 1 } },
      ],
    });
    const [shown] = await caughtMessages(handover);
    expect(shown).toMatchObject({
      text: "Which?\n\nShop\nMain street 1",
      choices: [
        { id: "0-0", title: "Yes", payload: "yes" },
        { id: "0-1", title: "No" },
        { id: "0-2", title: "later", payload: "later" },
      ],
      cards: [
        {
          title: "Your order",
          text: "42 euro\nState: sent\nBad",
          imageUrl: "https://shop.example/shoe.png",
          url: "https://shop.example",
          choices: [{ title: "Track", payload: '{"track":7}' }, { title: "Return" }],
        },
      ],
    });
    expect(JSON.stringify(shown)).not.toMatch(/javascript|unsafe|comment/);
  });

  it("should bring files by their pre-signed URL, through the API once that has expired, and without our key [F133 part: 8x8, F112 part: our key]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const open = async (): Promise<string> => {
      const [shown] = await caughtMessages(handover);
      const [attachment] = shown?.attachments ?? [];
      expect(attachment).toMatchObject({ name: "Grundriß.pdf", type: "application/pdf" });
      const content = attachment && (await desk.connection.downloadAttachment?.(handover, attachment, makeCall()));
      return Buffer.from(await new Response(content?.stream).arrayBuffer()).toString();
    };
    desk.simulator.say(id, { attachment: { name: "Grundriß.pdf", type: "application/pdf", content: Buffer.from("a plan") } });
    await desk.simulator.webhooksIdle();
    expect(await open()).toBe("a plan");
    expect(desk.calls("/files/").map(({ headers }) => headers["x-api-key"])).toEqual([undefined]);
    expect(desk.calls("/content")).toHaveLength(0);
    desk.simulator.setFaults({ failRate: 1, status: 403, only: "GET /files/*/*" });
    expect(await open()).toBe("a plan");
    expect(desk.calls("/content")).toHaveLength(1);
  });

  it("should bring files of events that have no pre-signed URL, with the name from the API [F133 part: both shapes]", async () => {
    desk = await openDesk({ behaviour: { hasPreSignedUrl: false } });
    const { handover, id } = await begin();
    desk.simulator.say(id, { attachment: { name: "shot.png", type: "image/png", content: Buffer.from("png") } });
    await desk.simulator.webhooksIdle();
    const [shown] = await caughtMessages(handover);
    expect(shown?.attachments).toMatchObject([{ name: "shot.png", type: "image/png", sizeBytes: 3 }]);
    const content = await desk.connection.downloadAttachment?.(
      handover,
      shown?.attachments?.[0] ?? { id: "", name: "", type: "" },
      makeCall(),
    );
    expect(await new Response(content?.stream).text()).toBe("png");
    desk.simulator.setFaults({ failRate: 1, status: 404, only: "GET /content", times: 1 });
    const missing = await failureOf(
      desk.connection.downloadAttachment?.(handover, shown?.attachments?.[0] ?? { id: "", name: "", type: "" }, makeCall()),
    );
    expect(missing).toMatchObject({ status: 404 });
  });

  it.each([
    ["https://files.8x8.com/a?sig=1", true],
    ["https://cdn.acme.example/a", true],
    ["https://api.acme.example/a", true],
    ["https://files.example/a", false],
    ["https://8x8.com.evil.example/a", false],
    ["http://files.8x8.com/a", false],
    ["https://user:word@files.8x8.com/a", false],
    ["https://127.0.0.1/a", false],
    ["https://169.254.169.254/latest", false],
    ["https://[::1]/a", false],
    ["https://localhost/a", false],
    ["file:///etc/passwd", false],
    ["no address", false],
  ])("should go to %s for a file: %s [F115 part: 8x8]", async (url, isAllowed) => {
    desk = await openDesk();
    expect(mayFollow({ baseUrl: "https://api.acme.example", fileHosts: ["cdn.acme.example"] }, url)).toBe(isAllowed);
  });

  it("should come in full and in order after a long silence, page after page [F102 part: 8x8]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const texts = Array.from({ length: 230 }, (_, index) => `line ${index + 1}`);
    for (const text of texts) desk.simulator.say(id, { text });
    expect((await caughtMessages(handover)).map(({ text }) => text)).toEqual(texts);
    const first = await desk.connection.catchUp?.(handover, undefined, makeCall());
    const before = desk.calls("/messages").length;
    await desk.connection.catchUp?.(handover, first?.cursor, makeCall());
    expect(desk.calls("/messages").length - before, "what is within the overlap").toBeLessThanOrEqual(3);
  });
});

describe("a comparison", () => {
  it("should take the conversation for gone only when that itself is not there [F061 part: 8x8]", async () => {
    desk = await openDesk();
    const { handover } = await begin();
    for (const only of ["GET /messages", "GET /participants"]) {
      desk.simulator.setFaults({ failRate: 1, status: 404, only });
      expect(await failureOf(desk.connection.catchUp?.(handover, undefined, makeCall()))).toMatchObject({
        code: "VENDOR_REFUSED_CALL",
        isRetryable: true,
      });
    }
    desk.simulator.setFaults({});
    const gone = { ...handover, state: { ...handover.state, conversationId: "never-was" } };
    expect(await failureOf(desk.connection.catchUp?.(gone, undefined, makeCall()))).toMatchObject({ code: "CONVERSATION_GONE" });
  });
});

describe("signals and changes", () => {
  it("should show that the user types, and call nothing to stop it", async () => {
    desk = await openDesk();
    const { handover } = await begin();
    await desk.connection.setTyping?.(handover, true, makeCall());
    await desk.connection.setTyping?.(handover, false, makeCall());
    expect(desk.bodies("/typing")).toEqual([{ authorType: "user" }]);
  });

  it("should tell what was read and no other state", async () => {
    desk = await openDesk();
    const { handover } = await begin();
    for (const status of ["delivered", "failed", "read"] as const) {
      await desk.connection.reportDelivery?.(handover, { vendorMessageIds: ["m"], upToMs: 1234.4, status }, makeCall());
    }
    expect(desk.bodies("/read-receipt")).toEqual([{ authorType: "user", readAt: 1234 }]);
  });

  it("should change customer and queue while it waits, with our id, and only what changed", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    const { marker } = handover.state;
    await desk.connection.updateHandover?.(handover, { user: { id: "u", name: "Ada" } }, makeCall());
    await desk.connection.updateHandover?.(handover, { options: { queueId: "102" } }, makeCall());
    await desk.connection.updateHandover?.(handover, { options: {} }, makeCall());
    await desk.connection.updateHandover?.(handover, {}, makeCall());
    expect(desk.calls("PATCH").map(({ body }) => body)).toEqual([
      { user: { name: "Ada", additionalProperties: [{ key: "handoverId", value: marker }] } },
      { assignment: { type: "queue", id: "102" } },
    ]);
    const served = { ...handover, state: { ...handover.state, stage: "served" as const } };
    await desk.connection.updateHandover?.(served, { options: { queueId: "102" } }, makeCall());
    const over = { ...handover, state: { ...handover.state, stage: "over" as const } };
    await desk.connection.updateHandover?.(over, { user: { id: "u", name: "Eve" } }, makeCall());
    expect(desk.calls("PATCH")).toHaveLength(2);
    await desk.simulator.webhooksIdle();
    expect(desk.simulator.conversation(id).user).toBe("Ada");
  });

  it("should keep what only the start knew when the customer changes: summary, and that the history was cut", async () => {
    desk = await openDesk();
    const line = { author: { role: "user" as const }, text: "hello", sentAt: "2026-01-30T08:30:00.000Z" };
    const transcript = Array.from({ length: 202 }, (_, index) => ({ seq: index + 1, message: { ...line, id: `m${index}` } }));
    const started = await desk.startHandover({ transcript, summary: "Wants the balance." });
    await desk.connection.updateHandover?.(desk.handover(started), { user: { id: "u", attributes: { plan: "gold" } } }, makeCall());
    expect(desk.calls("PATCH").map(({ body }) => body)).toEqual([
      {
        user: {
          additionalProperties: [
            { key: "handoverId", value: started.state.marker },
            { key: "summary", value: "Wants the balance." },
            { key: "plan", value: "gold" },
            { key: "historyNote", value: "2 earlier messages left out" },
          ],
        },
      },
    ]);
  });

  it("should know whether somebody is there, only where the key may read statistics [F147 part: 8x8]", async () => {
    desk = await openDesk();
    expect(desk.connection.checkAvailability).toBeUndefined();
    const connection = desk.connect({ hasQueueStatistics: true });
    expect(await connection.checkAvailability?.({}, makeCall())).toEqual({ status: "available", agents: 2 });
    desk.simulator.setAgents({ online: 0 });
    expect(await connection.checkAvailability?.({ queueId: "102" }, makeCall())).toEqual({ status: "unavailable", agents: 0 });
  });

  it("should leave by removing the customer, as often as it is asked [F070 part: 8x8, F075 part: 8x8]", async () => {
    desk = await openDesk();
    const { handover, id } = await begin();
    desk.simulator.accept(id);
    for (let count = 0; count < 2; count += 1) {
      expect(await desk.connection.end?.(handover, { reason: "completed", actor: "user" }, makeCall())).toBe("ended");
    }
    expect(desk.simulator.conversation(id).status).toBe("closed");
    const gone = { ...handover, state: { ...handover.state, conversationId: "never-was" } };
    expect(await desk.connection.end?.(gone, { reason: "completed", actor: "user" }, makeCall())).toBe("ended");
  });
});
