import { ProviderApiError, type DeliveryReport, type HandoverEvent, type Survey } from "@handover/core";
import type { Bot, Redact, RedactedText, Store } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { describeOnStores } from "./support/on-stores.ts";
import { scriptDesks, type DeskScript } from "./support/scripted-desks.ts";
import { useWorld } from "./support/use-world.ts";

const open = useWorld();
const address = { endpoint: "web", conversation: "c/ä" };

/** What nobody may keep, and what desks may not get. */
const [kept, left] = ["CARD-4111", "MAIL-ADA"];

/** Hooks that take the two out, and what they were asked. */
function countingHooks() {
  const asked: { step: "beforeStore" | "beforeDesk"; text: string; about: Omit<RedactedText, "signal"> }[] = [];
  const hook =
    (step: "beforeStore" | "beforeDesk", secret: string): Redact =>
    (text, { signal: _signal, ...about }) => {
      asked.push({ step, text, about });
      return text.replaceAll(secret, step === "beforeStore" ? "[card]" : "[mail]");
    };
  return { asked, redact: { beforeStore: hook("beforeStore", kept), beforeDesk: hook("beforeDesk", left) } };
}

/** Notes what is written to a store, apart from what vendors send before anybody has looked at it. */
function listenTo(store: Store, written: string[]): Store {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name, target) as unknown;
      if (typeof method !== "function") return method;
      const bound = method.bind(target) as (...given: unknown[]) => unknown;
      if (name !== "commit") return bound;
      return (commit: object) => (written.push(JSON.stringify({ ...commit, deliveries: [] })), bound(commit));
    },
  });
}

/** Desks that note all they are given. */
function listeningDesks(names: readonly string[], bot: Bot, script: DeskScript = {}) {
  const given: string[] = [];
  const reports: DeliveryReport[] = [];
  const scripts = names.map((name): [string, DeskScript] => [
    name,
    {
      async sendMessage(_handover, part) {
        given.push(`${name} ${JSON.stringify(part)}`);
        return {};
      },
      submitSurvey: async (_handover, answers) => void given.push(`${name} ${JSON.stringify(answers)}`),
      reportDelivery: async (_handover, report) => void reports.push(report),
      ...script,
    },
  ]);
  return { given, reports, desks: scriptDesks(Object.fromEntries(scripts), { bot }) };
}

const says = (id: string, text: string): HandoverEvent => ({
  type: "message-received",
  message: { id, author: { role: "agent", name: "Ada" }, text, sentAt: new Date().toISOString() },
});

