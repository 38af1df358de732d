import { afterEach } from "vitest";
import { openWorld, type World, type WorldOptions } from "./world.ts";

/** For the top of a test file: opens worlds for its tests and closes them after each. */
export function useWorld(): (options?: WorldOptions) => Promise<World> {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });
  return async (options) => {
    const world = await openWorld(options);
    worlds.push(world);
    return world;
  };
}
