import type { RuntimeClock } from "../options.ts";

/** So many things are remembered as said; then it begins anew. */
const mostRemembered = 1_000;

/** True the first time, and once for each period after it: what somebody outside can cause at will must not fill the log. */
export function createSeldom(clock: Pick<RuntimeClock, "now">, everyMs: number): (what: string) => boolean {
  const saidAtMs = new Map<string, number>();
  return (what) => {
    const nowMs = clock.now();
    if (nowMs - (saidAtMs.get(what) ?? -Infinity) < everyMs) return false;
    if (saidAtMs.size >= mostRemembered) saidAtMs.clear();
    saidAtMs.set(what, nowMs);
    return true;
  };
}
