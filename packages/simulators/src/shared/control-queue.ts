import { readObject, readOptionalWholeNumber } from "./control-input.ts";

/** What the queue says of whoever waits. */
export interface QueueSettings {
  readonly position?: number;
  readonly estimatedWaitMs?: number;
}

export function readQueue(input: unknown): QueueSettings {
  const fields = readObject(input, ["position", "estimatedWaitMs"]);
  const position = readOptionalWholeNumber(fields, "position", { min: 1, max: 1_000_000 });
  const estimatedWaitMs = readOptionalWholeNumber(fields, "estimatedWaitMs", { min: 0, max: 86_400_000 });
  return { ...(position === undefined ? {} : { position }), ...(estimatedWaitMs === undefined ? {} : { estimatedWaitMs }) };
}
