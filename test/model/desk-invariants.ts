import type { HandoverRecord, StoredEntry } from "@handover/runtime";
import { entryNamed, failedSeqs, ownerOf, type Settled } from "./invariants.ts";
import type { ModelVendor, Ticket } from "./model-vendor.ts";

/** What must be true between the log and the vendors. */
export function findDeskProblems(settled: Settled): void {
  const { world, report } = settled;
  for (const vendor of world.vendors) {
    for (const misuse of vendor.misuses) report(misuse);
    for (const ticket of vendor.tickets) {
      checkLines(settled, vendor, ticket);
      checkAgentLines(settled, vendor, ticket);
    }
  }
  checkNothingLost(settled);
  checkTickets(settled);
  checkParts(settled);
}

function currentTicket({ world }: Settled, handover: HandoverRecord): Ticket | undefined {
  const external = `${handover.id}.${handover.attempt.number}`;
  return world.vendors.flatMap(({ tickets }) => tickets).find((ticket) => ticket.external === external);
}

function noted({ world }: Settled, handover: HandoverRecord, what: string): number {
  return world.data.journal.filter((item) => item.handover === handover.id && item.what === what).length;
}

/** What we sent: in order, and nothing twice where the vendor can be asked. */
function checkLines(settled: Settled, vendor: ModelVendor, ticket: Ticket): void {
  const { world, handovers, report } = settled;
  const handover = handovers.find(({ id }) => id === ticket.handover);
  if (!handover) return report(`${ticket.id} belongs to no handover.`);
  const seen = new Set<string>();
  let lastRank = 0;
  for (const line of ticket.lines) {
    const entry = entryNamed(settled, line.message);
    if (!entry) {
      report(`${ticket.id} has the line "${line.text}", which is not in the log.`);
      continue;
    }
    if (seen.has(line.message)) {
      const part = world.data.parts
        .get(handover.id)
        ?.find(({ seq, attempt }) => seq === entry.seq && ticket.external.endsWith(`.${attempt}`));
      if (vendor.desk.findSent === "sure") report(`${ticket.id} has "${line.text}" twice, although the vendor can be asked.`);
      else if (!part?.isPossiblyDuplicated) report(`${ticket.id} has "${line.text}" twice, and nothing says so.`);
      continue;
    }
    seen.add(line.message);
    if (entry.audience.length === 0) report(`${ticket.id} has "${line.text}", which is shown to nobody.`);
    const rank = isInTranscript(handover, entry) ? entry.seq : 1_000_000 + entry.seq;
    if (rank < lastRank) report(`${ticket.id} has "${line.text}" after what was written later.`);
    lastRank = rank;
  }
}

function isInTranscript(handover: HandoverRecord, entry: StoredEntry): boolean {
  const isUser = entry.source === "user";
  return entry.seq <= handover.requestedSeq && (!isUser || entry.seq <= handover.takesAfter);
}

/** What agents said: shown once and in order; what came too late for that says so. */
function checkAgentLines(settled: Settled, vendor: ModelVendor, ticket: Ticket): void {
  const { entries, handovers, report } = settled;
  const handover = handovers.find(({ id }) => id === ticket.handover);
  if (!handover) return;
  const isOfAttempt = ticket.external === `${handover.id}.${handover.attempt.number}`;
  const isKnown = handover.attempt.state !== undefined && noted(settled, handover, "surplus-ticket") === 0;
  const isBlind = noted(settled, handover, "catch-up-failed") >= 8;
  const endedAtMs = handover.ended?.atMs ?? Infinity;
  const shown = ticket.agentLines.map((line) => entries.filter(({ source, id }) => source === vendor.name && id === line.id));
  ticket.agentLines.forEach((line, index) => {
    const [entry, second] = shown[index] ?? [];
    if (second) report(`"${line.text}" is shown twice.`);
    if (entry && entry.handover !== handover.id) report(`"${line.text}" is shown in another handover.`);
    if (entry && line.atMs > endedAtMs) report(`"${line.text}" was said after the end and is shown.`);
    if (!entry && isOfAttempt && isKnown && !isBlind && line.atMs < endedAtMs)
      report(`"${line.text}" was said before the end and is not shown.`);
    const isOvertaken = shown.slice(index + 1).some(([later]) => entry && later && later.seq < entry.seq);
    if (isOvertaken && !entry?.isLate) report(`"${line.text}" is shown after what was said later, and does not say so.`);
  });
}

/** Every line of a user is at the desk, or named as failed. */
function checkNothingLost(settled: Settled): void {
  const { entries, handovers, report } = settled;
  const failed = failedSeqs(settled);
  for (const entry of entries.filter(({ source }) => source === "user")) {
    const owner = ownerOf(settled, entry.seq);
    if (!owner || failed.has(entry.seq)) continue;
    const isThere = currentTicket(settled, owner)?.lines.some(({ message }) => message === `user:${entry.id}`);
    if (!isThere) report(`Entry ${entry.seq} ("${entry.text ?? ""}") is lost: the desk does not have it, and nobody was told.`);
  }
  for (const handover of handovers.filter(({ status }) => status === "queued" || status === "active")) {
    const givenUp = noted(settled, handover, "message-given-up");
    const transcript = entries.filter((entry) => {
      const isSaid = entry.kind === "message" && (entry.source === "user" || entry.source === "bot") && entry.audience.includes("desk");
      return isSaid && entry.seq > handover.transcriptAfter && isInTranscript(handover, entry);
    });
    const there = new Set(currentTicket(settled, handover)?.lines.map(({ message }) => message));
    const missing = transcript.filter(({ author, id }) => !there.has(`${author?.role ?? ""}:${id}`));
    if (missing.length > givenUp) report(`The transcript lacks entry ${missing.map(({ seq }) => seq).join(", ")}.`);
  }
}

function checkTickets(settled: Settled): void {
  const { world, handovers, report } = settled;
  for (const handover of handovers) {
    const isGivenUp = noted(settled, handover, "end-given-up") + noted(settled, handover, "ticket-left-open") > 0;
    const isGraceOver = world.plan.desk.graceMs > 0;
    const tickets = world.vendors.flatMap((vendor) => vendor.tickets).filter((ticket) => ticket.handover === handover.id);
    const open = tickets.filter(({ isOpen }) => isOpen);
    const current = currentTicket(settled, handover);
    const allowed = handover.status === "ended" ? undefined : current;
    for (const ticket of open) {
      if (ticket !== allowed && !isGivenUp && !isGraceOver) report(`${ticket.id} is left open at the vendor.`);
    }
    if (handover.status !== "ended" && !current?.isOpen && !isGraceOver)
      report(`A handover is ${handover.status}, and its ticket is closed.`);
  }
}

function checkParts({ world, handovers, report }: Settled): void {
  for (const handover of handovers) {
    const open = (world.data.parts.get(handover.id) ?? []).filter(
      ({ attempt, status }) =>
        attempt === handover.attempt.number && (status === "planned" || status === "sending" || status === "unclear"),
    );
    for (const part of open) report(`A part of entry ${part.seq} is still ${part.status}.`);
  }
}
