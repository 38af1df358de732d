import type { Environment } from "../configuration/interpolate.ts";
import type { Flag } from "./arguments.ts";
import type { Arguments } from "./arguments.ts";

/** Where a command reads from and writes to. */
export interface CommandContext {
  readonly environment: Environment;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** One command of the command line. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly help: string;
  readonly flags: readonly Flag[];
  readonly positionalCount: number;
  /** @returns the exit code. @throws UsageError, ConfigurationError, HandoverError */
  run(given: Arguments, context: CommandContext): Promise<number>;
}
