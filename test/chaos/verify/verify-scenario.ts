import type { Load, ScenarioUser } from "../load/run-load.ts";
import { endpoint, type ScenarioResult, type ScenarioRun } from "../scenario-run.ts";
import type { Stage } from "../stage.ts";
import type { Totals } from "../totals.ts";
import type { ConversationFacts, Verdict } from "./facts.ts";
import { openLogReader, type StoredConversation } from "./read-log.ts";
import { writeTrace } from "./trace.ts";
import { verifyConversation } from "./verify-conversation.ts";

/** Looks at every conversation behind the code, when no host runs any more, and writes a trace of each that is not as it has to be. */
export async function verifyScenario(run: ScenarioRun, stage: Stage, load: Load, totals: Totals): Promise<ScenarioResult> {
  const problems: string[] = [...load.restless, ...load.users.flatMap(({ script }) => script.stuck)];
  const traces: string[] = [];
  totals.broken += problems.length;
  const reader = await openLogReader(stage.store);
  try {
    for (const user of load.users) {
      const stored = await reader.read(endpoint, user.conversation);
      const facts = collectFacts(stage, load, user, stored);
      const verdict = verifyConversation(facts);
      count(totals, verdict);
      const isNamed = problems.some((problem) => problem.split(" ").includes(user.conversation));
      problems.push(...verdict.findings.map(({ kind, what }) => `${kind}: ${what}`));
      if (verdict.findings.length > 0 || isNamed) traces.push(await trace(run, stage, { facts, stored, verdict }));
    }
  } finally {
    await reader.close();
  }
  return { totals, problems, traces };
}

function collectFacts({ desk, services }: Stage, { agents }: Load, user: ScenarioUser, stored: StoredConversation): ConversationFacts {
  const { conversation, client } = user;
  const tickets = agents.tickets.filter((ticket) => ticket.conversation === conversation);
  return {
    ...stored,
    conversation,
    accepted: client.accepted,
    seen: client.seen,
    tickets: tickets.map(({ id, said, wasClosedByAgent }) => ({ ...desk.read(id), said, wasClosedByAgent })),
    hadTwoTickets: agents.doubled.has(conversation),
    pushed: services.pushed.get(conversation) ?? [],
    turns: services.turns.get(conversation) ?? [],
    canBeAsked: desk.canBeAsked,
  };
}

function count(totals: Totals, verdict: Verdict): void {
  for (const { kind } of verdict.findings) totals[kind] += 1;
  totals.markedRepeats += verdict.markedRepeats;
  totals.late += verdict.late;
  totals.unsure += verdict.unsure;
  totals.delivered += verdict.delivered;
  totals.handovers += verdict.handovers;
}

function trace(
  run: ScenarioRun,
  { desk, slots }: Stage,
  { facts, stored, verdict }: { readonly facts: ConversationFacts; readonly stored: StoredConversation; readonly verdict: Verdict },
): Promise<string> {
  const calls = desk.calls(facts.tickets.map(({ id }) => id));
  const output = slots.map((slot) => slot.output());
  return writeTrace({ run, facts, parts: stored.parts, findings: verdict.findings, calls, output });
}
