import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";

// A host that runs holds its store alone. The command line asks it through this file, which only the same user can read.

const schema = z.object({ url: z.string(), token: z.string().min(16) });

/** Where the host of a store listens, and the token that opens its operator's routes. */
export type OperatorAccess = z.output<typeof schema>;

export function createOperatorToken(): string {
  return randomBytes(32).toString("base64url");
}

function fileOf(storePath: string): string {
  return `${storePath}.operator.json`;
}

/** Readable by this user only, from its first byte on. */
export async function writeOperatorFile(storePath: string, access: OperatorAccess): Promise<void> {
  const unfinished = `${fileOf(storePath)}.${randomBytes(6).toString("hex")}`;
  await writeFile(unfinished, JSON.stringify(access), { mode: 0o600, flag: "wx" });
  await rename(unfinished, fileOf(storePath));
}

export async function removeOperatorFile(storePath: string): Promise<void> {
  await rm(fileOf(storePath), { force: true });
}

/** Nothing when no host runs on the store, or none that this user may ask. */
export async function readOperatorFile(storePath: string): Promise<OperatorAccess | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(fileOf(storePath), "utf8")));
  } catch {
    return undefined;
  }
}
