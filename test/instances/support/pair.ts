import { createHandoverRuntime, type HandoverRuntime, type RuntimeClock, type Timing } from "@handover/runtime";
import { createPostgresStore } from "@handover/store-postgres";
import { createTestVendor, type TestVendor, type TestVendorOptions } from "@handover/testkit";
import { onTestFinished } from "vitest";
import { newTestSchema, type TestSchema } from "../../../packages/store-postgres/test/support/use-postgres.ts";
import { record, type Recorder } from "../../runtime/support/recorder.ts";
import { startWebhookServer } from "../../runtime/support/webhook-server.ts";
import { echoBot } from "../../runtime/support/world.ts";
import { createStoppable, type StoppableProcess } from "./stoppable.ts";

/** An instance as it is seen from outside. */
export interface Instance {
  readonly process: StoppableProcess;
  readonly runtime: HandoverRuntime;
  say(conversation: string, id: string, text: string): Promise<{ readonly seq: number }>;
}

/** Instances on one database, whose processes can be stopped. Webhooks go to the first one that is not. */
export interface Site {
  readonly vendor: TestVendor;
  readonly schema: TestSchema;
  start(options?: { readonly clock?: () => number }): Promise<Instance>;
  record(instance: Instance, conversation: string): Recorder;
}

/** Short leases, and calls that are over well within them. */
export const leaseTiming = {
  leaseMs: 1_000,
  callTimeoutMs: 600,
  pollMs: 50,
  retryFirstMs: 10,
  retryMaximumMs: 100,
  reorderWindowMs: 40,
  echoWaitMs: 20,
  startDoubtMs: 400,
} satisfies Partial<Timing>;

/** Opens a site; it closes itself when the test is over. */
export async function openSite(options: { readonly vendor?: TestVendorOptions; readonly timing?: Partial<Timing> } = {}): Promise<Site> {
  const schema = await newTestSchema();
  const vendor = await createTestVendor(options.vendor);
  const instances: Instance[] = [];
  const recorders: Recorder[] = [];
  const server = await startWebhookServer(async (request) => {
    const running = instances.find(({ process }) => !process.isStopped);
    return running ? running.runtime.handleWebhook("desk", request) : new Response(null, { status: 503 });
  });
  onTestFinished(async () => {
    for (const recorder of recorders) recorder.stop();
    for (const { process } of instances) process.goOn();
    await Promise.all(instances.map(({ runtime }) => runtime.stop()));
    await server.close();
    await vendor.close();
  });
  return {
    vendor,
    schema,
    async start({ clock } = {}) {
      const process = createStoppable(clock);
      const runtime = await createInstance({
        process,
        schema,
        vendor,
        publicUrl: server.url,
        timing: { ...leaseTiming, ...options.timing },
      });
      await runtime.start();
      const [{ webhookUrl } = {}] = runtime.connections();
      vendor.backend.setWebhookUrl(webhookUrl);
      const instance: Instance = {
        process,
        runtime,
        say: (conversation, id, text) => runtime.receiveMessage({ endpoint: "web", conversation, message: { id, text } }),
      };
      instances.push(instance);
      return instance;
    },
    record({ runtime }, conversation) {
      const recorder = record(runtime, { endpoint: "web", conversation });
      recorders.push(recorder);
      return recorder;
    },
  };
}

function createInstance(parts: {
  readonly process: StoppableProcess;
  readonly schema: TestSchema;
  readonly vendor: TestVendor;
  readonly publicUrl: string;
  readonly timing: Partial<Timing>;
}): Promise<HandoverRuntime> {
  const { process, schema, vendor, publicUrl, timing } = parts;
  const clock: RuntimeClock = process.clock;
  const { connectionString, schema: name } = schema;
  return createHandoverRuntime({
    store: process.store(createPostgresStore({ connectionString, schema: name, poolSize: 4, clock })),
    providers: [process.provider(vendor.provider)],
    connections: { desk: { provider: vendor.provider.name, settings: vendor.settings } },
    endpoints: [{ token: "web", bot: echoBot, handover: { connections: ["desk"] } }],
    publicUrl,
    clock,
    timing,
  });
}
