import type { RuntimeDriver } from "./runtime-driver.ts";

/** A test with a real runtime. */
export interface RuntimeTest {
  readonly title: string;
  /** How long messages are waited for that come in another order; 50 where a test does not care. */
  readonly reorderWindowMs?: number;
  run(driver: RuntimeDriver): Promise<void>;
}

/** A person writes, and the user reads it. */
export async function agentSays(driver: RuntimeDriver, id: string, text: string): Promise<void> {
  await driver.backend.agentSays(id, text);
  await driver.until(`the user reads "${text}"`, async () => (await driver.texts("agent")).includes(text));
}

/** Waits until the desk has a text. */
export async function reachesDesk(driver: RuntimeDriver, text: string): Promise<void> {
  await driver.until(`the desk has "${text}"`, async () => (await deskTexts(driver)).includes(text));
}

/** The texts of the one conversation at the desk. */
export async function deskTexts(driver: RuntimeDriver): Promise<string[]> {
  return (await driver.desk().catch(() => undefined))?.messages.map(({ text }) => text) ?? [];
}
