import { getRuntime } from "../../../lib/handover.ts";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

interface Context {
  readonly params: Promise<{ readonly conversation: string }>;
}

/** What the user writes. Your bot answers here, or asks for a person, which this one does at once. */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  const { id, text } = (await request.json()) as { readonly id: string; readonly text: string };
  const address = { endpoint: "chat", conversation: (await params).conversation };
  const handover = await getRuntime();
  const { seq } = await handover.receiveMessage({ ...address, message: { id, text } });
  await handover.requestHandover(address);
  return Response.json({ seq }, { status: 202 });
}

/** What the user reads, as server-sent events: everything that was said, then each new entry. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  const address = { endpoint: "chat", conversation: (await params).conversation };
  const after = Number(request.headers.get("last-event-id") ?? 0);
  const closed = new AbortController();
  request.signal.addEventListener("abort", () => {
    closed.abort();
  });
  const entries = (await getRuntime()).follow({ ...address, after, signal: closed.signal })[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await entries.next();
      if (next.done === true) return controller.close();
      controller.enqueue(encoder.encode(`id: ${next.value.seq}\nevent: entry\ndata: ${JSON.stringify(next.value)}\n\n`));
    },
    cancel() {
      closed.abort();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}
