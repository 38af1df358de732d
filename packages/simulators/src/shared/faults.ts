import { badInput } from "./control-error.ts";
import { readObject, readOptionalBoolean, readOptionalRate, readOptionalText, readOptionalWholeNumber } from "./control-input.ts";
import { createRandom } from "./random.ts";

/** What goes wrong on purpose; every field is optional, `{}` means that nothing does. */
export interface Faults {
  /** How long a vendor API call waits before anything is done. */
  readonly latencyMs?: number;
  /** Share of vendor API calls that are answered with `status` (500 when left out) before anything is done. */
  readonly failRate?: number;
  readonly status?: number;
  /** The header `Retry-After` of the answers that `failRate` makes; none when left out. */
  readonly retryAfterSeconds?: number;
  /** Another body than the vendor's own for that status: `empty`, `html`, or a shape that the vendor's simulator names. */
  readonly errorBody?: string;
  /** Share of vendor API calls that are carried out and then lose their connection instead of being answered. */
  readonly loseAnswerRate?: number;
  /** Share of webhooks that are sent twice. */
  readonly duplicateWebhookRate?: number;
  /** Webhooks of a conversation that come up within 100 ms leave newest first. */
  readonly reorderWebhooks?: boolean;
  /** Share of webhooks that are never sent. */
  readonly dropWebhookRate?: number;
  readonly delayWebhooksMs?: number;
  /** For vendors that rotate signature keys: setting it takes a new key into use. The others accept and ignore it. */
  readonly rotateKeys?: boolean;
  /** Narrows the faults of calls: method and end of the path, `*` for any segment: `POST /conversations`, `GET /contacts/*`. */
  readonly only?: string;
  /** After so many calls and webhooks were hit, no more are. */
  readonly times?: number;
  /** Makes the dice fall the same way each time. */
  readonly seed?: number;
}

export interface CallFault {
  readonly latencyMs: number;
  readonly failWith?: { readonly status: number; readonly retryAfterSeconds?: number; readonly errorBody?: string };
  readonly loseAnswer: boolean;
}

export interface WebhookFault {
  readonly isDropped: boolean;
  readonly isDuplicated: boolean;
  readonly isReordered: boolean;
  readonly delayMs: number;
}

export interface FaultPlan {
  set(input: unknown): Faults;
  get(): Faults;
  forCall(method: string, path: string): CallFault;
  forWebhook(): WebhookFault;
}

const knownKeys = [
  "latencyMs",
  "failRate",
  "status",
  "retryAfterSeconds",
  "errorBody",
  "loseAnswerRate",
  "duplicateWebhookRate",
  "reorderWebhooks",
  "dropWebhookRate",
  "delayWebhooksMs",
  "rotateKeys",
  "only",
  "times",
  "seed",
] as const;

const minute = { min: 0, max: 60_000 };

function parseFaults(input: unknown, errorBodies: readonly string[]): Faults {
  const fields = readObject(input, knownKeys);
  const only = readOptionalText(fields, "only");
  if (only !== undefined && !/^([A-Z]+|\*) \/\S*$/.test(only)) {
    throw badInput('"only" must be a method and the end of a path, for example "POST /conversations".');
  }
  const errorBody = readOptionalText(fields, "errorBody");
  if (errorBody !== undefined && !errorBodies.includes(errorBody)) throw badInput(`"errorBody" must be one of ${errorBodies.join(", ")}.`);
  const faults = {
    latencyMs: readOptionalWholeNumber(fields, "latencyMs", minute),
    failRate: readOptionalRate(fields, "failRate"),
    status: readOptionalWholeNumber(fields, "status", { min: 400, max: 599 }),
    retryAfterSeconds: readOptionalWholeNumber(fields, "retryAfterSeconds", { min: 0, max: 3600 }),
    errorBody,
    loseAnswerRate: readOptionalRate(fields, "loseAnswerRate"),
    duplicateWebhookRate: readOptionalRate(fields, "duplicateWebhookRate"),
    reorderWebhooks: readOptionalBoolean(fields, "reorderWebhooks"),
    dropWebhookRate: readOptionalRate(fields, "dropWebhookRate"),
    delayWebhooksMs: readOptionalWholeNumber(fields, "delayWebhooksMs", minute),
    rotateKeys: readOptionalBoolean(fields, "rotateKeys"),
    only,
    times: readOptionalWholeNumber(fields, "times", { min: 1, max: 1_000_000 }),
    seed: readOptionalWholeNumber(fields, "seed", { min: 0, max: 4_294_967_295 }),
  };
  return Object.fromEntries(Object.entries(faults).filter(([, value]) => value !== undefined));
}

export function createFaultPlan(vendorErrorBodies: readonly string[] = []): FaultPlan {
  const errorBodies = ["empty", "html", ...vendorErrorBodies];
  let faults: Faults = {};
  let remaining = Infinity;
  let random = Math.random;
  const happens = (rate: number | undefined): boolean => rate !== undefined && rate > 0 && random() < rate;

  return {
    set(input) {
      faults = parseFaults(input, errorBodies);
      remaining = faults.times ?? Infinity;
      random = faults.seed === undefined ? Math.random : createRandom(faults.seed);
      return faults;
    },
    get: () => faults,
    forCall(method, path) {
      if (remaining <= 0 || !matches(faults.only, method, path)) return { latencyMs: 0, loseAnswer: false };
      const latencyMs = faults.latencyMs ?? 0;
      const hasFailed = happens(faults.failRate);
      const loseAnswer = !hasFailed && happens(faults.loseAnswerRate);
      if (latencyMs > 0 || hasFailed || loseAnswer) remaining -= 1;
      if (!hasFailed) return { latencyMs, loseAnswer };
      const { status = 500, retryAfterSeconds, errorBody } = faults;
      const extras = {
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
        ...(errorBody === undefined ? {} : { errorBody }),
      };
      return { latencyMs, loseAnswer, failWith: { status, ...extras } };
    },
    forWebhook() {
      if (remaining <= 0) return { isDropped: false, isDuplicated: false, isReordered: false, delayMs: 0 };
      const isDropped = happens(faults.dropWebhookRate);
      const isDuplicated = !isDropped && happens(faults.duplicateWebhookRate);
      const isReordered = faults.reorderWebhooks === true;
      const delayMs = faults.delayWebhooksMs ?? 0;
      if (isDropped || isDuplicated || isReordered || delayMs > 0) remaining -= 1;
      return { isDropped, isDuplicated, isReordered, delayMs };
    },
  };
}

function matches(only: string | undefined, method: string, path: string): boolean {
  if (only === undefined) return true;
  const [wantedMethod = "*", pattern = "/"] = only.split(" ");
  if (wantedMethod !== "*" && wantedMethod !== method) return false;
  const wanted = pattern.split("/").filter(Boolean);
  const segments = path
    .split("/")
    .filter(Boolean)
    .slice(-wanted.length || undefined);
  return wanted.length <= segments.length && wanted.every((segment, index) => segment === "*" || segment === segments[index]);
}
