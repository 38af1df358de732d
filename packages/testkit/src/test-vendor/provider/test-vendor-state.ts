import type { StateFormat } from "@handover/core";
import { z } from "zod";

const stateSchema = z.strictObject({
  /** The vendor's id of the conversation. */
  conversation: z.string(),
  /** Ids of the agents who are there. */
  agents: z.array(z.string()),
  isClosed: z.boolean(),
});

/** What is remembered of one handover. */
export type TestVendorState = z.output<typeof stateSchema>;

/** Version 1 did not know the agents. */
const firstStateSchema = z
  .strictObject({ conversation: z.string(), isClosed: z.boolean() })
  .transform((state): TestVendorState => ({ ...state, agents: [] }));

/** How the state is stored and read again. */
export const testVendorState: StateFormat = { version: 2, schemas: { 1: firstStateSchema, 2: stateSchema } };
