import { setTimeout as sleep } from "node:timers/promises";
import type { Commit } from "@handover/runtime";
import { describe, expect, it } from "vitest";
import { withoutPostgres } from "../../packages/store-postgres/test/support/use-postgres.ts";
import type { Recorder } from "../runtime/support/recorder.ts";
import { leaseTiming, openSite, type Instance, type Site } from "./support/pair.ts";
import type { MadeCall } from "./support/stoppable.ts";

const missing = await withoutPostgres();

const isCommit = (call: MadeCall, fits: (commit: Commit) => boolean) => call.name === "store.commit" && fits(call.given[0] as Commit);
const announcesPart = (call: MadeCall) => isCommit(call, ({ parts }) => parts?.some(({ status }) => status === "sending") === true);
const announcesStart = (call: MadeCall) =>
  isCommit(call, ({ handovers }) => handovers?.some(({ attempt }) => attempt.callUntilMs) === true);

const tickets = ({ vendor }: Site) => vendor.backend.conversations();
const userLines = (site: Site) =>
  tickets(site).flatMap(({ messages }) => messages.filter(({ author }) => author === "user").map(({ text }) => text));
const untilTexts = (site: Site, text: string) =>
  site.vendor.backend.waitFor(() => userLines(site).includes(text), { timeoutMs: 10_000 }).then(() => userLines(site));
const vendorCallsSince = ({ process }: Instance, sinceMs: number) =>
  process.calls.filter(({ name, atMs }) => name.startsWith("vendor.") && atMs >= sinceMs).map(({ name }) => name);

async function handOver(site: Site, instance: Instance, recorder: Recorder): Promise<string> {
  await instance.say("c", "ask", "agent please");
  await recorder.untilStatus("queued");
  const ticket = tickets(site)[0]?.id ?? "";
  await site.vendor.backend.agentAccepts(ticket);
  await recorder.untilStatus("active");
  return ticket;
}

/** One that runs and one that is stopped before it has begun anything, so that the first is the owner of whatever happens. */
async function openOwner(options: Parameters<typeof openSite>[0] = {}) {
  const site = await openSite(options);
  const owner = await site.start();
  const successor = await site.start();
  successor.process.stop();
  return { site, owner, successor, recorder: site.record(owner, "c") };
}

/** The owner has learned that it lost the conversation: it takes what is said through it like everybody else. */
async function untilAwake({ site, owner }: { readonly site: Site; readonly owner: Instance }, text: string): Promise<readonly string[]> {
  await owner.say("c", text, text);
  return untilTexts(site, text);
}

