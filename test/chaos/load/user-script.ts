import type { VisibleEntry } from "@handover/runtime";
import type { Plan } from "./plan.ts";
import { askingLine, userLine } from "./lines.ts";
import { between, pause, type Random } from "./random.ts";
import type { UserClient } from "./user-client.ts";

/** How long a user waits for something that has to come, before it counts as lost. */
const patienceMs = 240_000;

/** One user who goes through handovers again and again. */
export interface UserScript {
  /** Resolves when the last handover is over and everything was said. */
  readonly done: Promise<void>;
  /** What did not come in time. */
  readonly stuck: readonly string[];
}

/** Talks to the bot, asks for a person, talks to the person, until `isOver`. */
export function runUserScript(options: {
  readonly conversation: string;
  readonly client: UserClient;
  readonly random: Random;
  readonly paceMs: number;
  readonly isOver: () => boolean;
  /** What will happen in the next handover; the people at the desk keep to it too. */
  readonly nextPlan: () => Plan;
  readonly onSent: () => void;
}): UserScript {
  const { conversation, client, random, paceMs, isOver, onSent } = options;
  const stuck: string[] = [];
  let written = 0;

  async function write(text: (conversation: string, number: number) => string): Promise<void> {
    written += 1;
    await client.send(`${conversation}-${written}`, text(conversation, written));
    onSent();
  }

  const endedCount = (entries: readonly VisibleEntry[]) => entries.filter(({ status }) => status === "ended").length;
  const think = () => pause(paceMs * (0.2 + random() * 1.6));

  async function waitFor(what: string, fits: (entries: readonly VisibleEntry[]) => boolean): Promise<boolean> {
    if (await client.until(fits, patienceMs)) return true;
    stuck.push(`${conversation} waited in vain for ${what}`);
    return false;
  }

  async function oneHandover(plan: Plan): Promise<boolean> {
    const before = endedCount(client.visible());
    const isEnded = (entries: readonly VisibleEntry[]) => endedCount(entries) > before;
    const asked = client.visible().length;
    const isRequested = (entries: readonly VisibleEntry[]) => entries.slice(asked).some(({ status }) => status === "requested");
    for (let line = 0; line < plan.botLines; line += 1) await write(userLine);
    await write(askingLine);
    // What is written at once must not fall between bot and desk.
    for (let line = 0; line < plan.hastyLines; line += 1) await write(userLine);
    const lines = plan.isImpatient ? 0 : plan.userLines;
    for (let line = 0; line < lines && !isEnded(client.visible()); line += 1) {
      await think();
      await write(userLine);
      if (isOver()) break;
    }
    const endsIt = plan.isImpatient || plan.endBy === "user" || isOver();
    if (endsIt && !(await waitFor("the request", isRequested))) return false;
    if (endsIt) await client.endHandover();
    for (let line = 0; line < plan.lastLines; line += 1) await write(userLine);
    return waitFor(`end ${before + 1}`, isEnded);
  }

  async function run(): Promise<void> {
    await pause(between(random, 0, paceMs * 2));
    while (!isOver()) {
      if (!(await oneHandover(options.nextPlan()))) return;
      await think();
    }
    await write(userLine);
  }

  return { done: run(), stuck };
}
