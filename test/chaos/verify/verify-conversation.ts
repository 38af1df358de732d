import type { HandoverRecord, StoredEntry } from "@handover/runtime";
import { botLine } from "../load/lines.ts";
import type { ConversationFacts, Finding, FindingKind, TicketFacts, Verdict } from "./facts.ts";

/** What a check finds and counts. */
interface Findings {
  readonly findings: Finding[];
  markedRepeats: number;
  late: number;
  unsure: number;
  delivered: number;
  add(kind: FindingKind, what: string): void;
}

/** Looks at one conversation from every side and says what is not as it has to be. Pure: it looks at nothing but the facts. */
export function verifyConversation(facts: ConversationFacts): Verdict {
  const result: Findings = {
    findings: [],
    markedRepeats: 0,
    late: 0,
    unsure: 0,
    delivered: 0,
    add: (kind, what) => result.findings.push({ kind, what: `${facts.conversation}: ${what}` }),
  };
  checkLog(facts, result);
  checkStream(facts, result);
  checkAcceptances(facts, result);
  checkPush(facts, result);
  checkHandovers(facts, result);
  checkTickets(facts, result);
  for (const [index, handover] of facts.handovers.entries()) checkDesk(facts, handover, index, result);
  checkAgents(facts, result);
  checkBot(facts, result);
  return {
    findings: result.findings,
    markedRepeats: result.markedRepeats,
    late: result.late,
    unsure: result.unsure,
    delivered: result.delivered,
    handovers: facts.handovers.length,
  };
}

/** Numbers without holes. */
function checkLog({ log }: ConversationFacts, { add }: Findings): void {
  for (const [index, entry] of log.entries()) {
    if (entry.seq !== index + 1) return add("broken", `entry ${entry.seq} stands at place ${index + 1} of the log`);
  }
}

/** The user's stream is the log: every number once, in order. */
function checkStream({ log, seen }: ConversationFacts, { add }: Findings): void {
  const places = describeSequence(seen.map(({ seq }) => seq));
  for (const seq of places.repeated) add("repeated", `the stream brought entry ${seq} twice`);
  for (const seq of places.outOfPlace) add("reordered", `the stream brought entry ${seq} out of its place`);
  const got = new Set(seen.map(({ seq }) => seq));
  for (const { seq } of log) if (!got.has(seq)) add("lost", `the stream never brought entry ${seq}`);
}

/** What was accepted is in the log, once, under the number that was told. */
function checkAcceptances({ accepted, log }: ConversationFacts, { add }: Findings): void {
  const own = log.filter(({ source }) => source === "user");
  const byId = Map.groupBy(own, ({ id }) => id);
  for (const { id, text, seq } of accepted) {
    const entries = byId.get(id) ?? [];
    if (entries.length === 0) add("lost", `accepted line ${id} is not in the log`);
    if (entries.length > 1) add("repeated", `accepted line ${id} is in the log ${entries.length} times`);
    if (entries[0] && entries[0].seq !== seq) add("broken", `line ${id} was accepted as ${seq} and is ${entries[0].seq}`);
    if (entries[0] && entries[0].text !== text) add("broken", `line ${id} has another text`);
  }
  const inOrder = accepted.every(({ seq }, index) => index === 0 || seq > (accepted[index - 1]?.seq ?? 0));
  if (!inOrder) add("reordered", "lines that were accepted one after the other have numbers in another order");
}

/** Each visible entry at least once, and nothing before what stands before it. */
function checkPush({ log, pushed }: ConversationFacts, { add }: Findings): void {
  const got = new Set(pushed);
  for (const { seq, audience } of log) if (audience.includes("user") && !got.has(seq)) add("lost", `entry ${seq} was never pushed`);
  const { outOfPlace } = describeSequence([...got]);
  for (const seq of outOfPlace) add("reordered", `entry ${seq} was pushed after a later one`);
}

