import { expect, it } from "vitest";
import { z } from "zod";
import { aProvider } from "./__fixtures__/a-provider.ts";
import { StateIncompatibleError } from "./errors/provider-errors.ts";
import { packState, unpackState, type StoredState } from "./state.ts";

const secondRelease = aProvider({
  name: "acme",
  state: {
    version: 2,
    schemas: {
      1: z.strictObject({ ticket: z.string() }).transform(({ ticket }) => ({ conversationId: ticket, agents: [] as string[] })),
      2: z.strictObject({ conversationId: z.string(), agents: z.array(z.string()) }),
    },
  },
});
const firstRelease = aProvider({ name: "acme", state: { version: 1, schemas: { 1: z.strictObject({ ticket: z.string() }) } } });

const stored = (state: StoredState): StoredState => JSON.parse(JSON.stringify(state)) as StoredState;

function refusalOf(state: StoredState): StateIncompatibleError {
  try {
    unpackState(secondRelease, state);
  } catch (error) {
    if (StateIncompatibleError.isInstance(error)) return error;
    throw error;
  }
  return expect.unreachable("the state was read");
}

it("should read back what it packed, with ids that look like numbers unchanged [F163 core part, F086 core part]", () => {
  const state = { conversationId: "9007199254740993", agents: ["0101"] };
  const packed = packState(secondRelease, state);
  expect(packed).toEqual({ provider: "acme", specificationVersion: "v1", version: 2, data: state });
  expect(unpackState(secondRelease, stored(packed))).toEqual(state);
});

it("should read the state of an earlier release in the newest shape [F163 core part]", () => {
  const packed = stored(packState(firstRelease, { ticket: "T-1" }));
  expect(unpackState(secondRelease, packed)).toEqual({ conversationId: "T-1", agents: [] });
});

it("should refuse the state of a newer release, and name both versions and the cure [F163 core part]", () => {
  const error = refusalOf({ provider: "acme", specificationVersion: "v1", version: 3, data: {} });
  expect(error).toMatchObject({ code: "STATE_INCOMPATIBLE", effect: "handover", isRetryable: false });
  expect(error.message).toContain("has version 3 (specification v1), this release reads 1, 2");
  expect(error.message).toContain("Install the release that wrote it, or a newer one.");
});

it("should refuse a state that was written under a newer specification [F163 core part]", () => {
  const error = refusalOf({ provider: "acme", specificationVersion: "v2", version: 2, data: { conversationId: "1", agents: [] } });
  expect(error.message).toContain("specification v2");
});

it("should refuse the state of another provider, and name both [F163 core part]", () => {
  const error = refusalOf(packState(aProvider({ name: "genesys" }), {}));
  expect(error).toMatchObject({ code: "STATE_INCOMPATIBLE", effect: "handover" });
  expect(error.message).toContain('belongs to the provider "genesys", not to "acme"');
});

it("should refuse a state of the right version and the wrong shape, without its content [F163 core part]", () => {
  const error = refusalOf({
    provider: "acme",
    specificationVersion: "v1",
    version: 2,
    data: { conversationId: "the user said", agents: 7 },
  });
  expect(error).toMatchObject({ code: "STATE_INCOMPATIBLE", effect: "handover" });
  expect(error.cause).toBeInstanceOf(z.ZodError);
  expect(`${error.message} ${String(error.cause)}`).not.toContain("the user said");
});
