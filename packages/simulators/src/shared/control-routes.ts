import type { FastifyInstance, FastifyRequest } from "fastify";
import { ControlError, notPossible } from "./control-error.ts";
import { serveEvents } from "./desk-events.ts";
import type { VendorSimulator } from "./vendor-simulator.ts";

/** A file that an agent sends comes as base64. */
const largestActionBytes = 67_108_864;

type Action = (simulator: VendorSimulator, id: string, body: unknown) => unknown;

// The simulators validate what they get, so a body goes on as it came.
const actions: Readonly<Record<string, Action>> = {
  accept: (simulator, id, body) => simulator.accept(id, body as { agent?: string }),
  say: (simulator, id, body) => simulator.say(id, body as { text: string }),
  type: (simulator, id, body) => simulator.type(id, body as { isTyping: boolean }),
  note: (simulator, id, body) => simulator.note(id, body as { text: string }),
  transfer: (simulator, id, body) => simulator.transfer(id, body as { to: string }),
  leave: (simulator, id, body) => simulator.leave(id, body as { agent?: string }),
  close: (simulator, id, body) => simulator.close(id, body as { abandon?: boolean }),
  reopen: (simulator, id) => simulator.reopen(id),
  survey: (simulator, id) => simulator.survey(id),
};

/** The control API of one or several vendors: `/control/{vendor}/...` and `/control/reset`. */
export function addControlRoutes(server: FastifyInstance, simulators: readonly VendorSimulator[]): void {
  const byVendor = new Map(simulators.map((simulator) => [simulator.vendor, simulator]));
  const find = (request: FastifyRequest): VendorSimulator => {
    const { vendor } = request.params as { vendor: string };
    const simulator = byVendor.get(vendor);
    if (!simulator) throw new ControlError(404, "UNKNOWN_VENDOR", `Unknown vendor; known: ${[...byVendor.keys()].join(", ")}.`);
    return simulator;
  };

  server.addHook("onRequest", async (request) => refuseForeignPages(request));
  server.setErrorHandler(async (error, _request, reply) => {
    const { status, code, message } = describe(error);
    return reply.code(status).send({ code, message });
  });
  server.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ code: "UNKNOWN_ROUTE", message: "No such control route." }));

  server.get("/control", async () => simulators.map((simulator) => ({ vendor: simulator.vendor, title: simulator.overview().title })));
  server.get("/control/:vendor/conversations", async (request) => find(request).conversations());
  server.get("/control/:vendor/requests", async (request) => find(request).requests());
  server.get("/control/:vendor/events", (request, reply) => serveEvents(find(request), request, reply));
  server.post("/control/:vendor/conversations/:id/:action", { bodyLimit: largestActionBytes }, async (request) => {
    const { id, action } = request.params as { id: string; action: string };
    const simulator = find(request);
    const { ownActions = {} } = simulator;
    const body = request.body ?? undefined;
    if (Object.hasOwn(ownActions, action)) return ownActions[action]?.(id, body);
    if (Object.hasOwn(actions, action)) return actions[action]?.(simulator, id, body);
    const known = [...Object.keys(actions), ...Object.keys(ownActions)];
    throw new ControlError(404, "UNKNOWN_ROUTE", `Unknown action; known: ${known.join(", ")}.`);
  });
  server.post("/control/:vendor/conversations", async (request) => {
    const simulator = find(request);
    if (!simulator.openConversation) throw notPossible("This vendor's simulator opens no conversations itself.");
    return simulator.openConversation(request.body ?? {});
  });
  server.put("/control/:vendor/behaviour", async (request) => {
    const simulator = find(request);
    if (!simulator.setBehaviour) throw notPossible("This vendor's simulator has no behaviour to choose.");
    return simulator.setBehaviour(request.body ?? {});
  });
  server.put("/control/:vendor/agents", async (request) => find(request).setAgents(request.body as { online: number }));
  server.put("/control/:vendor/queue", async (request) => find(request).setQueue(request.body as object));
  server.put("/control/:vendor/faults", async (request) => find(request).setFaults(request.body as object));
  server.put("/control/:vendor/webhook", async (request) => find(request).setWebhook(request.body as { url: string | null }));
  server.put("/control/:vendor/:setting", async (request) => {
    const { setting } = request.params as { setting: string };
    const { ownSettings = {} } = find(request);
    if (Object.hasOwn(ownSettings, setting)) return ownSettings[setting]?.(request.body ?? {});
    const known = ["agents", "queue", "faults", "webhook", ...Object.keys(ownSettings)];
    throw new ControlError(404, "UNKNOWN_ROUTE", `Unknown setting; known: ${known.join(", ")}.`);
  });
  server.post("/control/reset", async () => {
    for (const simulator of simulators) simulator.reset();
    return { isReset: true };
  });
}

/** A page of another origin that is open in the same browser must not drive the desk. Programs send no Origin. */
function refuseForeignPages(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new ControlError(403, "FOREIGN_ORIGIN", "The control API takes calls from programs and from its own desk page only.");
}

function describe(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof ControlError) return error;
  const { statusCode } = error as { statusCode?: number };
  if (statusCode === 413) return { status: 413, code: "BODY_TOO_LARGE", message: "The body is too large." };
  if (statusCode !== undefined && statusCode < 500)
    return { status: 400, code: "BAD_INPUT", message: "The body must be JSON (application/json)." };
  return { status: 500, code: "SIMULATOR_FAILED", message: error instanceof Error ? error.message : "The simulator failed." };
}
