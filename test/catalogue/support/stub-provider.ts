import { WebhookRefusedError, type HandoverProvider, type VendorDelivery } from "@handover/core";
import { z } from "zod";

// A contact centre that costs nothing: what a test measures is then the runtime and the host alone. Also a plugin by its path.

const eventSchema = z.object({
  conversation: z.string(),
  position: z.number(),
  text: z.string().optional(),
  isEnd: z.boolean().optional(),
});

type State = Record<string, never>;

/** Takes webhooks that are lists of `{ conversation, position, text?, isEnd? }`, where `conversation` is the id of the conversation at the host. */
const stubProvider: HandoverProvider<unknown, unknown, State> = {
  specificationVersion: "v1",
  name: "stub",
  title: "Stub",
  settings: z.strictObject({}),
  options: z.strictObject({}),
  state: { version: 1, schemas: { 1: z.object({}) } },
  connect: () => ({
    accountKey: "stub",
    start: async ({ conversation, transcript }) => ({
      references: [`conversation:${conversation}`],
      state: {},
      transcriptThrough: transcript.at(-1)?.seq ?? 0,
      relay: "both",
    }),
    sendMessage: async () => ({}),
    end: async () => "ended",
    async receiveWebhook({ body, hasValidSecret }) {
      if (!hasValidSecret) throw new WebhookRefusedError({ status: 401, code: "SECRET_INVALID", message: "The secret is wrong." });
      const events = z.array(eventSchema).parse(JSON.parse(Buffer.from(body).toString("utf8")));
      return { deliveries: events.map(toDelivery) };
    },
    translate(_handover, delivery) {
      const { position, text = "", isEnd } = eventSchema.parse("payload" in delivery ? delivery.payload : undefined);
      if (isEnd) return { events: [{ type: "ended", reason: "completed", actor: "agent" }] };
      const message = { id: String(position), author: { role: "agent" as const, id: "a" }, text, sentAt: new Date(0).toISOString() };
      return { events: [{ type: "message-received", message }] };
    },
  }),
};

function toDelivery(event: z.output<typeof eventSchema>): VendorDelivery {
  const { conversation, position, text, isEnd } = event;
  return {
    id: `event:${conversation}:${position}`,
    references: [`conversation:${conversation}`],
    order: { group: "events", position, dense: true },
    payload: { conversation, position, ...(text === undefined ? {} : { text }), ...(isEnd ? { isEnd } : {}) },
  };
}

export default stubProvider;
