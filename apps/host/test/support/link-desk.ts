import { HandoverError, WebhookRefusedError, type Attachment, type AttachmentContent, type HandoverProvider } from "@handover/core";
import { z } from "zod";

// A contact centre that sends files as links and has no other way to give them. A plugin by its path.

const said = z.object({ conversation: z.string(), id: z.string(), url: z.string() });

const linkDesk: HandoverProvider<unknown, unknown, Record<string, never>> = {
  specificationVersion: "v1",
  name: "link-desk",
  title: "Link desk",
  settings: z.strictObject({}),
  options: z.strictObject({}),
  state: { version: 1, schemas: { 1: z.object({}) } },
  connect: () => ({
    accountKey: "link-desk",
    start: async ({ conversation }) => ({
      references: [`conversation:${conversation}`],
      state: {},
      transcriptThrough: 0,
      relay: "both",
    }),
    async sendMessage(_handover, { message }, call) {
      for (const { id } of message.attachments ?? []) await readIfThere(() => call.readAttachment(id));
      return {};
    },
    end: async () => "ended",
    async receiveWebhook({ body, hasValidSecret }) {
      if (!hasValidSecret) throw new WebhookRefusedError({ status: 401, code: "SECRET_INVALID", message: "The secret is wrong." });
      const event = said.parse(JSON.parse(Buffer.from(body).toString("utf8")));
      return { deliveries: [{ id: event.id, references: [`conversation:${event.conversation}`], payload: event }] };
    },
    translate(_handover, delivery) {
      const { id, url } = said.parse("payload" in delivery ? delivery.payload : undefined);
      const file: Attachment = { id: "file", name: "plan.txt", type: "text/plain", url };
      const message = { id, author: { role: "agent" as const, id: "a" }, attachments: [file], sentAt: new Date(0).toISOString() };
      return { events: [{ type: "message-received", message }] };
    },
  }),
};

/** What is not there is left out, as providers do it. */
async function readIfThere(open: () => Promise<AttachmentContent>): Promise<void> {
  try {
    await new Response((await open()).stream).bytes();
  } catch (error) {
    if (!HandoverError.isInstance(error) || error.code !== "ATTACHMENT_NOT_FOUND") throw error;
  }
}

export default linkDesk;
