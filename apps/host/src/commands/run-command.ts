import { didYouMean, HandoverError } from "@handover/core";
import { readArguments, UsageError } from "./arguments.ts";
import { check } from "./check.ts";
import type { Command, CommandContext } from "./command.ts";
import { notYetCommands } from "./not-yet.ts";
import { provision } from "./provision.ts";

const commands: readonly Command[] = [check, provision, ...notYetCommands];

/** Runs a command line. @returns the exit code: 0 well, 1 something is wrong, 2 the command line is wrong */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    context.print(overview());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((candidate) => candidate.name === name);
  try {
    if (!command) throw unknownCommand(name);
    if (rest.includes("--help") || rest.includes("-h")) {
      context.print(command.help);
      return 0;
    }
    return await command.run(readArguments(rest, command.flags, command.positionalCount), context);
  } catch (error) {
    return explain(error, command, context);
  }
}

function explain(error: unknown, command: Command | undefined, { printError }: CommandContext): number {
  if (error instanceof UsageError) {
    printError(error.message);
    printError(`See: handover ${command ? `${command.name} ` : ""}--help`);
    return 2;
  }
  printError(describeError(error));
  return 1;
}

/** What people see of an error: never a stack. */
export function describeError(error: unknown): string {
  if (HandoverError.isInstance(error)) return error.message;
  return `Something failed that should not: ${error instanceof Error ? error.message : "unknown"}`;
}

function unknownCommand(name: string): UsageError {
  const suggestion = didYouMean(
    name,
    commands.map((command) => command.name),
  );
  return new UsageError(`Unknown command "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ""}`);
}

function overview(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  return ["Usage: handover <command> [flags]", "", ...lines, "", "handover <command> --help says more."].join("\n");
}
