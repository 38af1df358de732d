import type { HandoverEvent, Survey } from "@handover/core";
import { describe, expect, it, vi } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { passTime } from "./support/pass-time.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";
import type { EndpointOptions, BotTurn } from "@handover/runtime";
import type { StoreName } from "./support/world-store.ts";
import { HandoverError } from "@handover/core";

const open = useWorld();
const address = { endpoint: "web", conversation: "c" };

const survey: Survey = {
  id: "s1",
  questions: [
    { id: "score", text: "How did we do?", type: "rating", minimum: 1, maximum: 5, isRequired: true },
    {
      id: "why",
      text: "Why?",
      type: "choice",
      choices: [
        { id: "fast", title: "Fast" },
        { id: "kind", title: "Kind" },
      ],
    },
    { id: "more", text: "Anything else?", type: "text" },
  ],
};
const good = { score: 5, why: "kind", more: "thanks" };

/** A desk that writes down which answers it was given, and how often it was asked to take them. */
function surveyDesk(script: DeskScript = {}, endpoint: Partial<EndpointOptions> = {}) {
  const taken: unknown[] = [];
  const keys: string[] = [];
  const desks = scriptDesks(
    {
      desk: {
        submitSurvey: async (handover, { survey: id, answers }, call) => {
          keys.push(call.idempotencyKey);
          taken.push({ status: handover.status, id, answers });
        },
        ...script,
      },
    },
    endpoint,
  );
  return { desks, taken, keys };
}

async function openTalk(store: StoreName, desk = surveyDesk()) {
  const time = passTime(store);
  const world = await open({ store, timing: time.timing, runtime: { ...desk.desks.runtime, ...time.runtime } });
  const chat = world.record("c");
  await world.say("c", "1", "agent");
  await time.until("queued", () => chat.statuses().includes("queued"));
  const tell = (...events: HandoverEvent[]) => desk.desks.deliver(world.runtime, "desk", { events });
  const surveys = () => chat.visible().filter(({ event }) => event === "survey-offered");
  const offer = async (offered: Survey = survey) => {
    const before = surveys().length;
    await tell({ type: "survey-offered", survey: offered });
    await time.until("the survey", () => surveys().length > before);
  };
  const submit = (answers: Readonly<Record<string, string | number>>, id = "s1") =>
    world.runtime.submitSurvey({ ...address, survey: id, answers });
  return { ...desk, world, time, chat, tell, offer, submit, surveys };
}

