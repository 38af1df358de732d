import type { Desk } from "../desks/desk.ts";
import { agentLine, conversationOf } from "./lines.ts";
import type { Plan } from "./plan.ts";
import { between, pause, type Random } from "./random.ts";

/** A ticket and what the people at the desk did in it. */
export interface WorkedTicket {
  readonly id: string;
  conversation?: string;
  /** What was said before it was closed, in order. */
  readonly said: { readonly text: string; readonly atMs: number }[];
  wasReopened: boolean;
  wasClosedByAgent: boolean;
}

/** The people at the desk: they take every ticket, say numbered lines, and close what is theirs to close. */
export interface Agents {
  readonly tickets: readonly WorkedTicket[];
  readonly openTickets: () => readonly WorkedTicket[];
  /** Conversations that had two tickets open at a time that nobody had opened again. */
  readonly doubled: ReadonlySet<string>;
  stop(): Promise<void>;
}

const lookEveryMs = 50;
/** A ticket of nobody is closed by hand after so long, and shows as a surplus one. */
const unknownMs = 30_000;

export function startAgents(options: {
  readonly desk: Desk;
  readonly random: Random;
  readonly paceMs: number;
  /** From then on people finish what they have. */
  readonly isOver: () => boolean;
  readonly planOf: (conversation: string) => Plan | undefined;
  readonly onSaid: () => void;
}): Agents {
  const { desk, random, paceMs, isOver } = options;
  const tickets: WorkedTicket[] = [];
  const lineCounts = new Map<string, number>();
  const doubled = new Set<string>();
  const work = new Set<Promise<void>>();
  const stopping = new AbortController();

  /** Tickets that were open when somebody last looked. */
  const open = new Set<WorkedTicket>();
  const isOpen = ({ id }: WorkedTicket) => desk.read(id).isOpen;
  const think = () => pause(paceMs * (0.2 + random() * 1.6));

  function nameTicket(ticket: WorkedTicket): string | undefined {
    if (ticket.conversation !== undefined) return ticket.conversation;
    const names = desk.read(ticket.id).lines.map(({ text }) => conversationOf(text));
    const name = names.find((candidate) => candidate !== undefined);
    if (name !== undefined) ticket.conversation = name;
    return name;
  }

  async function learnConversation(ticket: WorkedTicket): Promise<string | undefined> {
    const giveUpAtMs = Date.now() + unknownMs;
    while (!stopping.signal.aborted && Date.now() < giveUpAtMs && isOpen(ticket)) {
      const name = nameTicket(ticket);
      if (name !== undefined) return name;
      await pause(lookEveryMs);
    }
    return undefined;
  }

  function say(ticket: WorkedTicket, conversation: string): void {
    const number = (lineCounts.get(conversation) ?? 0) + 1;
    lineCounts.set(conversation, number);
    const text = agentLine(conversation, number);
    desk.say(ticket.id, text);
    ticket.said.push({ text, atMs: Date.now() });
    options.onSaid();
  }

  function close(ticket: WorkedTicket): void {
    if (!isOpen(ticket)) return;
    if (!ticket.wasReopened) ticket.wasClosedByAgent = true;
    desk.close(ticket.id);
  }

  async function serve(ticket: WorkedTicket): Promise<void> {
    const conversation = await learnConversation(ticket);
    if (conversation === undefined) return close(ticket);
    const plan = options.planOf(conversation);
    await think();
    if (isOpen(ticket)) desk.accept(ticket.id);
    const lines = plan?.agentLines ?? 3;
    for (let line = 1; line <= lines && isOpen(ticket) && !isOver(); line += 1) {
      say(ticket, conversation);
      await think();
      if (!isOpen(ticket)) break;
      if (plan?.isTransferred && line === 2) desk.transfer(ticket.id);
      if (plan?.hasBreak && line === 4) {
        desk.leave(ticket.id);
        await think();
        if (isOpen(ticket)) desk.accept(ticket.id);
      }
    }
    await finish(ticket, plan);
  }

  async function finish(ticket: WorkedTicket, plan: Plan | undefined): Promise<void> {
    if (plan?.endBy === "agent") close(ticket);
    // The user's turn to end it; a user who does not is not waited for for ever.
    const giveUpAtMs = Date.now() + 60_000;
    while (isOpen(ticket) && !stopping.signal.aborted && Date.now() < giveUpAtMs) await pause(lookEveryMs);
    if (stopping.signal.aborted) return;
    close(ticket);
    if (plan?.isReopened && desk.canReopen && !isOver()) await openAgain(ticket);
  }

  /** Nobody expects it any more: whoever ended it has to end it again. */
  async function openAgain(ticket: WorkedTicket): Promise<void> {
    await pause(between(random, 100, 1_500));
    ticket.wasReopened = true;
    desk.reopen(ticket.id);
    open.add(ticket);
    const giveUpAtMs = Date.now() + 6_000;
    while (isOpen(ticket) && !stopping.signal.aborted && Date.now() < giveUpAtMs) await pause(lookEveryMs);
    // The webhook that told of it may have been lost, and an ended handover is not compared any more.
    close(ticket);
  }

  function lookForDoubles(): void {
    const seen = new Set<string>();
    for (const ticket of open) {
      if (!isOpen(ticket)) open.delete(ticket);
      if (ticket.conversation === undefined || ticket.wasReopened || !open.has(ticket)) continue;
      if (seen.has(ticket.conversation)) doubled.add(ticket.conversation);
      seen.add(ticket.conversation);
    }
  }

  const looking = (async () => {
    do {
      for (const id of desk.newTickets()) {
        const ticket: WorkedTicket = { id, said: [], wasReopened: false, wasClosedByAgent: false };
        tickets.push(ticket);
        open.add(ticket);
        const serving = serve(ticket).finally(() => work.delete(serving));
        work.add(serving);
      }
      lookForDoubles();
      await pause(lookEveryMs);
    } while (!stopping.signal.aborted);
  })();

  return {
    tickets,
    openTickets: () => tickets.filter(isOpen),
    doubled,
    async stop() {
      stopping.abort();
      await looking;
      await Promise.all(work);
      for (const ticket of tickets) nameTicket(ticket);
    },
  };
}
