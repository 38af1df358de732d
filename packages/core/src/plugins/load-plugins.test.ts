import { execFile } from "node:child_process";
import { relative } from "node:path";
import { promisify } from "node:util";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aProvider } from "../__fixtures__/a-provider.ts";
import { createInstallation, providerSource, type Installation } from "../__fixtures__/installation.ts";
import { PluginLoadingError, type PluginProblem } from "../errors/plugin-errors.ts";
import type { HandoverProvider } from "../provider.ts";
import { loadPlugins, type PluginEntry } from "./load-plugins.ts";

let operator: Installation;
let host: Installation;

beforeEach(() => {
  operator = createInstallation();
  host = createInstallation();
});

afterEach(() => {
  operator.remove();
  host.remove();
});

const load = (...plugins: PluginEntry[]) => loadPlugins({ plugins, from: operator.config, hostFile: host.config });

async function problemsOf(...plugins: PluginEntry[]): Promise<readonly PluginProblem[]> {
  const error = await load(...plugins).then(
    () => expect.unreachable("the plugins were loaded"),
    (reason: unknown) => reason,
  );
  if (!PluginLoadingError.isInstance(error)) throw error;
  return error.problems;
}

async function problemOf(...plugins: PluginEntry[]): Promise<PluginProblem> {
  const problems = await problemsOf(...plugins);
  expect(problems).toHaveLength(1);
  return problems[0]!;
}

describe("where a plugin comes from", () => {
  it("should load a third-party package that is installed beside the configuration, by its short name", async () => {
    operator.install("handover-provider-acme-desk", providerSource("acme-desk"));
    const registry = await load("acme-desk");
    expect(registry.names).toEqual(["acme-desk"]);
    expect(registry.plugins[0]).toMatchObject({
      plugin: "acme-desk",
      file: `${operator.folder}/node_modules/handover-provider-acme-desk/index.js`,
    });
  });

  it("should prefer the project's own package to a third party's of the same short name", async () => {
    operator.install("@handover/desk", providerSource("ours"));
    operator.install("handover-provider-desk", providerSource("theirs"));
    expect((await load("desk")).names).toEqual(["ours"]);
  });

  it("should load a scoped package by its exact name", async () => {
    operator.install("@acme/handover-provider-genesys", providerSource("genesys"));
    expect((await load("@acme/handover-provider-genesys")).names).toEqual(["genesys"]);
  });

  it("should load a third-party package by its whole name, although that looks like a short one", async () => {
    operator.install("handover-provider-acme", providerSource("acme"));
    expect((await load("handover-provider-acme")).names).toEqual(["acme"]);
  });

  it("should load a CommonJS package", async () => {
    const source = providerSource("old").replace("export default", "module.exports =");
    operator.install("handover-provider-old", source, { type: "commonjs", exports: undefined, main: "index.js" });
    expect((await load("old")).names).toEqual(["old"]);
  });

  it("should load a file by a path relative to the configuration, by an absolute path, and by URL", async () => {
    const file = operator.write("plugins/mine.js", providerSource("mine"));
    const ways = ["./plugins/mine.js", file, pathToFileURL(file).href, "file:./plugins/mine.js"];
    for (const way of ways) expect((await load(way)).names, way).toEqual(["mine"]);
  });

  it("should take a folder, and one with a dot in its name, as the place of the configuration", async () => {
    operator.install("handover-provider-here", providerSource("here"));
    operator.write("bot.example.com/node_modules/handover-provider-there/index.js", providerSource("there"));
    operator.write("bot.example.com/node_modules/handover-provider-there/package.json", '{"type":"module","exports":"./index.js"}');
    operator.write("bot.example.com/mine.mjs", providerSource("mine"));
    expect((await loadPlugins({ plugins: ["here"], from: operator.folder })).names).toEqual(["here"]);
    const dotted = await loadPlugins({ plugins: ["there", "./mine.mjs"], from: `${operator.folder}/bot.example.com` });
    expect(dotted.names).toEqual(["there", "mine"]);
  });

  it("should take a relative path and a file URL as the place of the configuration", async () => {
    operator.install("handover-provider-acme", providerSource("acme"));
    for (const from of [relative(process.cwd(), operator.config), pathToFileURL(operator.config).href]) {
      expect((await loadPlugins({ plugins: ["acme"], from })).names, from).toEqual(["acme"]);
    }
  });

  it("should fall back to the host's own installation, after that of the operator", async () => {
    host.install("handover-provider-shipped", providerSource("shipped"));
    host.install("handover-provider-both", providerSource("of-the-host"));
    operator.install("handover-provider-both", providerSource("of-the-operator"));
    expect((await load("shipped", "both")).names).toEqual(["shipped", "of-the-operator"]);
  });

  it("should take a provider object as it is", async () => {
    const provider = aProvider({ name: "inline" });
    const registry = await load(provider);
    expect(registry.get("inline")).toBe(provider);
    expect(registry.plugins).toEqual([{ provider, plugin: "(object)" }]);
  });

  it("should keep the order of the list", async () => {
    operator.install("handover-provider-b", providerSource("b"));
    expect((await load(aProvider({ name: "c" }), "b", aProvider({ name: "a" }))).names).toEqual(["c", "b", "a"]);
  });
});

