import type { StoredEntry } from "@handover/runtime";
import { findProblems } from "./invariants.ts";
import { createModelWorld, key, type ModelWorld } from "./model-world.ts";
import type { ModelVendor, Ticket } from "./model-vendor.ts";
import { modelTiming } from "./model-process.ts";
import type { Act, Moment, Plan, Step } from "./plan.ts";

/** What came of a plan. */
export interface Outcome {
  readonly problems: readonly string[];
  readonly story: readonly string[];
  readonly entries: readonly StoredEntry[];
  readonly log: readonly string[];
  /** How many steps were made. */
  readonly picked: number;
  /** How often what happened: to see that the interesting things do. */
  readonly marks: Readonly<Record<string, number>>;
}

/** Patience of the last phase, in the runtime's time. */
const patienceMs = 15 * 60_000;

/** Carries out a plan, lets everything settle, and looks at what is left. */
export async function runPlan(plan: Plan, options: { readonly isTold: boolean } = { isTold: false }): Promise<Outcome> {
  const world = createModelWorld(plan, options.isTold);
  const problems: string[] = [];
  try {
    await world.begin();
    for (const step of plan.steps) {
      if (world.problems.length > 0) break;
      await carryOut(world, step);
    }
    await settle(world);
    if (world.problems.length === 0) problems.push(...findProblems(world));
    if (world.problems.length === 0 && problems.length === 0) await endAll(world, problems);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return {
    problems: [...world.problems, ...problems],
    story: world.story.lines,
    entries: world.data.conversations.get(key)?.entries ?? [],
    log: options.isTold ? describeLog(world) : [],
    picked: world.stage.picked,
    marks: countMarks(world),
  };
}

async function carryOut(world: ModelWorld, { act, picks, order }: Step): Promise<void> {
  const { stage } = world;
  if (act.type === "wait") return stage.advance(act.ms, order);
  if (act.type === "crash") return crash(world, act, order);
  await begin(world, act, order);
  await stage.run({ order, ...(picks > 0 ? { picks } : {}) });
}

async function begin(world: ModelWorld, act: Exclude<Act, { type: "wait" | "crash" }>, order: number): Promise<void> {
  const { said, live, plan } = world;
  const awake = live.find((process) => process.isReady && !process.isFrozen);
  switch (act.type) {
    case "say":
      return world.say(act.wantsPerson ? `person please ${said.length + 1}` : `line ${said.length + 1}`);
    case "repeat": {
      const last = said.at(-1);
      return last?.isDone ? world.say(last.text, last) : undefined;
    }
    case "request":
      return world.request();
    case "end":
      return world.endHandover();
    case "agent":
      return actAsAgent(world, act.what, act.ticket);
    case "restart":
      return awake ? world.restart(awake) : undefined;
    case "join":
      return plan.isShared && live.length < 2 ? world.begin() : undefined;
    case "freeze": {
      if (!awake || live.some(({ isFrozen }) => isFrozen)) return;
      await reach(world, act.after, order);
      world.freeze(awake);
      if (plan.isShared && world.live.length < 2) await world.begin();
      return world.stage.advance(act.ms, order);
    }
    case "thaw":
      return world.thawAll();
  }
}

/** Goes on until the next thing of a kind has happened. */
async function reach({ stage }: ModelWorld, moment: Moment, order: number): Promise<void> {
  if (moment !== "now") await stage.run({ order, picks: 60, until: moment });
}

async function crash(world: ModelWorld, act: Extract<Act, { type: "crash" }>, order: number): Promise<void> {
  const { stage } = world;
  await reach(world, act.after, order);
  const victim = world.live.find(({ isFrozen }) => !isFrozen) ?? world.live[0];
  if (!victim || world.problems.length > 0) return;
  world.crash(victim, act.losesCalls);
  if (act.downMs > 0) await stage.advance(act.downMs, order);
  if (world.live.length === 0) await world.begin();
}

function actAsAgent(world: ModelWorld, what: Extract<Act, { type: "agent" }>["what"], index: number): void {
  const candidates = world.vendors.flatMap((vendor) =>
    vendor.tickets
      .filter((ticket) => (what === "reopens" ? mayReopen(world, ticket) : ticket.isOpen))
      .map((ticket) => ({ vendor, ticket })),
  );
  const found = candidates.at(-1 - (index % Math.max(1, candidates.length)));
  if (found) agentActs(world, found.vendor, found.ticket, what);
}

/** Former attempts, and tickets that turned up later, are not watched any more once they are closed. */
function mayReopen({ data }: ModelWorld, ticket: Ticket): boolean {
  const handover = data.handovers.get(ticket.handover);
  const isCurrent = handover !== undefined && ticket.external === `${handover.id}.${handover.attempt.number}`;
  const isSurplus = data.journal.some((item) => item.handover === ticket.handover && item.what === "surplus-ticket");
  return !ticket.isOpen && isCurrent && handover.attempt.state !== undefined && !isSurplus;
}

function agentActs(world: ModelWorld, vendor: ModelVendor, ticket: Ticket, what: Extract<Act, { type: "agent" }>["what"]): void {
  const [present] = ticket.agents;
  const agent = present ?? "Robin";
  switch (what) {
    case "is-assigned":
      return vendor.report(ticket, what, { agent });
    case "accepts":
      ticket.agents.add(agent);
      return vendor.report(ticket, what, { agent });
    case "says": {
      ticket.agents.add(agent);
      const id = `${ticket.id}-m${ticket.agentLines.length + 1}`;
      ticket.agentLines.push({ id, text: `answer ${id}`, atMs: world.stage.now() });
      return vendor.report(ticket, what, { agent, id, text: `answer ${id}` });
    }
    case "leaves":
      if (present === undefined) return;
      ticket.agents.delete(present);
      closeAfterGrace(world, ticket);
      return vendor.report(ticket, what, { agent: present, isAnotherPresent: ticket.agents.size > 0 });
    case "transfers":
      ticket.agents.clear();
      return vendor.report(ticket, what);
    case "closes":
      ticket.isOpen = false;
      ticket.agents.clear();
      return vendor.report(ticket, what, { by: "agent" });
    case "reopens":
      ticket.isOpen = true;
      return vendor.report(ticket, what);
  }
}

/** Such a vendor closes by itself, and says nothing. */
function closeAfterGrace({ stage, plan }: ModelWorld, ticket: Ticket): void {
  const { graceMs } = plan.desk;
  if (graceMs === 0 || ticket.agents.size > 0) return;
  stage.after("outside", graceMs, () => {
    if (ticket.agents.size === 0) ticket.isOpen = false;
  });
}

/** Nothing goes wrong any more; the time goes on until no work is left. */
async function settle(world: ModelWorld): Promise<void> {
  const { stage, plan } = world;
  world.becomeQuiet();
  world.thawAll();
  if (world.live.length === 0) await world.begin();
  const order = plan.steps.at(-1)?.order ?? 0;
  // What was dropped is found by the next comparison.
  await stage.advance(world.droppedCount > 0 ? modelTiming.catchUpIntervalMs * 1.5 : 500, order);
  await stage.advance(patienceMs, order, () => world.isSettled());
  if (world.problems.length === 0 && !world.isSettled()) throw new Error("It does not settle: there is work left, and nobody does it.");
}

/** Whoever has the last word closes what is open; then nothing may be left. */
async function endAll(world: ModelWorld, problems: string[]): Promise<void> {
  if (world.data.conversations.get(key)?.record.currentHandover !== undefined) {
    const open = world.vendors.flatMap((vendor) => vendor.tickets.filter(({ isOpen }) => isOpen).map((ticket) => ({ vendor, ticket })));
    const who = open.length > 0 ? world.plan.lastWord : "user";
    world.story.tell("the end", () => `the ${who} closes what still runs`);
    if (who === "user") world.endHandover();
    else for (const { vendor, ticket } of open) agentActs(world, vendor, ticket, "closes");
    await settle(world);
    problems.push(...findProblems(world));
  }
  if (world.data.conversations.get(key)?.record.currentHandover !== undefined) problems.push("A handover runs on although it was closed.");
}

function countMarks(world: ModelWorld): Record<string, number> {
  const marks: Record<string, number> = { ...world.marks };
  const count = (mark: string | undefined) => {
    if (mark !== undefined) marks[mark] = (marks[mark] ?? 0) + 1;
  };
  for (const { status, event, isLate, source, audience } of world.data.conversations.get(key)?.entries ?? []) {
    count(status ?? event);
    if (isLate) count("late line");
    if (source === "bot" && audience.length === 0) count("answer held back");
  }
  for (const { what } of world.data.journal) count(`journal: ${what}`);
  return marks;
}

function describeLog(world: ModelWorld): string[] {
  const entries = world.data.conversations.get(key)?.entries ?? [];
  const log = entries.map((entry) => {
    const what = entry.kind === "message" ? `${entry.author?.role ?? ""}: ${entry.text ?? ""}` : (entry.status ?? entry.event ?? "");
    const extra = {
      ...(entry.reason ? { reason: entry.reason } : {}),
      ...(entry.about ? { about: entry.about } : {}),
      ...(entry.isLate ? { isLate: true } : {}),
    };
    const hidden = entry.audience.length === 0 ? " (shown to nobody)" : "";
    return `${String(entry.seq).padStart(4)}  ${entry.kind.padEnd(8)} ${what}${hidden} ${Object.keys(extra).length > 0 ? JSON.stringify(extra) : ""}`.trimEnd();
  });
  const tickets = world.vendors.flatMap(({ tickets: some }) =>
    some.map(
      (ticket) =>
        `${ticket.id} (${ticket.external}) ${ticket.isOpen ? "open" : "closed"}: ${ticket.lines.map(({ text }) => text).join(" | ")}`,
    ),
  );
  return ["The log:", ...log, "The tickets:", ...tickets];
}