/** One at a time, each ended exactly once, no ticket left open. */
function checkHandovers(facts: ConversationFacts, { add }: Findings): void {
  const { log, handovers } = facts;
  let running: string | undefined;
  const ended = new Map<string, number>();
  for (const { kind, status, handover = "", seq } of log) {
    if (kind !== "handover") continue;
    if (status === "requested") {
      if (running !== undefined) add("broken", `entry ${seq} requests a handover while one is running`);
      running = handover;
    } else if (running !== handover) add("broken", `entry ${seq} (${status ?? ""}) is about a handover that is not running`);
    if (status !== "ended") continue;
    running = undefined;
    ended.set(handover, (ended.get(handover) ?? 0) + 1);
  }
  for (const { id, ordinal } of handovers) {
    const count = ended.get(id) ?? 0;
    if (count !== 1) add("broken", `handover ${ordinal} ended ${count} times`);
  }
}

/** One ticket for each handover, none left open. */
function checkTickets({ log, handovers, tickets, hadTwoTickets }: ConversationFacts, { add }: Findings): void {
  for (const { id, isOpen } of tickets) if (isOpen) add("broken", `ticket ${id} is still open`);
  // A start whose outcome nobody could learn may have left one.
  const surplus = tickets.filter((ticket) => !handovers.some((handover) => hasTicket(handover, ticket)));
  const ticketless = handovers.filter((handover) => !tickets.some((ticket) => hasTicket(handover, ticket)));
  if (surplus.length > ticketless.length) add("broken", `surplus tickets: ${surplus.map(({ id }) => id).join(", ")}`);
  const allStarted = handovers.every((handover) => wasKnown(log, handover));
  if (hadTwoTickets && allStarted) add("broken", "two tickets were open at a time");
}

/** The runtime knew that the vendor had it, and said so. */
function wasKnown(log: readonly StoredEntry[], { id }: HandoverRecord): boolean {
  return log.some(({ handover, status }) => handover === id && status === "queued");
}

function hasTicket(handover: HandoverRecord, ticket: TicketFacts): boolean {
  return handover.attempt.references.includes(`conversation:${ticket.id}`);
}

/** At the desk: every line of the user that this handover took, once and in order. */
function checkDesk(facts: ConversationFacts, handover: HandoverRecord, index: number, result: Findings): void {
  const told = new Set(facts.log.filter(({ event }) => event === "message-failed").map(({ about }) => about));
  const through = handover.ended?.takesThrough ?? Infinity;
  const owned = facts.log.filter(({ source, seq }) => source === "user" && seq > handover.transcriptAfter && seq <= through);
  const name = `handover ${index + 1}`;
  const ticket = facts.tickets.find((candidate) => hasTicket(handover, candidate));
  if (!ticket) {
    // The bot has had what came before the request; of the rest the user has to be told.
    const untold = owned.filter(({ seq }) => seq > handover.takesAfter && !told.has(seq));
    for (const { seq } of untold) result.add("lost", `${name} has no ticket, and nobody was told that line ${seq} is lost`);
    return;
  }
  const places = Map.groupBy(
    ticket.lines.filter(({ author }) => author === "user").map(({ text }, place) => ({ text, place })),
    ({ text }) => text,
  );
  const lastThere = owned.findLast(({ text = "" }) => places.has(text))?.seq ?? 0;
  let last = -1;
  for (const entry of owned) {
    const found = places.get(entry.text ?? "") ?? [];
    const place = found[0]?.place;
    if (place === undefined) {
      // Who closes, or leaves a desk that cannot be reached, before the whole transcript is there; the bot has had the rest of it.
      const isCutShort = ticket.wasClosedByAgent || facts.cutShort.has(handover.id);
      const isRestOfTranscript = entry.seq <= handover.takesAfter && entry.seq > lastThere && isCutShort;
      if (!told.has(entry.seq) && !isRestOfTranscript) result.add("lost", `${name}: line ${entry.seq} never reached the desk`);
      continue;
    }
    result.delivered += 1;
    if (told.has(entry.seq) && facts.unsureParts.has(`${handover.id}/${entry.seq}`)) result.unsure += 1;
    else if (told.has(entry.seq)) result.add("broken", `${name}: line ${entry.seq} reached the desk, and was said to be lost`);
    if (place < last) result.add("reordered", `${name}: line ${entry.seq} stands before an earlier one`);
    last = Math.max(last, place);
    checkRepeats(facts, handover, entry, found.length, result);
  }
  const texts = new Set(owned.map(({ text }) => text));
  for (const text of places.keys())
    if (!texts.has(text)) result.add("broken", `${name}: "${text}" is in a ticket where it does not belong`);
}