describe("a plugin that is not there [F171 loading part]", () => {
  it("should be called not found, with every package that was tried, from where, and the command", async () => {
    const problem = await problemOf("genesys");
    expect(problem).toMatchObject({ code: "PLUGIN_NOT_FOUND", plugin: "genesys" });
    expect(problem.message).toContain("@handover/genesys, handover-provider-genesys");
    expect(problem.message).toContain(operator.config);
    expect(problem.message).toContain(host.config);
    expect(problem.message).toContain("npm install @handover/genesys  or  npm install handover-provider-genesys");
  });

  it("should not guess other names for an exact one", async () => {
    operator.install("handover-provider-genesys", providerSource("genesys"));
    const problem = await problemOf("@acme/genesys");
    expect(problem.code).toBe("PLUGIN_NOT_FOUND");
    expect(problem.message).toContain("Tried @acme/genesys from");
    expect(problem.message).toContain("npm install @acme/genesys");
  });

  it("should be asked whether it is a file when its name looks like one", async () => {
    expect((await problemOf("plugins/mine.js")).message).toContain('write "./plugins/mine.js"');
    expect((await problemOf("mine.ts")).message).toContain('write "./mine.ts"');
  });

  it("should name the file that was tried", async () => {
    const problem = await problemOf("./plugins/mine.js");
    expect(problem.code).toBe("PLUGIN_NOT_FOUND");
    expect(problem.message).toContain(`${operator.folder}/plugins/mine.js`);
  });

  it("should be called not found where a path names a folder or a URL names no file", async () => {
    operator.write("plugins/mine.js", providerSource("mine"));
    expect(await problemOf("./plugins")).toMatchObject({
      code: "PLUGIN_NOT_FOUND",
      message: expect.stringContaining("is a folder") as string,
    });
    for (const path of ["file://elsewhere/mine.js", "./plugins/mine.js/index.js", `./${"long".repeat(2_000)}.js`, "./a\0.js"]) {
      expect(await problemOf(path)).toMatchObject({ code: "PLUGIN_NOT_FOUND" });
    }
  });
});

