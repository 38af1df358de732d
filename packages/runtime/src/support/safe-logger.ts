import type { LogFields, Logger } from "@handover/core";

/** The host's logger; when it throws, a line is lost and nothing else. */
export function createSafeLogger(logger: Logger): Logger {
  const write =
    (level: keyof Logger) =>
    (message: string, fields?: LogFields): void => {
      try {
        logger[level](message, fields);
      } catch {
        // There is no other place to say so.
      }
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
