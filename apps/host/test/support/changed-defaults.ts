import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultLimits, defaultTexts, defaultTiming } from "@handover/runtime";
import { endpointSchema, limitsSchema, listenSchema, rootSchema } from "../../src/configuration/configuration-schema.ts";

const root = join(import.meta.dirname, "../../../..");

/** Values by dotted name. */
export type Defaults = Readonly<Record<string, unknown>>;

/** Every default that somebody may rely on without having written it down. */
export function defaultsNow(): Defaults {
  const { endpoints: _endpoints, ...file } = rootSchema.parse({ endpoints: [{}] });
  const { token: _token, ...endpoint } = endpointSchema.partial({ access: true }).parse({ token: "a" });
  const parts: Readonly<Record<string, Readonly<Record<string, object>>>> = {
    runtime: { timing: defaultTiming, limits: defaultLimits, texts: defaultTexts },
    host: { file, endpoint, listen: listenSchema.parse({}), limits: limitsSchema.parse({}) },
  };
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, groups]) =>
      Object.entries(groups).flatMap(([group, values]) =>
        Object.entries<unknown>({ ...values }).map(([name, value]) => [`${part}.${group}.${name}`, value]),
      ),
    ),
  );
}

/** Where changes are announced: the waiting changesets, and what the upgrade page says of changed defaults. */
export interface Announcements {
  readonly changesets: readonly string[];
  readonly notes: string;
}

/** The announcements of this repository. */
export function readAnnouncements(): Announcements {
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const page = read("docs/architecture/backup-and-upgrade.md");
  return {
    changesets: globSync(".changeset/*.md", { cwd: root }).map(read),
    notes: /^## Changed defaults\n(.*?)(?=^## |(?![\s\S]))/ms.exec(page)?.[1] ?? "",
  };
}

/** What is missing of each default that is another one now, or gone. A new one changes nothing for anybody. */
export function findUnannounced(before: Defaults, now: Defaults, { changesets, notes }: Announcements): string[] {
  const changed = Object.keys(before).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  return changed.flatMap((name) => {
    const setting = `\`${name.split(".").at(-1) ?? name}\``;
    // Before 1.0 a breaking change is a minor.
    const isAnnounced = changesets.some((text) => /^"@handover\/[\w-]+": (minor|major)$/m.test(text) && text.includes(setting));
    return [
      ...(isAnnounced ? [] : [`${name}: no changeset of level minor or major names ${setting}`]),
      ...(notes.includes(setting)
        ? []
        : [`${name}: "Changed defaults" in docs/architecture/backup-and-upgrade.md does not name ${setting}`]),
    ];
  });
}
