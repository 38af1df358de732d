import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "./problem.ts";
import type { ServerContext } from "./server-context.ts";

/** The webhooks of the vendors. Bodies stay bytes: signatures are computed over nothing else. */
export function addWebhookRoute(server: FastifyInstance, context: ServerContext): void {
  const providers = new Map(context.configuration.connections.map(({ name, provider }) => [name, plainName(provider)]));
  server.removeAllContentTypeParsers();
  const options = { parseAs: "buffer" as const, bodyLimit: context.configuration.limits.webhookBytes };
  server.addContentTypeParser("*", options, (_request, body, done) => done(null, body));

  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    const { provider, connection } = request.params as { provider: string; connection: string };
    const isKnown = providers.get(connection) === plainName(provider);
    const response = await context.runtime.handleWebhook(isKnown ? connection : "", toWebRequest(request));
    return sendResponse(reply, response);
  };
  for (const path of ["/handover/:provider/:connection", "/handover/:provider/:connection/:secret"]) {
    server.post(path, handle);
    server.post(`${path}/`, handle);
  }
}

/** `liveagent`, `Live-Agent` and `live-agent` are the same provider: several habits exist in URLs that vendors have stored. */
function plainName(provider: string): string {
  return provider.toLowerCase().replaceAll("-", "");
}

function toWebRequest(request: FastifyRequest): Request {
  const [path, ...query] = request.raw.url?.split("?") ?? [];
  const url = new URL([(path ?? "").replace(/\/+$/, ""), ...query].join("?"), "http://host.invalid");
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const body = Buffer.isBuffer(request.body) ? new Uint8Array(request.body) : new Uint8Array();
  return new Request(url, { method: "POST", headers, body });
}

/** The provider's answer as it is; a refusal is a problem document like every other. */
async function sendResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  if (response.status >= 400) throw refusal(response.status);
  for (const [name, value] of response.headers) void reply.header(name, value);
  return reply.code(response.status).send(Buffer.from(await response.arrayBuffer()));
}

/** A 401 is one and the same for an unknown connection, a missing and a wrong secret. Why is counted in the metrics. */
function refusal(status: number): Problem {
  if (status === 401) {
    const detail = "No connection accepts this. Use the whole webhook URL: handover check --webhooks prints it.";
    return new Problem({ status, code: "WEBHOOK_REFUSED", detail });
  }
  if (status === 413) return new Problem({ status, code: "BODY_TOO_LARGE", detail: "The webhook is too large." });
  if (status < 500) return new Problem({ status, code: "WEBHOOK_INVALID", detail: "The webhook cannot be read." });
  const detail = "Nothing was taken. Send it again later.";
  return new Problem({ status: 503, code: "WEBHOOK_NOT_TAKEN", detail, headers: { "retry-after": "1" } });
}
