import { parseConfig, type ConnectionFinding } from "@handover/core";
import { expect } from "vitest";
import type { Driver } from "./driver.ts";
import { withWrongSecrets } from "./secrets.ts";
import { test, when, type DrivenTest, type Suite } from "./suite.ts";

/** What an operator is told about a connection, and whether somebody is there. */
export function checkTests(suite: Suite): readonly DrivenTest[] {
  return [
    ...when(
      suite.has("checkConnection"),
      test("should find nothing wrong with good settings, and change nothing", async (driver) => {
        const findings = await check(driver, driver.options.settings);
        expect(findings.length).toBeGreaterThan(0);
        expect(findings.filter(({ level }) => level === "error")).toEqual([]);
        expect(await driver.backend.conversations()).toEqual([]);
      }),
      test("should name wrong credentials instead of throwing [F109 part: wrong key]", async (driver) => {
        const findings = await check(driver, withWrongSecrets(driver.options.settings, driver.secrets));
        expect(findings.some(({ level }) => level === "error")).toBe(true);
      }),
      test("should name a vendor that does not answer, or not in its own words, instead of throwing", async (driver) => {
        const faults = [
          { kind: "cut" },
          { kind: "answer", status: 200, body: "<html>hello</html>" },
          { kind: "answer", status: 503 },
        ] as const;
        for (const fault of faults) {
          driver.gateway.setFaults(() => fault);
          const findings = await check(driver, driver.options.settings);
          expect(
            findings.some(({ level }) => level !== "ok"),
            JSON.stringify(fault),
          ).toBe(true);
        }
      }),
    ),
    ...when(
      suite.has("checkAvailability"),
      test("should say whether somebody is there [F147 part: provider]", async (driver) => {
        const { status, agents } = await availability(driver);
        expect(["available", "unknown"]).toContain(status);
        if (agents !== undefined) expect(agents).toBeGreaterThanOrEqual(0);
      }),
      ...when(
        suite.backend.setAgentsOnline,
        test("should not say that somebody is there when nobody is [F147 part: provider]", async (driver) => {
          await driver.backend.setAgentsOnline?.(0);
          expect((await availability(driver)).status).not.toBe("available");
        }),
      ),
      test("should not say that nobody is there when it cannot tell [F147 part: provider]", async (driver) => {
        driver.gateway.setFaults(() => ({ kind: "answer", status: 500 }));
        const answer = await availability(driver).catch(() => ({ status: "unknown" }));
        expect(answer.status).toBe("unknown");
      }),
    ),
  ];
}

async function check(driver: Driver, settings: unknown): Promise<readonly ConnectionFinding[]> {
  const parsed = parseConfig(driver.options.provider.settings, settings, driver.options.name);
  const connection = driver.connect(parsed);
  const findings = (await connection.checkConnection?.(driver.call())) ?? [];
  for (const { code, message } of findings) {
    expect(code).toMatch(/^[A-Z][A-Z0-9_]*$/);
    expect(message).not.toContain("\n");
    for (const secret of driver.secrets) expect(message.includes(secret)).toBe(false);
  }
  await connection.close?.();
  return findings;
}

async function availability(driver: Driver) {
  const { options } = driver.request();
  const answer = await driver.connection.checkAvailability?.(options, driver.call());
  if (!answer) throw new Error("checkAvailability gave nothing.");
  return answer;
}
