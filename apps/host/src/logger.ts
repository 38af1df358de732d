import type { LogFields, Logger } from "@handover/core";

/** Writes one line per event: time, level, message, fields. */
export function createConsoleLogger(write: (line: string) => void = (line) => void process.stderr.write(`${line}\n`)): Logger {
  const log = (level: string) => (message: string, fields?: LogFields) => {
    const pairs = Object.entries(fields ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${quote(value)}`]));
    write([new Date().toISOString(), level, message, ...pairs].join(" "));
  };
  return { debug: () => undefined, info: log("info"), warn: log("warn"), error: log("error") };
}

/** JSON keeps a value with line breaks in one line. */
function quote(value: string | number | boolean): string {
  return typeof value === "string" && /[\s"=\p{Cc}]/u.test(value) ? JSON.stringify(value) : String(value);
}
