import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser } from "playwright-core";

/** Chromium on this machine: `CHROMIUM_PATH`, else `chromium` on PATH. Absent: tests in a browser are left out. */
export const chromiumPath = findChromium();

/** What a suite that is left out says about it. */
export const withoutBrowser = "no Chromium found: install chromium or set CHROMIUM_PATH";

/** Starts a headless Chromium that looks nothing up outside. */
export function launchBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(withoutBrowser);
  return chromium.launch({
    executablePath: chromiumPath,
    chromiumSandbox: false,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

function findChromium(): string | undefined {
  const named = process.env["CHROMIUM_PATH"];
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
  return [...(named ? [named] : []), ...onPath].find((path) => existsSync(path));
}