describe("a plugin that is there and cannot be loaded [F171 loading part]", () => {
  it("should be called failed when it throws, with its file and the cause", async () => {
    operator.install("handover-provider-broken", 'throw new Error("the licence file is missing\\nsecond line");');
    const problem = await problemOf("broken");
    expect(problem).toMatchObject({ code: "PLUGIN_LOAD_FAILED", plugin: "broken" });
    expect(problem.message).toContain(`${operator.folder}/node_modules/handover-provider-broken/index.js`);
    expect(problem.message).toContain("the licence file is missing. Fix the plugin");
    expect(problem.message).not.toContain("second line");
    expect((problem.cause as Error).message).toContain("the licence file is missing");
  });

  it.each(["throw null", "throw undefined", 'throw "a text"', "await Promise.reject(new Error())"])(
    "should be called failed whatever it throws: %s",
    async (source) => {
      operator.install("handover-provider-broken", `${source};`);
      expect(await problemOf("broken")).toMatchObject({ code: "PLUGIN_LOAD_FAILED" });
    },
  );

  it("should be called failed, not missing, when it has a syntax error", async () => {
    operator.install("handover-provider-broken", "export default {\n");
    const problem = await problemOf("broken");
    expect(problem.code).toBe("PLUGIN_LOAD_FAILED");
    expect(problem.message).toContain("handover-provider-broken/index.js");
    expect(problem.message).not.toMatch(/not (installed|found)/);
    expect(problem.cause).toBeInstanceOf(SyntaxError);
  });

  it("should be called failed, not missing, when something that it needs is missing", async () => {
    operator.install("handover-provider-needy", 'import "@acme/sdk/client";\nexport default {};');
    const problem = await problemOf("needy");
    expect(problem.code).toBe("PLUGIN_LOAD_FAILED");
    expect(problem.message).toContain("Install what it needs: npm install @acme/sdk");
    expect(problem.message).not.toContain("needy is not installed");
    expect(problem.cause).toMatchObject({ code: "ERR_MODULE_NOT_FOUND" });
  });

  it("should be called failed when a CommonJS plugin needs something that is missing", async () => {
    operator.install("handover-provider-needy", 'require("old-sdk");', { type: "commonjs", exports: undefined, main: "index.js" });
    const problem = await problemOf("needy");
    expect(problem.code).toBe("PLUGIN_LOAD_FAILED");
    expect(problem.message).toContain("npm install old-sdk");
  });

  it("should be called failed when a file of its own is missing, without a package to install", async () => {
    operator.install("handover-provider-half", 'import "./lost.js";');
    const problem = await problemOf("half");
    expect(problem.code).toBe("PLUGIN_LOAD_FAILED");
    expect(problem.message).not.toContain("npm install");
  });

  it("should be told about export conditions when its package has none that fits", async () => {
    operator.install("handover-provider-esm-only", providerSource("x"), { exports: { ".": { import: "./index.js" } } });
    const problem = await problemOf("esm-only");
    expect(problem.code).toBe("PLUGIN_LOAD_FAILED");
    expect(problem.message).toContain('"handover-provider-esm-only" is installed but cannot be resolved');
    expect(problem.message).toContain('"default" condition');
    expect(problem.cause).toMatchObject({ code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
  });

  it("should be called failed when its package names a file that it does not have", async () => {
    operator.install("handover-provider-unbuilt", providerSource("x"), { exports: { ".": { default: "./dist/index.js" } } });
    const problem = await problemOf("unbuilt");
    expect(problem.code).toBe("PLUGIN_LOAD_FAILED");
    expect(problem.message).toContain("dist/index.js");
  });
});

describe("a module that is no provider [F171 loading part]", () => {
  it("should be called invalid, with what it exports", async () => {
    operator.install("handover-provider-named", "export const provider = {};\nexport const version = 1;");
    const problem = await problemOf("named");
    expect(problem.code).toBe("PLUGIN_INVALID");
    expect(problem.message).toContain("no default export that is a HandoverProvider");
    expect(problem.message).toContain("Its exports: provider, version.");
  });

  it("should be called invalid, with every member that is missing or wrong", async () => {
    const members = { specificationVersion: "v1", name: "Acme Desk", title: 7, settings: {}, options: null, connect: {} };
    operator.install("handover-provider-wrong", `export default ${JSON.stringify(members)};`);
    const problem = await problemOf("wrong");
    expect(problem.code).toBe("PLUGIN_INVALID");
    expect(problem.message).toContain("missing or wrong: name, title, settings, options, state, connect.");
  });

  it("should be called invalid when it cannot read the state that it writes", async () => {
    const provider = aProvider();
    const problem = await problemOf({ ...provider, state: { ...provider.state, version: 2 } });
    expect(problem.code).toBe("PLUGIN_INVALID");
    expect(problem.message).toContain("missing or wrong: state.");
  });

  it.each(["core", "runtime", "provider-utils"])(
    "should be called invalid when a short name means one of our own packages: %s",
    async (name) => {
      operator.install(`@handover/${name}`, "export const a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10;");
      const problem = await problemOf(name);
      expect(problem).toMatchObject({ code: "PLUGIN_INVALID", plugin: name });
      expect(problem.message).toContain("a, b, c, d, e, f, g, h and 2 more.");
    },
  );

  it("should be called invalid for the real core package", async () => {
    const error = await loadPlugins({ plugins: ["core"], from: import.meta.url }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ problems: [{ code: "PLUGIN_INVALID" }] });
  });

  it.each([
    ["an empty name", ""],
    ["a blank name", "  "],
    ["a module of Node", "node:fs"],
    ["a path in Node", "fs/promises"],
  ])("should be called invalid: %s", async (_, entry) => {
    expect(await problemOf(entry)).toMatchObject({ code: "PLUGIN_INVALID", plugin: entry });
  });

  it.each([[null], [undefined], [7], [{}], [[]]])("should be called invalid in a list that was read from a file: %j", async (entry) => {
    expect(await problemOf(entry as unknown as HandoverProvider)).toMatchObject({ code: "PLUGIN_INVALID", plugin: "(object)" });
  });
});

describe("a plugin that does not go with this host or with another plugin [F171 loading part]", () => {
  it("should be called incompatible, with both versions and the two ways out", async () => {
    operator.install("handover-provider-future", providerSource("future", 'specificationVersion: "v2",'));
    const problem = await problemOf("future");
    expect(problem.code).toBe("PLUGIN_INCOMPATIBLE");
    expect(problem.message).toContain("implements specification v2, this host knows v1");
    expect(problem.message).toContain("Upgrade the host, or install a release of the plugin for v1.");
  });

  it("should be called incompatible even where a newer provider looks different", async () => {
    const problem = await problemOf({ specificationVersion: "v2", name: "future" } as unknown as HandoverProvider);
    expect(problem.code).toBe("PLUGIN_INCOMPATIBLE");
  });

  it("should be called a duplicate, with both places", async () => {
    operator.install("handover-provider-acme", providerSource("acme"));
    const file = operator.write("acme.js", providerSource("acme"));
    const problem = await problemOf("acme", "./acme.js");
    expect(problem).toMatchObject({ code: "PLUGIN_DUPLICATE", plugin: "./acme.js" });
    expect(problem.message).toContain(`${operator.folder}/node_modules/handover-provider-acme/index.js and ${file}`);
    expect(problem.message).toContain("Remove one of them");
  });

  it("should be called a duplicate when it is listed twice", async () => {
    operator.install("handover-provider-acme", providerSource("acme"));
    expect(await problemOf("acme", "handover-provider-acme")).toMatchObject({ code: "PLUGIN_DUPLICATE" });
  });
});

const allWrong = ["lost", "broken", "core", "future", "acme", "./acme.js"];

function installAllWrong(): void {
  operator.install("handover-provider-broken", "syntax error here");
  operator.install("@handover/core", "export const nothing = 1;");
  operator.install("handover-provider-future", providerSource("future", 'specificationVersion: "v2",'));
  operator.install("handover-provider-acme", providerSource("acme"));
  operator.write("acme.js", providerSource("acme"));
}

describe("a list with several problems [F171 loading part]", () => {
  it("should be refused as a whole, with all problems in one error that keeps the first cause", async () => {
    installAllWrong();
    const error = await load(...allWrong).catch((reason: unknown) => reason);
    if (!PluginLoadingError.isInstance(error)) throw error;
    const codes = ["PLUGIN_NOT_FOUND", "PLUGIN_LOAD_FAILED", "PLUGIN_INVALID", "PLUGIN_INCOMPATIBLE", "PLUGIN_DUPLICATE"];
    expect(error.problems.map((problem) => problem.code)).toEqual(codes);
    expect(error).toMatchObject({ code: "PLUGIN_LOADING_FAILED", effect: "connection" });
    expect(error.message).toMatch(/^5 plugins could not be loaded:\n/);
    for (const code of codes) expect(error.message).toContain(`[${code}] `);
    expect(error.cause).toBe(error.problems[1]!.cause);
  });

  it("should be refused in the same way by Node itself, without the test runner's own module loader", async () => {
    installAllWrong();
    const script = `
      const { loadPlugins } = await import(${JSON.stringify(new URL("./load-plugins.ts", import.meta.url).href)});
      const error = await loadPlugins(${JSON.stringify({ plugins: allWrong, from: operator.config })}).catch((reason) => reason);
      console.log(JSON.stringify(error.problems.map((problem) => [problem.code, problem.cause?.name])));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
    expect(JSON.parse(stdout)).toEqual([
      ["PLUGIN_NOT_FOUND", null],
      ["PLUGIN_LOAD_FAILED", "SyntaxError"],
      ["PLUGIN_INVALID", null],
      ["PLUGIN_INCOMPATIBLE", null],
      ["PLUGIN_DUPLICATE", null],
    ]);
  });
});
