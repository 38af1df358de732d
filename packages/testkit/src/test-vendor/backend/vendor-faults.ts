/** What goes wrong on purpose. Every field is optional; `{}` means that nothing does. */
export interface TestVendorFaults {
  /** How long a call of the API waits before anything is done. */
  readonly latencyMs?: number;
  /** Share of calls that are answered with `status` (500 when left out) before anything is done. */
  readonly failRate?: number;
  readonly status?: number;
  /** Sent with `status` as `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Share of calls that are carried out and then lose their connection. */
  readonly loseAnswerRate?: number;
  /** The answer of a create call waits until the webhook of its first event was delivered. */
  readonly eventBeforeStartAnswer?: boolean;
  readonly duplicateWebhookRate?: number;
  /** Webhooks leave in pairs, the later one first. */
  readonly reorderWebhooks?: boolean;
  readonly dropWebhookRate?: number;
  readonly delayWebhooksMs?: number;
  /** Narrows call faults to method and path, `:` for one segment: `POST /conversations`, `POST /conversations/:/messages`. */
  readonly only?: string;
  /** After so many calls and webhooks were hit, no more are. */
  readonly times?: number;
  /** Makes the dice fall the same way each time. Default 1. */
  readonly seed?: number;
}

/** What becomes of one call. */
export interface CallFault {
  readonly latencyMs: number;
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  readonly losesAnswer: boolean;
}

/** What becomes of one webhook. */
export interface WebhookFault {
  readonly isDropped: boolean;
  readonly isDuplicated: boolean;
}

/** Decides by the current faults. */
export interface FaultPlan {
  faults(): TestVendorFaults;
  set(faults: TestVendorFaults): void;
  forCall(method: string, path: string): CallFault;
  forWebhook(): WebhookFault;
}

/** Makes a plan without faults. */
export function createFaultPlan(): FaultPlan {
  let faults: TestVendorFaults = {};
  let roll = createDice(1);
  let left = Infinity;

  const hits = (rate: number | undefined): boolean => {
    if (!rate || left <= 0 || roll() >= rate) return false;
    left -= 1;
    return true;
  };

  return {
    faults: () => faults,
    set(next) {
      faults = next;
      roll = createDice(next.seed ?? 1);
      left = next.times ?? Infinity;
    },
    forCall(method, path) {
      if (faults.only && !matches(faults.only, method, path)) return { latencyMs: 0, losesAnswer: false };
      const fails = hits(faults.failRate);
      return {
        latencyMs: faults.latencyMs ?? 0,
        losesAnswer: !fails && hits(faults.loseAnswerRate),
        ...(fails ? { status: faults.status ?? 500 } : {}),
        ...(fails && faults.retryAfterSeconds !== undefined ? { retryAfterSeconds: faults.retryAfterSeconds } : {}),
      };
    },
    forWebhook: () => ({ isDropped: hits(faults.dropWebhookRate), isDuplicated: hits(faults.duplicateWebhookRate) }),
  };
}

function matches(only: string, method: string, path: string): boolean {
  const [wantedMethod, wantedPath = ""] = only.split(" ");
  const wanted = wantedPath.split("/");
  const actual = path.split("/");
  return (
    wantedMethod === method && wanted.length === actual.length && wanted.every((part, index) => part === ":" || part === actual[index])
  );
}

/** A small linear congruential generator: the same seed gives the same numbers from 0 up to 1. */
function createDice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
