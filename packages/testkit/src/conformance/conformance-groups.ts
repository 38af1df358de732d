import { parseConfig } from "@handover/core";
import { abilitiesTests } from "./abilities-group.ts";
import { addressTests } from "./addresses-group.ts";
import { answerTests } from "./answers-group.ts";
import { catchUpTests } from "./catch-up-group.ts";
import { checkTests } from "./check-group.ts";
import { createContext, createLineLogger } from "./driver-context.ts";
import { openDriver } from "./driver.ts";
import { endTests } from "./end-group.ts";
import { errorTests } from "./errors-group.ts";
import { fileTests } from "./files-group.ts";
import { findSentTests } from "./find-sent-group.ts";
import { findStartedTests } from "./find-started-group.ts";
import { handOverTests } from "./hand-over-group.ts";
import { longTranscriptTests } from "./long-transcript-group.ts";
import { runtimeTests } from "./runtime-group.ts";
import { sendTests } from "./send-group.ts";
import { signalTests } from "./signals-group.ts";
import { startTests } from "./start-group.ts";
import { stateTests } from "./state-group.ts";
import type { ConformanceGroup, ConformanceOptions, DrivenTest, Suite } from "./suite.ts";
import { tokenTests } from "./tokens-group.ts";
import { translateTests } from "./translate-group.ts";
import { webhookTests } from "./webhook-group.ts";

const groups: Readonly<Record<string, (suite: Suite) => readonly DrivenTest[]>> = {
  abilities: abilitiesTests,
  start: startTests,
  "hand over": handOverTests,
  "long transcripts": longTranscriptTests,
  "find a lost start": findStartedTests,
  "send messages": sendTests,
  "find a lost message": findSentTests,
  files: fileTests,
  webhooks: webhookTests,
  translate: translateTests,
  end: endTests,
  "catch up": catchUpTests,
  checks: checkTests,
  signals: signalTests,
  errors: errorTests,
  answers: answerTests,
  addresses: addressTests,
  state: stateTests,
  "access tokens": tokenTests,
};

/**
 * The tests as plain data, for any test runner: `describeHandoverProvider` hands them to vitest. Which
 * ones there are follows from the methods of the connection and of the probe.
 *
 * @throws InvalidConfigError when the provider's own schema refuses the settings
 */
export function conformanceGroups(options: ConformanceOptions): readonly ConformanceGroup[] {
  const suite = createSuite(options);
  const provider = Object.entries(groups)
    .map(([title, list]) => ({
      title,
      tests: list(suite).map(({ title: name, run }) => ({ title: name, run: () => runTest(options, run) })),
    }))
    .filter(({ tests }) => tests.length > 0);
  const behindRuntime = options.createStore ? runtimeTests(suite, options.createStore) : [];
  return behindRuntime.length > 0 ? [...provider, { title: "with the runtime", tests: behindRuntime }] : provider;
}

function createSuite(options: ConformanceOptions): Suite {
  const settings = parseConfig(options.provider.settings, options.settings, options.name);
  const nowhere = { dispatcher: { dispatch: () => false }, logger: createLineLogger([]), webhookUrl: "http://127.0.0.1/conformance" };
  const shape = options.provider.connect(settings, createContext(nowhere));
  const has: Suite["has"] = (...names) => names.every((name) => typeof shape[name] === "function");
  return { options, backend: options.backend, shape, has, hears: has("receiveWebhook") || has("catchUp") };
}

async function runTest(options: ConformanceOptions, run: DrivenTest["run"]): Promise<void> {
  const driver = await openDriver(options);
  let isFailed = true;
  try {
    await run(driver);
    isFailed = false;
  } finally {
    // The failure of the test says more than the one that may follow from it.
    await driver.close().catch((error: unknown) => {
      if (!isFailed) throw error;
    });
  }
}
