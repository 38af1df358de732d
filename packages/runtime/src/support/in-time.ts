import type { RuntimeContext } from "../runtime-context.ts";
import { whenAborted } from "./when-aborted.ts";

/**
 * Runs what is not ours, a bot or a listener: when it never comes back, it holds up neither its conversation nor the end of the
 * runtime.
 *
 * @param run gets a signal that is aborted when nobody waits any more
 * @throws Error with the message `late` when the time is over; whatever `run` throws
 */
export async function inTime<Result>(
  { clock, stopSignal }: Pick<RuntimeContext, "clock" | "stopSignal">,
  { limitMs, late }: { readonly limitMs: number; readonly late: string },
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const over = new Promise<never>((_resolve, reject) => {
    whenAborted(abort.signal, () => reject(abort.signal.reason as Error));
  });
  over.catch(() => undefined);
  const forgetStop = whenAborted(stopSignal, () => abort.abort(new Error("The runtime stops.")));
  const cancelTimer = clock.after(limitMs, () => abort.abort(new Error(late)));
  try {
    return await Promise.race([run(abort.signal), over]);
  } finally {
    cancelTimer();
    forgetStop();
  }
}
