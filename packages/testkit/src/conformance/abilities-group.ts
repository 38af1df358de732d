import { describeSettings, InvalidConfigError, isHandoverProvider, parseConfig } from "@handover/core";
import { expect } from "vitest";
import { abilityNames } from "../abilities.ts";
import { test, type DrivenTest, type Suite } from "./suite.ts";

/** The provider object itself: shape, settings, and exactly the abilities that it declares. */
export function abilitiesTests({ options, shape }: Suite): readonly DrivenTest[] {
  const isThere = (name: string): boolean => typeof (shape as unknown as Record<string, unknown>)[name] === "function";
  return [
    test("should be a provider of a known specification version", async () => {
      expect(isHandoverProvider(options.provider)).toBe(true);
    }),
    test("should have every ability that it declares", async () => {
      expect(options.abilities.filter((name) => !isThere(name))).toEqual([]);
    }),
    test("should have no ability that it does not declare [F117 part: nothing is announced that is not tested]", async () => {
      expect(abilityNames.filter((name) => isThere(name) && !options.abilities.includes(name))).toEqual([]);
    }),
    test("should know the account that its ids belong to [F087 part: the scope of ids]", async () => {
      expect(shape.accountKey).not.toBe("");
    }),
    test("should refuse settings with an unknown key and name it [F167 part: at load]", async () => {
      const settings = { ...(options.settings as object), conformanceTypo: 1 };
      const error = catchError(() => parseConfig(options.provider.settings, settings, options.name));
      expect(InvalidConfigError.isInstance(error) && error.message).toContain("conformanceTypo");
    }),
    test("should describe settings and options as JSON Schema", async () => {
      const { settings, options: perHandover } = describeSettings(options.provider);
      expect(settings).toHaveProperty("properties");
      expect(perHandover).toBeTypeOf("object");
    }),
  ];
}

function catchError(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
