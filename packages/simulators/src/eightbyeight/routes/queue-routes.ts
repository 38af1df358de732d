import type { FastifyInstance } from "fastify";
import type { EightbyeightContext } from "../eightbyeight-context.ts";
import { isFinished } from "../eightbyeight-conversations.ts";
import { notFound } from "../eightbyeight-errors.ts";
import type { JsonObject, Queue } from "../eightbyeight-state.ts";
import { presentAgents } from "../eightbyeight-state.ts";
import { createRoutes, ok } from "./api-call.ts";

/** Two calls of other products that take the same key: how a queue is doing, and whether it is open. */
export function addQueueRoutes(server: FastifyInstance, context: EightbyeightContext): void {
  const route = createRoutes(context);
  server.get(
    "/cc/v1/stats/rt/queue/:queue",
    route(({ params }) => {
      const queue = context.state.queues.get(params["queue"] ?? "");
      if (!queue) throw notFound("queue");
      return ok({ queue: describeQueue(context, queue) });
    }),
  );
  // Any schedule is open while somebody is at work; which values there are is not documented.
  server.get(
    "/cc/v1/schedules/:schedule/status",
    route(() => ok({ "schedule-status": { status: countOnline(context) > 0 ? "open" : "closed" } })),
  );
}

/** The waiting time is in seconds, which is not documented. */
function describeQueue(context: EightbyeightContext, { id, name }: Queue): JsonObject {
  const { state, queue, clock } = context;
  const open = [...state.conversations.values()].filter((conversation) => conversation.queueId === id && !isFinished(conversation));
  const waiting = open.filter((conversation) => presentAgents(conversation).length === 0);
  const longestWaitMs = Math.max(0, ...waiting.map(({ createdAtMs }) => clock.now() - createdAtMs));
  const online = countOnline(context);
  const busyIds = new Set(open.flatMap((conversation) => presentAgents(conversation).map((agent) => agent.id)));
  const busy = [...state.agents.values()].filter((agent) => agent.isOnline && busyIds.has(agent.id)).length;
  return {
    "queue-id": id,
    "queue-name": name,
    "media-type": "chat",
    "queue-size": queue.position ?? waiting.length,
    "longest-wait-time": Math.round((queue.estimatedWaitMs ?? longestWaitMs) / 1000),
    "number-in-offered": 0,
    "number-in-progress": open.length - waiting.length,
    "assigned-agent-count": state.agents.size,
    "enabled-agent-count": online,
    "agent-count-waitTransact": online - busy,
    "agent-count-busy": busy,
    "agent-count-postProcess": 0,
    "agent-count-onBreak": 0,
    "agent-count-workOffline": 0,
    "agent-count-loggedOut": state.agents.size - online,
    "day-avg-wait-time": Math.round((queue.estimatedWaitMs ?? 0) / 1000),
    "thirty-min-avg-wait-time": Math.round((queue.estimatedWaitMs ?? 0) / 1000),
  };
}

function countOnline({ state }: EightbyeightContext): number {
  return [...state.agents.values()].filter(({ isOnline }) => isOnline).length;
}
