import type { Json } from "@handover/core";

/** What instances tell each other. `from` is the instance: it has told its own listeners already. */
export type Hint =
  { readonly from: string; readonly changed: readonly string[] } | { readonly from: string; readonly topic: string; readonly data: Json };

/** `NOTIFY` takes less than 8,000 bytes. */
const maximumBytes = 7_900;

/** The text of a hint; `undefined` when it is too long. */
export function hintText(hint: Hint): string | undefined {
  const text = JSON.stringify(hint);
  return Buffer.byteLength(text) <= maximumBytes ? text : undefined;
}

/** As few hints as it takes. A key that is too long for one is left out: whoever waits for it polls. */
export function changedTexts(from: string, keys: Iterable<string>): readonly string[] {
  const texts: string[] = [];
  let batch: string[] = [];
  let bytes = 0;
  const emptyBytes = Buffer.byteLength(JSON.stringify({ from, changed: [] }));
  const finish = () => {
    if (batch.length > 0) texts.push(JSON.stringify({ from, changed: batch }));
    batch = [];
    bytes = emptyBytes;
  };
  finish();
  for (const key of keys) {
    const keyBytes = Buffer.byteLength(JSON.stringify(key)) + 1;
    if (emptyBytes + keyBytes > maximumBytes) continue;
    if (bytes + keyBytes > maximumBytes) finish();
    batch.push(key);
    bytes += keyBytes;
  }
  finish();
  return texts;
}

/** `undefined` for what is no hint: everybody who may connect to the database may write to the channel. */
export function parseHint(text: string): Hint | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<"from" | "changed" | "topic" | "data", Json>> | null;
    if (typeof value?.from !== "string") return undefined;
    const { from, changed, topic, data } = value;
    if (Array.isArray(changed)) return { from, changed: changed.filter((key) => typeof key === "string") };
    return typeof topic === "string" && data !== undefined ? { from, topic, data } : undefined;
  } catch {
    return undefined;
  }
}
