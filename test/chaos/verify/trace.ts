import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConversationFacts, Finding } from "./facts.ts";

/** Writes everything about a conversation that went wrong into a file, one thing per line. @returns its path */
export async function writeTrace(given: {
  readonly run: { readonly scenario: { readonly name: string }; readonly seed: number };
  readonly facts: ConversationFacts;
  readonly parts: readonly unknown[];
  readonly findings: readonly Finding[];
  readonly calls: readonly unknown[];
  readonly output: readonly string[];
}): Promise<string> {
  const { run, facts, parts, findings, calls, output } = given;
  const section = (title: string, values: readonly unknown[]) => [`## ${title}`, ...values.map((value) => JSON.stringify(value)), ""];
  const lines = [
    `# ${run.scenario.name}, seed ${run.seed}, conversation ${facts.conversation}`,
    "",
    ...section("findings", findings),
    ...section("entries", facts.log),
    ...section("handovers", facts.handovers),
    ...section("parts", parts),
    ...section("journal", facts.journal),
    ...section("tickets", facts.tickets),
    ...section("accepted", facts.accepted),
    ...section(
      "seen by the user",
      facts.seen.map(({ seq, kind }) => ({ seq, kind })),
    ),
    ...section("pushed", [facts.pushed]),
    ...section("turns of the bot", facts.turns),
    ...section("calls of the vendor", calls),
    "## what the hosts said",
    ...output,
  ];
  const folder = join(tmpdir(), "handover-chaos-traces");
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${run.scenario.name}-${run.seed}-${facts.conversation}.txt`);
  await writeFile(file, lines.join("\n"));
  return file;
}
