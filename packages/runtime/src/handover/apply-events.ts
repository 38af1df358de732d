import { isEmptyMessage, type Agent, type EndReason, type HandoverEvent, type MessageReceivedEvent, type QueueInfo } from "@handover/core";
import type { NewEntry, StoredEntry } from "../entry.ts";
import type { Texts } from "../texts.ts";
import type { PartRecord, PresentAgent } from "../store/records.ts";
import { forgetDeskFiles, takeDeskFiles } from "../attachments/desk-files.ts";
import { changeAttempt, note, showNotice, showStatus, type Draft } from "./draft.ts";
import { beginEnding, isDeskClosed, markClosed, owesComparison } from "./ending.ts";
import { passPart, settledPart } from "./part-cursor.ts";
import { applyDeliveryChange } from "./receipts.ts";
import { applySurveyOffer } from "../survey/survey-offer.ts";
import { applyAgentUpdate } from "../agents/agent-updated.ts";
import { isSameAgent, toAuthor } from "./same-agent.ts";
import { showQueue, shownTo } from "../queue/show-queue.ts";
import { omit } from "../support/omit.ts";

/** What the events of a delivery may need to look up. */
export interface EventSurroundings {
  readonly texts: Texts;
  readonly windowMs: number;
  /** The delivery came after one that stands behind it, or had to be asked for. */
  readonly isLate: boolean;
  /** What stands behind it was applied already: what it says about the present is no longer true. */
  readonly isOvertaken: boolean;
  /** False where the contact centre's surveys are not shown. Default: true. */
  readonly showsSurveys?: boolean;
  /** Goes on at the next connection after a desk that took the handover and cannot serve it. @returns whether there is one */
  fallBack(code: string): boolean;
  /** The part that an echo or a delivery state speaks of. */
  findPart(by: { readonly key?: string; readonly vendorMessageId?: string }): Promise<PartRecord | undefined>;
  /** All parts of one entry for the current attempt. */
  readParts(seq: number): Promise<readonly PartRecord[]>;
  findEntry(seq: number): Promise<StoredEntry | undefined>;
  /** The entries after a number, as far as somebody reads on. */
  readEntries(after: number): AsyncIterable<StoredEntry>;
  /** `seq` of a notice of the runtime, by its id. */
  findNotice(id: string): Promise<number | undefined>;
  /** `seq` of the entry that shows one of the vendor's messages. */
  findMessage(vendorMessageId: string): Promise<number | undefined>;
}

/** Applies what a delivery means to a handover, one event after the other, unless one makes it go on at another desk. */
export async function applyEvents(draft: Draft, events: readonly HandoverEvent[], surroundings: EventSurroundings): Promise<void> {
  const { number } = draft.handover.attempt;
  for (const event of events) {
    if (draft.handover.attempt.number !== number) return;
    if (draft.handover.status === "ended") await applyAfterEnd(draft, event, surroundings);
    else await applyEvent(draft, event, surroundings);
  }
}

async function applyEvent(draft: Draft, event: HandoverEvent, surroundings: EventSurroundings): Promise<void> {
  switch (event.type) {
    case "queued":
      return surroundings.isOvertaken
        ? note(draft, "overtaken", { event: event.type })
        : applyQueued(draft, event.queue, surroundings.texts);
    case "queue-updated":
      return surroundings.isOvertaken ? note(draft, "overtaken", { event: event.type }) : showQueue(draft, event.queue, surroundings.texts);
    case "agent-joined":
      return applyAgentJoined(draft, event.agent, event.hasAccepted);
    case "agent-left":
      return applyAgentLeft(draft, event.agent, event.isAnotherPresent === true);
    case "transferred":
      return applyTransfer(draft, event.agent, event.queue);
    case "agent-updated":
      return applyAgentUpdate(draft, event.agent, surroundings.findNotice);
    case "message-received":
      return applyMessage(draft, event, surroundings);
    case "message-changed":
      return applyMessageChange(draft, event, surroundings);
    case "message-echoed":
      return applyEcho(draft, event, surroundings);
    case "delivery-changed":
      return applyDeliveryChange(draft, event, surroundings);
    case "survey-offered":
      return applySurveyOffer(draft, event.survey, surroundings);
    case "desk-note":
      return applyDeskNote(draft, event);
    case "ended":
      return applyEnded(draft, event, surroundings);
    case "reopened":
      return applyReopened(draft);
    case "typing-changed":
      return;
  }
}

