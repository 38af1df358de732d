import { afterEach, beforeEach, expect, it } from "vitest";
import { aProvider } from "../__fixtures__/a-provider.ts";
import { createInstallation, providerSource, type Installation } from "../__fixtures__/installation.ts";
import { ProviderNotRegisteredError } from "../errors/plugin-errors.ts";
import { loadPlugins } from "./load-plugins.ts";
import { createPluginRegistry, type PluginRegistry } from "./plugin-registry.ts";

const world = globalThis as { handoverLoadedPlugins?: string[] };
let operator: Installation;

beforeEach(() => {
  operator = createInstallation();
  world.handoverLoadedPlugins = [];
});

afterEach(() => {
  operator.remove();
  delete world.handoverLoadedPlugins;
});

function refusalOf(registry: PluginRegistry, name: string): ProviderNotRegisteredError {
  try {
    registry.get(name);
  } catch (error) {
    if (ProviderNotRegisteredError.isInstance(error)) return error;
    throw error;
  }
  return expect.unreachable(`"${name}" was selected`);
}

it("should select a loaded provider by its own name, whatever its package is called", async () => {
  operator.install("@acme/desk-connector", providerSource("acme-desk"));
  const registry = await loadPlugins({ plugins: ["@acme/desk-connector"], from: operator.config });
  expect(registry.has("acme-desk")).toBe(true);
  expect(registry.get("acme-desk").name).toBe("acme-desk");
  expect(registry.has("@acme/desk-connector")).toBe(false);
});

it("should refuse a path and an installed but unlisted package, and load no module for them [F116 registry part]", async () => {
  operator.install("handover-provider-listed", providerSource("listed"));
  operator.install("handover-provider-unlisted", providerSource("unlisted"));
  operator.write("evil.js", providerSource("evil"));
  operator.write("later.js", providerSource("later"));
  const registry = await loadPlugins({ plugins: ["listed"], from: operator.config });
  const names = ["../../evil", "./evil.js", `${operator.folder}/evil.js`, "unlisted", "handover-provider-unlisted", "node:fs", ""];
  for (const name of names) {
    expect(refusalOf(registry, name)).toMatchObject({ code: "PROVIDER_NOT_REGISTERED", effect: "connection" });
    expect(registry.has(name)).toBe(false);
  }
  // An import that was started by now comes before one that is started later.
  await loadPlugins({ plugins: ["./later.js"], from: operator.config });
  expect(world.handoverLoadedPlugins).toEqual(["listed", "later"]);
});

it("should know no names that every object has", () => {
  const registry = createPluginRegistry([{ provider: aProvider(), plugin: "(object)" }]);
  for (const name of ["__proto__", "constructor", "toString"]) expect(registry.has(name)).toBe(false);
});

it("should name the loaded providers and the one that was probably meant", () => {
  const plugins = ["live-agent", "liveperson", "eightbyeight"].map((name) => ({ provider: aProvider({ name }), plugin: name }));
  const registry = createPluginRegistry(plugins);
  expect(refusalOf(registry, "livperson").message).toBe(
    'No provider "livperson" is loaded. Loaded: live-agent, liveperson, eightbyeight. Did you mean "liveperson"?',
  );
  expect(refusalOf(registry, "eightByEight").message).toContain('Did you mean "eightbyeight"?');
  expect(refusalOf(registry, "genesys").message).toContain('Add it to "plugins" in the configuration and install its package.');
});

it("should say that nothing is loaded", () => {
  expect(refusalOf(createPluginRegistry([]), "live-agent").message).toContain("Loaded: none.");
});