describeOnStores("a survey", (store) => {
  it("should be shown once, and answered once: the same again is the same success, other answers are refused", async () => {
    const { world, time, chat, tell, offer, submit, surveys, taken, keys } = await openTalk(store);
    const receipts: unknown[] = [];
    world.runtime.watchReceipts(address, (signal) => receipts.push(signal));
    await offer();
    await tell({ type: "survey-offered", survey });
    await submit(good);
    await submit({ more: "thanks", why: "kind", score: 5 });
    await expect(submit({ ...good, score: 1 })).rejects.toMatchObject({ code: "SURVEY_ANSWERED" });
    await time.until("the answers", () => taken.length > 0);
    await time.until("the receipt", () => receipts.length > 0);
    expect(taken).toEqual([{ status: "queued", id: "s1", answers: good }]);
    expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{1,36}$/);
    const [notice] = surveys();
    expect(surveys()).toHaveLength(1);
    expect(notice).toMatchObject({ kind: "notice", survey });
    expect(receipts).toEqual([{ seq: notice!.seq, delivery: "delivered" }]);
    await submit(good);
    expect(chat.statuses()).toEqual(["requested", "queued"]);
  });

  it("should take answers after the end, until its time is over, and over a restart", async () => {
    const refusals = { left: 2 };
    const desk = surveyDesk();
    const script: DeskScript = {
      submitSurvey: async (_handover, { answers }) => {
        if (refusals.left > 0) {
          refusals.left -= 1;
          throw new HandoverError({ code: "BUSY", message: "Later.", isRetryable: true, outcome: "not-applied" });
        }
        desk.taken.push(answers);
      },
    };
    const { world, time, tell, offer, submit, chat } = await openTalk(store, { ...surveyDesk(script), taken: desk.taken });
    await offer({ ...survey, id: "s2", openUntilMs: time.now() + 600_000 });
    await offer({ ...survey, id: "s3", openUntilMs: time.now() - 1 });
    await tell({ type: "ended", reason: "completed", actor: "agent" });
    await time.until("the end", () => chat.statuses().includes("ended/completed"));
    await offer({ ...survey, id: "s4" });
    // There may be another handover meanwhile.
    await world.say("c", "2", "agent");
    await time.until("queued again", () => chat.statuses().filter((status) => status === "queued").length === 2);
    await expect(submit(good, "s3")).rejects.toMatchObject({ code: "SURVEY_CLOSED" });
    await submit({ score: 1 }, "s2");
    await world.restart();
    await time.until("the answers", () => desk.taken.length === 1);
    await submit({ score: 4 }, "s4");
    await time.until("the second answers", () => desk.taken.length === 2);
    expect(desk.taken).toEqual([{ score: 1 }, { score: 4 }]);
    if (time.isManual) {
      await time.pass(700_000);
      await expect(submit({ score: 2 }, "s2")).rejects.toMatchObject({ code: "SURVEY_ANSWERED" });
    }
    expect(world.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("should be repeated with the same key when the answer of the desk was lost, and given up when it refuses for good", async () => {
    const keys: string[] = [];
    const outcomes = ["unknown", "unknown", "not-applied"] as const;
    const { time, offer, submit, surveys, world } = await openTalk(
      store,
      surveyDesk({
        submitSurvey: async (_handover, { survey: id }, call) => {
          keys.push(`${id} ${call.idempotencyKey} ${call.attempt}`);
          const outcome = outcomes[keys.length - 1];
          if (outcome) throw new HandoverError({ code: "NO_ANSWER", message: "Lost.", isRetryable: outcome === "unknown", outcome });
        },
      }),
    );
    const receipts: unknown[] = [];
    world.runtime.watchReceipts(address, (signal) => receipts.push(signal));
    await offer();
    await submit(good);
    await time.until("given up", () => keys.length === 3);
    const [, first = ""] = keys[0]!.split(" ");
    expect(keys).toEqual([1, 2, 3].map((attempt) => `s1 ${first} ${attempt}`));
    await time.until("said", () => world.log.some(({ fields }) => fields["code"] === "NO_ANSWER"));
    await time.until("the receipt", () => receipts.length === 1);
    expect(receipts).toEqual([{ seq: surveys()[0]!.seq, delivery: "failed" }]);
    expect(world.log.filter(({ level }) => level === "error")).toHaveLength(1);
    expect(JSON.stringify(world.log)).not.toContain("thanks");
  });
});

describe("answers", () => {
  it("should be checked against the questions, and named by question, never repeated", async () => {
    const { world, offer, submit, taken, time } = await openTalk("sqlite");
    await offer();
    for (const [answers, words] of [
      [{ score: 6 }, '"score" wants a whole number from 1 to 5'],
      [{ score: 0 }, '"score" wants'],
      [{ score: 2.5 }, '"score" wants'],
      [{ score: "5" }, '"score" wants'],
      [{ why: "kind" }, '"score" needs an answer'],
      [{ score: 3, why: "cheap" }, '"why" wants the id of one of its choices'],
      [{ score: 3, more: 7 }, '"more" wants a text'],
      [{ score: 3, more: "SECRET".repeat(10_000) }, '"more" wants at most 20000 characters'],
      [{ score: 3, SECRET: "x" }, "an answer is to no question"],
      [{ more: "  " }, '"score" needs an answer'],
      [{}, '"score" needs an answer'],
    ] as const) {
      const error = await submit(answers).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: "INVALID_SURVEY", message: expect.stringContaining(words) as string });
      expect((error as Error).message).not.toMatch(/SECRET|cheap/);
    }
    await expect(submit(good, "s9")).rejects.toMatchObject({ code: "SURVEY_NOT_FOUND" });
    await expect(world.runtime.submitSurvey({ endpoint: "web", conversation: "d", survey: "s1", answers: good })).rejects.toMatchObject({
      code: "SURVEY_NOT_FOUND",
    });
    await submit({ score: 3, more: "" });
    await time.until("the answers", () => taken.length === 1);
    expect(taken).toMatchObject([{ answers: { score: 3 } }]);
  });

  it("should hold up no message when the desk's surveys are out of order", async () => {
    const calls: string[] = [];
    const down = new HandoverError({
      code: "SURVEYS_DOWN",
      message: "Down.",
      isRetryable: true,
      effect: "connection",
      outcome: "not-applied",
    });
    const submitSurvey = (_handover: unknown, { survey: id }: { readonly survey: string }) => (calls.push(id), Promise.reject(down));
    const { world, offer, submit, desks } = await openTalk("sqlite", surveyDesk({ submitSurvey }));
    await offer();
    await submit(good);
    await expect.poll(() => calls.length, { timeout: 15_000 }).toBe(1);
    await world.quiet();
    // The time stands still: a pause would never be over.
    await world.say("c", "2", "hello");
    await expect.poll(() => desks.count("desk.send hello"), { timeout: 15_000 }).toBe(1);
  });

  it("should be refused where the desk takes none", async () => {
    const { offer, submit } = await openTalk("sqlite", surveyDesk({ submitSurvey: undefined }));
    await offer();
    await expect(submit(good)).rejects.toMatchObject({ code: "SURVEY_CLOSED" });
  });
});

describe("who asks the user", () => {
  it.each(["vendor", "bot", "none"] as const)(
    "should be a setting: %s. With the bot, the end says who served the user, and when [F082]",
    async (owner) => {
      const turns: BotTurn[] = [];
      const bot = { answer: vi.fn(async (turn: BotTurn) => (turns.push(turn), turn.message?.text === "agent" ? { handover: {} } : {})) };
      const endpoint = { bot, handover: { connections: ["desk"], surveys: owner } };
      const { time, tell, chat } = await openTalk("sqlite", surveyDesk({}, endpoint));
      const message = {
        id: "m1",
        author: { role: "agent" as const, id: "a1", name: "Robin" },
        text: "hello",
        sentAt: new Date(time.now()).toISOString(),
      };
      await tell({ type: "message-received", message });
      await time.until("active", () => chat.statuses().includes("active"));
      await time.pass(5_000);
      await tell({ type: "survey-offered", survey }, { type: "ended", reason: "completed", actor: "agent" });
      await time.until("the bot", () => turns.length === 2);
      expect(chat.visible().filter(({ event }) => event === "survey-offered")).toHaveLength(owner === "vendor" ? 1 : 0);
      const event = turns[1]!.event;
      expect(event).toMatchObject({ type: "ended", reason: "completed" });
      if (owner !== "bot") return expect(event).not.toHaveProperty("served");
      const { agent, requestedAtMs, activeAtMs = 0, endedAtMs } = event!.served!;
      expect(agent).toEqual({ id: "a1", name: "Robin" });
      expect(requestedAtMs).toBeLessThanOrEqual(activeAtMs);
      expect(endedAtMs - activeAtMs).toBeGreaterThanOrEqual(5_000);
    },
  );
});
