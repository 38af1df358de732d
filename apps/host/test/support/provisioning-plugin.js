// A provider that sets itself up in two steps; the file `fail` in its folder makes the second step fail.
import { existsSync } from "node:fs";
import { z } from "zod";

export default {
  specificationVersion: "v1",
  name: "self-made",
  title: "Self-made",
  settings: z.strictObject({ region: z.string(), clientId: z.string(), clientSecret: z.string().meta({ secret: true }) }),
  options: z.strictObject({}),
  state: { version: 1, schemas: { 1: z.json() } },
  connect: ({ clientId }) => ({
    accountKey: `self-made|${clientId}`,
    start: async () => ({ references: [], state: {}, transcriptThrough: 0, relay: "none" }),
    receiveWebhook: async () => ({ deliveries: [] }),
    checkConnection: async () => [{ level: "ok", code: "FINE", message: `The client is ${clientId}.` }],
  }),
  provisioning: {
    input: z.strictObject({ token: z.string(), count: z.int(), fail: z.string().optional() }),
    async run(input, context, call) {
      const first = call.resume ?? { clientId: `client-${input.count}-${call.idempotencyKey.length}`, runs: 0 };
      await call.checkpoint({ ...first, runs: first.runs + 1 });
      if (input.fail !== undefined && existsSync(input.fail)) throw new Error("the second step failed");
      return {
        settings: { clientId: first.clientId, clientSecret: `made-from-${input.token}` },
        notes: [`runs before: ${first.runs}`, `webhook: ${context.webhookUrl !== undefined}`],
      };
    },
  },
};
