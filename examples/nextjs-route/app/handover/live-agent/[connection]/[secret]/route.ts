import { getRuntime } from "../../../../../lib/handover.ts";

// SQLite and the runtime's timers need Node, and one process that stays.
export const runtime = "nodejs";
export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ readonly connection: string; readonly secret: string }>;
}

/** What Live Agent says. The runtime checks the secret at the end of the URL, and the signature where there is one. */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  const { connection } = await params;
  return (await getRuntime()).handleWebhook(connection, request);
}
