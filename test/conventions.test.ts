import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, string | { readonly types: string; readonly default: string }>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A tsconfig as far as the order of the build goes. */
interface BuildConfig {
  readonly references?: readonly { readonly path: string }[];
}

/** A package of the workspace. */
interface Package {
  /** `packages/core` */
  readonly folder: string;
  /** `core` */
  readonly short: string;
  readonly manifest: Manifest;
}

const isOutside = (path: string) => /(^|\/)(node_modules|dist|coverage|data|\.git|\.cache|\.turbo|\.vitest)(\/|$)/.test(path);
const findFiles = (pattern: string | string[]) => globSync(pattern, { cwd: root, exclude: isOutside }).sort();
const readText = (file: string) => readFileSync(join(root, file), "utf8");
const readManifest = (folder: string) => JSON.parse(readText(`${folder}/package.json`)) as Manifest;

const packages: readonly Package[] = findFiles(["packages/*/package.json", "apps/*/package.json"])
  .map(dirname)
  .map((folder) => ({ folder, short: folder.split("/")[1]!, manifest: readManifest(folder) }));
const published = packages.filter(({ manifest }) => !manifest.private);
const names = published.map(({ short }) => short);
const find = (short: string) => packages.find((candidate) => candidate.short === short)!;

const shippedFiles = ({ folder }: Package) =>
  findFiles(`${folder}/src/**/*.ts`).filter((file) => !/\.test\.ts$|\/__fixtures__\/|\/test\//.test(file));
const allFiles = ({ folder }: Package) => findFiles([`${folder}/src/**/*.ts`, `${folder}/test/**/*.ts`, `${folder}/web/**/*.js`]);

const parse = (file: string) => ts.createSourceFile(file, readText(file), ts.ScriptTarget.Latest, true);

/** Names of the packages that a file imports, types included; `node:` modules and files of its own left out. */
function importedPackages(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readText(file), true, true);
  const specifiers = importedFiles.map((imported) => imported.fileName).filter((name) => !/^(\.|node:)/.test(name));
  const bare = specifiers.map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
  return [...new Set(bare)].filter((name) => !builtinModules.includes(name));
}

/** What the code that is shipped imports. */
const imports = (item: Package) => [...new Set(shippedFiles(item).flatMap(importedPackages))].sort();

describe("the manifest of a published package", () => {
  it.each(names)("should say what it is, where it is kept and what it needs: %s", (short) => {
    const { folder, manifest } = find(short);
    expect(manifest).toMatchObject({
      license: "MIT",
      type: "module",
      sideEffects: false,
      version: find("core").manifest.version,
      repository: { type: "git", directory: folder },
      engines: { node: ">=22.22" },
      publishConfig: { access: "public", provenance: true },
      description: expect.stringMatching(/^.{20,160}\.$/) as string,
      keywords: expect.arrayContaining(["handover"]) as string[],
      files: expect.arrayContaining(["dist", "src", "!src/**/*.test.ts", "!src/**/__fixtures__"]) as string[],
    });
  });

  it("should come with a readme", () => {
    expect(names.filter((short) => findFiles(`packages/${short}/README.md`).length === 0)).toEqual([]);
  });

  it("should keep the build's notes out of what is published", () => {
    const shipping = published.filter(({ manifest }) => !manifest.files?.includes("!dist/.tsbuildinfo"));
    expect(shipping.map(({ short }) => short)).toEqual([]);
  });

  it.each(names)("should publish exactly the exports that the workspace uses: %s", (short) => {
    const { manifest } = find(short);
    const expected = Object.entries(manifest.exports ?? {}).map(([path, source]) => {
      const built = source.replace(/^\.\/src\/(.*)\.ts$/, "./dist/$1");
      return [path, built === source ? source : { types: `${built}.d.ts`, default: `${built}.js` }];
    });
    expect(manifest.publishConfig?.exports).toEqual(Object.fromEntries(expected));
  });

  it.each(names)("should have core, and what has the types of it, as a peer: %s", (short) => {
    const { manifest } = find(short);
    const shared = imports(find(short)).filter((name): name is string => name === "@handover/core" || name === "@handover/runtime");
    for (const name of shared) {
      expect(manifest.peerDependencies, name).toHaveProperty([name], "workspace:^");
      expect(manifest.devDependencies, name).toHaveProperty([name], "workspace:*");
    }
    expect(Object.keys(manifest.dependencies ?? {}).filter((name) => shared.includes(name))).toEqual([]);
  });

  it.each(names)("should declare what the code imports, and nothing else: %s", (short) => {
    const { manifest } = find(short);
    const declared = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})].sort();
    expect(declared).toEqual(imports(find(short)));
  });

  it.each(packages.map(({ short }) => short))("should build after what it needs: %s", (short) => {
    const { folder, manifest } = find(short);
    const { config } = ts.readConfigFile(join(root, folder, "tsconfig.json"), ts.sys.readFile) as { config: BuildConfig };
    const referenced = (config.references ?? []).map(({ path }) => `@handover/${path.split("/").at(-1)!}`).sort();
    const needed = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})];
    expect(referenced).toEqual(needed.filter((name) => name.startsWith("@handover/")).sort());
  });
});

