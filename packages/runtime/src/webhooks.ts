import { isWake, WebhookRefusedError, type RawRequest, type ReceivedWebhook, type VendorDelivery } from "@handover/core";
import { callVendor } from "./connections/call-vendor.ts";
import type { Connection } from "./connections/connection-registry.ts";
import { matchesSecret } from "./connections/webhook-secrets.ts";
import { toProviderHandover } from "./handover/provider-view.ts";
import type { RuntimeContext } from "./runtime-context.ts";
import type { NewDelivery } from "./store/records.ts";
import { errorCode, errorSummary } from "./support/describe-error.ts";
import { randomId } from "./support/system-random.ts";

/**
 * Takes a webhook: authenticated, cut up, committed to the inbox, then answered. Nothing is worked on inside the request.
 */
export async function handleWebhook(context: RuntimeContext, name: string, request: Request): Promise<Response> {
  const connection = context.connections.has(name) ? context.connections.get(name) : undefined;
  if (!connection?.handle.receiveWebhook) return refuse(context, "unknown", refusal(401, "WEBHOOK_NOT_AUTHENTIC"));
  try {
    const raw = await toRawRequest(context, connection, request);
    const received = await receive(context, connection, raw);
    await accept(context, connection, received.deliveries);
    context.metrics.count("handover_webhooks_total", { connection: name, result: "OK" });
    const { status, headers, body } = received.response ?? { status: 200 };
    return new Response(body ?? null, { status, ...(headers ? { headers: { ...headers } } : {}) });
  } catch (error) {
    return refuse(context, name, WebhookRefusedError.isInstance(error) ? error : unexpected(context, name, error));
  }
}

/** While the runtime starts or stops: the vendor may try again. */
export function notRunning(): Response {
  return Response.json({ code: "NOT_RUNNING", detail: "The host is starting or stopping." }, { status: 503 });
}

/** A fault of ours or of the store: the vendor may try again, nothing was taken. */
function unexpected(context: RuntimeContext, connection: string, error: unknown): WebhookRefusedError {
  context.logger.error(`A webhook could not be taken: ${errorSummary(error)}`, { connection, code: errorCode(error) });
  return refusal(503, errorCode(error));
}

function refusal(status: 400 | 401 | 413 | 503, code: string): WebhookRefusedError {
  return new WebhookRefusedError({ status, code, message: "The webhook was not accepted." });
}

function refuse(context: RuntimeContext, connection: string, error: WebhookRefusedError): Response {
  context.metrics.count("handover_webhooks_total", { connection, result: error.code });
  if (error.status < 500 && context.isNews(`webhook refused ${connection} ${error.code}`))
    context.logger.warn(`A webhook was refused: ${error.message}`, { connection, code: error.code });
  const headers = error.status === 503 ? { "retry-after": "1" } : {};
  return Response.json({ code: error.code, detail: error.message }, { status: error.status, headers });
}

async function toRawRequest(context: RuntimeContext, connection: Connection, request: Request): Promise<RawRequest> {
  const { pathname, search } = new URL(request.url);
  const segments = pathname.replace(/\/+$/, "").split("/");
  const candidate = decode(segments.at(-1) ?? "");
  const hasValidSecret = matchesSecret(connection.secrets, candidate);
  return {
    method: request.method,
    path: hasValidSecret ? segments.slice(0, -1).join("/") : pathname,
    query: search.replace(/^\?/, ""),
    headers: Object.fromEntries([...request.headers].map(([header, value]) => [header.toLowerCase(), value])),
    body: await readBody(request, context.limits.webhookBytes),
    hasValidSecret,
  };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new WebhookRefusedError({
      status: 413,
      code: "WEBHOOK_TOO_LARGE",
      message: `A webhook has at most ${limit} bytes; this one has more.`,
    });
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

async function receive(context: RuntimeContext, connection: Connection, raw: RawRequest): Promise<ReceivedWebhook> {
  return callVendor(
    context,
    { connection, method: "receiveWebhook", idempotencyKey: randomId(context.random), isOffline: true },
    async (call, handle) => (await handle.receiveWebhook?.(raw, call)) ?? { deliveries: [] },
  );
}

async function accept(context: RuntimeContext, connection: Connection, deliveries: readonly VendorDelivery[]): Promise<void> {
  const lasting = deliveries.filter((delivery) => !delivery.isEphemeral);
  if (lasting.length > 0) {
    const nowMs = context.clock.now();
    const given = lasting.map((delivery) => toNewDelivery(connection, delivery, nowMs));
    const result = await context.backlog.takeDeliveries(given, (admitted) => context.store.receive(admitted));
    if (result === "full") throw refusal(503, "INBOX_FULL");
    const count = (what: string, by: number) => {
      if (by > 0) context.metrics.count("handover_deliveries_total", { connection: connection.name, result: what }, by);
    };
    // Answered all the same: a vendor that is refused for conversations we do not know would stop sending those we do.
    count("flooded", result.flooded);
    count("received", result.added);
    count("repeated", result.repeated);
    count("parked", result.parked);
  }
  for (const delivery of deliveries) if (delivery.isEphemeral) await showEphemeral(context, connection, delivery);
}

function toNewDelivery(connection: Connection, delivery: VendorDelivery, receivedAtMs: number): NewDelivery {
  return {
    connection: connection.name,
    accountKey: connection.handle.accountKey,
    ...(delivery.id === undefined ? {} : { id: delivery.id }),
    references: delivery.references,
    ...(delivery.order ? { order: delivery.order } : {}),
    payload: delivery.payload,
    receivedAtMs,
  };
}

/** Typing and the like: shown at once if the handover is there to show it, never stored, never an error. */
async function showEphemeral(context: RuntimeContext, connection: Connection, delivery: VendorDelivery): Promise<void> {
  try {
    const handover = await context.store.findHandover(connection.handle.accountKey, delivery.references);
    const conversation = handover ? await context.store.readConversation(handover.conversation) : undefined;
    const isRunning = handover?.status === "queued" || handover?.status === "active";
    if (!handover || !conversation || !isRunning || !handover.attempt.state || isWake(delivery)) return;
    const view = toProviderHandover(conversation, handover, handover.attempt, connection);
    for (const event of connection.handle.translate?.(view, delivery).events ?? []) {
      if (event.type !== "typing-changed" || event.author.role === "user") continue;
      const { role, id } = event.author;
      const name = event.author.name ?? handover.agents.find((agent) => id !== undefined && agent.id === id)?.name;
      context.typing.show(conversation.key, { author: { role, ...(name === undefined ? {} : { name }) }, isTyping: event.isTyping });
    }
  } catch (error) {
    context.logger.debug(`A typing sign was dropped: ${errorSummary(error)}`, { connection: connection.name });
  }
}
