import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { findClaims, type FailureClaim } from "./failure-claims.ts";
import { failureGroups, type KnownFailure, type Layer } from "./failure-ids.ts";
import { openSurfaces, type OpenSurface } from "./open-surfaces.ts";

/** How far the tests go that name a failure. */
export type Coverage = "covered" | "in part" | "open" | "not applicable";

/**
 * Says how far a failure is covered by the titles that name it. A helper's test cannot prove a failure impossible where it
 * happens, so a title counts as the whole only in a file of one of the failure's layers, or in a test of everything together.
 */
export function coverageOf(failure: KnownFailure, claims: readonly FailureClaim[]): Coverage {
  if (failure.layers.includes("not-applicable")) return "not applicable";
  const own = claims.filter((claim) => claim.id === failure.id);
  if (own.length === 0) return "open";
  return own.some((claim) => isWhole(claim, failure)) ? "covered" : "in part";
}

function isWhole(claim: FailureClaim, failure: KnownFailure): boolean {
  if (claim.part !== undefined) return false;
  const layers = layersOf(claim.file);
  return layers === "all" || layers.some((layer) => failure.layers.includes(layer));
}

/** The layers that the tests of a file speak for. */
function layersOf(file: string): "all" | readonly Layer[] {
  const [top, name = ""] = file.split("/");
  if (top === "test" || top === "examples") return "all";
  if (top === "apps") return ["host"];
  if (name === "core" || name === "runtime") return [name];
  if (name.startsWith("store-")) return ["store"];
  if (name === "simulators") return ["testkit"];
  // Its suites are run for every provider and every store.
  if (name === "testkit") return ["testkit", "provider:*", "store"];
  if (name === "provider-utils") return [];
  return ["provider:*", `provider:${name}` as Layer];
}

/** What the page is made of. */
export interface PageContent {
  readonly groups: typeof failureGroups;
  readonly claims: readonly FailureClaim[];
  readonly surfaces: readonly OpenSurface[];
}

/**
 * Writes the page as Markdown, formatted as the repository formats it.
 * @throws Error when a title names a failure that is not in the list
 */
export async function renderPage({ groups, claims, surfaces }: PageContent): Promise<string> {
  const failures = groups.flatMap((group) => group.failures);
  refuseUnknownIds(failures, claims);
  const sections = [
    "# Known failures",
    "",
    "Integrations between bots and contact centres have failed their users in the ways listed here.",
    "A failure is covered when a test at one of its layers, or of everything together, names it in its title (`should ... [F031]`), and in part when the title says so (`[F031 core part]`) or the test stands elsewhere.",
    "`npm run docs` writes this page from the titles, so do not edit it by hand.",
    "",
    ...renderCounts(failures, claims),
    ...groups.flatMap((group) => renderGroup(group, claims)),
    ...renderSurfaces(surfaces),
  ];
  return format(sections.join("\n"), { ...(await resolveConfig(pageFile)), parser: "markdown" });
}

function refuseUnknownIds(failures: readonly KnownFailure[], claims: readonly FailureClaim[]): void {
  const known = new Set(failures.map((failure) => failure.id));
  const unknown = claims.filter((claim) => !known.has(claim.id)).map((claim) => `${claim.id} in ${claim.file}`);
  if (unknown.length > 0) throw new Error(`Titles name failures that tools/failure-ids.ts does not list: ${unknown.join(", ")}`);
}

function renderCounts(failures: readonly KnownFailure[], claims: readonly FailureClaim[]): string[] {
  const states = failures.map((failure) => coverageOf(failure, claims));
  const count = (state: Coverage) => String(states.filter((other) => other === state).length);
  return [
    "| covered | in part | open | not applicable | all |",
    "| --: | --: | --: | --: | --: |",
    row([count("covered"), count("in part"), count("open"), count("not applicable"), String(failures.length)]),
    "",
  ];
}

function renderGroup(group: PageContent["groups"][number], claims: readonly FailureClaim[]): string[] {
  const rows = group.failures.map((failure) => {
    const layers = failure.layers.filter((layer) => layer !== "not-applicable").map((layer) => `\`${layer}\``);
    return row([failure.id, failure.title, layers.join(" "), coverageOf(failure, claims), renderTests(failure, claims)]);
  });
  return [`## ${group.name}`, "", "| Id | Failure | Layers | State | Tests |", "| --- | --- | --- | --- | --- |", ...rows, ""];
}

/** One link per file, followed by the parts that the file proves where it does not prove the whole. */
function renderTests(failure: KnownFailure, claims: readonly FailureClaim[]): string {
  const own = claims.filter((claim) => claim.id === failure.id);
  const files = [...new Set(own.map((claim) => claim.file))];
  const links = files.map((file) => {
    const ofFile = own.filter((claim) => claim.file === file);
    const parts = [...new Set(ofFile.map((claim) => claim.part))].sort();
    return `[${nameOf(file)}](../${file})${parts.includes(undefined) ? "" : ` (${parts.join(", ")})`}`;
  });
  return links.join(", ");
}

/** `packages/core/src/plugins/load-plugins.test.ts` as `core/plugins/load-plugins`. */
function nameOf(file: string): string {
  return file
    .replace(/^(packages|apps)\//, "")
    .replace(/\/(src|test)\//, "/")
    .replace(/(\.test)?\.ts$/, "");
}

function renderSurfaces(surfaces: readonly OpenSurface[]): string[] {
  const intro = "These commands and routes are fixed, and answer with a clear error until they are built.";
  if (surfaces.length === 0) return [];
  const rows = surfaces.map(({ surface, purpose }) => row([surface, purpose]));
  return ["## Open surfaces", "", intro, "", "| Surface | What it will do |", "| --- | --- |", ...rows];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

const root = join(import.meta.dirname, "..");

/** The page in this repository. */
export const pageFile = join(root, "docs/failures.md");

/** Writes the page of this repository from its own tests. */
export function renderOwnPage(): Promise<string> {
  return renderPage({ groups: failureGroups, claims: findClaims(root), surfaces: openSurfaces });
}

async function main(isCheck: boolean): Promise<void> {
  const page = await renderOwnPage();
  if (!isCheck) {
    writeFileSync(pageFile, page);
  } else if (!existsSync(pageFile) || readFileSync(pageFile, "utf8") !== page) {
    console.error("docs/failures.md is not up to date: run npm run docs");
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes("--check"));
