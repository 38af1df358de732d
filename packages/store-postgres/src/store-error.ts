import { RuntimeError } from "@handover/runtime";
import { DatabaseError } from "pg";

/** Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const readOnlyTransaction = "25006";
const insufficientPrivilege = "42501";
const serializationFailure = "40001";
const deadlockDetected = "40P01";
const lockNotAvailable = "55P03";
const diskFull = "53100";
const tooManyConnections = "53300";
const wrongPassword = "28P01";
const invalidAuthorization = "28000";
const unknownDatabase = "3D000";
const undefinedFunction = "42883";
const undefinedTable = "42P01";
const undefinedSchema = "3F000";

/** Raised by the functions of the schema. */
const noConversation = "HO001";
const notOwnHandover = "HO002";

/** The error that the runtime knows, with what to do about it. An error of the runtime's own stays as it is. */
export function toStoreError(error: unknown, server: string): RuntimeError {
  if (error instanceof RuntimeError) return error;
  if (!(error instanceof DatabaseError)) return isOfTheConnection(error) ? unreachable(error, server) : failed(error, server);
  const cause = withoutValues(error);
  switch (error.code) {
    case noConversation:
      return new RuntimeError(
        "STORE_FAILED",
        "A commit names a conversation that does not exist. Nothing was changed. Give `create` with it.",
      );
    case notOwnHandover:
      return foreignHandover();
    case readOnlyTransaction:
    case insufficientPrivilege:
      return storeReadOnly(server, cause);
    case serializationFailure:
    case deadlockDetected:
      return retryable(`PostgreSQL at ${server} gave a write up in favour of another one. Nothing was changed.`, cause);
    case lockNotAvailable:
      return retryable(
        `The tables of the store in PostgreSQL at ${server} are held by a long transaction, as of a backup. Nothing was changed. Try again when it is over.`,
        cause,
      );
    case diskFull:
      return retryable(`The disk of PostgreSQL at ${server} is full. Nothing was changed. Make room; the store goes on by itself.`, cause);
    case tooManyConnections:
      return retryable(
        `PostgreSQL at ${server} has no connection left. Nothing was changed. Raise max_connections, or lower poolSize (each instance takes poolSize + 1).`,
        cause,
      );
    case wrongPassword:
    case invalidAuthorization:
      return fatal(`PostgreSQL at ${server} refuses the user. Check user and password of the connection string.`, cause);
    case unknownDatabase:
      return fatal(`PostgreSQL at ${server} does not have that database. Create it, or correct the connection string.`, cause);
    case undefinedFunction:
    case undefinedTable:
    case undefinedSchema:
      return fatal(`The schema of the store in PostgreSQL at ${server} is not complete. Restore it from a backup.`, cause);
    default:
      // Class 08 and 57: the connection or the server ended while the statement ran.
      return /^(08|57)/.test(error.code ?? "") ? unreachable(cause, server) : failed(cause, server);
  }
}

/** True when the server says that it undid the transaction only because of another one: it may be sent again. */
export function isUndoneForAnother(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === deadlockDetected || error.code === serializationFailure);
}

/** True when a transaction was undone because of locks of others: it may be begun again. */
export function isHeldUp(error: unknown): boolean {
  return isUndoneForAnother(error) || (error instanceof DatabaseError && error.code === lockNotAvailable);
}

/** True when the next statement may use the connection that this error came from. A server that went read-only is left. */
export function leavesConnectionUsable(error: unknown): boolean {
  return error instanceof DatabaseError && error.severity === "ERROR" && error.code !== readOnlyTransaction;
}

export function foreignHandover(): RuntimeError {
  return new RuntimeError(
    "STORE_FAILED",
    "A commit names a handover that its conversation does not have. Nothing was changed. Put the handover into the same commit or an earlier one.",
  );
}

export function storeReadOnly(server: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    "STORE_READ_ONLY",
    `PostgreSQL at ${server} cannot be written to. Connect to the primary server, not to a replica, and let the user of the connection string own the schema.`,
    { cause, isRetryable: true },
  );
}

function unreachable(cause: unknown, server: string): RuntimeError {
  return retryable(
    `PostgreSQL at ${server} could not be reached, or did not answer. A write that was under way was made completely or not at all. The store reconnects by itself.`,
    cause,
  );
}

function failed(cause: unknown, server: string): RuntimeError {
  return fatal(`A call of the store in PostgreSQL at ${server} failed. Nothing was changed. The cause says why.`, cause);
}

function retryable(message: string, cause: unknown): RuntimeError {
  return new RuntimeError("STORE_FAILED", message, { cause, isRetryable: true });
}

function fatal(message: string, cause: unknown): RuntimeError {
  return new RuntimeError("STORE_FAILED", message, { cause });
}

/** Detail and context of an error repeat what was to be stored: the words of a user do not belong into a log. */
function withoutValues(error: DatabaseError): DatabaseError {
  error.detail = undefined;
  error.where = undefined;
  error.internalQuery = undefined;
  return error;
}

/** What the driver and the operating system report has a code of its own or no more than a text; a mistake in a request is a TypeError. */
function isOfTheConnection(error: unknown): boolean {
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError) && !(error instanceof SyntaxError);
}
