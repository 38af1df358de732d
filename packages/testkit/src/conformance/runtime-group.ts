import { expect } from "vitest";
import { endByUser, openRuntimeDriver, statuses, type RuntimeDriver, type StoreFactory } from "./runtime-driver.ts";
import { faultTests } from "./runtime-faults-group.ts";
import { stateTests } from "./runtime-state-group.ts";
import { agentSays, deskTexts, reachesDesk, type RuntimeTest } from "./runtime-steps.ts";
import type { ConformanceOptions, ConformanceTest, Suite } from "./suite.ts";

/** The provider behind the real runtime: what users and agents see in the end. */
export function runtimeTests(suite: Suite, createStore: StoreFactory): readonly ConformanceTest[] {
  if (!suite.has("sendMessage", "translate") || !suite.hears) return [];
  const tests: readonly (RuntimeTest | false | undefined)[] = [
    { title: "should relay both ways and end once [F049 part: start, one message each way, end]", run: relaysBothWays },
    {
      title: "should relay user, bot and agent, to a channel that is pushed to and to one that asks [F015 part: conformance kit]",
      run: relaysEverySource,
    },
    {
      title: "should bring what the user writes during the start to the desk, once and in order [F040 part: provider]",
      run: bringsEarlyMessages,
    },
    { title: "should bring a message that the vendor refused twice, before the one after it [F004]", run: repeatsAfterRefusal },
    suite.has("receiveWebhook") && {
      title: "should show a webhook that comes twice once [F017 part: provider, F105 part: same delivery twice]",
      run: showsRepeatsOnce,
    },
    suite.has("catchUp") && { title: "should show a message whose webhook was lost [F001]", run: healsLostWebhooks },
    suite.has("catchUp") && {
      title: "should show what agents wrote while the host was down [F007 part: host stopped]",
      run: healsDowntime,
    },
    suite.has("findStarted") && {
      title: "should open one conversation although the answer to its creation was lost [F043 part: found again]",
      run: startsOnce,
    },
    suite.has("findSentMessage") && {
      title: "should send a message once although the answer was lost [F022 part: one message]",
      run: sendsOnce,
    },
    suite.has("end") && {
      title: "should close the conversation at the desk when the user ends it [F070 part: active]",
      run: closesForUser,
    },
    ...stateTests(suite),
    ...faultTests(suite),
  ];
  return tests
    .filter((test) => test !== false && test !== undefined)
    .map((test) => ({ title: test.title, run: () => runTest({ ...suite.options, createStore }, test) }));
}

async function runTest(options: ConformanceOptions & { readonly createStore: StoreFactory }, test: RuntimeTest): Promise<void> {
  const { reorderWindowMs } = test;
  const driver = await openRuntimeDriver(options, reorderWindowMs === undefined ? {} : { reorderWindowMs });
  try {
    await test.run(driver);
  } finally {
    await driver.close();
  }
}

async function relaysBothWays(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await driver.until("the desk has the question", async () => (await deskTexts(driver)).join().includes("I need help."));
  await agentSays(driver, id, "How can I help?");
  await driver.write("answer", "My order is late.");
  await reachesDesk(driver, "My order is late.");
  await driver.backend.agentCloses(id);
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  expect(await statuses(driver)).toEqual(["requested", "queued", "active", "ended"]);
  expect(await driver.texts("agent")).toEqual(["How can I help?"]);
}