const unserved: readonly EndReason[] = ["unavailable", "failed", "timed-out"];

function applyEnded(draft: Draft, event: Extract<HandoverEvent, { type: "ended" }>, surroundings: EventSurroundings): void {
  const isUnserved = event.actor !== "user" && unserved.includes(event.reason);
  if (isUnserved && surroundings.fallBack(event.vendorReason ?? event.reason)) return;
  if (surroundings.isOvertaken && draft.handover.status === "ending") return note(draft, "overtaken", { event: event.type });
  beginEnding(draft, {
    reason: event.reason,
    actor: event.actor,
    ...(event.vendorReason ? { code: event.vendorReason } : {}),
    closedBy: "vendor",
    windowMs: surroundings.windowMs,
  });
  // Overtaken: it may have been opened again since. Then it is ended again, which does no harm to what is closed.
  if (!surroundings.isOvertaken) markClosed(draft, surroundings.windowMs);
}

/** After the end only what happened before it is shown; a conversation that the desk opens again is ended again. */
async function applyAfterEnd(draft: Draft, event: HandoverEvent, surroundings: EventSurroundings): Promise<void> {
  const endedAtMs = draft.handover.ended?.atMs ?? 0;
  const isLeftOpen = draft.handover.ending?.leavesDeskOpen === true;
  switch (event.type) {
    case "message-received":
      if (Date.parse(event.message.sentAt) <= endedAtMs) return appendMessage(draft, event, { ...surroundings, isLate: true });
      return applyMessageAfterEnd(draft, event);
    case "message-changed":
      return applyMessageChange(draft, event, surroundings);
    case "survey-offered":
      return isLeftOpen ? note(draft, "event-after-end", { event: event.type }) : applySurveyOffer(draft, event.survey, surroundings);
    case "desk-note":
      return applyDeskNote(draft, event);
    case "delivery-changed":
      return event.status === "failed"
        ? note(draft, "event-after-end", { event: event.type })
        : applyDeliveryChange(draft, event, surroundings);
    case "reopened":
      return isLeftOpen ? undefined : applyReopened(draft);
    case "ended":
      if (draft.handover.attempt.phase === "leaving" && !surroundings.isOvertaken) endLeaving(draft);
      return;
    default:
      return note(draft, "event-after-end", { event: event.type });
  }
}

/** The vendor has closed what was being left. */
function endLeaving(draft: Draft): void {
  if (owesComparison(draft.handover)) markClosed(draft);
  else changeAttempt(draft, { phase: "over" });
}

/** Whoever still writes there is to know that nobody reads it. */
function applyMessageAfterEnd(draft: Draft, { message }: MessageReceivedEvent): void {
  note(draft, "message-after-end");
  if (message.author.role !== "agent") return;
  const { connection } = draft.handover.attempt;
  draft.unseen.push({
    connection,
    vendorMessageId: message.id,
    atMs: Date.parse(message.sentAt),
    reason: "The conversation had ended before this was written.",
  });
}

function applyQueued(draft: Draft, queue: QueueInfo | undefined, texts: Texts): void {
  const wasQueued = draft.handover.status === "queued";
  showStatus(draft, "queued", shownTo(draft.handover, queue));
  if (wasQueued && queue) showQueue(draft, queue, texts);
  else if (queue) draft.handover = { ...draft.handover, queue };
}

