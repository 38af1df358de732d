#!/usr/bin/env node
// `npx handover` at the root of a clone: the operator's command line of the host, installed and built when needed.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { install, projectNode } from "./run.mjs";

install();
const cli = join(dirname(fileURLToPath(import.meta.url)), "../apps/host/src/cli.ts");
const { status } = spawnSync(projectNode(), [cli, ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
