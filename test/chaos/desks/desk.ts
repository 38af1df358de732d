/** A line of a ticket as the contact centre has it. */
export interface DeskLine {
  readonly author: "user" | "bot" | "agent" | "system";
  readonly text: string;
}

/** A ticket as the contact centre has it. */
export interface DeskTicket {
  readonly id: string;
  readonly isOpen: boolean;
  readonly lines: readonly DeskLine[];
}

/** What goes wrong at the contact centre. Rates are shares from 0 to 1. */
export interface DeskFaults {
  readonly latencyMs?: number;
  /** Calls that are refused with 503 before anything is done. */
  readonly unavailableRate?: number;
  /** Calls that are carried out and then lose their connection. */
  readonly lostAnswerRate?: number;
  readonly duplicateWebhookRate?: number;
  readonly dropWebhookRate?: number;
  readonly reorderWebhooks?: boolean;
  readonly delayWebhooksMs?: number;
}

/** A contact centre with people in it, seen from the people's side. It lives through everything. */
export interface Desk {
  /** For the host's configuration. */
  readonly plugin: string;
  readonly provider: string;
  readonly settings: object;
  /** Webhooks of this vendor are ordered without holes: what comes late for no reason is out of order. */
  readonly isDense: boolean;
  /** People can open again what was closed. */
  readonly canReopen: boolean;
  /** It can be asked what has arrived. */
  readonly canBeAsked: boolean;
  /** Tickets that are new since the last call. */
  newTickets(): readonly string[];
  read(id: string): DeskTicket;
  accept(id: string): void;
  say(id: string, text: string): void;
  transfer(id: string): void;
  leave(id: string): void;
  close(id: string): void;
  reopen(id: string): void;
  setFaults(faults: DeskFaults, seed: number): void;
  setWebhookUrl(url: string): void;
  /** Calls of the API about the ticket, for a trace. */
  calls(ids: readonly string[]): readonly unknown[];
  stop(): Promise<void>;
}