function applyAgentJoined(draft: Draft, agent: Agent, hasAccepted: boolean): void {
  if (noteAgent(draft, agent, hasAccepted)) showJoined(draft, agent);
  if (hasAccepted) showActive(draft, agent);
}

function showJoined(draft: Draft, agent: Agent): void {
  showNotice(draft, "agent-joined", { author: toAuthor(agent) });
  if (agent.name !== undefined || agent.id === undefined) return;
  const namelessNotice = draft.append.at(-1)?.id;
  const agents = draft.handover.agents.map((one) => (namelessNotice && isSameAgent(one, agent) ? { ...one, namelessNotice } : one));
  draft.handover = { ...draft.handover, agents };
}

/** @returns whether nobody knew that this agent is there */
function noteAgent(draft: Draft, agent: Agent, hasAccepted: boolean): boolean {
  const { agents } = draft.handover;
  const known = agents.find((candidate) => isSameAgent(candidate, agent));
  if (known && (known.hasAccepted || !hasAccepted)) return false;
  const noted: PresentAgent = { ...(known ?? agent), ...(hasAccepted ? { hasAccepted } : {}) };
  draft.handover = {
    ...omit(draft.handover, "lastDeparture"),
    agents: known ? agents.map((one) => (one === known ? noted : one)) : [...agents, noted],
  };
  return !known;
}

function showActive(draft: Draft, agent: Agent): void {
  showStatus(draft, "active", { author: toAuthor(agent) });
}

function applyAgentLeft(draft: Draft, agent: Agent | undefined, isAnotherPresent: boolean): void {
  const { agents } = draft.handover;
  const leaving = agent ? agents.find((known) => isSameAgent(known, agent)) : agents.at(-1);
  if (agents.length > 0 && !leaving) return note(draft, "unknown-agent-left");
  const lastDeparture = JSON.stringify(["agent-left", agent?.id ?? agent?.name]);
  if (!leaving && lastDeparture === draft.handover.lastDeparture) return;
  const remaining = agents.filter((known) => known !== leaving);
  const shown = leaving ?? agent;
  draft.handover = { ...draft.handover, agents: remaining, lastDeparture };
  draft.clearsTyping = true;
  showNotice(draft, "agent-left", shown ? { author: toAuthor(shown) } : {});
  if (remaining.length === 0 && !isAnotherPresent && draft.handover.status === "active") showStatus(draft, "queued");
}

/** The new agent may have come before the transfer is told, and may have taken the conversation already. */
function applyTransfer(draft: Draft, agent: Agent | undefined, queue: QueueInfo | undefined): void {
  const { agents } = draft.handover;
  const known = agent && agents.find((candidate) => isSameAgent(candidate, agent));
  const lastDeparture = JSON.stringify(["transferred", agent?.id ?? agent?.name, queue?.name]);
  if ((known && agents.length === 1) || lastDeparture === draft.handover.lastDeparture) return;
  const hasTakenOver = known?.hasAccepted === true;
  draft.handover = { ...draft.handover, agents: hasTakenOver ? [known] : [], lastDeparture, ...(queue ? { queue } : {}) };
  draft.clearsTyping = true;
  showNotice(draft, "transferred", { ...(agent ? { author: toAuthor(agent) } : {}), ...shownTo(draft.handover, queue) });
  if (draft.handover.status === "active" && !hasTakenOver) showStatus(draft, "queued");
}

async function applyMessage(draft: Draft, event: MessageReceivedEvent, surroundings: EventSurroundings): Promise<void> {
  const { message } = event;
  if (isEmptyMessage(message)) return note(draft, "empty-message");
  if (message.author.role === "agent") {
    const agent: Agent = {
      ...(message.author.id === undefined ? {} : { id: message.author.id }),
      ...(message.author.name === undefined ? {} : { name: message.author.name }),
      ...(message.author.avatarUrl === undefined ? {} : { avatarUrl: message.author.avatarUrl }),
    };
    noteAgent(draft, agent, true);
    const isNews = agent.name !== undefined && draft.handover.agents.some((known) => isSameAgent(known, agent) && known.name === undefined);
    if (isNews) await applyAgentUpdate(draft, agent, surroundings.findNotice);
    showActive(draft, agent);
  }
  draft.clearsTyping = true;
  return appendMessage(draft, event, surroundings);
}