async function relaysEverySource(driver: RuntimeDriver): Promise<void> {
  driver.botText = "The bot listens, too.";
  const id = await driver.openHandover();
  await agentSays(driver, id, "How can I help?");
  await driver.until("the desk has what the bot said", async () => (await deskTexts(driver)).join().includes("The bot listens, too."));
  await driver.write("answer", "My order is late.");
  await reachesDesk(driver, "My order is late.");
  const asked = await driver.entries();
  const isPushed = (seq: number) => driver.pushed.some((entry) => entry.seq === seq);
  await driver.until("everything was pushed", async () => asked.every(({ seq }) => isPushed(seq)));
  const said = asked.flatMap(({ kind, author, text }) => (kind === "message" ? `${author?.role ?? ""}: ${text ?? ""}` : []));
  expect([said.at(0), said.at(-1)]).toEqual(["user: I need help.", "user: My order is late."]);
  // Where the desk tells that somebody accepts, the bot may hear of it before the first words come.
  expect(said.slice(1, -1).toSorted()).toEqual(["agent: How can I help?", "bot: The bot listens, too."]);
  expect(driver.pushed.slice(0, asked.length).map(({ seq }) => seq)).toEqual(asked.map(({ seq }) => seq));
}

async function bringsEarlyMessages(driver: RuntimeDriver): Promise<void> {
  await driver.write("question", "I need help.");
  await driver.runtime.requestHandover({ endpoint: "conformance", conversation: "conversation of the suite" });
  const texts = Array.from({ length: 5 }, (_, index) => `early message ${index + 1}`);
  for (const text of texts) await driver.write(text, text);
  await driver.until("the last early message is at the desk", async () => (await deskTexts(driver)).includes("early message 5"));
  expect((await deskTexts(driver)).filter((text) => text.startsWith("early"))).toEqual(texts);
}

async function repeatsAfterRefusal(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  let refusals = 0;
  driver.gateway.setFaults((call) => {
    if (call.method !== "POST" || refusals === 2) return undefined;
    refusals += 1;
    return { kind: "answer", status: 503 };
  });
  await driver.write("one", "first of two");
  await driver.write("two", "second of two");
  await reachesDesk(driver, "second of two");
  expect(refusals).toBe(2);
  expect((await deskTexts(driver)).filter((text) => text.endsWith("of two"))).toEqual(["first of two", "second of two"]);
}

async function showsRepeatsOnce(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "only once");
  for (const webhook of [...driver.webhooks]) expect(await driver.sendAgain(webhook)).toBeLessThan(300);
  await agentSays(driver, id, "after the repeats");
  expect(await driver.texts("agent")).toEqual(["only once", "after the repeats"]);
}

async function healsLostWebhooks(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "one");
  driver.isLosingWebhooks = true;
  await agentSays(driver, id, "two");
  driver.isLosingWebhooks = false;
  await agentSays(driver, id, "three");
  expect(await driver.texts("agent")).toEqual(["one", "two", "three"]);
}

async function healsDowntime(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "before");
  await driver.restart(async () => {
    for (const text of ["down one", "down two", "down three"]) await driver.backend.agentSays(id, text);
    await driver.backend.settle();
  });
  await agentSays(driver, id, "after");
  expect(await driver.texts("agent")).toEqual(["before", "down one", "down two", "down three", "after"]);
}

async function startsOnce(driver: RuntimeDriver): Promise<void> {
  let created = 0;
  driver.gateway.setFaults((call) => {
    if (call.method !== "POST" || created > 0) return undefined;
    created += 1;
    return { kind: "lose-answer" };
  });
  const id = await driver.openHandover();
  await agentSays(driver, id, "found");
  expect(await driver.backend.conversations()).toHaveLength(1);
}

async function sendsOnce(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  driver.gateway.setFaults((call) => (call.method === "POST" && call.body.includes("just once") ? { kind: "lose-answer" } : undefined));
  await driver.write("once", "just once");
  await driver.write("next", "the next one");
  await reachesDesk(driver, "the next one");
  expect((await deskTexts(driver)).filter((text) => text === "just once")).toHaveLength(1);
  expect((await driver.entries()).some(({ isPossiblyDuplicated }) => isPossiblyDuplicated)).toBe(false);
}

async function closesForUser(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  await endByUser(driver);
  await driver.until("the desk has closed it", async () => (await driver.desk()).status === "closed");
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  expect((await statuses(driver)).filter((status) => status === "ended")).toHaveLength(1);
}
