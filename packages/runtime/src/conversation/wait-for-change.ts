import type { RuntimeContext } from "../runtime-context.ts";

/** Waits for a change; where other processes write too, a lost hint only delays. */
export async function waitForChange(context: RuntimeContext, change: Promise<void>, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return;
  let cancelPoll: (() => void) | undefined;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = () => resolve();
    stop.addEventListener("abort", onAbort, { once: true });
  });
  const waits = [change, aborted];
  if (context.store.isShared) {
    waits.push(new Promise<void>((resolve) => (cancelPoll = context.clock.after(context.timing.pollMs, resolve))));
  }
  await Promise.race(waits);
  cancelPoll?.();
  stop.removeEventListener("abort", onAbort);
}
