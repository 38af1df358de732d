import { startSimulators as start, type Simulators } from "@handover/simulators";
import { expectDocumented } from "../../packages/live-agent/test/request-schemas.ts";

/** Simulators that say on closing which requests, of the last ones they have noted, Live Agent's field tables do not have. */
export async function startSimulators(...options: Parameters<typeof start>): Promise<Simulators> {
  const simulators = await start(...options);
  return {
    ...simulators,
    async close() {
      const requests = simulators.liveAgent.requests();
      await simulators.close();
      expectDocumented(requests);
    },
  };
}