async function appendMessage(
  draft: Draft,
  { message }: MessageReceivedEvent,
  { isLate, findMessage }: Pick<EventSurroundings, "isLate" | "findMessage">,
): Promise<void> {
  const hasFiles = message.attachments !== undefined && message.attachments.length > 0;
  const attachments = hasFiles ? takeDeskFiles(draft, message, (await findMessage(message.id)) === undefined) : undefined;
  const entry: NewEntry = {
    id: message.id,
    source: draft.handover.attempt.connection,
    kind: "message",
    at: isLate ? message.sentAt : new Date(draft.nowMs).toISOString(),
    author: message.author,
    handover: draft.handover.id,
    audience: ["user", "desk"],
    ...(message.text === undefined ? {} : { text: message.text }),
    ...(message.format === undefined ? {} : { format: message.format }),
    ...(attachments ? { attachments } : {}),
    ...(message.choices?.length ? { choices: message.choices } : {}),
    ...(message.cards?.length ? { cards: message.cards } : {}),
    ...(isLate ? { isLate: true as const } : { sentAt: message.sentAt }),
  };
  draft.append.push(entry);
}

async function applyMessageChange(
  draft: Draft,
  event: Extract<HandoverEvent, { type: "message-changed" }>,
  surroundings: EventSurroundings,
): Promise<void> {
  const seq = await surroundings.findMessage(event.messageId);
  if (seq === undefined) return note(draft, "change-of-unknown-message");
  const deleted = event.change === "deleted" ? await surroundings.findEntry(seq) : undefined;
  if (deleted) forgetDeskFiles(draft, deleted);
  const isEdit = event.change === "edited" && event.text !== undefined;
  showNotice(draft, "message-changed", { about: seq, replaces: seq, ...(isEdit ? { text: event.text } : {}) });
}

async function applyEcho(
  draft: Draft,
  event: Extract<HandoverEvent, { type: "message-echoed" }>,
  surroundings: EventSurroundings,
): Promise<void> {
  const part =
    (event.idempotencyKey === undefined ? undefined : await surroundings.findPart({ key: event.idempotencyKey })) ??
    (event.vendorMessageId === undefined ? undefined : await surroundings.findPart({ vendorMessageId: event.vendorMessageId }));
  if (!part || part.status === "sent" || part.status === "failed") return;
  draft.parts.push({
    ...settledPart(part, "sent"),
    ...(event.vendorMessageId === undefined ? {} : { vendorMessageId: event.vendorMessageId }),
  });
  passPart(draft, part);
}

function applyDeskNote(draft: Draft, event: Extract<HandoverEvent, { type: "desk-note" }>): void {
  draft.append.push({
    id: event.id,
    source: draft.handover.attempt.connection,
    kind: "message",
    at: new Date(event.atMs ?? draft.nowMs).toISOString(),
    author: event.author,
    text: event.text,
    handover: draft.handover.id,
    audience: ["desk"],
  });
}

function applyReopened(draft: Draft): void {
  if (draft.handover.status !== "ended" && draft.handover.status !== "ending") return note(draft, "reopened");
  note(draft, "reopened-after-end");
  const again = { calls: 0, firstAtMs: draft.nowMs, nextTryAtMs: draft.nowMs, isDone: false };
  const { ending } = draft.handover;
  // What was taken off the lane when it closed is not sent after all: nobody would know whether it is there twice.
  if (ending && isDeskClosed(draft.handover)) draft.handover = { ...draft.handover, ending: { ...ending, closedBy: "vendor" } };
  changeAttempt(draft, draft.handover.status === "ended" ? { phase: "leaving", end: again } : { end: again });
}
