import { HandoverError, ProviderApiError, type Started, type StartCall, type StartRequest } from "@handover/core";
import { stableId } from "@handover/provider-utils";
import { z } from "zod";
import { referencesOf } from "./eightbyeight-deliveries.ts";
import { asStartError } from "./eightbyeight-errors.ts";
import { findByMarker, learnWhetherFound } from "./eightbyeight-find-started.ts";
import { buildHistory } from "./eightbyeight-history.ts";
import type { EightbyeightParts } from "./eightbyeight-parts.ts";
import type { EightbyeightOptions } from "./eightbyeight-settings.ts";
import { newState, type EightbyeightState } from "./eightbyeight-state.ts";
import { takeOver } from "./eightbyeight-take-over.ts";
import { buildUser, userSourceOf } from "./eightbyeight-user.ts";

type Request = StartRequest<EightbyeightOptions>;

const progressSchema = z.object({
  marker: z.string(),
  /** True from before the create call until it is known to have done nothing. */
  isCreating: z.boolean(),
  conversationId: z.string().optional(),
});
type Progress = z.output<typeof progressSchema>;

const longestMarker = 60;

/** A new conversation with customer, queue and history in one call; section 3.3 of the reference page. */
export async function start(parts: EightbyeightParts, request: Request, call: StartCall): Promise<Started<EightbyeightState>> {
  if (request.options.conversationId !== undefined) return takeOver(parts, request, markerOf(request), call);
  const marker = markerOf(request);
  const progress = readProgress(request);
  const known = progress?.conversationId ?? conversationIn(request);
  if (known !== undefined) return finish(request, marker, known, call);
  if (progress?.isCreating) {
    const found = await findByMarker(parts, marker, call);
    if (found === "unknown") throw inDoubtError();
    if (found !== "absent") return finish(request, marker, found.id, call);
  }
  const conversationId = await create(parts, request, marker, call);
  const started = await finish(request, marker, conversationId, call);
  await learnWhetherFound(parts, marker, call);
  return started;
}

/** Looks for the conversation of a start whose outcome is not known. */
export async function findStarted(
  parts: EightbyeightParts,
  request: Request,
  call: StartCall,
): Promise<Started<EightbyeightState> | "absent" | "unknown"> {
  const marker = markerOf(request);
  const progress = readProgress(request);
  // To put a conversation into its queue again does no harm: `start` sees how it stands.
  if (request.options.conversationId !== undefined) return "absent";
  const known = progress?.conversationId ?? conversationIn(request);
  if (known !== undefined) return finish(request, marker, known, call);
  // Progress is saved before the create call, so without it there was none.
  if (!progress?.isCreating) return "absent";
  const found = await findByMarker(parts, marker, call);
  return typeof found === "string" ? found : finish(request, marker, found.id, call);
}

async function create(parts: EightbyeightParts, request: Request, marker: string, call: StartCall): Promise<string> {
  const { settings, client } = parts;
  const history = buildHistory(settings, request.transcript);
  const customer = buildUser(settings, userSourceOf(request, marker, history.leftOut));
  warnOfLimits(call, { historyLeftOut: history.leftOut, propertiesLeftOut: customer.leftOut });
  const queueId = request.options.queueId ?? settings.queueId;
  const fields = {
    channelId: request.options.channelId ?? settings.channelId,
    user: customer.user,
    ...(queueId === undefined ? {} : { assignment: { type: "queue", id: queueId } }),
    ...(history.lines.length > 0 ? { history: { messages: history.lines } } : {}),
  };
  const save = (isCreating: boolean): Promise<void> =>
    call.checkpoint({ references: [`handover:${marker}`], state: { marker, isCreating } satisfies Progress });
  await save(true);
  try {
    return (await client.createConversation(fields, call.signal)).conversationId;
  } catch (error) {
    // What surely did nothing may be repeated without a search.
    if (HandoverError.isInstance(error) && error.outcome === "not-applied" && !call.signal.aborted) await save(false);
    throw asStartError(error);
  }
}

async function finish(request: Request, marker: string, conversationId: string, call: StartCall): Promise<Started<EightbyeightState>> {
  const references = referencesOf(conversationId, marker);
  if (readProgress(request)?.conversationId === undefined) {
    await call.checkpoint({ references, state: { marker, isCreating: true, conversationId } satisfies Progress });
  }
  return {
    references,
    state: newState({ conversationId, marker, relay: "both" }),
    // What was left out of the history is not sent afterwards either: it would stand behind what came later.
    transcriptThrough: request.transcript.at(-1)?.seq ?? 0,
    relay: "both",
  };
}

function warnOfLimits(call: StartCall, counts: { readonly historyLeftOut: number; readonly propertiesLeftOut: number }): void {
  if (counts.historyLeftOut === 0 && counts.propertiesLeftOut === 0) return;
  call.logger.warn(
    "8x8 takes 200 lines of history and 30 additional properties: the oldest lines and the last properties were left out",
    counts,
  );
}

/** Our id of this attempt; plain, so that it can stand in a filter, and readable where the handover's own id is. */
function markerOf({ handoverId, attempt }: Pick<Request, "handoverId" | "attempt">): string {
  const readable = `${handoverId}-${attempt}`;
  return /^[A-Za-z0-9_-]+$/.test(readable) && readable.length <= longestMarker
    ? readable
    : stableId("h-", [handoverId, attempt], longestMarker);
}

/** A delivery has shown where the conversation is. */
function conversationIn({ resume }: Request): string | undefined {
  return resume?.references.find((reference) => reference.startsWith("conversation:"))?.slice("conversation:".length);
}

function readProgress(request: Request): Progress | undefined {
  return progressSchema.safeParse(request.resume?.state).data;
}

function inDoubtError(): ProviderApiError {
  return new ProviderApiError({
    code: "START_IN_DOUBT",
    message: "A conversation was perhaps opened at 8x8 before, and 8x8 does not tell whether.",
    isRetryable: true,
    outcome: "unknown",
    effect: "handover",
  });
}
