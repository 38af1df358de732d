// Upgrades a store file as opening it does, says "half" when the first half of the statements is carried out, and waits to be killed.
import { DatabaseSync } from "node:sqlite";
import { migrations, readSchemaVersion } from "../../src/migrations.ts";

const [path = ""] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
// What is not committed yet reaches the file as well: there is room for one page in memory.
database.exec("PRAGMA cache_size = 1; PRAGMA cache_spill = 1");
database.exec("BEGIN IMMEDIATE");
const statements = migrations.slice(readSchemaVersion(database, path)).flatMap((step) => step.split(/;\n/));
for (const statement of statements.slice(0, Math.ceil(statements.length / 2))) database.exec(statement);
console.log("half");
setInterval(() => undefined, 1000);
