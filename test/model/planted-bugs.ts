/** A bug that is put into the runtime to see whether the model finds it. */
export interface PlantedBug {
  readonly name: string;
  /** What goes wrong because of it. */
  readonly harm: string;
  /** Needs so many things at once that it takes thousands of runs. */
  readonly isRare?: true;
  /** In `packages/runtime/src`. */
  readonly file: string;
  /** Occurs there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Small mistakes as people make them, in different parts. Each hides in all but a few interleavings. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "consumed-apart",
    harm: "A delivery is taken out of the inbox in a second commit: a crash in between has it translated twice.",
    file: "lanes/translate-task.ts",
    find: "    return extras && { ...consume, ...extras };\n  });",
    replace: '    return extras;\n  });\n  await dropDeliveries(scope, [row], "translated");',
  },
  {
    name: "timeout-is-refusal",
    harm: "A send that timed out counts as not done, and is repeated without asking.",
    file: "lanes/send-task.ts",
    find: 'if (error?.outcome !== "not-applied") {',
    replace: 'if (error?.outcome !== "not-applied" && error?.code !== "VENDOR_TIMEOUT") {',
  },
  {
    name: "takes-from-now-on",
    harm: "A handover takes what comes from now on, not what the bot has not answered yet: the bot answers that although people are asked for.",
    file: "request-and-end.ts",
    find: "return Math.max(view.conversation?.botThrough ?? 0, transcriptAfter);",
    replace: "return lastSeq;",
  },
  {
    name: "late-line-dropped",
    harm: "What an agent said before the end, and is learned after it, is not shown.",
    file: "handover/apply-events.ts",
    find: "if (Date.parse(event.message.sentAt) <= endedAtMs) return appendMessage(draft, event, { ...surroundings, isLate: true });",
    replace: "",
  },
  {
    name: "change-without-fence",
    harm: "A lane changes its handover without its fence: a process that has lost the conversation still writes.",
    file: "lanes/change-handover.ts",
    find: "await transact(context, { key, fence }, async (view) => {",
    replace: "await transact(context, { key }, async (view) => {",
  },
  {
    name: "bot-without-fence",
    isRare: true,
    harm: "The bot's lane commits without its fence: a process that has lost the conversation still writes.",
    file: "lanes/bot-lane.ts",
    find: "await transact(context, { key, fence }, async (view) => {\n    if (!view.conversation || view.conversation.botThrough >= entry.seq)",
    replace: "await transact(context, { key }, async (view) => {\n    if (!view.conversation || view.conversation.botThrough >= entry.seq)",
  },
  {
    name: "progress-without-address",
    harm: "A reference saved on the way is no address yet: what a webhook says of a start in doubt stays parked, and the ticket is left open.",
    file: "lanes/start-task.ts",
    find: "return { references: [{ accountKey: attempt.accountKey, handover: handoverId, references: progress.references ?? [] }] };",
    replace: "return {};",
  },
  // What follows was real: the model has found it, and finds it again when it is put back.
  {
    name: "overtaken-end-believed",
    harm: "An end that is learned after the ticket was opened again counts as closed: the ticket is left open.",
    isRare: true,
    file: "handover/apply-events.ts",
    find: "if (!surroundings.isOvertaken) markClosed(draft, surroundings.windowMs);",
    replace: "markClosed(draft, surroundings.windowMs);",
  },
  {
    name: "start-of-former-attempt",
    harm: "A timer gives an attempt up while its start begins: the start goes to the old desk in the name of the new attempt.",
    isRare: true,
    file: "lanes/start-task.ts",
    find: "draft.handover.attempt.number === attempt.number ? change(draft, conversation) : undefined,",
    replace: "change(draft, conversation),",
  },
  {
    name: "former-attempt-is-a-sign",
    harm: "A delivery of the former desk counts as a sign of the new one: a start in doubt goes on at a ticket that is not there.",
    isRare: true,
    file: "lanes/start-task.ts",
    find: "row.handover === handover.id && belongsTo(attempt, row)",
    replace: "row.handover === handover.id",
  },
  {
    name: "inbox-of-former-attempt",
    harm: "What the former desk still says keeps a handover from ending that waits for its next start.",
    isRare: true,
    file: "lanes/vendor-in.ts",
    find: "isSought(handover.attempt) || willNotStart(handover) ||",
    replace: "isSought(handover.attempt) ||",
  },
];
