import { createMemoryData, type MemoryData } from "./memory-data.ts";
import { createMemoryStore } from "./memory-store.ts";
import { beginProcess, type ModelProcess } from "./model-process.ts";
import { createModelProvider } from "./model-provider.ts";
import { createModelBot, type GivenTurn } from "./model-bot.ts";
import { createModelVendor, type ModelVendor, type Ticket, type VendorEvent } from "./model-vendor.ts";
import { createMonitor } from "./monitor.ts";
import type { CallFault, Plan } from "./plan.ts";
import { createStage, type Stage } from "./stage.ts";
import { createStory, type Story } from "./story.ts";
import { createWire } from "./wire.ts";

/** A message of the user, sent until it is accepted. */
export interface Said {
  readonly id: string;
  readonly text: string;
  /** What each accepted try was answered. */
  readonly seqs: number[];
  isDone: boolean;
  process?: string;
}

/** All of a run: the users, the vendors, the processes, and what they did. */
export interface ModelWorld {
  readonly plan: Plan;
  readonly stage: Stage;
  readonly story: Story;
  readonly data: MemoryData;
  readonly vendors: readonly ModelVendor[];
  readonly said: readonly Said[];
  readonly turns: readonly GivenTurn[];
  readonly pushed: readonly number[];
  readonly problems: readonly string[];
  readonly live: readonly ModelProcess[];
  readonly marks: Readonly<Record<string, number>>;
  /** Webhooks that the vendor will not send again. */
  readonly droppedCount: number;
  begin(): Promise<void>;
  say(text: string, again?: Said): void;
  request(): void;
  endHandover(): void;
  crash(process: ModelProcess, losesCalls: boolean): void;
  freeze(process: ModelProcess): void;
  thawAll(): void;
  restart(process: ModelProcess): void;
  /** From now on nothing goes wrong any more. */
  becomeQuiet(): void;
  /** Nothing is on its way, and no work is left. */
  isSettled(): boolean;
}

export const address = { endpoint: "web", conversation: "c" };
export const key = "web/c";
const retryMs = 1_000;

