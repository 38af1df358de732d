import { InvalidConfigError } from "@handover/core";
import { RuntimeError } from "../errors.ts";
import type { Timing } from "../options.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { Claim } from "../store/store.ts";
import { LeaseLostError } from "./transact.ts";

/**
 * The hold of this instance on one conversation, as far as this instance knows. It may be shorter than the store's own idea of
 * it, never longer: a process that was stopped for a while finds that its time is over before it does anything else.
 */
export interface Lease {
  /** The key of the conversation. */
  readonly conversation: string;
  /** Aborts when somebody else has the conversation. */
  readonly signal: AbortSignal;
  /**
   * Resolves once nobody else can take the conversation for so long; the store is asked where that is not known.
   *
   * @throws LeaseLostError when somebody else has it
   * @throws RuntimeError `STORE_FAILED` when the store does not keep it that long
   */
  hold(durationMs: number): Promise<void>;
}

/** A lease in the hands of whoever claims, renews and loses it. */
export interface HeldLease extends Lease {
  /** The store has kept it: its time begins when the store was asked, not when it answered. */
  renewed(askedAtMs: number): void;
  /** Nobody knows whether it was given back: the store is asked before anything else is done. */
  doubt(): void;
  lose(): void;
}

const tries = 3;

/** A lease that was just claimed. In a store of one process it ends only when it is given back. */
export function createLease(
  context: Pick<RuntimeContext, "store" | "clock" | "timing">,
  owner: string,
  claimed: { readonly claim: Claim; readonly askedAtMs: number },
): HeldLease {
  const { store, clock, timing } = context;
  const lost = new AbortController();
  let sinceMs = claimed.askedAtMs;
  let untilMs = sinceMs + timing.leaseMs;
  let doubtedAtMs = -Infinity;
  let renewal: Promise<void> | undefined;

  /** A clock that was set back says nothing about how much time has passed. */
  function lasts(durationMs: number): boolean {
    const nowMs = clock.now();
    return !store.isShared || (nowMs >= sinceMs && nowMs + durationMs <= untilMs);
  }

  async function renew(): Promise<void> {
    const askedAtMs = clock.now();
    const [isLost] = await store.renew([claimed.claim], owner, timing.leaseMs, askedAtMs);
    if (isLost === undefined) lease.renewed(askedAtMs);
    else lease.lose();
  }

  const lease: HeldLease = {
    conversation: claimed.claim.conversation,
    signal: lost.signal,
    async hold(durationMs) {
      for (let attempt = 0; attempt < tries; attempt += 1) {
        if (lost.signal.aborted) throw new LeaseLostError();
        if (lasts(durationMs)) return;
        renewal ??= renew().finally(() => (renewal = undefined));
        await renewal;
      }
      if (lost.signal.aborted) throw new LeaseLostError();
      if (!lasts(durationMs)) throw tooSlow();
    },
    renewed(askedAtMs) {
      // The answer to a question from before it was perhaps given back says nothing; nor does a clock that was set back since.
      if (askedAtMs < doubtedAtMs && clock.now() >= doubtedAtMs) return;
      doubtedAtMs = -Infinity;
      sinceMs = askedAtMs;
      untilMs = askedAtMs + timing.leaseMs;
    },
    doubt() {
      untilMs = -Infinity;
      doubtedAtMs = clock.now();
    },
    lose() {
      lost.abort(new LeaseLostError());
    },
  };
  return lease;
}

/**
 * A fence cannot stop a call at a vendor, so each has to end within the lease it was made under. Leases are renewed after a third
 * of their time; what is left then is what a call may take.
 *
 * @throws InvalidConfigError
 */
export function checkLeaseTime({ callTimeoutMs, leaseMs }: Pick<Timing, "callTimeoutMs" | "leaseMs">): void {
  if (callTimeoutMs * 3 <= leaseMs * 2) return;
  const message = `must be at least one and a half times callTimeoutMs (${callTimeoutMs}): where several instances share a store, a call has to end before another one takes over`;
  throw new InvalidConfigError({ subject: "timing", issues: [{ path: ["leaseMs"], message }], cause: undefined });
}

function tooSlow(): RuntimeError {
  const message = "The store answers too slowly to work on a conversation. Look at its load; a longer leaseMs helps for a while.";
  return new RuntimeError("STORE_FAILED", message, { isRetryable: true });
}
