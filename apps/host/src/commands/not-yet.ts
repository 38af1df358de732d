import type { Command } from "./command.ts";

const summaries = {
  list: "lists conversations and handovers",
  show: "shows one conversation with its journal",
  retry: "tries a message that failed once more",
  skip: "gives up a message that holds up a conversation",
  end: "ends a handover",
  erase: "erases what is known of a user",
} as const;

/** Commands that have their names already. */
export const notYetCommands: readonly Command[] = Object.entries(summaries).map(([name, summary]) => ({
  name,
  summary: `${summary} (not available yet)`,
  help: `Usage: handover ${name} ...\n\nNot available in this version yet: ${summary}.`,
  flags: [],
  positionalCount: Infinity,
  async run(_given, context) {
    context.printError(`handover ${name} is not available in this version yet.`);
    return 1;
  },
}));
