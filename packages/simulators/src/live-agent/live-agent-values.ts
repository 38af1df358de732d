import type { JsonObject } from "./live-agent-state.ts";

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The product takes `7` and `"7"` alike. */
export function toId(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

export function toText(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

export function toFlag(value: unknown): boolean {
  return value === true || value === "true" || value === 1 || value === "1";
}

export function toUnix(timeMs: number): number {
  return Math.floor(timeMs / 1000);
}

export function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** A positive page number; anything else is the first page. */
export function toPage(value: unknown): number {
  return Math.max(1, toId(value) ?? 1);
}

export function pageOf<Item>(items: readonly Item[], page: number, size: number): Item[] {
  return items.slice((page - 1) * size, page * size);
}
