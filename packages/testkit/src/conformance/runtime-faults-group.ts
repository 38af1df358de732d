import { expect } from "vitest";
import type { GatewayFault } from "./gateway.ts";
import { statuses, type RuntimeDriver } from "./runtime-driver.ts";
import { agentSays, deskTexts, reachesDesk, type RuntimeTest } from "./runtime-steps.ts";
import type { Suite } from "./suite.ts";

const address = { endpoint: "conformance", conversation: "conversation of the suite" };

/** The vendor is out of reach, busy, or no longer has what we ask for. */
export function faultTests({ backend, has }: Suite): readonly (RuntimeTest | false | undefined)[] {
  return [
    {
      title: "should outlast a vendor that cannot be reached, and bring everything afterwards [F069, F007]",
      // Without a listing webhooks are all there is, so those come through.
      run: (driver) => outlastsOutage(driver, has("catchUp")),
    },
    { title: "should slow down when the vendor asks for it, and lose and swap nothing [F101 part: 429]", run: slowsDown },
    {
      title: "should end once, and not ask on and on, when the conversation is gone [F061 part: sends, F073 part: 404]",
      run: endsWhenGone,
    },
    has("downloadAttachment") &&
      backend.agentSendsFile && { title: "should bring a file whose first downloads fail [F133 part: 404 twice]", run: waitsForFile },
  ];
}

async function outlastsOutage(driver: RuntimeDriver, canCatchUp: boolean): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "before");
  const notices = async () => (await driver.entries()).filter(({ kind }) => kind === "notice").length;
  const before = await notices();
  let cut = 0;
  driver.isLosingWebhooks = canCatchUp;
  driver.gateway.setFaults(({ method }) => {
    cut += 1;
    // What was cut may have arrived all the same, and is looked for as long as it could: a refusal says that it has not.
    return method === "GET" ? { kind: "cut" } : { kind: "answer", status: 503 };
  });
  await driver.write("meanwhile", "from the user meanwhile");
  for (const text of ["down one", "down two", "down three"]) await driver.backend.agentSays(id, text);
  await driver.until("it was tried again and again", async () => cut >= (canCatchUp ? 4 : 2));
  expect((await statuses(driver)).at(-1)).toBe("active");
  await driver.backend.settle();
  driver.gateway.setFaults(undefined);
  driver.isLosingWebhooks = false;
  await reachesDesk(driver, "from the user meanwhile");
  await driver.until("what was missed is there", async () => (await driver.texts("agent")).length === 4);
  await agentSays(driver, id, "after");
  expect(await driver.texts("agent")).toEqual(["before", "down one", "down two", "down three", "after"]);
  expect((await deskTexts(driver)).filter((text) => text === "from the user meanwhile")).toHaveLength(1);
  expect((await statuses(driver)).filter((status) => status === "active")).toHaveLength(1);
  expect((await notices()) - before).toBeLessThanOrEqual(1);
}

async function slowsDown(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  const refusals: GatewayFault[] = [
    { kind: "answer", status: 429, headers: { "retry-after": "1" }, body: "Slow down." },
    { kind: "answer", status: 429, body: "" },
    { kind: "answer", status: 429, headers: { "retry-after": "soon" }, body: "{}" },
  ];
  const times: number[] = [];
  driver.gateway.setFaults((call) => {
    if (call.method !== "POST" && call.method !== "PUT") return undefined;
    times.push(Date.now());
    return refusals.shift();
  });
  for (const text of ["one of three", "two of three", "three of three"]) await driver.write(text, text);
  await reachesDesk(driver, "three of three");
  expect((await deskTexts(driver)).filter((text) => text.endsWith("of three"))).toEqual(["one of three", "two of three", "three of three"]);
  expect(refusals).toEqual([]);
  expect((times[1] ?? 0) - (times[0] ?? 0), "the pause that the vendor asked for").toBeGreaterThanOrEqual(900);
}

async function endsWhenGone(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "hello");
  let sends = 0;
  driver.gateway.setFaults(({ method }) => {
    // Looking once more at what is over, and asking what changed in the whole account, goes on.
    if (method === "POST" || method === "PUT") sends += 1;
    return { kind: "answer", status: 404, headers: { "content-type": "application/json" }, body: "{}" };
  });
  await driver.write("late", "is anybody there?");
  await driver.until("it has ended", async () => (await statuses(driver)).includes("ended"));
  expect((await statuses(driver)).filter((status) => status === "ended")).toHaveLength(1);
  expect(sends, "sends to a conversation that is gone").toBeLessThanOrEqual(3);
  driver.gateway.setFaults(undefined);
}

async function waitsForFile(driver: RuntimeDriver): Promise<void> {
  const id = await driver.openHandover();
  await agentSays(driver, id, "here it comes");
  let refusals = 0;
  driver.gateway.setFaults((call) => {
    if (call.method !== "GET" || refusals === 2 || !/file|attachment|blob|document|media/i.test(call.url)) return undefined;
    refusals += 1;
    return { kind: "answer", status: 404 };
  });
  const bytes = Buffer.from("worth waiting for");
  await driver.backend.agentSendsFile?.(id, { name: "plan.txt", type: "text/plain", bytes });
  const find = async () => (await driver.entries()).flatMap(({ attachments = [] }) => attachments)[0];
  await driver.until("the file is shown", async () => (await find()) !== undefined);
  const fileId = (await find())?.id ?? "";
  await driver.until("the file can be opened", async () => (await open(driver, fileId)) === bytes.toString());
}

async function open(driver: RuntimeDriver, id: string): Promise<string | undefined> {
  const content = await driver.runtime.getAttachment({ ...address, id }).catch(() => undefined);
  return content && new Response(content.stream).text();
}
