import { expect } from "vitest";
import type { ConformanceBackend } from "./conformance-backend.ts";
import type { LoopbackRequest } from "./loopback-server.ts";
import { endByUser, statuses, type RuntimeDriver } from "./runtime-driver.ts";
import { agentSays, deskTexts, type RuntimeTest } from "./runtime-steps.ts";
import type { Suite } from "./suite.ts";

const address = { endpoint: "conformance", conversation: "conversation of the suite" };

/** What becomes of a handover: who is there, in which order things come, and how it ends. */
export function stateTests({ backend, has }: Suite): readonly (RuntimeTest | false | undefined)[] {
  const hooks = (...names: readonly (keyof ConformanceBackend)[]) => names.every((name) => backend[name] !== undefined);
  return [
    hooks("agentIsAssigned") && {
      title: "should stay queued until somebody answers, and be active once [F053 part: assignment and first message]",
      run: becomesActiveOnce,
    },
    hooks("agentTransfers") && {
      title: "should go on after a transfer, and tell of each agent once [F057 part: transfer to an agent]",
      run: survivesTransfer,
    },
    hooks("agentLeaves") && {
      title: "should wait again, or end once, when the last agent has left [F058 part: the last one]",
      run: agentLeaves,
    },
    has("receiveWebhook") && {
      title: "should show the last message before the end, whichever comes first [F033]",
      reorderWindowMs: 500,
      run: endOvertakes,
    },
    has("receiveWebhook") && {
      title: "should show five messages in order that come in another [F031 part: five in disorder]",
      reorderWindowMs: 500,
      run: sortsWebhooks,
    },
    has("catchUp") && { title: "should learn of an end that nobody reported, without the user's help [F074]", run: findsLostEnd },
    has("end") && {
      title: "should leave nothing open when the user leaves the queue [F075 part: the queue, F070 part: queued]",
      run: leavesQueue,
    },
    {
      title: "should open a new conversation after the end, and post nothing to the old one [F078 part: the next handover]",
      run: startsAnew,
    },
    hooks("agentReopens") &&
      has("end") && { title: "should close a conversation again that the desk revives [F078 part: revived]", run: closesRevived },
  ];
}

async function becomesActiveOnce(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await driver.backend.agentIsAssigned?.(id);
  await driver.backend.agentTypes?.(id, true);
  await driver.backend.systemSays?.(id, "Somebody will be with you soon.");
  await driver.backend.settle();
  // What was told last is there, so all of it was understood.
  if (driver.backend.systemSays) await driver.until("the greeting is there", async () => (await driver.texts("system")).length > 0);
  expect(await statuses(driver)).not.toContain("active");
  for (const text of ["one", "two"]) await agentSays(driver, id, text);
  expect((await statuses(driver)).filter((status) => status === "active")).toHaveLength(1);
}

async function survivesTransfer(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await driver.backend.agentAccepts(id);
  await agentSays(driver, id, "one");
  await driver.backend.agentTransfers?.(id);
  await driver.backend.settle();
  await agentSays(driver, id, "two");
  const shown = await driver.entries();
  expect(shown.map(({ status }) => status)).not.toContain("ended");
  const joined = shown.flatMap(({ event, author }) => (event === "agent-joined" ? [author?.id ?? author?.name] : []));
  expect(new Set(joined).size, "somebody was announced twice").toBe(joined.length);
  expect((await statuses(driver)).at(-1)).toBe("active");
}

async function agentLeaves(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await driver.backend.agentAccepts(id);
  await agentSays(driver, id, "one");
  await driver.backend.agentLeaves?.(id);
  await driver.until("it waits or has ended", async () => ["queued", "ended"].includes((await statuses(driver)).at(-1) ?? ""));
  expect((await driver.entries()).filter(({ event }) => event === "agent-left").length).toBeLessThanOrEqual(1);
  if ((await statuses(driver)).at(-1) === "ended") return;
  await driver.backend.agentAccepts(id);
  await agentSays(driver, id, "two");
  expect(await statuses(driver)).toEqual(["requested", "queued", "active", "queued", "active"]);
}

