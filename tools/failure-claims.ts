import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

/** A test title that names a known failure: `should ... [F031]`, or `[F031 core part]` where it proves only a part of it. */
export interface FailureClaim {
  readonly id: string;
  /** Path of the file, relative to the repository, with forward slashes. */
  readonly file: string;
  /** Which part the title claims, in its own words; absent when it claims the whole. */
  readonly part?: string;
}

const sources = ["{packages,apps,examples}/*/{src,test}/**/*.test.ts", "test/**/*.test.ts", "packages/testkit/src/**/*.ts"];

/** Reads the claims of all tests of the repository, and of the suites that the testkit runs for others. */
export function findClaims(root: string): FailureClaim[] {
  const files = globSync(sources, { cwd: root, exclude: (path) => path.endsWith("node_modules") });
  const unique = [...new Set(files.map((file) => file.replaceAll("\\", "/")))].sort();
  return unique.flatMap((file) => claimsOf(file, readFileSync(join(root, file), "utf8")));
}

/** Reads the claims of one source: titles of `it`, `test` and `describe`, of calls that say `should ...`, and `title` properties. */
export function claimsOf(file: string, source: string): FailureClaim[] {
  if (!/\[F\d{3}/.test(source)) return [];
  const claims: FailureClaim[] = [];
  const visit = (node: ts.Node): void => {
    if (isLeftOut(node)) return;
    const title = titleOf(node);
    if (title !== undefined) claims.push(...parseTitle(title).map((claim) => ({ ...claim, file })));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return claims;
}

/** Takes the ids out of a title. Each id may be followed by words that say which part is meant. */
export function parseTitle(title: string): Omit<FailureClaim, "file">[] {
  const brackets = [...title.matchAll(/\[(F\d{3}[^\]]*)\]/g)].map((match) => match[1] ?? "");
  return brackets.flatMap((bracket) =>
    [...bracket.matchAll(/(F\d{3})([^[]*?)(?=,\s*F\d{3}|\s+F\d{3}|$)/g)].map(([, id = "", words = ""]) => {
      const part = words.replace(/^[\s:,-]+/, "").trim();
      return part === "" ? { id } : { id, part };
    }),
  );
}

/** What `skip` and `todo` hold proves nothing. */
function isLeftOut(node: ts.Node): boolean {
  return ts.isCallExpression(node) && calleeNames(node).some((name) => name === "skip" || name === "todo");
}

function titleOf(node: ts.Node): string | undefined {
  if (ts.isPropertyAssignment(node) && ts.isIdentifier(node.name) && node.name.text === "title") return textOf(node.initializer);
  if (!ts.isCallExpression(node)) return undefined;
  const title = textOf(node.arguments[0]);
  const isTest = ["it", "test", "describe"].includes(calleeNames(node)[0] ?? "");
  return isTest || title?.startsWith("should ") ? title : undefined;
}

/** `it.each(rows)` has the names `it` and `each`. */
function calleeNames(call: ts.CallExpression): string[] {
  const names: string[] = [];
  let node: ts.Expression = call.expression;
  for (;;) {
    if (ts.isCallExpression(node)) node = node.expression;
    else if (ts.isPropertyAccessExpression(node)) {
      names.unshift(node.name.text);
      node = node.expression;
    } else break;
  }
  return ts.isIdentifier(node) ? [node.text, ...names] : names;
}

function textOf(node: ts.Node | undefined): string | undefined {
  if (!node) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.getText() : undefined;
}