/** A repeat is allowed only where nobody could tell, and only with its marks: the reader's, the part's, the journal's. */
function checkRepeats(facts: ConversationFacts, handover: HandoverRecord, entry: StoredEntry, count: number, result: Findings): void {
  if (count < 2) return;
  const isNoted = facts.journal.some(({ what, details }) => what === "send-possibly-repeated" && details?.["seq"] === entry.seq);
  const isMarked = entry.isPossiblyDuplicated === true && facts.markedParts.has(`${handover.id}/${entry.seq}`) && isNoted;
  const what = `line ${entry.seq} is at the desk ${count} times`;
  if (facts.canBeAsked) result.add("repeated", what);
  else if (!isMarked) result.add("unmarked", `${what} without a mark`);
  else result.markedRepeats += count - 1;
}

/** At the user: every line of an agent once, and in order where it was in time. */
function checkAgents({ handovers, log, tickets }: ConversationFacts, result: Findings): void {
  const shown = log.filter(({ author, kind, audience }) => kind === "message" && author?.role === "agent" && audience.includes("user"));
  const byText = Map.groupBy(shown, ({ text }) => text ?? "");
  for (const [text, entries] of byText) {
    if (entries.length > 1) result.add("repeated", `the user got "${text}" ${entries.length} times`);
  }
  for (const ticket of tickets) {
    const handover = handovers.find((candidate) => hasTicket(candidate, ticket));
    if (!handover) continue;
    let last = 0;
    let lastInTime = 0;
    for (const { text, atMs } of ticket.said) {
      const entry = byText.get(text)?.[0];
      if (!entry) {
        // What is said after the end that the user saw goes to nobody; nor does what is said where nobody knew of people.
        if (!wasKnown(log, handover) || atMs > (handover.ended?.atMs ?? Infinity)) continue;
        result.add("lost", `the user never got "${text}"`);
        continue;
      }
      result.delivered += 1;
      const isOutOfPlace = entry.seq < (entry.isLate ? last : lastInTime);
      if (isOutOfPlace && !entry.isLate) result.add("reordered", `the user got "${text}" before an earlier line`);
      if (entry.seq < last) result.late += 1;
      last = Math.max(last, entry.seq);
      if (!entry.isLate) lastInTime = Math.max(lastInTime, entry.seq);
    }
  }
}

/** The bot answers what is its own exactly once, and nothing twice. */
function checkBot({ handovers, log, turns }: ConversationFacts, { add }: Findings): void {
  const answers = log.filter(({ source }) => source === "bot");
  const byText = Map.groupBy(answers, ({ text }) => text ?? "");
  for (const [text, entries] of byText) if (entries.length > 1) add("repeated", `the bot said "${text}" ${entries.length} times`);
  for (const { source, seq, text = "" } of log) {
    if (source !== "user") continue;
    const isOfDesk = handovers.some(({ takesAfter, ended }) => seq > takesAfter && seq <= (ended?.takesThrough ?? Infinity));
    const isAnswered = byText.has(botLine(text));
    if (!isOfDesk && !turns.includes(text)) add("lost", `line ${seq} is the bot's, which never got it`);
    else if (!isOfDesk && !isAnswered) add("lost", `the bot's answer to line ${seq} is not in the log`);
  }
  const answered = new Map(log.filter(({ source }) => source === "user").map(({ seq, text = "" }) => [botLine(text), seq]));
  const { outOfPlace } = describeSequence(answers.map(({ text }) => answered.get(text ?? "") ?? 0));
  for (const seq of outOfPlace) add("reordered", `the bot's answer to line ${seq} stands after that to a later one`);
}

/** Numbers that come a second time, and numbers that come after a higher one. */
function describeSequence(numbers: readonly number[]): { readonly repeated: number[]; readonly outOfPlace: number[] } {
  const repeated: number[] = [];
  const outOfPlace: number[] = [];
  const known = new Set<number>();
  let last = -Infinity;
  for (const number of numbers) {
    if (known.has(number)) repeated.push(number);
    else if (number < last) outOfPlace.push(number);
    known.add(number);
    last = Math.max(last, number);
  }
  return { repeated, outOfPlace };
}
