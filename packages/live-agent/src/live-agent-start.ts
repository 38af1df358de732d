import { HandoverError, ProviderApiError, type ProviderContext, type Started, type StartCall, type StartRequest } from "@handover/core";
import { stableId } from "@handover/provider-utils";
import { z } from "zod";
import { conversationFields, customAttributesOf, readSessionId, shortenedAttributes } from "./live-agent-attributes.ts";
import type { LiveAgentClient } from "./live-agent-client.ts";
import { ensureContact, forgetContact } from "./live-agent-contact.ts";
import { referencesOf } from "./live-agent-deliveries.ts";
import { learnInboxIdentifier } from "./live-agent-inbox-identifier.ts";
import { applyRouting, checkAssignment } from "./live-agent-routing.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";
import { handedOverThrough } from "./live-agent-transcript.ts";
import { isSince, learnTechnicalUser, learnVersion } from "./live-agent-version.ts";
import type { WireConversation } from "./live-agent-wire.ts";

/** What a connection is made of. */
export interface LiveAgentParts {
  readonly settings: LiveAgentSettings;
  readonly context: ProviderContext;
  readonly client: LiveAgentClient;
}

type Request = StartRequest<LiveAgentOptions>;

const progressSchema = z.object({
  sourceId: z.string(),
  contactId: z.string(),
  /** When the create call was about to be sent, in Unix milliseconds. */
  createAtMs: z.number(),
  conversationId: z.string().optional(),
});
type Progress = z.output<typeof progressSchema>;

/** Live Agent failed with session ids over 44 characters before 4.46. */
const longestSourceId = 44;
/** Clocks of two machines differ. */
const clockToleranceMs = 120_000;

/** Contact, conversation, status, routing; sections 3.1 to 3.3 of the reference page. The transcript goes through the lane. */
export async function start(parts: LiveAgentParts, request: Request, call: StartCall): Promise<Started<LiveAgentState>> {
  const progress = readProgress(request);
  const existing = progress ? await findConversation(parts, progress, call) : "absent";
  if (existing === "unknown") throw inDoubtError();
  if (progress && existing !== "absent") return finish(parts, request, progress, existing, call);

  const technicalUserId = await learnTechnicalUser(parts, call.signal);
  await checkAssignment(parts.client, inboxOf(parts.settings, request), request.options, call);
  const contactId = progress?.contactId ?? (await ensureContact(parts.client, parts.context, request, call));
  warnOfShortened(request.options, call);
  const { conversation, progress: made } = await create(parts, request, contactId, call);
  checkFresh(parts, made, conversation);
  if (conversation.can_reply === false) await refuseReplyWindow(parts, request, conversation, call);
  return finish(parts, request, made, conversation, call, technicalUserId);
}

/** Looks for the conversation of a start whose outcome is not known, and completes what was still missing. */
export async function findStarted(
  parts: LiveAgentParts,
  request: Request,
  call: StartCall,
): Promise<Started<LiveAgentState> | "absent" | "unknown"> {
  const progress = readProgress(request);
  // Progress is saved before the create call, so without it there was none.
  if (!progress) return "absent";
  const found = await findConversation(parts, progress, call);
  return typeof found === "string" ? found : finish(parts, request, progress, found, call);
}

/** The first key, then once another one: a contact that was deleted, or somebody else's, may hold the first. */
async function create(
  parts: LiveAgentParts,
  request: Request,
  firstContactId: string,
  call: StartCall,
): Promise<{ conversation: WireConversation; progress: Progress }> {
  const inboxId = inboxOf(parts.settings, request);
  let contactId = firstContactId;
  let problem: Exclude<Awaited<ReturnType<LiveAgentClient["createConversation"]>>, WireConversation> = "source-taken";
  for (let round = 0; round < 2; round += 1) {
    const progress = { sourceId: sourceIdOf(request, round), contactId, createAtMs: parts.context.clock.now() };
    await call.checkpoint({ references: [`source:${progress.sourceId}`], state: progress });
    const created = await createOrLook(parts, request, { ...progress, inboxId }, { isLast: round > 0, call });
    if (typeof created !== "string") return { conversation: created, progress };
    problem = created;
    if (created === "unknown-contact-or-inbox") {
      await forgetContact(parts.context, request);
      contactId = await ensureContact(parts.client, parts.context, request, call);
    }
  }
  throw notCreatedError(problem, inboxId);
}