describe.skipIf(missing)("a process that is stopped for longer than its lease", () => {
  it.each([
    ["that can be asked", {}, false],
    ["that cannot be asked", { findSentMessage: false }, true],
  ] as const)(
    "should not send what it has announced when it wakes up, at a vendor %s [F021 stopped owner]",
    async (_vendor, abilities, isMarked) => {
      const scene = await openOwner({ vendor: { abilities } });
      const { site, owner, successor, recorder } = scene;
      await handOver(site, owner, recorder);
      const stopped = owner.process.stopAt(announcesPart);
      await owner.say("c", "1", "line 1");
      await stopped;
      successor.process.goOn();
      await untilTexts(site, "line 1");
      const wokenAtMs = Date.now();
      owner.process.goOn();
      await untilAwake(scene, "line 2");
      expect(userLines(site).slice(1)).toEqual(["line 1", "line 2"]);
      expect(vendorCallsSince(owner, wokenAtMs).filter((name) => name === "vendor.sendMessage")).toEqual([]);
      const marked = await site.schema.query("SELECT 1 FROM %.parts WHERE strpos(record::text, 'isPossiblyDuplicated') > 0");
      expect(marked).toHaveLength(isMarked ? 1 : 0);
    },
  );

  it("should not open the ticket that it has announced when it wakes up [F042 stopped owner]", async () => {
    const { site, owner, successor, recorder } = await openOwner();
    const stopped = owner.process.stopAt(announcesStart);
    await owner.say("c", "ask", "agent please");
    await stopped;
    successor.process.goOn();
    await site.record(successor, "c").untilStatus("queued");
    const wokenAtMs = Date.now();
    owner.process.goOn();
    await recorder.untilStatus("queued");
    await owner.say("c", "1", "line 1");
    await untilTexts(site, "line 1");
    expect(tickets(site)).toHaveLength(1);
    expect(vendorCallsSince(owner, wokenAtMs).filter((name) => name === "vendor.start")).toEqual([]);
    expect(recorder.statuses()).toEqual(["requested", "queued"]);
  });

  it("should not end at the desk what its successor has gone on with", async () => {
    const scene = await openOwner();
    const { site, owner, successor, recorder } = scene;
    const ticket = await handOver(site, owner, recorder);
    // It has looked at everything that could keep it from calling, and the next thing is the request.
    const stopped = owner.process.stopAt((call) => call.name === "vendor.end", "before");
    await owner.runtime.endHandover({ endpoint: "web", conversation: "c" });
    await stopped;
    successor.process.goOn();
    const seen = site.record(successor, "c");
    await seen.until("the end", ({ status }) => status === "ended");
    await successor.say("c", "again", "agent again");
    await seen.untilStatus("queued", 2);
    const wokenAtMs = Date.now();
    owner.process.goOn();
    await untilAwake(scene, "line after");
    expect(tickets(site).map(({ id, status }) => ({ isFirst: id === ticket, status }))).toEqual([
      { isFirst: true, status: "closed" },
      { isFirst: false, status: "queued" },
    ]);
    const closed = site.vendor.backend.calls.filter(({ path }) => path.includes("close"));
    expect(closed).toHaveLength(1);
    expect(vendorCallsSince(owner, wokenAtMs)).toEqual(["vendor.end"]);
  });

  it("should not write what it has fetched from the vendor before, nor move the cursor back", async () => {
    const scene = await openOwner({ vendor: { webhooks: "none" }, timing: { catchUpIntervalMs: 200 } });
    const { site, owner, successor, recorder } = scene;
    const ticket = await handOver(site, owner, recorder);
    const stopped = owner.process.stopAt((call) => call.name === "vendor.catchUp");
    await site.vendor.backend.agentSays(ticket, "good day");
    await stopped;
    await site.vendor.backend.agentSays(ticket, "are you there?");
    successor.process.goOn();
    const seen = site.record(successor, "c");
    await seen.until("the agent's second line", ({ text }) => text === "are you there?");
    const readCursor = () => site.schema.query("SELECT record::jsonb -> 'attempt' -> 'catchUp' ->> 'cursor' AS cursor FROM %.handovers");
    const before = await readCursor();
    const stale = owner.process.nextCall((call) => isCommit(call, ({ deliveries }) => deliveries !== undefined));
    owner.process.goOn();
    await stale;
    await untilAwake(scene, "line 1");
    await recorder.until("the agent's second line", ({ text }) => text === "are you there?");
    expect(recorder.lines().filter((line) => line.startsWith("agent:"))).toEqual(["agent: good day", "agent: are you there?"]);
    expect(await readCursor()).toEqual(before);
  });

  it("should go on where it was when nobody has taken the conversation meanwhile, and do once what it had announced", async () => {
    // Its patience is shorter than the time for which it is stopped, and all the same nothing is given up that was never tried.
    // It does not look for other work, and so does not claim anew what it has.
    const site = await openSite({ timing: { startTimeoutMs: 700, messageRetryMs: 700, pollMs: 5_000 } });
    const owner = await site.start();
    const recorder = site.record(owner, "c");
    const stopFor = async (stopped: Promise<unknown>) => {
      await stopped;
      await sleep(leaseTiming.leaseMs * 1.2);
      owner.process.goOn();
    };
    const started = stopFor(owner.process.stopAt(announcesStart));
    await handOver(site, owner, recorder);
    await started;
    const stopped = stopFor(owner.process.stopAt(announcesPart));
    await owner.say("c", "1", "line 1");
    await stopped;
    await untilTexts(site, "line 1");
    await owner.say("c", "2", "line 2");
    await untilTexts(site, "line 2");
    expect(tickets(site)).toHaveLength(1);
    expect(userLines(site).slice(1)).toEqual(["line 1", "line 2"]);
    expect(await site.schema.query("SELECT 1 FROM %.parts WHERE strpos(record::text, 'isPossiblyDuplicated') > 0")).toEqual([]);
    expect(recorder.visible().filter(({ kind, event }) => kind === "notice" && event === "message-failed")).toEqual([]);
  });
});

describe.skipIf(missing)("a conversation that changes hands", () => {
  it("should have its calls aborted and its lanes stopped where it was lost", async () => {
    const site = await openSite({ timing: { callTimeoutMs: 800, leaseMs: 1_200 } });
    const owner = await site.start();
    const recorder = site.record(owner, "c");
    await handOver(site, owner, recorder);
    site.vendor.backend.setFaults({ latencyMs: 600 });
    const calling = owner.process.nextCall((call) => call.name === "vendor.sendMessage");
    await owner.say("c", "1", "line 1");
    const { signal } = (await calling).given[2] as { signal: AbortSignal };
    expect(signal.aborted).toBe(false);
    const aborted = new Promise<string>((resolve) =>
      signal.addEventListener("abort", () => resolve((signal.reason as Error).name), { once: true }),
    );
    await site.schema.query(
      "UPDATE %.conversations SET owner = 'somebody', fence = fence + 1, claimable_at = clock_timestamp() + interval '2 s'",
    );
    expect(await aborted).toBe("LeaseLostError");
    const lostAtMs = Date.now();
    site.vendor.backend.setFaults({});
    await owner.say("c", "2", "line 2");
    await untilTexts(site, "line 2");
    // Nothing was done here while it belonged to somebody else; then the part without a clear outcome was looked for.
    const callsAgain = owner.process.calls.filter(({ name, atMs }) => /^vendor\.(send|find)/.test(name) && atMs > lostAtMs);
    expect((callsAgain[0]?.atMs ?? 0) - lostAtMs).toBeGreaterThan(500);
    expect(userLines(site).slice(1)).toEqual(["line 1", "line 2"]);
  });

  it("should not wait for an hour because the clock of its former owner was an hour ahead", async () => {
    const site = await openSite();
    const owner = await site.start({ clock: () => Date.now() + 3_600_000 });
    const successor = await site.start();
    successor.process.stop();
    await handOver(site, owner, site.record(owner, "c"));
    const stopped = owner.process.stopAt(announcesPart);
    await owner.say("c", "1", "line 1");
    await stopped;
    successor.process.goOn();
    await untilTexts(site, "line 1");
    expect(userLines(site).slice(1)).toEqual(["line 1"]);
  });

  it("should not be begun by an instance whose calls may last longer than its lease", async () => {
    await expect(openSite({ timing: { callTimeoutMs: 1_000 } }).then((site) => site.start())).rejects.toThrow(
      /leaseMs.*one and a half times callTimeoutMs/,
    );
  });
});
