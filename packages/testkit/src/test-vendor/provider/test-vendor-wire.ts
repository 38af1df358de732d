import { z } from "zod";

const person = z.object({ id: z.string(), name: z.string().nullish() });
const queue = z.object({ position: z.number().nullish(), wait_seconds: z.number().nullish(), name: z.string().nullish() });

/** One event of a webhook or of the listing. Loose: what a newer vendor adds is kept out of the way. */
export const wireEventSchema = z.object({
  number: z.number().int().positive().optional(),
  type: z.string(),
  at: z.iso.datetime(),
  conversation: z.object({ id: z.string(), external_id: z.string().nullish() }),
  data: z.record(z.string(), z.json()),
});

/** An event that happened at the vendor. */
export type WireEvent = z.output<typeof wireEventSchema>;

/** The body of a webhook. Events are read one by one, so that one that is odd does not hide the others. */
export const wireWebhookSchema = z.object({ events: z.array(z.unknown()) });

/** What the events carry, by type. */
export const wireData = {
  message: z.object({
    message: z.object({
      id: z.string(),
      external_id: z.string().nullish(),
      author: z.string(),
      agent: person.nullish(),
      audience: z.string(),
      text: z.string(),
      at: z.iso.datetime(),
      files: z.array(z.object({ id: z.string(), name: z.string(), type: z.string().nullish(), size: z.number().nullish() })).nullish(),
    }),
  }),
  messageId: z.object({ message: z.object({ id: z.string(), text: z.string().nullish() }) }),
  agent: z.object({ agent: person, agents_left: z.number().nullish() }),
  transfer: z.object({ agent: person.nullish(), queue: queue.nullish() }),
  queue: z.object({ queue: queue.nullish() }),
  closed: z.object({ by: z.string(), reason: z.string() }),
  typing: z.object({ agent: person, is_typing: z.boolean() }),
  receipt: z.object({ status: z.enum(["delivered", "read", "failed"]), up_to: z.iso.datetime() }),
  survey: z.object({
    survey: z.object({
      id: z.string(),
      questions: z.array(
        z.object({ id: z.string(), text: z.string(), type: z.literal("rating"), minimum: z.number().int(), maximum: z.number().int() }),
      ),
    }),
  }),
};

/** Answers of the API. */
export const wireAnswers = {
  token: z.object({ access_token: z.string().min(1), expires_in: z.number().positive() }),
  account: z.object({ id: z.string(), agents_online: z.number().int().nonnegative() }),
  availability: z.object({ is_open: z.boolean(), agents_online: z.number().int().nonnegative() }),
  conversation: z.object({
    id: z.string(),
    status: z.string(),
    external_id: z.string().nullish(),
    unknown_skills: z.array(z.string()).nullish(),
    known_skills: z.array(z.string()).nullish(),
  }),
  conversations: z.object({ items: z.array(z.object({ id: z.string(), status: z.string(), external_id: z.string().nullish() })) }),
  message: z.object({ id: z.string() }),
  messages: z.object({ items: z.array(z.object({ id: z.string() })) }),
  events: z.object({ items: z.array(z.unknown()), has_more: z.boolean() }),
  queues: z.object({ items: z.array(z.object({ conversation: z.string(), queue })) }),
  agent: z.object({ id: z.string(), name: z.string(), picture: z.string().nullish() }),
};