/**
 * Servers below 2.15 answer a key that is taken with 500, and so does one that a deleted contact holds. The server has finished
 * then, so that what cannot be found is not there.
 */
async function createOrLook(
  parts: LiveAgentParts,
  request: Request,
  progress: Progress & { readonly inboxId: string },
  { isLast, call }: { readonly isLast: boolean; readonly call: StartCall },
): ReturnType<LiveAgentClient["createConversation"]> {
  try {
    return await parts.client.createConversation(conversationFields(parts.settings, request, progress), call.signal);
  } catch (error) {
    if (isLast || !ProviderApiError.isInstance(error) || error.status !== 500) throw error;
    const found = await findConversation(parts, progress, call).catch(() => "unknown" as const);
    if (found === "unknown") throw error;
    return found === "absent" ? "source-taken" : found;
  }
}

/** Compares exactly, by the session id that the create call stored: filters are ignored by servers that do not know them. */
async function findConversation(
  parts: LiveAgentParts,
  progress: Progress,
  call: StartCall,
): Promise<WireConversation | "absent" | "unknown"> {
  const { client, settings } = parts;
  if (progress.conversationId !== undefined) return client.getConversation(progress.conversationId, call.signal);
  const knowsFilter = isSince(await learnVersion(parts, call.signal), "2.17") !== false;
  const lists = [
    ...(knowsFilter ? [() => client.listConversationsBySource(progress.sourceId, call.signal)] : []),
    () => client.listConversationsOfContact(progress.contactId, call.signal),
  ];
  let isInDoubt = false;
  for (const list of lists) {
    const conversations = await list();
    const ours = conversations.find((conversation) => readSessionId(settings, conversation) === progress.sourceId);
    if (ours) return ours;
    isInDoubt ||= conversations.some((conversation) => couldBeOurs(parts, progress, conversation));
  }
  return isInDoubt ? "unknown" : "absent";
}

/** Only if the server lost the session id: opened since, and by nobody else that we know of. */
function couldBeOurs(parts: LiveAgentParts, progress: Progress, conversation: WireConversation): boolean {
  if (readSessionId(parts.settings, conversation) !== undefined) return false;
  const source = conversation.contact_inbox?.source_id;
  if (source !== undefined) return source === progress.sourceId;
  return (conversation.created_at ?? Infinity) * 1000 >= progress.createAtMs - clockToleranceMs;
}

async function finish(
  parts: LiveAgentParts,
  request: Request,
  progress: Progress,
  conversation: WireConversation,
  call: StartCall,
  learnedUserId?: string,
): Promise<Started<LiveAgentState>> {
  const references = referencesOf(conversation.id, progress.sourceId);
  if (progress.conversationId === undefined) {
    await call.checkpoint({ references, state: { ...progress, conversationId: conversation.id } });
  }
  if (conversation.status === "pending") await open(parts, conversation.id, call);
  const customAttributes = customAttributesOf(parts.settings, request.options, progress.sourceId);
  await applyRouting(parts.client, conversation, { customAttributes, options: request.options }, call);
  const technicalUserId = learnedUserId ?? (await learnTechnicalUser(parts, call.signal));
  const inboxIdentifier = await learnInboxIdentifier(parts, request.options.inboxId, call.signal);
  const state: LiveAgentState = {
    conversationId: conversation.id,
    sourceId: progress.sourceId,
    contactId: progress.contactId,
    // One that is over by now ends by the webhook or by catchUp, like any other.
    status: "open",
    ...(technicalUserId === undefined ? {} : { technicalUserId }),
    ...(inboxIdentifier === undefined ? {} : { inboxIdentifier }),
  };
  return { references, state, transcriptThrough: handedOverThrough(request.transcript), relay: "both" };
}

