// Writes without end, and names what has resolved: `entry <conversation> <id> <seq>` or `delivery <id>`, one per line.
import { writeSync } from "node:fs";
import { createSqliteStore } from "@handover/store-sqlite";
import { commitTo, newDelivery, newEntry, newHandover } from "../../../testkit/src/store-suite/records.ts";

const [path = "", round = "0"] = process.argv.slice(2);
const store = createSqliteStore({ path });
// With a limit on the size of files (`ulimit -f`) the system would end the process instead of failing the write.
process.on("SIGXFSZ", () => undefined);

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Both entries, the handover and its address come together, or not at all. */
async function commitOnce(writer: number, count: number): Promise<void> {
  const key = `demo/${writer % 5}`;
  const id = `${round}.${writer}.${count}`;
  const result = await store.commit(
    commitTo(key, {
      append: [newEntry(`${id}-first`), newEntry(`${id}-second`, { text: "x".repeat(500) })],
      handovers: [newHandover(id, key)],
      references: [{ accountKey: "account", handover: id, references: [`conversation:${id}`] }],
    }),
  );
  if (result.status !== "committed") throw new Error(result.status);
  for (const [index, seq] of result.seqs.entries()) say(`entry ${key} ${id}-${index === 0 ? "first" : "second"} ${seq}`);
}

async function receiveOnce(writer: number, count: number): Promise<void> {
  const id = `${round}.${writer}.${count}`;
  await store.receive([newDelivery(`${id}-m`, [`conversation:${id}`], { accountKey: "account" })]);
  say(`delivery ${id}-m`);
}

async function writeForEver(writer: number): Promise<void> {
  for (let count = 0; ; count += 1) {
    await commitOnce(writer, count);
    await receiveOnce(writer, count);
  }
}

await store.open();
try {
  await Promise.all(Array.from({ length: 16 }, (_, writer) => writeForEver(writer)));
} catch (error) {
  say(`failed ${(error as { code?: string }).code ?? String(error)}`);
  process.exit();
}
