// Opens the store and says how that went; holds it until it is killed or its input ends.
import { createSqliteStore } from "@handover/store-sqlite";

const [path = "", userId] = process.argv.slice(2);
if (userId !== undefined) {
  process.setgid?.(Number(userId));
  process.setuid?.(Number(userId));
}
const store = createSqliteStore({ path });
try {
  await store.open();
  console.log("open");
  process.stdin.on("end", () => void store.close()).resume();
} catch (error) {
  console.log((error as { code?: string }).code ?? String(error));
}
