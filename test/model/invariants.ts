import type { HandoverRecord, StoredEntry } from "@handover/runtime";
import { findDeskProblems } from "./desk-invariants.ts";
import { key, type ModelWorld } from "./model-world.ts";

/** A settled world as the invariants see it. */
export interface Settled {
  readonly world: ModelWorld;
  readonly entries: readonly StoredEntry[];
  readonly handovers: readonly HandoverRecord[];
  /** What is wrong, in one sentence each. */
  report(problem: string): void;
}

/** Everything that must be true once nothing is on its way any more. @returns what is not */
export function findProblems(world: ModelWorld): readonly string[] {
  const problems: string[] = [];
  const settled: Settled = {
    world,
    entries: world.data.conversations.get(key)?.entries ?? [],
    handovers: [...world.data.handovers.values()].sort((one, other) => one.ordinal - other.ordinal),
    report: (problem) => void problems.push(problem),
  };
  checkNumbers(settled);
  checkAccepted(settled);
  checkPushed(settled);
  checkTakeOver(settled);
  checkBot(settled);
  checkEnds(settled);
  findDeskProblems(settled);
  return problems;
}

/** The entry of a message, by `<role>:<id>`. */
export function entryNamed({ entries }: Settled, name: string): StoredEntry | undefined {
  return entries.find((entry) => entry.kind === "message" && `${entry.author?.role ?? ""}:${entry.id}` === name);
}

/** The handover that a user's entry belongs to. */
export function ownerOf({ handovers }: Settled, seq: number): HandoverRecord | undefined {
  return handovers.find((handover) => seq > handover.takesAfter && seq <= (handover.ended?.takesThrough ?? Infinity));
}

/** Seqs that a notice names as failed. */
export function failedSeqs({ entries }: Settled): ReadonlySet<number> {
  return new Set(entries.filter(({ event }) => event === "message-failed").map(({ about }) => about ?? 0));
}

function isUserMessage(entry: StoredEntry): boolean {
  return entry.kind === "message" && entry.source === "user";
}

function checkNumbers({ entries, report }: Settled): void {
  const names = new Set<string>();
  entries.forEach((entry, index) => {
    if (entry.seq !== index + 1) report(`Entry ${index + 1} has the number ${entry.seq}.`);
    const name = `${entry.source} ${entry.id}`;
    if (names.has(name)) report(`Entry ${entry.seq} is a second one of ${name}.`);
    names.add(name);
  });
}

function checkAccepted({ world, entries, report }: Settled): void {
  for (const { id, text, seqs } of world.said) {
    const [seq] = seqs;
    if (seq === undefined) report(`"${text}" was never accepted.`);
    else if (new Set(seqs).size > 1) report(`"${text}" was accepted as ${seqs.join(" and ")}.`);
    else if (entries[seq - 1]?.id !== id || entries[seq - 1]?.source !== "user")
      report(`"${text}" was accepted as ${seq}, which is another entry.`);
  }
}

function checkPushed({ world, entries, report }: Settled): void {
  const firsts = [...new Set(world.pushed)];
  if (firsts.some((seq, index) => seq < (firsts[index - 1] ?? 0))) report(`Entries were pushed in the order ${firsts.join(", ")}.`);
  const had = new Set(firsts);
  for (const entry of entries) {
    const isVisible = entry.audience.includes("user");
    if (isVisible !== had.has(entry.seq)) report(`Entry ${entry.seq} was ${isVisible ? "never" : "wrongly"} pushed.`);
  }
}

/** A handover takes every user entry after the one that the bot was answering when it asked. */
function checkTakeOver(settled: Settled): void {
  const { world, entries, handovers, report } = settled;
  for (const handover of handovers) {
    const before = entries[handover.requestedSeq - 2];
    const turn = before?.source === "bot" ? world.turns.find(({ id }) => before.id.startsWith(id)) : undefined;
    const asked = turn?.message === undefined ? undefined : entryNamed(settled, `user:${turn.message}`);
    const isBotRequest = before?.text === "one moment";
    if (isBotRequest && handover.takesAfter !== asked?.seq) {
      report(`The bot asked for a person at entry ${asked?.seq ?? "?"}, the handover takes what comes after ${handover.takesAfter}.`);
    }
    if (!world.plan.hasBot && handover.takesAfter !== handover.requestedSeq - 1) {
      report(`Without a bot the handover of entry ${handover.requestedSeq} takes what comes after ${handover.takesAfter}.`);
    }
  }
}

function checkBot(settled: Settled): void {
  const { world, entries, handovers, report } = settled;
  if (!world.plan.hasBot) return;
  const asked = new Map(world.turns.flatMap(({ id, message }) => (message === undefined ? [] : [[message, id] as const])));
  const failed = failedSeqs(settled);
  for (const entry of entries.filter(isUserMessage)) {
    const turn = asked.get(entry.id);
    const owner = ownerOf(settled, entry.seq);
    if (!owner && turn === undefined) report(`The bot never got entry ${entry.seq}, which is its own.`);
    if (owner || turn === undefined || failed.has(entry.seq)) continue;
    if (!entries.some(({ source, id }) => source === "bot" && id === `${turn}:0`))
      report(`The bot's answer to entry ${entry.seq} is missing.`);
  }
  for (const entry of entries.filter(({ source }) => source === "bot")) {
    const turn = world.turns.find(({ id }) => entry.id.startsWith(`${id}:`));
    if (!turn) report(`Entry ${entry.seq} answers no turn of the bot.`);
    const isRunning = handovers.some(({ requestedSeq, ended }) => entry.seq > requestedSeq && entry.seq < (ended?.seq ?? Infinity));
    const isShown = entry.audience.includes("user");
    if (isRunning && isShown && turn?.message !== undefined)
      report(`The bot answers in entry ${entry.seq} while people have the conversation.`);
    const question = turn?.message === undefined ? undefined : entryNamed(settled, `user:${turn.message}`);
    const isTaken = question !== undefined && ownerOf(settled, question.seq) !== undefined;
    if (!isTaken && !isShown) report(`Entry ${entry.seq} of the bot is shown to nobody, although nobody else has taken the question.`);
  }
  const told = new Set(world.turns.filter(({ event }) => event === "ended").map(({ id }) => id)).size;
  const ends = entries.filter(({ status }) => status === "ended").length;
  if (told !== ends) report(`The bot was told of ${told} ends, there were ${ends}.`);
}

function checkEnds(settled: Settled): void {
  const { entries, handovers, report } = settled;
  for (const handover of handovers) {
    const own = entries.filter((entry) => entry.handover === handover.id);
    const ends = own.filter(({ status }) => status === "ended");
    if (ends.length !== (handover.status === "ended" ? 1 : 0)) report(`A handover that is ${handover.status} shows ${ends.length} ends.`);
    const [end] = ends;
    if (!end) continue;
    for (const entry of own) {
      if (entry.seq <= end.seq) continue;
      const isEarlier = entry.kind === "message" && entry.isLate === true && entry.at <= end.at;
      if (!isEarlier)
        report(`Entry ${entry.seq} (${entry.event ?? entry.status ?? entry.text ?? ""}) is shown after the end of its handover.`);
    }
    const failed = failedSeqs(settled);
    for (const seq of handover.ended?.undelivered ?? [])
      if (!failed.has(seq)) report(`Entry ${seq} was not delivered, and nobody was told.`);
  }
}
