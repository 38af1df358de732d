import { RuntimeError } from "@handover/runtime";

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const busy = 5;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

/** The error that the runtime knows, with what to do about it. An error of the runtime's own stays as it is. */
export function toStoreError(error: unknown, path: string): RuntimeError {
  if (error instanceof RuntimeError) return error;
  switch (primaryCode(error)) {
    case busy:
      return new RuntimeError(
        "STORE_IN_USE",
        `The store file "${path}" is in use by another process. Stop that process, give this one a file of its own, or use the PostgreSQL store for several instances.`,
        { cause: error },
      );
    case readOnly:
      return storeReadOnly(path, error);
    case full:
      return failed(
        `The disk of the store file "${path}" is full. Nothing was changed. Make room; the store goes on by itself.`,
        error,
        true,
      );
    case ioError:
      return failed(`The store file "${path}" could not be read or written. Nothing was changed. Check the disk.`, error, true);
    case corrupt:
    case notADatabase:
      return failed(`The file "${path}" is damaged or is no SQLite database. Restore it from a backup, or name another file.`, error);
    case cannotOpen:
      return failed(`The store file "${path}" cannot be opened. Check that its folder exists and that this process may use it.`, error);
    default:
      return failed(`A call of the store "${path}" failed. Nothing was changed. The cause says why.`, error);
  }
}

export function storeReadOnly(path: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    "STORE_READ_ONLY",
    `The store file "${path}" or its folder cannot be written to. Give the user of this process the right to write both, or name another file.`,
    { cause },
  );
}

function failed(message: string, cause: unknown, isRetryable = false): RuntimeError {
  return new RuntimeError("STORE_FAILED", message, { cause, isRetryable });
}

function primaryCode(error: unknown): number | undefined {
  const code = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}
