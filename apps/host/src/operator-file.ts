import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { StoreConfiguration } from "./configuration/host-configuration.ts";

// The command line asks a host that runs, because a file of SQLite has one holder. It finds the host through a file that only the
// same user can read: beside the database, or, for a database elsewhere, one per host in the folder of the data.

const schema = z.object({ url: z.string(), token: z.string().min(16) });

/** Where the host of a store listens, and the token that opens its operator's routes. */
export type OperatorAccess = z.output<typeof schema>;

export function createOperatorToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Readable by this user only, from its first byte on. */
export async function writeOperatorFile(store: StoreConfiguration, access: OperatorAccess): Promise<void> {
  const file = fileOf(store, access);
  const unfinished = `${file}.${randomBytes(6).toString("hex")}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(unfinished, JSON.stringify(access), { mode: 0o600, flag: "wx" });
  await rename(unfinished, file);
}

export async function removeOperatorFile(store: StoreConfiguration, access: OperatorAccess): Promise<void> {
  await rm(fileOf(store, access), { force: true });
}

/** The hosts that may run on the store and that this user may ask. One that was killed leaves its file behind. */
export async function readOperatorFiles(store: StoreConfiguration): Promise<readonly OperatorAccess[]> {
  const found = await Promise.all((await findFiles(store)).map(readAccess));
  return found.filter((access) => access !== undefined);
}

/** Of a server, the port: two hosts on one machine have two, and one that is started again has its own. */
function fileOf(store: StoreConfiguration, { url }: OperatorAccess): string {
  if (store.kind === "sqlite") return `${store.path}.operator.json`;
  return join(store.dataFolder, `${prefixOf(store)}${new URL(url).port}.operator.json`);
}

async function findFiles(store: StoreConfiguration): Promise<readonly string[]> {
  if (store.kind === "sqlite") return [`${store.path}.operator.json`];
  const names = await readdir(store.dataFolder).catch(() => []);
  const prefix = prefixOf(store);
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+\.operator\.json$/.test(name.slice(prefix.length)))
    .map((name) => join(store.dataFolder, name));
}

/** Keeps the hosts of several databases apart. */
function prefixOf(store: StoreConfiguration & { readonly kind: "postgres" }): string {
  const { host, pathname } = new URL(store.url);
  const place = JSON.stringify([host, pathname, store.schema ?? "handover"]);
  return `handover-${createHash("sha256").update(place).digest("hex").slice(0, 12)}-`;
}

async function readAccess(file: string): Promise<OperatorAccess | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return undefined;
  }
}
