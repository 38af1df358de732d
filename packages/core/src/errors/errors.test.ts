import { describe, expect, it } from "vitest";
import { formatPath, InvalidConfigError } from "./invalid-config-error.ts";
import { HandoverError, hasMarker } from "./handover-error.ts";
import { PluginLoadingError, ProviderNotRegisteredError } from "./plugin-errors.ts";
import {
  AuthenticationError,
  ConversationGoneError,
  ProviderApiError,
  RateLimitedError,
  StateIncompatibleError,
  UnavailableError,
  UnsupportedError,
} from "./provider-errors.ts";
import { WebhookRefusedError } from "./webhook-refused-error.ts";

type ErrorClass = (new (options: never) => HandoverError) & { isInstance(value: unknown): boolean };

const options = { message: "What happened. What to do." };
const samples: readonly (readonly [file: string, errorClass: ErrorClass, options: unknown])[] = [
  ["handover-error", HandoverError, { code: "ANY", ...options }],
  ["invalid-config-error", InvalidConfigError, { subject: "x", issues: [] }],
  ["plugin-errors", PluginLoadingError, []],
  ["plugin-errors", ProviderNotRegisteredError, { provider: "x", registered: [] }],
  ["provider-errors", ProviderApiError, options],
  ["provider-errors", AuthenticationError, options],
  ["provider-errors", RateLimitedError, options],
  ["provider-errors", UnavailableError, options],
  ["provider-errors", ConversationGoneError, options],
  ["provider-errors", UnsupportedError, options],
  ["provider-errors", StateIncompatibleError, options],
  ["webhook-refused-error", WebhookRefusedError, { status: 401, code: "WRONG_SIGNATURE", ...options }],
];

/** Loads the module again, as a second installed copy of the package would be. */
async function secondCopyOf(errorClass: ErrorClass, file: string): Promise<ErrorClass> {
  const module = (await import(`./${file}.ts?copy=2`)) as Record<string, ErrorClass>;
  return module[errorClass.name]!;
}

describe("recognising errors", () => {
  it.each(samples)("should recognise the class of a second copy of the package (%s: %o)", async (file, errorClass, sample) => {
    const copy = await secondCopyOf(errorClass, file);
    expect(copy).not.toBe(errorClass);
    const foreign = new copy(sample as never);
    expect(foreign).not.toBeInstanceOf(errorClass);
    expect(errorClass.isInstance(foreign)).toBe(true);
    expect(HandoverError.isInstance(foreign)).toBe(true);
    expect(copy.isInstance(new errorClass(sample as never))).toBe(true);
  });

  it.each(samples)("should tell each class from all others (%s: %o)", (_, errorClass, sample) => {
    const error = new errorClass(sample as never);
    for (const [, other] of samples) expect(other.isInstance(error), other.name).toBe(error instanceof other);
  });

  it("should recognise nothing else", () => {
    const values = [undefined, null, "text", 7, {}, new Error("x"), { code: "ANY", name: "HandoverError", isRetryable: true }];
    for (const value of values) for (const [, errorClass] of samples) expect(errorClass.isInstance(value)).toBe(false);
    expect(hasMarker({ [Symbol.for("handover.error")]: "yes" }, Symbol.for("handover.error"))).toBe(false);
  });

  it.each(samples)("should be an Error with a name, a stable code and a stack (%s: %o)", (_, errorClass, sample) => {
    const error = new errorClass(sample as never);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(errorClass.name);
    expect(error.code).toMatch(/^[A-Z][A-Z_]+$/);
    expect(error.stack).toContain("errors.test.ts");
  });
});

describe("what an error says about what to do", () => {
  const plan = ({ code, effect, isRetryable, outcome, retryAfterMs }: HandoverError) => ({
    code,
    effect,
    isRetryable,
    outcome,
    retryAfterMs,
  });

  it("should stop one message, for good, with nothing done, unless it says otherwise", () => {
    const expected = { code: "ANY", effect: "message", isRetryable: false, outcome: "not-applied", retryAfterMs: undefined };
    expect(plan(new HandoverError({ code: "ANY", ...options }))).toEqual(expected);
  });

  it.each([
    [AuthenticationError, "AUTHENTICATION_FAILED", "connection", true],
    [RateLimitedError, "RATE_LIMITED", "connection", true],
    [ProviderApiError, "VENDOR_CALL_FAILED", "message", false],
    [UnavailableError, "UNAVAILABLE", "handover", false],
    [ConversationGoneError, "CONVERSATION_GONE", "handover", false],
    [UnsupportedError, "UNSUPPORTED", "message", false],
    [StateIncompatibleError, "STATE_INCOMPATIBLE", "handover", false],
  ] as const)("should have the defaults of its class: %o", (errorClass, code, effect, isRetryable) => {
    expect(plan(new errorClass(options))).toEqual({ code, effect, isRetryable, outcome: "not-applied", retryAfterMs: undefined });
  });

  it("should take what the vendor said, except for the code of an unreadable state", () => {
    const said = {
      ...options,
      code: "ACCOUNT_SUSPENDED",
      isRetryable: false,
      effect: "handover",
      outcome: "unknown",
      retryAfterMs: 0,
    } as const;
    const error = new AuthenticationError({ ...said, status: 401, vendorCode: "40102", vendorReferenceId: "ref-1" });
    expect(plan(error)).toEqual({ code: "ACCOUNT_SUSPENDED", isRetryable: false, effect: "handover", outcome: "unknown", retryAfterMs: 0 });
    expect(error).toMatchObject({ status: 401, vendorCode: "40102", vendorReferenceId: "ref-1" });
    expect(new StateIncompatibleError({ ...options, code: "OTHER" } as typeof options).code).toBe("STATE_INCOMPATIBLE");
  });

  it.each([
    [400, false],
    [401, false],
    [413, false],
    [503, true],
  ] as const)("should let the vendor try a refused webhook again only when it could not be checked: %i", (status, isRetryable) => {
    expect(new WebhookRefusedError({ status, code: "REFUSED", ...options })).toMatchObject({ status, isRetryable, code: "REFUSED" });
  });

  it("should keep the cause, whatever it is, and have none when there is none", () => {
    for (const cause of [new TypeError("socket closed"), null, "text", 0]) {
      expect(new ProviderApiError({ ...options, cause }).cause).toBe(cause);
    }
    expect("cause" in new ProviderApiError(options)).toBe(false);
  });
});

describe("naming the place of a problem", () => {
  it.each([
    [[], "(root)"],
    [["baseUrl"], "baseUrl"],
    [["endpoints", 0, "token"], "endpoints[0].token"],
    [[0, "token"], "[0].token"],
    [["matrix", 1, 2], "matrix[1][2]"],
  ])("should write %j as %s", (path, text) => {
    expect(formatPath(path)).toBe(text);
  });
});
