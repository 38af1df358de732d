import type { Json } from "@handover/core";

/** What a value may be replaced by: anything, or only another value of the same kind. */
export type MutationKind = "anything" | "same-type";

/**
 * The value with one thing changed at a time: a key missing, a text or a number that nobody has heard of, and, with `anything`,
 * null and other types. What a newer, older or half broken vendor could send.
 *
 * @param maximum how many at most, evenly spread over the value
 */
export function mutationsOf(value: Json, kind: MutationKind, maximum: number): Json[] {
  const all = changes(value, kind);
  const step = Math.max(1, all.length / maximum);
  return Array.from({ length: Math.min(all.length, maximum) }, (_, index) => all[Math.floor(index * step)] ?? null);
}

function changes(value: Json, kind: MutationKind): Json[] {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return items.flatMap((item, index) =>
      [...replacements(item, kind), ...changes(item, kind)].map((changed) =>
        items.map((other, place) => (place === index ? changed : other)),
      ),
    );
  }
  if (typeof value !== "object" || value === null) return [];
  const fields = value as Readonly<Record<string, Json | undefined>>;
  return Object.entries(fields).flatMap(([key, inner = null]) => {
    const { [key]: _missing, ...rest } = fields;
    const changed = [...replacements(inner, kind), ...changes(inner, kind)];
    return [rest, ...changed.map((other): Json => ({ ...fields, [key]: other }))];
  });
}

function replacements(value: Json, kind: MutationKind): Json[] {
  const others: Json[] = [null, "never-heard-of", -1, true, {}, []];
  const allowed = kind === "anything" ? others : others.filter((other) => typeof other === typeof value && typeof other !== "object");
  return allowed.filter((other) => JSON.stringify(other) !== JSON.stringify(value));
}