/** Brings the webhooks of what happens meanwhile in another order. Until then nothing is learned on any other road either. */
async function bringLater(
  driver: RuntimeDriver,
  happens: () => Promise<void>,
  order: (webhooks: readonly LoopbackRequest[]) => readonly LoopbackRequest[],
): Promise<void> {
  await driver.backend.settle();
  const before = driver.webhooks.length;
  driver.isLosingWebhooks = true;
  driver.gateway.setFaults(() => ({ kind: "answer", status: 503 }));
  await happens();
  await driver.backend.settle();
  driver.isLosingWebhooks = false;
  for (const webhook of order(driver.webhooks.slice(before))) await driver.sendAgain(webhook);
  driver.gateway.setFaults(undefined);
}

async function endOvertakes(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  const happens = async (): Promise<void> => {
    await driver.backend.agentSays(id, "good bye");
    await driver.backend.agentCloses(id);
  };
  await bringLater(driver, happens, (webhooks) => webhooks.toReversed());
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  const shown = (await driver.entries()).flatMap(({ text, status, author }) => (author?.role === "agent" ? (text ?? []) : (status ?? [])));
  expect(shown.slice(-2)).toEqual(["good bye", "ended"]);
}

async function sortsWebhooks(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  const texts = ["line 1", "line 2", "line 3", "line 4", "line 5"];
  const happens = async (): Promise<void> => {
    for (const text of texts) await driver.backend.agentSays(id, text);
  };
  const about = (webhooks: readonly LoopbackRequest[], text = "") =>
    webhooks.filter(({ body }) => Buffer.from(body).includes(text)).slice(0, 1);
  await bringLater(driver, happens, (webhooks) => [1, 0, 4, 2, 3].flatMap((place) => about(webhooks, texts[place])));
  await driver.until("all five are there", async () => (await driver.texts("agent")).length >= 6);
  expect(await driver.texts("agent")).toEqual(["hello", ...texts]);
}

async function findsLostEnd(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  driver.isLosingWebhooks = true;
  await driver.backend.agentCloses(id);
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  expect((await statuses(driver)).filter((status) => status === "ended")).toHaveLength(1);
}

async function leavesQueue(driver: RuntimeDriver): Promise<void> {
  await driver.openHandover();
  await endByUser(driver);
  await driver.until("nothing is open at the desk", async () =>
    (await driver.backend.conversations()).every(({ status }) => status === "closed"),
  );
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  const ended = (await driver.entries()).filter(({ status }) => status === "ended");
  expect(ended.map(({ reason }) => reason)).toEqual(["cancelled"]);
}

async function startsAnew(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  await driver.backend.agentCloses(id);
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  await driver.backend.settle();
  const old = async () => (await driver.backend.conversations()).find((conversation) => conversation.id === id)?.messages.length;
  const before = await old();
  await driver.write("again", "I need help again.");
  await driver.runtime.requestHandover(address);
  await driver.until("the desk has a second conversation", async () => (await driver.backend.conversations()).length === 2);
  const other = (await driver.backend.conversations()).find((conversation) => conversation.id !== id)?.id ?? "";
  await driver.until("the second one is queued", async () => (await statuses(driver)).at(-1) === "queued");
  await agentSays(driver, other, "hello again");
  expect(await old()).toBe(before);
}

async function closesRevived(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  await driver.backend.agentCloses(id);
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  await driver.backend.settle();
  await driver.backend.agentReopens?.(id);
  await driver.until("it is closed again", async () => (await driver.desk()).status === "closed");
  await reopenedTexts(driver);
  expect((await statuses(driver)).filter((status) => status === "ended")).toHaveLength(1);
}

/** What the user writes after the end is the bot's: it must not be at the desk. */
async function reopenedTexts(driver: RuntimeDriver): Promise<void> {
  await driver.write("after", "for the bot alone");
  await driver.backend.settle();
  expect(await deskTexts(driver)).not.toContain("for the bot alone");
}
