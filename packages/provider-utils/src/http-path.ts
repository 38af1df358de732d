import { HandoverError } from "@handover/core";

/** A path below a client's `baseUrl`. Made by `pathOf`, so that every value in it is encoded. */
export interface RequestPath {
  /** What is sent: `/conversations/a%2Fb/messages`. */
  readonly value: string;
  /** The same with `:` in place of each value, for error messages, logs and metrics: `/conversations/:/messages`. */
  readonly shape: string;
}

/**
 * Template tag for paths: percent-encodes each value as one segment.
 *
 * `` pathOf`/accounts/${accountId}/inboxes` ``
 *
 * @throws HandoverError `INVALID_PATH_VALUE` for `""`, `"."` and `".."`, which would name another resource
 */
export function pathOf(literals: TemplateStringsArray, ...values: readonly (string | number)[]): RequestPath {
  let value = literals[0] ?? "";
  let shape = value;
  values.forEach((segment, index) => {
    const literal = literals[index + 1] ?? "";
    value += encodeSegment(String(segment)) + literal;
    shape += `:${literal}`;
  });
  return { value, shape };
}

function encodeSegment(segment: string): string {
  if (segment === "" || segment === "." || segment === "..") {
    throw new HandoverError({
      code: "INVALID_PATH_VALUE",
      message: 'A value of a request path is empty, "." or "..". Check the ids in the settings and options.',
    });
  }
  return encodeURIComponent(segment);
}
