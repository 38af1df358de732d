import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder outside the workspace, as an operator has one: a configuration file, packages, plugin files. */
export interface Installation {
  readonly folder: string;
  /** Path of the configuration file. */
  readonly config: string;
  write(path: string, text: string): string;
  /** Puts a package into `node_modules`; its `exports` has only a `default` condition unless `manifest` says otherwise. */
  install(name: string, source: string, manifest?: object): void;
  remove(): void;
}

/** Makes an empty installation. */
export function createInstallation(): Installation {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "handover-core-")));
  const write = (path: string, text: string): string => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  return {
    folder,
    config: write("handover.yaml", "plugins: []\n"),
    write,
    install(name, source, manifest = {}) {
      const content = { name, version: "1.0.0", type: "module", exports: { ".": { default: "./index.js" } }, ...manifest };
      write(`node_modules/${name}/package.json`, JSON.stringify(content));
      write(`node_modules/${name}/index.js`, source);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Source of a plugin module; `overrides` is code that goes into the provider object. */
export function providerSource(name: string, overrides = ""): string {
  return `globalThis.handoverLoadedPlugins?.push(${JSON.stringify(name)});
const schema = { safeParse: (value) => ({ success: true, data: value }) };
export default {
  specificationVersion: "v1",
  name: ${JSON.stringify(name)},
  title: "A provider",
  settings: schema,
  options: schema,
  state: { version: 1, schemas: { 1: schema } },
  connect: () => ({ accountKey: "x", start: async () => ({ references: ["a"], state: {}, transcriptThrough: 0, relay: "both" }) }),
  ${overrides}
};
`;
}
