import { runKills } from "../kills.ts";
import { endpoint, type ScenarioRun } from "../scenario-run.ts";
import type { Stage } from "../stage.ts";
import type { Totals } from "../totals.ts";
import { startAgents, type Agents } from "./agents.ts";
import type { OutsideServices } from "./outside-services.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { createRandom, pause } from "./random.ts";
import { openUserClient, type UserClient } from "./user-client.ts";
import { runUserScript, type UserScript } from "./user-script.ts";

/** One user of a scenario. */
export interface ScenarioUser {
  readonly conversation: string;
  readonly client: UserClient;
  readonly script: UserScript;
}

/** What the load has left behind, for the verification. */
export interface Load {
  readonly users: readonly ScenarioUser[];
  readonly agents: Agents;
  /** What did not come to rest. */
  readonly restless: readonly string[];
}

/** How long everything may take to come to rest after the load. */
const restMs = 120_000;
const quietMs = 1_500;

/** Lets users and agents talk while hosts die; then lets everything come to its end, and stops the hosts. */
export async function runLoad(run: ScenarioRun, stage: Stage, totals: Totals): Promise<Load> {
  const { scenario, seed } = run;
  const { desk, slots } = stage;
  const state = { isOver: false };
  const isOver = () => state.isOver;
  const plans = new Map<string, Plan>();
  await Promise.all(slots.map((slot) => slot.start()));
  desk.setFaults(scenario.faults, seed);
  const agents = startAgents({
    desk,
    random: createRandom(seed, "agents"),
    paceMs: scenario.paceMs,
    isOver,
    planOf: (conversation) => plans.get(conversation),
    onSaid: () => (totals.agentLines += 1),
  });
  const names = Array.from({ length: scenario.conversations }, (_, index) => `c${index + 1}`);
  const users = names.map((conversation) => openUser(run, stage, { conversation, plans, isOver, onSent: () => (totals.userLines += 1) }));
  const killing = runKills({ run, slots, totals, random: createRandom(seed, "kills"), isOver });
  killing.catch(() => (state.isOver = true));
  await waitForLoad(run, totals, isOver);
  state.isOver = true;
  await killing;
  await Promise.all(users.map(({ script }) => script.done));
  desk.setFaults({}, seed);
  const restless = await waitForRest(users, agents, stage.services);
  await agents.stop();
  await Promise.all(slots.map((slot) => slot.stop()));
  for (const { client } of users) client.close();
  return { users, agents, restless };
}

function openUser(
  { scenario, seed }: ScenarioRun,
  { urls }: Stage,
  given: {
    readonly conversation: string;
    readonly plans: Map<string, Plan>;
    readonly isOver: () => boolean;
    readonly onSent: () => void;
  },
): ScenarioUser {
  const { conversation, plans, isOver, onSent } = given;
  const random = createRandom(seed, conversation);
  const client = openUserClient({ hosts: urls, endpoint, conversation, random: createRandom(seed, `${conversation} hosts`) });
  const nextPlan = (): Plan => {
    const plan = drawPlan(random);
    plans.set(conversation, plan);
    return plan;
  };
  const script = runUserScript({ conversation, client, random, paceMs: scenario.paceMs, isOver, nextPlan, onSent });
  return { conversation, client, script };
}

async function waitForLoad(run: ScenarioRun, totals: Totals, isOver: () => boolean): Promise<void> {
  const { loadMs, wantedKills, wantedMessages, scenario, say } = run;
  const endsAtMs = Date.now() + loadMs;
  let saidAtMs = Date.now();
  while (Date.now() < endsAtMs && !isOver()) {
    await pause(100);
    const messages = totals.userLines + totals.agentLines;
    if (totals.kills + totals.restarts >= wantedKills && messages >= wantedMessages) return;
    if (Date.now() - saidAtMs < 10_000) continue;
    saidAtMs = Date.now();
    say(`  ${scenario.name}: ${totals.kills} kills, ${messages} messages`);
  }
}

/** Everything ended, closed and read; then nothing for a moment. @returns what did not come to rest */
async function waitForRest(users: readonly ScenarioUser[], agents: Agents, services: OutsideServices): Promise<string[]> {
  const giveUpAtMs = Date.now() + restMs;
  for (;;) {
    const restless = [
      ...agents.openTickets().map(({ id, conversation = "nobody" }) => `ticket ${id} of ${conversation} is open`),
      ...users.filter(({ client }) => !hasSeenAll(client)).map(({ conversation }) => `${conversation} has not seen all it wrote`),
    ];
    const lastMs = Math.max(services.lastCallAtMs, ...users.map(({ client }) => client.lastSeenAtMs));
    if (restless.length === 0 && Date.now() - lastMs > quietMs) return [];
    if (Date.now() > giveUpAtMs) return restless.length > 0 ? restless : ["there is no end of what comes"];
    await pause(100);
  }
}

function hasSeenAll({ accepted, seen }: UserClient): boolean {
  return (seen.at(-1)?.seq ?? 0) >= (accepted.at(-1)?.seq ?? 0);
}