describe("the arrows between packages", () => {
  const ours = (...shorts: string[]) => shorts.map((short) => `@handover/${short}`);
  const allowed: Readonly<Record<string, readonly string[]>> = {
    core: ["zod"],
    "provider-utils": [...ours("core"), "undici", "zod"],
    runtime: [...ours("core"), "zod"],
    "store-sqlite": ours("core", "runtime"),
    "store-postgres": [...ours("core", "runtime"), "pg"],
    testkit: [...ours("core", "runtime", "provider-utils"), "undici", "vitest", "zod"],
    simulators: ["fastify"],
  };
  const ofProvider = [...ours("core", "provider-utils"), "zod"];

  it.each(names)("should lead only where the design lets them: %s", (short) => {
    const targets = allowed[short] ?? ofProvider;
    expect(imports(find(short)).filter((name) => !targets.includes(name))).toEqual([]);
  });

  it("should not lead from the host to test code", () => {
    expect(imports(find("host")).filter((name) => name === "@handover/testkit" || name === "vitest")).toEqual([]);
  });

  it("should not lead from the simulators to anything of ours, not even in their tests", () => {
    const found = allFiles(find("simulators")).flatMap((file) => importedPackages(file).map((name) => `${file}: ${name}`));
    expect(found.filter((line) => line.includes("@handover/") && !line.endsWith("@handover/simulators"))).toEqual([]);
  });

  it("should not lead out of a package by a relative path", () => {
    const escaping = packages.flatMap((item) =>
      shippedFiles(item).flatMap((file) => {
        const { importedFiles } = ts.preProcessFile(readText(file), true, true);
        const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith("."));
        return relative.filter((name) => !join(dirname(file), name).startsWith(`${item.folder}/src/`)).map((name) => `${file}: ${name}`);
      }),
    );
    expect(escaping).toEqual([]);
  });

  it("should leave the runtime without the name of any vendor", () => {
    const vendors = /live[ -]?agent|chatwoot|cognigy|live[ -]?person|8x8|eight-?by-?eight|genesys|zendesk|salesforce/i;
    const files = allFiles(find("runtime")).filter((file) => !file.endsWith(".test.ts"));
    expect(files.filter((file) => vendors.test(readText(file)))).toEqual([]);
  });
});

describe("the source", () => {
  const typescript = packages.flatMap(allFiles).filter((file) => file.endsWith(".ts"));

  it("should name what an index exports", () => {
    const indexes = typescript.filter((file) => file.endsWith("/index.ts"));
    expect(indexes.length).toBeGreaterThan(0);
    expect(indexes.filter((file) => /^export \*/m.test(readText(file)))).toEqual([]);
  });

  it("should have kebab-case file names", () => {
    const files = findFiles(["{packages,apps}/*/{src,test,web}/**/*.*", "{test,tools}/**/*.*"]);
    const odd = files.filter(
      (file) => !file.split("/").every((part) => /^(__fixtures__|[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*)$/.test(part)),
    );
    expect(odd).toEqual([]);
  });

  it("should name no path of a machine and no host of a registry", () => {
    const files = findFiles([
      "**/*.{ts,mts,js,mjs,css,html,json,md,yaml,yml,svg}",
      ".changeset/*",
      ".ci/*",
      ".{editorconfig,gitignore,npmrc,nvmrc}",
    ]);
    const path = /(^|[\s"'`(=:])\/(home|Users|root|work|mnt|private|tmp)\/[\w.-]+/m;
    const registry = /registry\.(npmjs|yarnpkg|npmmirror)|npm\.pkg\.github|:4873\b|artifactory|verdaccio|jfrog/i;
    const others = files.filter((file) => file !== "test/conventions.test.ts");
    expect(others.filter((file) => path.test(readText(file)) || registry.test(readText(file)))).toEqual([]);
  });

  it.each(["core", "runtime", "provider-utils", "testkit"])("should document every export: %s", (short) => {
    expect(shippedFiles(find(short)).flatMap(undocumentedExports)).toEqual([]);
  });

  it("should say in the titles of its tests what it promises", () => {
    const tests = findFiles(["{packages,apps}/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"]);
    expect(tests.flatMap((file) => testTitles(parse(file)).map((title) => `${file}: ${title}`)).filter(isNoPromise)).toEqual([]);
  });

  const isNoPromise = (line: string) => !/: ["'`]should /.test(line);
});

/** Declarations that a file exports without a word about them: `file: name`. */
function undocumentedExports(file: string): string[] {
  const source = parse(file);
  const exported = source.statements.filter(
    (statement) => ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
  );
  const silent = exported.filter((statement) => !isDocumented(statement) && !isOverload(statement, exported));
  return silent.map((statement) => `${file}: ${/export (?:\w+ )*?(\w+)(?=[\s<(:=])/.exec(statement.getText(source))?.[1] ?? "?"}`);
}

function isDocumented(statement: ts.Statement): boolean {
  return ts.getJSDocCommentsAndTags(statement).length > 0;
}

/** Only the first of several signatures carries the words. */
function isOverload(statement: ts.Statement, all: readonly ts.Statement[]): boolean {
  if (!ts.isFunctionDeclaration(statement)) return false;
  const same = all.filter((other) => ts.isFunctionDeclaration(other) && other.name?.text === statement.name?.text);
  return same.length > 1 && same[0] !== statement && isDocumented(same[0]!);
}

/** The first argument of every `it(...)`, `it.each(...)(...)` and the like, as it is written. */
function testTitles(source: ts.SourceFile): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    const title = ts.isCallExpression(node) && isTest(node.expression) ? node.arguments[0] : undefined;
    if (title && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) titles.push(title.getText(source));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return callee.text === "it" || callee.text === "test";
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return isTest(callee.expression);
  return false;
}
