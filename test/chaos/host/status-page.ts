import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import type { LaneName, Side } from "./lanes.ts";

/** What a host was doing at the moment of its last step. */
export interface HostStatus {
  readonly pid: number;
  /** Deliveries on their way to the desk, and on their way from it. */
  readonly out: number;
  readonly in: number;
  /** How many conversations have a lane at that side of a commit: `vendor-out/in`. */
  readonly lanes: Readonly<Partial<Record<`${LaneName}/${Side}`, number>>>;
  /** Calls of the vendor that are under way. */
  readonly calls: Readonly<Record<string, number>>;
  /** Where the host killed or froze itself. */
  readonly aim?: string;
  /** It has frozen itself, or is about to. */
  readonly isFrozen?: true;
}

const pageBytes = 2_048;

/** A page of fixed size that is overwritten at each step and outlives the process that writes it. */
export interface StatusPage {
  write(status: HostStatus): void;
  close(): void;
}

/** Opens the page for writing; in memory where the machine has such a file system. */
export function openStatusPage(file: string): StatusPage {
  // The next host opens it while the one before it still writes.
  const descriptor = openSync(file, constants.O_CREAT | constants.O_RDWR);
  return {
    write(status) {
      writeSync(descriptor, JSON.stringify(status).padEnd(pageBytes), 0, "latin1");
    },
    close: () => closeSync(descriptor),
  };
}

/** What the host wrote last; nothing when it died before its first step. */
export function readStatusPage(file: string): HostStatus | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, "latin1").trim();
  try {
    return text === "" ? undefined : (JSON.parse(text) as HostStatus);
  } catch {
    // Half of it was just being written.
    return undefined;
  }
}

/** The folder for status pages. */
export function statusFolder(): string {
  return existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
}