describeOnStores("redaction", (store) => {
  it("should be passed once by every text before it is in the log and before it reaches a desk, and change no id [F121]", async () => {
    const { asked, redact } = countingHooks();
    const heard: string[] = [];
    const secret = `${kept} ${left}`;
    const bot: Bot = {
      async answer(turn) {
        heard.push(JSON.stringify(turn));
        if (turn.message?.text?.startsWith("agent") !== true) return {};
        const cards = [{ title: `t ${secret}`, text: `x ${secret}`, choices: [{ id: `c-${left}`, title: `cc ${secret}` }] }];
        const choices = [{ id: `c-${left}`, title: `c ${secret}`, payload: "P" }];
        return { messages: [{ text: `bot ${secret}`, cards, choices }], handover: { summary: `sum ${secret}` } };
      },
    };
    const { given, desks } = listeningDesks(["desk", "night"], bot);
    const written: string[] = [];
    const options = { store, runtime: { ...desks.runtime, redact }, wrapStore: (inner: Store) => listenTo(inner, written) };
    const starts: string[] = [];
    const [first] = desks.runtime.providers;
    const provider: typeof first = {
      ...first!,
      connect(settings, context) {
        const connection = first!.connect(settings, context);
        return {
          ...connection,
          async start(request, call) {
            const started = await connection.start(request, call);
            starts.push(JSON.stringify(request));
            // The second try and the next desk get what the first one got.
            const isRetryable = starts.length === 1;
            if (starts.length < 3) throw new ProviderApiError({ message: "Not now.", status: 503, isRetryable, outcome: "not-applied" });
            return started;
          },
        };
      },
    };
    const world = await open({ ...options, runtime: { ...options.runtime, providers: [provider] } });
    if (store === "postgres") await world.another();
    const say = (id: string, text: string) => world.runtime.receiveMessage({ ...address, message: { id, text } });
    const user = `u-${left}-${kept}`;
    const { seq } = await say(user, `agent ${secret}`);
    expect(await say(user, `agent ${secret}`)).toEqual({ seq });
    const shown: string[] = [];
    const reading = new AbortController();
    void (async () => {
      for await (const entry of world.runtime.follow({ ...address, signal: reading.signal })) shown.push(JSON.stringify(entry));
    })();
    const until = (what: string) => expect.poll(() => shown.some((line) => line.includes(what)), { timeout: 15_000 }).toBe(true);
    await until('"queued"');
    const survey: Survey = { id: "s", questions: [{ id: "why", text: "Why?", type: "text" }] };
    await desks.deliver(world.runtime, "night", {
      events: [
        says("m1", `hello ${secret}`),
        { type: "desk-note", id: "n", author: { role: "agent", name: "Ada" }, text: `note ${secret}` },
        { type: "survey-offered", survey },
      ],
    });
    // What comes twice is one message, and asked about once.
    await desks.deliver(world.runtime, "night", {
      events: [
        says("m1", `hello ${secret}`),
        { type: "message-changed", messageId: "m1", change: "edited", text: `edit ${secret}` },
        says("m2", "bye"),
      ],
    });
    await until('"bye"');
    await say("2", `live ${secret}`);
    await world.runtime.submitSurvey({ ...address, survey: "s", answers: { why: `why ${secret}` } });
    await expect.poll(() => given.length, { timeout: 15_000 }).toBe(2);
    reading.abort();

    // Nothing gets past a hook: not to the store, the readers, the bot, the log or the metrics, and not to a desk.
    const outside = [...written, ...shown, ...heard, JSON.stringify(world.log), JSON.stringify(world.runtime.metrics())];
    expect(outside.filter((line) => line.replaceAll(user, "").includes(kept))).toEqual([]);
    expect(heard.join()).toContain(left);
    expect([...shown, ...heard].filter((line) => line.includes("[mail]"))).toEqual([]);
    const atDesk = [...starts, ...given].map((line) => line.replaceAll(user, "").replaceAll(`c-${left}`, "c"));
    expect(atDesk.filter((line) => line.includes(kept) || line.includes(left))).toEqual([]);
    for (const word of ["agent", "bot", "sum", "t", "x", "c", "cc"]) expect(starts[0]).toContain(`${word} [card] [mail]`);
    expect(given.join()).toContain("live [card] [mail]");
    expect(given.join()).toContain("why [card] [mail]");
    for (const word of ["hello", "edit"]) expect(shown.join()).toContain(`${word} [card] ${left}`);
    // Frozen: a repeated start and the next desk get the same; ids are what they were.
    const transcripts = starts.map((line) => JSON.stringify((JSON.parse(line) as { transcript: unknown }).transcript));
    expect(new Set(transcripts).size).toBe(1);
    expect(transcripts[0]).toContain(`"id":"${user}"`);
    expect(transcripts[0]).toContain(`"id":"c-${left}"`);
    // Each text was asked about once for each hook that it has to pass.
    const asks = asked.map(({ step, text, about }) => `${step} ${about.kind} ${about.author} ${text.split(" ")[0] ?? ""}`).toSorted();
    expect(asks).toEqual(
      [
        ...["user agent", "user live", "bot bot", "bot t", "bot x", "bot c", "bot cc"].map((what) => `message ${what}`),
        "summary bot sum",
        "survey-answer user why",
      ]
        .flatMap((what) => [`beforeStore ${what}`, `beforeDesk ${what}`])
        .concat(["message agent hello", "message agent edit", "message agent bye", "note agent note"].map((what) => `beforeStore ${what}`))
        .toSorted(),
    );
    for (const { about } of asked) expect(about).toMatchObject(address);
  }, 30_000);

  it("should hold for what was written before it was switched on, and for a transcript that a host brings", async () => {
    const { redact } = countingHooks();
    const options: { redact?: typeof redact } = {};
    const { desks, given } = listeningDesks(["desk"], { answer: async () => ({}) });
    const world = await open({
      store,
      runtime: {
        ...desks.runtime,
        get redact() {
          return options.redact as typeof redact;
        },
      },
    });
    await world.runtime.receiveMessage({ ...address, message: { id: "1", text: `old ${left}` } });
    options.redact = redact;
    await world.restart();
    await world.runtime.receiveMessage({ ...address, message: { id: "2", text: `new ${left}` } });
    await world.runtime.requestHandover(address);
    const other = { endpoint: "web", conversation: "other" };
    const transcript = ["user", "bot"].map((role) => ({
      id: `${role}-${left}`,
      author: { role: role as "user" | "bot" },
      text: `${role} ${kept} ${left}`,
      sentAt: new Date().toISOString(),
    }));
    await expect.poll(() => desks.count("desk.start"), { timeout: 15_000 }).toBe(1);
    const texts = () => desks.started["desk"]?.transcript.map(({ message }) => message.text) ?? [];
    const all = [...texts(), ...given.map((line) => (JSON.parse(line.slice(5)) as { message: { text: string } }).message.text)];
    expect(all.toSorted()).toEqual(["new [mail]", "old [mail]"].filter((text) => all.includes(text)));
    expect(all).toContain("old [mail]");
    await world.runtime.requestHandover({ ...other, transcript, summary: `sum ${kept} ${left}` });
    await expect.poll(() => desks.count("desk.start"), { timeout: 15_000 }).toBe(2);
    expect(texts()).toEqual(["user [card] [mail]", "bot [card] [mail]"]);
    expect(desks.started["desk"]).toMatchObject({ summary: "sum [card] [mail]" });
    expect(desks.started["desk"]?.transcript.map(({ message }) => message.id)).toEqual(transcript.map(({ id }) => id));
  });
});

