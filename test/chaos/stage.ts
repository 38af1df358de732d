import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import type { Desk } from "./desks/desk.ts";
import { openLiveAgentDesk } from "./desks/live-agent-desk.ts";
import { openTestVendorDesk } from "./desks/test-vendor-desk.ts";
import type { HostPlan } from "./host/host-plan.ts";
import { createHostSlot, type HostSlot } from "./host/host-slot.ts";
import { statusFolder } from "./host/status-page.ts";
import { openOutsideServices, type OutsideServices } from "./load/outside-services.ts";
import { createRandom } from "./load/random.ts";
import { openSpreader } from "./load/spreader.ts";
import { chaosTiming, endpoint, type ScenarioRun } from "./scenario-run.ts";
import type { Scenario } from "./scenarios.ts";

/** Everything around the users of a scenario. Only hosts die; the rest lives through everything. */
export interface Stage {
  readonly desk: Desk;
  readonly services: OutsideServices;
  /** Where the hosts are. */
  readonly urls: readonly string[];
  readonly slots: readonly HostSlot[];
  readonly store: HostPlan["store"];
  close(): Promise<void>;
}

const webhookSecret = "a-secret-for-the-chaos-run";
const botSecret = "another-secret-for-the-chaos-run";

/** Opens a stage; no host runs yet. */
export async function openStage(run: ScenarioRun): Promise<Stage> {
  const { scenario, seed } = run;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closeOne of closers.splice(0).reverse())
      await closeOne().catch((error: unknown) => run.say(`  could not clean up: ${String(error)}`));
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "handover-chaos-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const desk = await openDesk(scenario);
    closers.push(() => desk.stop());
    const services = await openOutsideServices();
    closers.push(() => services.close());
    const ports = await Promise.all(Array.from({ length: scenario.hosts }, () => freePort()));
    const urls = ports.map((port) => `http://127.0.0.1:${port}`);
    const spreader = await openSpreader(urls, createRandom(seed, "spreader"));
    closers.push(() => spreader.close());
    desk.setWebhookUrl(`${spreader.url}/handover/${desk.provider}/desk/${webhookSecret}`);
    const store = storeOf(run, folder);
    const slots = await Promise.all(ports.map((port) => prepareSlot({ folder, port, desk, services, store, publicUrl: spreader.url })));
    closers.push(() => Promise.all(slots.map((slot) => slot.close())));
    return { desk, services, urls, slots, store, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openDesk({ vendor }: Scenario): Promise<Desk> {
  if (vendor === "live-agent") return openLiveAgentDesk();
  return openTestVendorDesk({ hasReadBack: vendor === "test-vendor" });
}

function storeOf({ scenario, seed, postgres }: ScenarioRun, folder: string): HostPlan["store"] {
  if (scenario.store === "sqlite") return { kind: "sqlite", path: join(folder, "handover.db") };
  if (postgres === undefined) throw new Error(`The scenario ${scenario.name} needs PostgreSQL.`);
  const schema = `chaos_${scenario.name.replaceAll("-", "_")}_${seed}_${process.pid}`;
  return { kind: "postgres", connectionString: postgres, schema };
}

async function prepareSlot(given: {
  readonly folder: string;
  readonly port: number;
  readonly desk: Desk;
  readonly services: OutsideServices;
  readonly store: HostPlan["store"];
  readonly publicUrl: string;
}): Promise<HostSlot> {
  const { folder, port, desk, services, store, publicUrl } = given;
  const configurationFile = join(folder, `host-${port}.yaml`);
  const planFile = join(folder, `plan-${port}.json`);
  const statusFile = join(statusFolder(), `handover-chaos-${process.pid}-${port}`);
  const plan: HostPlan = {
    configurationFile,
    endpoint,
    port,
    publicUrl,
    store,
    timing: chaosTiming,
    botUrl: services.botUrl,
    botSecret,
    pushUrl: services.pushUrl,
    statusFile,
  };
  await writeFile(configurationFile, JSON.stringify(configurationOf(desk, folder, port, publicUrl)));
  await writeFile(planFile, JSON.stringify(plan));
  return createHostSlot({ planFile, statusFile, compileCache: join(folder, "compiled") });
}

/** Store, bot and times are in the plan: they are observed, or finer than a configuration file says them. */
function configurationOf(desk: Desk, folder: string, port: number, publicUrl: string): object {
  return {
    plugins: [desk.plugin],
    publicUrl,
    listen: { port },
    store: { sqlite: join(folder, "not-used.db") },
    connections: { desk: { provider: desk.provider, settings: desk.settings, webhookSecrets: [webhookSecret] } },
    endpoints: [{ token: endpoint, access: "open", handover: { connections: ["desk"] } }],
    limits: { perConversation: { messages: 100_000, seconds: 1 } },
  };
}
