import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";

/** Makes folders that are gone after the test. */
export function useTemporaryFolders(): () => string {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) remove(folder);
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "handover-sqlite-"));
    folders.push(folder);
    return folder;
  };
}

/** Folders that a test has closed are opened first. */
function remove(folder: string): void {
  chmodSync(folder, 0o700);
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    if (item.isDirectory()) chmodSync(join(folder, item.name), 0o700);
  }
  rmSync(folder, { recursive: true });
}
