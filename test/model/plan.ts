import fc from "fast-check";

/** What goes wrong with one call of a vendor. */
export const callFaults = [
  "none",
  /** Surely not done; may be tried again. */
  "refused",
  /** Surely not done; the whole account has to wait. */
  "paused",
  /** Nobody there (a start), otherwise nothing wrong. */
  "unavailable",
  "lost-before",
  "lost-after",
  "hangs-before",
  "hangs-after",
  /** Carried out a while after it was sent. */
  "late",
  /** Answered a while after it was carried out. */
  "slow",
] as const;
export type CallFault = (typeof callFaults)[number];

/** What goes wrong with one webhook. */
export const webhookFaults = ["none", "duplicated", "dropped", "delayed", "delayed-long", "answer-lost"] as const;
export type WebhookFault = (typeof webhookFaults)[number];

/** What goes wrong with one turn of the bot. */
export const botFaults = ["none", "fails", "hangs", "slow"] as const;
export type BotFault = (typeof botFaults)[number];

/** What a vendor can do. */
export interface DeskPlan {
  readonly findStarted: "missing" | "sure" | "unsure";
  readonly findSent: "missing" | "sure" | "unsure";
  readonly canCatchUp: boolean;
  readonly echoes: boolean;
  readonly order: "dense" | "sparse" | "none";
  /** How much of the transcript the create call takes. */
  readonly transcript: "all" | "none" | "one";
  /** Whether the reference of a ticket is saved before the ticket is made. */
  readonly savesProgress: boolean;
  readonly end: "ended" | "requested";
  /** The provider ends a handover so long after the last agent left. */
  readonly graceMs: number;
}

export const agentActs = ["is-assigned", "accepts", "says", "leaves", "transfers", "closes", "reopens"] as const;

/** When a process dies or is stopped: at once, or when the next thing of a kind has happened and its answer is on its way. */
const moments = ["now", "written", "write", "vendor-call", "bot-turn"] as const;
export type Moment = (typeof moments)[number];

/** Who does something. */
export type Act =
  | { readonly type: "say"; readonly wantsPerson: boolean }
  | { readonly type: "repeat" }
  | { readonly type: "request" }
  | { readonly type: "end" }
  | { readonly type: "agent"; readonly what: (typeof agentActs)[number]; readonly ticket: number }
  | { readonly type: "wait"; readonly ms: number }
  | {
      readonly type: "crash";
      readonly after: Moment;
      readonly losesCalls: boolean;
      readonly downMs: number;
    }
  | { readonly type: "restart" }
  | { readonly type: "join" }
  | { readonly type: "freeze"; readonly after: Moment; readonly ms: number }
  | { readonly type: "thaw" };

/** One act, and how long things go on before the next: `picks` steps (0: until nothing can run), in the given order. */
export interface Step {
  readonly act: Act;
  readonly picks: number;
  readonly order: number;
}

/** Everything that a run depends on. */
export interface Plan {
  readonly desk: DeskPlan;
  /** A second connection to fall back to. */
  readonly hasBackup: boolean;
  readonly hasBot: boolean;
  /** Several processes may use the store at once; claims end with their lease. */
  readonly isShared: boolean;
  /** A process never hears of what another one writes: it has to look. */
  readonly losesHints: boolean;
  readonly acceptTimeoutMs: number;
  readonly callFaults: readonly CallFault[];
  readonly webhookFaults: readonly WebhookFault[];
  readonly botFaults: readonly BotFault[];
  readonly steps: readonly Step[];
  /** Who ends what still runs when all has been done. */
  readonly lastWord: "agent" | "user";
}

const often = <Value>(weight: number, value: Value) => ({ weight, arbitrary: fc.constant(value) });

const deskPlan: fc.Arbitrary<DeskPlan> = fc
  .record({
    findStarted: fc.constantFrom("sure" as const, "missing" as const, "unsure" as const),
    findSent: fc.constantFrom("sure" as const, "missing" as const, "unsure" as const),
    canCatchUp: fc.boolean(),
    echoes: fc.boolean(),
    order: fc.constantFrom("none" as const, "sparse" as const, "dense" as const),
    transcript: fc.constantFrom("all" as const, "none" as const, "one" as const),
    savesProgress: fc.boolean(),
    end: fc.oneof(often(4, "ended" as const), often(1, "requested" as const)),
    graceMs: fc.oneof(often(3, 0), often(1, 2_000)),
  })
  // Without either, nobody could ever find out what a start whose answer was lost has left.
  .map((desk) => (desk.findStarted === "sure" ? desk : { ...desk, savesProgress: true }));

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("say" as const), wantsPerson: fc.boolean() }) },
  often<Act>(1, { type: "repeat" }),
  often<Act>(1, { type: "request" }),
  often<Act>(1, { type: "end" }),
  {
    weight: 9,
    arbitrary: fc.record({
      type: fc.constant("agent" as const),
      what: fc.oneof(
        often(8, "says" as const),
        often(1, "is-assigned" as const),
        often(2, "accepts" as const),
        often(1, "leaves" as const),
        often(1, "transfers" as const),
        often(1, "closes" as const),
        often(1, "reopens" as const),
      ),
      ticket: fc.nat(2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(50, 400, 1_200, 4_000, 9_000, 25_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("crash" as const),
      after: fc.constantFrom(...moments),
      losesCalls: fc.boolean(),
      downMs: fc.constantFrom(0, 500, 12_000),
    }),
  },
  often<Act>(1, { type: "restart" }),
  often<Act>(1, { type: "join" }),
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("freeze" as const),
      after: fc.constantFrom(...moments),
      ms: fc.constantFrom(0, 6_000, 12_000, 26_000),
    }),
  },
  often<Act>(2, { type: "thaw" }),
);

const step: fc.Arbitrary<Step> = fc.record({
  act,
  picks: fc.oneof(often(2, 0), { weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) }),
  order: fc.oneof(often(1, 0), { weight: 3, arbitrary: fc.integer({ min: 1, max: 0xffff }) }),
});

const opening: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom<Act>({ type: "say", wantsPerson: true }, { type: "request" }, { type: "say", wantsPerson: false }),
  picks: fc.oneof(often(2, 0), { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) }),
  order: fc.oneof(often(1, 0), { weight: 1, arbitrary: fc.integer({ min: 1, max: 0xffff }) }),
});

const faults = <Fault extends string>(all: readonly Fault[], maxLength: number): fc.Arbitrary<readonly Fault[]> =>
  fc.array(fc.oneof(often(all.length, all[0]!), { weight: all.length, arbitrary: fc.constantFrom(...all) }), { maxLength });

/** Plans of all kinds; they shrink to quiet worlds with few steps. */
export const plans: fc.Arbitrary<Plan> = fc.record({
  desk: deskPlan,
  hasBackup: fc.boolean(),
  hasBot: fc.oneof(often(1, false), often(5, true)),
  isShared: fc.oneof(often(1, false), often(2, true)),
  losesHints: fc.boolean(),
  acceptTimeoutMs: fc.oneof(often(3, 0), often(1, 6_000)),
  callFaults: faults(callFaults, 14),
  webhookFaults: faults(webhookFaults, 14),
  botFaults: faults(botFaults, 5),
  steps: fc
    .record({
      // Most of what can go wrong needs a handover first.
      opening: fc.array(opening, { maxLength: 2, size: "max" }),
      others: fc.array(step, { minLength: 1, maxLength: 26, size: "max" }),
    })
    .map(({ opening: first, others }) => [...first, ...others]),
  lastWord: fc.constantFrom("agent" as const, "user" as const),
});
