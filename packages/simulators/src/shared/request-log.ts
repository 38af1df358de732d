/** One call of the vendor's API as it arrived, with its secrets masked. */
export interface LoggedRequest {
  readonly at: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What it was answered with; none while it runs, or when the answer was lost on purpose. */
  readonly status?: number;
  readonly isAnswerLost?: boolean;
}

export type OpenRequest = { -readonly [Key in keyof LoggedRequest]: LoggedRequest[Key] };

export interface RequestLog {
  add(request: OpenRequest): OpenRequest;
  list(): readonly LoggedRequest[];
  clear(): void;
}

const keptRequests = 1000;
const longestBody = 16_384;
const secretName = /token|secret|password|api[-_]?key|authorization|cookie|^signature$/i;
const secretParameter = /([?&][\w-]*(?:token|secret|password|api[-_]?key|auth|signature)[\w-]*=)[^&\s#]+/gi;

export function createRequestLog(): RequestLog {
  let requests: OpenRequest[] = [];
  return {
    add(request) {
      requests.push(request);
      if (requests.length > keptRequests) requests = requests.slice(-keptRequests);
      return request;
    },
    list: () => requests.map((request) => ({ ...request })),
    clear: () => void (requests = []),
  };
}

export function maskHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretName.test(name) ? "***" : Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
}

/**
 * A copy of a JSON value in which everything that has the name of a secret is `***`: values of keys, of `{key, value}` pairs, and of
 * parameters of addresses. A very long one is left out.
 */
export function maskBody(body: unknown): unknown {
  if (body === undefined) return undefined;
  const text = JSON.stringify(body, (key, value: unknown) => (secretName.test(key) ? "***" : maskValue(value)));
  return text.length > longestBody ? `(${text.length} characters)` : (JSON.parse(text) as unknown);
}

function maskValue(value: unknown): unknown {
  if (typeof value === "string") return value.replace(secretParameter, "$1***");
  if (typeof value !== "object" || value === null || !("key" in value) || !("value" in value)) return value;
  return typeof value.key === "string" && secretName.test(value.key) ? { ...value, value: "***" } : value;
}
