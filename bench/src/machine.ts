import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";

/** What the numbers depend on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly sqlite: string;
  readonly postgres?: string;
  /** Others that were at work when it began. */
  readonly load: number;
  /** How long it takes until 4 KiB are on the disk, as a middle value. */
  readonly fsyncMs: number;
}

export function describeMachine(folder: string, postgres: string | undefined): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
    sqlite: process.versions["sqlite"] ?? "unknown",
    ...(postgres === undefined ? {} : { postgres }),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    fsyncMs: measureFsync(folder),
  };
}

function measureFsync(folder: string): number {
  const path = join(folder, "fsync");
  const file = openSync(path, "w");
  const page = Buffer.alloc(4096, 1);
  const times = Array.from({ length: 41 }, () => {
    const beganAtMs = performance.now();
    writeSync(file, page);
    fsyncSync(file);
    return performance.now() - beganAtMs;
  });
  closeSync(file);
  rmSync(path);
  return Math.round((times.sort((one, other) => one - other)[20] ?? 0) * 100) / 100;
}
