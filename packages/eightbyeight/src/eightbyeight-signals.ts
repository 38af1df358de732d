import type { Availability, Call, DeliveryReport, Handover } from "@handover/core";
import type { EightbyeightClient } from "./eightbyeight-client.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import type { EightbyeightState } from "./eightbyeight-state.ts";

type EightbyeightHandover = Handover<EightbyeightOptions, EightbyeightState>;

/** There is no call that stops it: 8x8 lets the sign go out by itself. */
export async function setTyping(client: EightbyeightClient, handover: EightbyeightHandover, isTyping: boolean, call: Call): Promise<void> {
  const { conversationId, stage, relay } = handover.state;
  if (isTyping && stage !== "over" && relay === "both") await client.sendTyping(conversationId, call.signal);
}

/** 8x8 takes one time for all that was read, and no other state. */
export async function reportDelivery(
  client: EightbyeightClient,
  clock: { now(): number },
  handover: EightbyeightHandover,
  report: DeliveryReport,
  call: Call,
): Promise<void> {
  if (report.status !== "read" || handover.state.relay === "none") return;
  const readAtMs = Number.isFinite(report.upToMs) ? Math.round(report.upToMs) : clock.now();
  await client.sendReadReceipt(handover.state.conversationId, readAtMs, call.signal);
}

/** From the statistics of the queue, another product of the same key. Section 3.7 of the reference page. */
export async function checkAvailability(
  { settings, client }: EightbyeightParts,
  options: EightbyeightOptions,
  call: Call,
): Promise<Availability> {
  const channelId = options.channelId ?? settings.channelId;
  const configured = options.queueId ?? settings.queueId;
  const queueId = configured ?? (await client.getChannel(channelId, call.signal)).routingOptions?.id;
  if (queueId === undefined) return { status: "unknown" };
  const agents = await client.countAgents(queueId, call.signal);
  if (agents === undefined) return { status: "unknown" };
  return { status: agents > 0 ? "available" : "unavailable", agents };
}