/** An empty world without a process. */
export function createModelWorld(plan: Plan, isTold: boolean): ModelWorld {
  const problems: string[] = [];
  const stage = createStage(() => problems.length > 0);
  const story = createStory(isTold, stage.now);
  const data = createMemoryData(stage);
  const faults = { calls: [...plan.callFaults], webhooks: [...plan.webhookFaults], bot: [...plan.botFaults] };
  const said: Said[] = [];
  const turns: GivenTurn[] = [];
  const pushed: number[] = [];
  let live: ModelProcess[] = [];
  let begun = 0;
  let asked = 0;
  const marks: Record<string, number> = {};
  const mark = (what: string) => (marks[what] = (marks[what] ?? 0) + 1);
  const writer = { name: "" };
  /** Processes by the name under which they claim. */
  const owners = new Map<string, string>();

  const vendors = new Map<string, ModelVendor>();
  for (const name of plan.hasBackup ? ["desk", "backup"] : ["desk"]) {
    const nextFault = (): CallFault => faults.calls.shift() ?? "none";
    const tell = (ticket: Ticket, event: VendorEvent) => wire.send(name, ticket, event);
    vendors.set(name, createModelVendor({ name, desk: plan.desk, stage, story, nextFault, tell }));
  }
  const monitor = createMonitor({
    data,
    vendors: [...vendors.values()],
    holderOf: (conversation) => owners.get(data.conversations.get(conversation)?.owner ?? ""),
    report(problem) {
      story.tell("monitor", () => problem);
      problems.push(problem);
    },
  });

  /** Any process that answers: one after the other. */
  function anyProcess(): ModelProcess | undefined {
    const ready = live.filter((process) => process.isReady && !process.isFrozen);
    return ready[(asked += 1) % Math.max(1, ready.length)];
  }

  const wire = createWire({
    desk: plan.desk,
    stage,
    story,
    vendors,
    nextFault: () => faults.webhooks.shift() ?? "none",
    anyProcess,
  });

  function send(message: Said): void {
    stage.add("outside", "client", () => {
      const process = anyProcess();
      if (!process) return void stage.after("outside", retryMs, () => send(message));
      message.process = process.name;
      const { id, text } = message;
      story.tell("user", () => `says "${text}" (${id}) to ${process.name}`);
      void process.runtime.receiveMessage({ ...address, message: { id, text } }).then(
        ({ seq }) => {
          story.tell("user", () => `"${text}" was accepted as ${seq}`);
          message.seqs.push(seq);
          message.isDone = true;
        },
        () => void stage.after("outside", retryMs, () => send(message)),
      );
    });
  }

  function leaveClients(process: string): void {
    for (const message of said) if (message.process === process && !message.isDone) stage.after("outside", retryMs, () => send(message));
    wire.leave(process);
  }

  function remove(process: ModelProcess): void {
    live = live.filter((one) => one !== process);
  }

  const world: ModelWorld = {
    plan,
    stage,
    story,
    data,
    vendors: [...vendors.values()],
    said,
    turns,
    pushed,
    problems,
    marks,
    get live() {
      return live;
    },
    get droppedCount() {
      return wire.droppedCount;
    },
    async begin() {
      const name = `p${(begun += 1)}`;
      story.tell(name, () => "begins");
      const process = await beginProcess({
        name,
        stage,
        story,
        store: createMemoryStore({ data, clock: stage, ...(plan.isShared ? { leaseClock: stage } : {}) }),
        losesHints: plan.losesHints,
        provider: createModelProvider(name, vendors),
        vendors: [...vendors.keys()],
        endpoint: {
          token: address.endpoint,
          handover: { connections: [...vendors.keys()], ...(plan.acceptTimeoutMs ? { acceptTimeoutMs: plan.acceptTimeoutMs } : {}) },
        },
        bot: plan.hasBot
          ? createModelBot(name, { stage, story, nextFault: () => faults.bot.shift() ?? "none", onTurn: (turn) => void turns.push(turn) })
          : undefined,
        onCommit(committer, commit, result) {
          if (result.status !== "committed") mark(`commit: ${result.status}`);
          monitor.look(committer, commit, result);
        },
        async onPush(_process, seq) {
          pushed.push(seq);
        },
        writer,
        onClaim: (owner, claimant) => void owners.set(owner, claimant),
      });
      live.push(process);
    },
    say(text, again) {
      if (again) return send(again);
      const message: Said = { id: `u${said.length + 1}`, text, seqs: [], isDone: false };
      said.push(message);
      send(message);
    },
    request: () => ask("asks for a person", (process) => process.runtime.requestHandover(address)),
    endHandover: () => ask("ends the handover", (process) => process.runtime.endHandover(address)),
    crash(process, losesCalls) {
      mark("crash");
      story.tell(process.name, () => `dies${losesCalls ? ", and what it had just sent with it" : ""}`);
      stage.kill(process.name);
      data.isInUse = false;
      if (losesCalls) stage.kill(`network:${process.name}`);
      remove(process);
      leaveClients(process.name);
    },
    freeze(process) {
      mark("stopped process");
      story.tell(process.name, () => "is stopped");
      process.isFrozen = true;
      stage.freeze(process.name);
      leaveClients(process.name);
    },
    thawAll() {
      for (const process of live.filter(({ isFrozen }) => isFrozen)) {
        story.tell(process.name, () => "goes on");
        process.isFrozen = false;
        stage.thaw(process.name);
      }
    },
    restart(process) {
      story.tell(process.name, () => "is told to stop");
      void process.stop().then(async () => {
        story.tell(process.name, () => "has stopped");
        stage.kill(process.name);
        remove(process);
        leaveClients(process.name);
        if (live.length === 0) await world.begin();
      });
    },
    becomeQuiet() {
      faults.calls.length = 0;
      faults.webhooks.length = 0;
      faults.bot.length = 0;
    },
    isSettled() {
      if (stage.isBusy() || !wire.isEmpty || said.some(({ isDone }) => !isDone)) return false;
      if (live.some(({ isReady, isFrozen }) => !isReady || isFrozen)) return false;
      const row = data.conversations.get(key);
      if (!row) return true;
      if (row.owner !== undefined || data.inbox.some(({ handover }) => handover !== undefined)) return false;
      const isDueSoon = row.dueAtMs !== undefined && row.dueAtMs <= stage.now();
      return !isDueSoon && !hasLooseEnds(data);
    },
  };

  function ask(what: string, call: (process: ModelProcess) => Promise<unknown>): void {
    stage.add("outside", "client", () => {
      const process = anyProcess();
      if (!process) return;
      story.tell("user", () => `${what} at ${process.name}`);
      void call(process).then(
        () => undefined,
        (error: unknown) => story.tell("user", () => `${what}: ${String(error)}`),
      );
    });
  }

  return world;
}

/** What a worker still has to do about handovers. */
function hasLooseEnds(data: MemoryData): boolean {
  return [...data.handovers.values()].some(({ status, attempt, leaving }) => {
    if (leaving.length > 0) return true;
    return status === "ended" ? attempt.phase !== "over" : status === "ending" || attempt.phase !== "started";
  });
}