describe("a hook that fails", () => {
  it("should refuse the text instead of letting it pass, and tell whoever wrote it", async () => {
    let mode: "throws" | "hangs" | "nonsense" | "works" = "throws";
    const beforeStore: Redact = (text) => {
      if (!text.includes("secret") || mode === "works") return text;
      if (mode === "hangs") return new Promise(() => undefined);
      if (mode === "nonsense") return undefined as unknown as string;
      throw new Error(`cannot redact ${text}`);
    };
    const bot: Bot = {
      answer: async ({ message }) => (message?.text === "agent" ? { messages: [{ text: "secret of the bot" }], handover: {} } : {}),
    };
    const { desks, reports } = listeningDesks(["desk"], bot);
    const world = await open({ timing: { callTimeoutMs: 100 }, runtime: { ...desks.runtime, redact: { beforeStore } } });
    const chat = world.record("c");
    for (const failing of ["throws", "hangs", "nonsense"] as const) {
      mode = failing;
      const refusal: unknown = await world.say("c", "1", "my secret").catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: "REDACTION_FAILED", isRetryable: true });
      expect(String(refusal) + JSON.stringify(refusal)).not.toContain("my secret");
      expect((refusal as Error).cause).toBeUndefined();
    }
    await world.say("c", "2", "agent");
    const failedTurns = () =>
      world.runtime.metrics().find(({ name, labels }) => name === "handover_bot_turns_total" && labels["result"] === "failed")?.value;
    await expect.poll(failedTurns, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(chat.statuses()).toEqual([]);
    mode = "works";
    await chat.untilStatus("queued");
    expect(await world.say("c", "1", "my secret")).toMatchObject({ seq: expect.any(Number) as number });
    mode = "throws";
    await desks.deliver(world.runtime, "desk", { events: [says("m1", "secret of the agent"), says("m2", "hello")] });
    await chat.until("the next message", ({ text }) => text === "hello");
    expect(chat.lines().filter((line) => line.startsWith("agent"))).toEqual([
      "agent: This message could not be delivered.",
      "agent: hello",
    ]);
    await expect.poll(() => reports.map(({ vendorMessageIds, status }) => `${vendorMessageIds.join()} ${status}`)).toEqual(["m1 failed"]);
    expect(JSON.stringify(reports)).toContain("REDACTION_FAILED");
    expect(JSON.stringify([chat.entries, world.log, reports, world.runtime.metrics()])).not.toContain("secret of the agent");
  });
});
