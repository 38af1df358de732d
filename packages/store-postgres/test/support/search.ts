import { administer } from "./use-postgres.ts";

/** True when the text is in any row of any table of the schema, as text or as bytes. */
export async function schemaContains(connectionString: string, schema: string, text: string): Promise<boolean> {
  const tables = await administer<{ name: string }>(connectionString, "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1", [
    schema,
  ]);
  const bytes = Buffer.from(text).toString("hex");
  for (const { name } of tables) {
    const search = `SELECT 1 FROM ${schema}.${name} AS t WHERE position($1 in t::text) > 0 OR position($2 in t::text) > 0 LIMIT 1`;
    if ((await administer(connectionString, search, [text, bytes])).length > 0) return true;
  }
  return false;
}
