import { badRequest } from "./eightbyeight-errors.ts";
import { parseFilter, valuesAt } from "./eightbyeight-filter.ts";
import type { JsonObject } from "./eightbyeight-state.ts";

const defaultSize = 20;

export interface ListOptions {
  /** The key inside `_embedded`. */
  readonly plural: string;
  readonly path: string;
  readonly query: JsonObject;
  /** Default `id:asc`. */
  readonly defaultSort?: string;
  readonly hasFilter?: boolean;
}

/** One page in HAL form. An empty page has no `_embedded`, as is the habit of HAL. */
export function listPage(items: readonly JsonObject[], options: ListOptions): JsonObject {
  const { plural, path, query, defaultSort = "id:asc", hasFilter = true } = options;
  const size = readNumber(query["size"], "size", 1, defaultSize);
  const number = readNumber(query["page"], "page", 0, 0);
  const filter = hasFilter && typeof query["filter"] === "string" ? parseFilter(query["filter"]) : () => true;
  const found = sortBy(
    items.filter((item) => filter(item)),
    typeof query["sort"] === "string" ? query["sort"] : defaultSort,
  );
  const shown = found.slice(number * size, (number + 1) * size);
  return {
    ...(shown.length > 0 ? { _embedded: { [plural]: shown } } : {}),
    _links: { self: { href: path } },
    page: { size, number, totalElements: found.length, totalPages: Math.ceil(found.length / size) },
  };
}

/** A list without pages. */
export function listAll(items: readonly JsonObject[], plural: string, path: string): JsonObject {
  return { ...(items.length > 0 ? { _embedded: { [plural]: items } } : {}), _links: { self: { href: path } } };
}

/** Members that are equal keep the order in which they came, or its reverse. */
function sortBy(items: readonly JsonObject[], sort: string): JsonObject[] {
  const [field = "", direction = "asc"] = sort.split(":");
  if (!/^[\w.]+$/.test(field) || (direction !== "asc" && direction !== "desc")) {
    throw badRequest("invalid_sort", "Sort by a field and asc or desc.");
  }
  const keyOf = (item: JsonObject): string => valuesAt(item, field.split("."))[0] ?? "";
  const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  if (direction === "asc") return [...items].sort((left, right) => compare(keyOf(left), keyOf(right)));
  return [...items].reverse().sort((left, right) => compare(keyOf(right), keyOf(left)));
}

function readNumber(value: unknown, name: string, min: number, missing: number): number {
  if (value === undefined) return missing;
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : -1;
  if (number < min) throw badRequest("invalid_parameter", `The parameter ${name} must be a whole number from ${min}.`);
  return number;
}
