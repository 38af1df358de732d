import type { Handover, HandoverEvent, Json, Message, StartRequest, Started } from "@handover/core";

/** A handover that the suite runs, as a runtime would. */
export interface DrivenHandover {
  handover: Handover;
  readonly request: StartRequest;
  readonly started: Started;
  /** The vendor's id of its conversation, as the probe shows it. */
  readonly deskId: string;
  /** Everything that `translate` reported, in order. */
  readonly events: HandoverEvent[];
  /** Ids of the deliveries that were translated. */
  readonly seen: Set<string>;
  cursor: Json | undefined;
  wakeAtMs: number | null;
}

/** The messages that the user got. */
export function receivedMessages(driven: DrivenHandover): Message[] {
  return driven.events.flatMap((event) => (event.type === "message-received" ? [event.message] : []));
}

/** The texts that the user got from people. */
export function agentTexts(driven: DrivenHandover): string[] {
  return receivedMessages(driven).flatMap(({ author, text }) => (author.role === "agent" && text !== undefined ? [text] : []));
}

/** True once a human being has answered or accepted. */
export function isActive(driven: DrivenHandover): boolean {
  return driven.events.some(
    (event) =>
      (event.type === "agent-joined" && event.hasAccepted) || (event.type === "message-received" && event.message.author.role === "agent"),
  );
}

/** How often an event was reported. */
export function countEvents(driven: DrivenHandover, type: HandoverEvent["type"]): number {
  return driven.events.filter((event) => event.type === type).length;
}
