import { afterEach, describe, expect, it } from "vitest";
import { signedHeaders, testKey, type KeyServer, type SignedParts } from "../../packages/eightbyeight/test/signing.ts";
import { address, openWorld, type EightbyeightWorld } from "./world.ts";

let world: EightbyeightWorld;
afterEach(() => world.close());

const agentTexts = () => world.chat.visible().flatMap(({ text, author }) => (author?.role === "agent" && text !== undefined ? [text] : []));
/** How many webhooks were refused, by code. */
const refusals = (): Record<string, number> =>
  Object.fromEntries(
    world.runtime
      .metrics()
      .filter(({ name, labels }) => name === "handover_webhooks_total" && labels["result"] !== "OK")
      .map(({ labels, value }) => [labels["result"] ?? "", value]),
  );
const deskTexts = (id: string) => world.simulator.conversation(id).messages.map(({ text }) => text);

describe("8x8 behind the runtime", () => {
  it("should bring a pressed button to the agent as its title, or its payload without one, and not to the bot [F066]", async () => {
    world = await openWorld();
    const id = await world.queue();
    const options = [{ title: "Order status", data: { postback: "order_status" } }, { data: { postback: "track" } }];
    world.simulator.say(id, { text: "Which?", cards: [{ contentType: "application/8x8.quick.replies", content: { options } }] });
    const offered = await world.chat.until("the question", ({ choices }) => choices !== undefined);
    await world.chat.untilStatus("active");
    const askedBefore = [...world.asked];
    for (const choice of offered.choices ?? []) {
      await world.runtime.receiveMessage({
        ...address,
        message: { id: `pressed ${choice.id}`, answer: { seq: offered.seq, choice: choice.id } },
      });
    }
    await expect.poll(() => deskTexts(id).slice(-2), { timeout: 10_000 }).toEqual(["Order status", "track"]);
    // What 8x8 itself reports of buttons that were pressed.
    const pressed = { type: "postback", data: { title: "Order status", payload: "order_status" } };
    world.simulator.sendEvent(id, { eventType: "ACTIVITY", data: { name: "quickReply/action", value: pressed } });
    world.simulator.sendEvent(id, {
      eventType: "ACTIVITY",
      data: { name: "adaptiveCard/action", value: { type: "Action.Submit", data: {} } },
    });
    await world.simulator.webhooksIdle();
    expect(world.asked).toEqual(askedBefore);
    expect(deskTexts(id).slice(-2)).toEqual(["Order status", "track"]);
    expect(world.chat.statuses()).toEqual(["requested", "queued", "active"]);
  });

  it("should refuse every forged or foreign event, take a retry once, and do nothing for WEB_HOOK_VERIFY [F106]", async () => {
    world = await openWorld();
    const id = await world.queue();
    const idle = JSON.stringify({ eventType: "CONVERSATION_UPDATE", conversationId: id, timestamp: Date.now(), data: { state: "idle" } });
    const send = (parts: SignedParts, body = idle) =>
      world.webhook(body, signedHeaders(body, { tenant: world.simulator.tenant, ...parts }));
    const head = { b64: false, crit: ["b64"], kid: testKey.kid, alg: "RS256" };
    const forged: readonly (readonly [string, SignedParts])[] = [
      ["alg none", { head: { ...head, alg: "none" } }],
      ["HS256", { head: { ...head, alg: "HS256" } }],
      ["no crit", { head: { b64: false, kid: testKey.kid, alg: "RS256" } }],
      ["b64 true", { head: { ...head, b64: true } }],
      ["kid with a path", { head: { ...head, kid: "../../webhooks/public" } }],
      ["another tenant", { tenant: "stranger" }],
      ["a stale time", { atMs: Date.now() - 600_000 }],
      ["a time to come", { atMs: Date.now() + 600_000 }],
      ["a wrong CRC", { checksum: 1 }],
    ];
    for (const [what, parts] of forged) expect([what, (await send(parts)).status]).toEqual([what, 401]);
    await world.simulator.webhooksIdle();
    expect(world.chat.statuses()).toEqual(["requested", "queued"]);

    const queued = JSON.stringify({
      eventType: "QUEUED",
      conversationId: id,
      timestamp: Date.now(),
      data: { queueId: "7", queueName: "Gold" },
    });
    expect(await send({ eventId: "evt-1" }, queued)).toEqual({ status: 200 });
    await world.chat.until("the queue", ({ queue }) => queue?.name === "Gold");
    const before = world.chat.visible().length;
    expect(await send({ eventId: "evt-1", retry: 1, atMs: Date.now() + 1_000 }, queued), "a retry").toEqual({ status: 200 });
    expect(await send({ eventId: "evt-1" }, idle), "the event id of another").toEqual({ status: 200 });
    const verification = '{"notificationVersion":"Chat Gateway v1.0","eventType":"WEB_HOOK_VERIFY"}';
    expect(await world.webhook(verification, {}), "not signed").toEqual({ status: 200 });
    expect(await send({}, verification)).toEqual({ status: 200 });
    world.simulator.say(id, { text: "after all that" });
    await world.chat.until("the agent", ({ text }) => text === "after all that");
    const between = world.chat.visible().slice(before);
    expect(between.map(({ event, status, text }) => text ?? status ?? event)).toEqual(["agent-joined", "active", "after all that"]);
  });

  it("should count each kind of refusal under a code of its own [F106 part: metrics, F111 part: which of the two]", async () => {
    world = await openWorld({ settings: { requestTimeoutMs: 1_000 } });
    const id = await world.queue();
    await world.simulator.webhooksIdle();
    const body = JSON.stringify({ eventType: "CONVERSATION_UPDATE", conversationId: id, timestamp: Date.now(), data: { state: "idle" } });
    const [knownKey = ""] = world.keys.asked;
    const head = { b64: false, crit: ["b64"], kid: testKey.kid, alg: "RS256" };
    const send = (parts: SignedParts) => world.webhook(body, signedHeaders(body, { tenant: world.simulator.tenant, ...parts }));
    const without = (name: string) => {
      const headers = signedHeaders(body, { tenant: world.simulator.tenant });
      return world.webhook(body, Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)));
    };
    const slowly = async (answer: KeyServer["answer"], keyId: string) => {
      world.keys.answer = answer;
      const answered = await send({ keyId });
      world.keys.answer = undefined;
      return answered;
    };
    const cases: readonly (readonly [string, number, () => Promise<{ status: number; code?: string }>])[] = [
      ["SIGNATURE_OF_OTHER_CONTENT", 401, () => send({ checksum: 1 })],
      ["SIGNATURE_OF_OTHER_KEY", 401, () => send({ keyId: knownKey })],
      ["SIGNATURE_ALGORITHM", 401, () => send({ head: { ...head, alg: "HS256" } })],
      ["SIGNATURE_MALFORMED", 401, () => send({ head: { ...head, b64: true } })],
      ["SIGNATURE_KEY_ID", 401, () => send({ keyId: "../webhooks" })],
      ["TRANSMISSION_TIME_STALE", 401, () => send({ atMs: world.now() - 600_000 })],
      ["TENANT_FOREIGN", 401, () => send({ tenant: "stranger" })],
      ["WEBHOOK_HEADER_MISSING", 401, () => without("x-8x8-retry")],
      ["SIGNING_KEY_UNKNOWN", 401, () => send({ keyId: "nobody" })],
      ["SIGNING_KEY_UNAVAILABLE", 503, () => slowly({ status: 500 }, "failing")],
      ["SIGNING_KEY_TIMEOUT", 503, () => slowly("hang", "slow")],
    ];
    for (const [code, status, sendOne] of cases) {
      const before = refusals();
      expect(await sendOne()).toEqual({ status, code });
      expect(refusals()).toEqual({ ...before, [code]: (before[code] ?? 0) + 1 });
    }
    const text = JSON.stringify({
      eventType: "QUEUED",
      conversationId: id,
      timestamp: Date.now(),
      data: { queueName: "Grüße / 👋 \u2028" },
    });
    expect(await world.webhook(text, signedHeaders(text, { tenant: world.simulator.tenant })), "not ASCII").toEqual({ status: 200 });
    await world.chat.until("the queue", ({ queue }) => queue?.name === "Grüße / 👋 \u2028");
    expect(world.chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should forget a failed download of a key, ask once a minute for one that is unknown, and take a new one without a restart [F107]", async () => {
    world = await openWorld();
    world.keys.answer = { status: 500 };
    world.simulator.setBehaviour({ webhookRetryDelayMs: 0, webhookRetries: 0 });
    const id = await world.queue();
    await world.simulator.webhooksIdle();
    const failed = world.keys.asked.length;
    expect(failed, "each event asked again").toBeGreaterThan(1);
    world.keys.answer = undefined;
    world.simulator.accept(id);
    await world.chat.untilStatus("active");
    world.simulator.say(id, { text: "known now" });
    await world.chat.until("the text", ({ text }) => text === "known now");
    expect(world.keys.asked.length, "one download for all that followed").toBe(failed + 1);

    const body = JSON.stringify({ eventType: "TRANSFER", conversationId: id, timestamp: Date.now() });
    const flood = async (): Promise<void> => {
      for (let count = 0; count < 10; count += 1) {
        const headers = signedHeaders(body, { tenant: world.simulator.tenant, keyId: "unknown-key", atMs: world.now() });
        expect((await world.webhook(body, headers)).status).toBe(401);
      }
    };
    await flood();
    expect(world.keys.asked.filter((key) => key === "unknown-key")).toHaveLength(1);
    world.advance(60_001);
    await flood();
    expect(world.keys.asked.filter((key) => key === "unknown-key")).toHaveLength(2);

    world.simulator.setFaults({ rotateKeys: true });
    world.simulator.say(id, { text: "by the new key" });
    await world.chat.until("the text", ({ text }) => text === "by the new key");
    expect(new Set(world.keys.asked).size, "old, unknown and new").toBe(3);
  });

  it("should park what comes before the answer to the create call [F041 part: 8x8]", async () => {
    world = await openWorld({ behaviour: { eventsBeforeAnswer: true } });
    const id = await world.queue();
    world.simulator.say(id, { text: "quick" });
    await world.chat.until("the text", ({ text }) => text === "quick");
    expect(world.chat.statuses()).toEqual(["requested", "queued", "active"]);
  });

  it("should only watch a conversation of 8x8's own channel: nobody is told anything twice [F019 part: 8x8's own channel]", async () => {
    world = await openWorld({ settings: { queueId: "101" } });
    const { id } = world.simulator.openConversation({ name: "Uma", text: "I want a person" });
    await world.runtime.requestHandover({ ...address, options: { conversationId: id } });
    await world.chat.untilStatus("queued");
    world.simulator.say(id, { text: "Here is Ann" });
    await world.chat.untilStatus("active");
    world.simulator.customerSays(id, { text: "Hello Ann" });
    await world.simulator.webhooksIdle();
    world.simulator.close(id);
    await world.chat.untilStatus("ended");
    expect(world.chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
    expect(deskTexts(id)).toEqual(["I want a person", "Here is Ann", "Hello Ann"]);
    expect([agentTexts(), world.asked]).toEqual([[], []]);
  });

  it("should show everything once and in order while webhooks are doubled, swapped and full of surprises [F017 part: 8x8, F031 part: 8x8]", async () => {
    world = await openWorld({ behaviour: { hasUnknownFields: true, userEchoIsEcho: true } });
    const id = await world.queue();
    world.simulator.setFaults({ duplicateWebhookRate: 1, reorderWebhooks: true });
    const texts = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
    for (const text of texts) world.simulator.say(id, { text });
    await world.chat.until("the last line", ({ text }) => text === "line 12");
    await world.runtime.receiveMessage({ ...address, message: { id: "u1", text: "thank you" } });
    await expect.poll(() => deskTexts(id).at(-1), { timeout: 10_000 }).toBe("thank you");
    world.simulator.close(id);
    await world.chat.untilStatus("ended");
    expect(agentTexts()).toEqual(texts);
    expect(world.chat.statuses().filter((status) => status !== "queued")).toEqual(["requested", "active", "ended/completed"]);
  });

  it("should end once when the last agent leaves and 8x8 says no more, and close what comes to life again [F058 part: 8x8, F078 part: 8x8]", async () => {
    world = await openWorld({ settings: { agentLeftGraceMs: 200 } });
    const id = await world.queue();
    world.simulator.accept(id, { agent: "Ann Agent" });
    world.simulator.accept(id, { agent: "Ben Agent" });
    await world.chat.untilStatus("active");
    world.simulator.leave(id, { agent: "Ann Agent" });
    await world.chat.until("that one left", ({ event }) => event === "agent-left");
    expect(world.chat.statuses()).toEqual(["requested", "queued", "active"]);
    world.simulator.leave(id, { agent: "Ben Agent" });
    await world.chat.untilStatus("ended");
    world.simulator.close(id);
    world.simulator.reopen(id);
    await expect.poll(() => world.simulator.conversation(id).status, { timeout: 10_000 }).toBe("closed");
    await world.simulator.webhooksIdle();
    expect(world.chat.statuses()).toEqual(["requested", "queued", "active", "ended/completed"]);
  });

  it("should find an end and messages whose webhooks never came [F001 part: 8x8, F074 part: 8x8]", async () => {
    world = await openWorld({ timing: { catchUpIntervalMs: 400 } });
    const id = await world.queue();
    world.simulator.setFaults({ dropWebhookRate: 1 });
    world.simulator.say(id, { text: "unheard" });
    await world.chat.until("the text", ({ text }) => text === "unheard");
    world.simulator.close(id);
    await world.chat.untilStatus("ended");
    expect(agentTexts()).toEqual(["unheard"]);
  });
});
