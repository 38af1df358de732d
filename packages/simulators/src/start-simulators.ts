import { fastify } from "fastify";
import type { EightbyeightSimulatorOptions } from "./eightbyeight/eightbyeight-options.ts";
import type { EightbyeightSimulator } from "./eightbyeight/eightbyeight-simulator.ts";
import { createEightbyeight } from "./eightbyeight/eightbyeight-simulator.ts";
import type { LiveAgentSimulatorOptions } from "./live-agent/live-agent-options.ts";
import type { LiveAgentSimulator } from "./live-agent/live-agent-simulator.ts";
import { createLiveAgent } from "./live-agent/live-agent-simulator.ts";
import type { SimulatorClock } from "./shared/clock.ts";
import { createClock } from "./shared/clock.ts";
import { addControlRoutes } from "./shared/control-routes.ts";
import { addDeskPage } from "./shared/desk-page.ts";

export interface SimulatorsOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default 127.0.0.1. The control API has no password: keep it on loopback. */
  readonly host?: string;
  readonly liveAgent?: LiveAgentSimulatorOptions;
  readonly eightbyeight?: EightbyeightSimulatorOptions;
  /** For the times of messages, for latency, delays and time limits of webhooks. Default: the real one. */
  readonly clock?: SimulatorClock;
}

export interface Simulators {
  /** Where the agent desk is; no slash at the end. */
  readonly url: string;
  readonly liveAgent: LiveAgentSimulator;
  readonly eightbyeight: EightbyeightSimulator;
  /** Stops listening, cuts what is open, and forgets what is queued. */
  close(): Promise<void>;
}

/** Starts the simulated contact centres with their control API and the agent desk on one port. */
export async function startSimulators(options: SimulatorsOptions = {}): Promise<Simulators> {
  const clock = createClock(options.clock);
  const liveAgent = createLiveAgent(options.liveAgent ?? {}, clock);
  const eightbyeight = createEightbyeight(options.eightbyeight ?? {}, clock);
  // Source ids and names of files in addresses can be long.
  const server = fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 4096 } });
  await server.register(async (scope) => liveAgent.addApi(scope), { prefix: "/live-agent" });
  await server.register(async (scope) => eightbyeight.addApi(scope), { prefix: "/eightbyeight" });
  await server.register(async (scope) => {
    addControlRoutes(scope, [liveAgent.simulator, eightbyeight.simulator]);
    await addDeskPage(scope);
  });
  const url = await server.listen({ port: options.port ?? 0, host: options.host ?? "127.0.0.1" });
  return {
    url,
    liveAgent: liveAgent.createHandle(url),
    eightbyeight: eightbyeight.createHandle(url),
    async close() {
      await server.close();
      await Promise.all([liveAgent.close(), eightbyeight.close()]);
    },
  };
}