/** A new conversation that is not new, or not open, must not be used. */
function checkFresh(parts: LiveAgentParts, progress: Progress, conversation: WireConversation): void {
  const sessionId = readSessionId(parts.settings, conversation);
  const isOld = (conversation.created_at ?? Infinity) * 1000 < progress.createAtMs - clockToleranceMs;
  if (sessionId !== progress.sourceId && (sessionId !== undefined || isOld)) {
    throw new ProviderApiError({
      code: "CONVERSATION_REUSED",
      message: 'Live Agent answered with an older conversation: switch off "Lock to single conversation" in the inbox\'s settings.',
      effect: "handover",
    });
  }
  if (isTerminal(conversation.status)) {
    // Not `unavailable`: somebody may be there, and trying again later is no use.
    throw new HandoverError({
      code: "CONTACT_BLOCKED",
      message: "Live Agent closed the conversation at once: the contact is blocked. Agents unblock it in its contact.",
      effect: "handover",
    });
  }
}

/** Agents could read, and not answer: the conversation must not wait for them. */
async function refuseReplyWindow(parts: LiveAgentParts, request: Request, conversation: WireConversation, call: StartCall): Promise<never> {
  await parts.client.setStatus(conversation.id, "resolved", call.signal);
  throw new HandoverError({
    code: "REPLY_WINDOW_SET",
    message: `Agents cannot answer in the inbox ${inboxOf(parts.settings, request)}: remove its reply time window (agent_reply_time_window).`,
    effect: "handover",
  });
}

/** One line without content: what an agent may miss. */
function warnOfShortened(options: LiveAgentOptions, call: StartCall): void {
  const keys = shortenedAttributes(options);
  if (keys.length > 0) call.logger.warn("custom attributes were too long for Live Agent and were shortened", { keys: keys.join(", ") });
}

/** An active bot on the inbox makes every new conversation `pending`: agents do not see it. */
async function open(parts: LiveAgentParts, conversationId: string, call: StartCall): Promise<void> {
  const status = await parts.client.setStatus(conversationId, "open", call.signal);
  if (status === "open" || status === "untold") return;
  throw new ProviderApiError({
    code: "CONVERSATION_NOT_OPEN",
    message: "Live Agent keeps the conversation from its agents: remove the bot from the inbox.",
    effect: "handover",
  });
}

function readProgress(request: Request): Progress | undefined {
  return progressSchema.safeParse(request.resume?.state).data;
}

/** @throws HandoverError `INBOX_NOT_CHOSEN` */
function inboxOf(settings: LiveAgentSettings, request: Request): string {
  const inboxId = request.options.inboxId ?? settings.inboxId;
  if (inboxId !== undefined) return inboxId;
  throw new HandoverError({
    code: "INBOX_NOT_CHOSEN",
    message: "No inbox is named: set inboxId in the settings of the connection or in the options of the handover.",
    effect: "handover",
  });
}

function sourceIdOf(request: Request, round: number): string {
  return stableId("handover_", [request.handoverId, request.attempt, round], longestSourceId);
}

function notCreatedError(problem: string, inboxId: string): HandoverError {
  if (problem === "source-taken") {
    return new HandoverError({
      code: "SOURCE_TAKEN",
      message: "Live Agent has the keys of this handover for another contact.",
      effect: "handover",
    });
  }
  return new HandoverError({
    code: "INBOX_NOT_FOUND",
    message: `Live Agent does not open a conversation in the inbox ${inboxId}: check the Inbox ID, and that the inbox exists in the account.`,
    effect: "handover",
  });
}

function inDoubtError(): ProviderApiError {
  return new ProviderApiError({
    code: "START_IN_DOUBT",
    message: "A conversation was perhaps opened before, and Live Agent does not tell whether.",
    isRetryable: true,
    outcome: "unknown",
    effect: "handover",
  });
}
