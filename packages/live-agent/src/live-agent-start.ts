import {
  HandoverError,
  ProviderApiError,
  UnavailableError,
  type ProviderContext,
  type Started,
  type StartCall,
  type StartRequest,
} from "@handover/core";
import { stableId } from "@handover/provider-utils";
import { z } from "zod";
import { conversationFields, readSessionId } from "./live-agent-attributes.ts";
import type { LiveAgentClient } from "./live-agent-client.ts";
import { ensureContact, forgetContact } from "./live-agent-contact.ts";
import { referencesOf } from "./live-agent-deliveries.ts";
import type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";
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

/** Contact, conversation, status, priority; sections 3.1 to 3.3 of the reference page. The transcript goes through the lane. */
export async function start(parts: LiveAgentParts, request: Request, call: StartCall): Promise<Started<LiveAgentState>> {
  const progress = readProgress(request);
  const existing = progress ? await findConversation(parts, progress, call) : "absent";
  if (existing === "unknown") throw inDoubtError();
  if (progress && existing !== "absent") return finish(parts, request, progress, existing, call);

  const technicalUserId = await learnTechnicalUser(parts, call.signal);
  const contactId = progress?.contactId ?? (await ensureContact(parts.client, parts.context, request, call));
  const { conversation, progress: made } = await create(parts, request, contactId, call);
  checkFresh(parts, made, conversation);
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

async function create(
  parts: LiveAgentParts,
  request: Request,
  firstContactId: string,
  call: StartCall,
): Promise<{ conversation: WireConversation; progress: Progress }> {
  let contactId = firstContactId;
  let problem: Exclude<Awaited<ReturnType<LiveAgentClient["createConversation"]>>, WireConversation> = "source-taken";
  for (let round = 0; round < 2; round += 1) {
    const progress = { sourceId: sourceIdOf(request, round), contactId, createAtMs: parts.context.clock.now() };
    await call.checkpoint({ references: [`source:${progress.sourceId}`], state: progress });
    const created = await parts.client.createConversation(conversationFields(parts.settings, request, progress), call.signal);
    if (typeof created !== "string") return { conversation: created, progress };
    problem = created;
    if (created === "unknown-contact-or-inbox") {
      await forgetContact(parts.context, request);
      contactId = await ensureContact(parts.client, parts.context, request, call);
    }
    // "source-taken": another contact has the key, the next round takes another one.
  }
  throw notCreatedError(problem, request.options.inboxId ?? parts.settings.inboxId);
}

/** Compares exactly, by the session id that the create call stored: filters are ignored by servers that do not know them. */
async function findConversation(
  parts: LiveAgentParts,
  progress: Progress,
  call: StartCall,
): Promise<WireConversation | "absent" | "unknown"> {
  const { client, settings } = parts;
  if (progress.conversationId !== undefined) return client.getConversation(progress.conversationId, call.signal);
  const lists = [
    () => client.listConversationsBySource(progress.sourceId, call.signal),
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
  await applyPriority(parts, request, conversation, call);
  const technicalUserId = learnedUserId ?? (await learnTechnicalUser(parts, call.signal));
  const state: LiveAgentState = {
    conversationId: conversation.id,
    sourceId: progress.sourceId,
    // One that is over by now ends by the webhook or by catchUp, like any other.
    status: "open",
    ...(technicalUserId === undefined ? {} : { technicalUserId }),
  };
  return { references, state, transcriptThrough: 0, relay: "both" };
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
    throw new UnavailableError({ code: "CONTACT_BLOCKED", message: "Live Agent closed the conversation at once: the contact is blocked." });
  }
}

/** An active bot on the inbox makes every new conversation `pending`: agents do not see it. */
async function open(parts: LiveAgentParts, conversationId: string, call: StartCall): Promise<void> {
  const status = await parts.client.setStatus(conversationId, "open", call.signal);
  if (status === "open") return;
  throw new ProviderApiError({
    code: "CONVERSATION_NOT_OPEN",
    message: "Live Agent keeps the conversation from its agents: remove the bot from the inbox.",
    effect: "handover",
  });
}

async function applyPriority(parts: LiveAgentParts, request: Request, conversation: WireConversation, call: StartCall): Promise<void> {
  const { priority } = request.options;
  if (priority === undefined || priority === "none" || conversation.priority === priority) return;
  try {
    await parts.client.setPriority(conversation.id, priority, call.signal);
  } catch (error) {
    // The call came with 2.17. A handover without its priority is better than none.
    if (!ProviderApiError.isInstance(error) || error.isRetryable) throw error;
    call.logger.warn("the priority could not be set", { status: error.status, code: error.code });
  }
}

/** Our own user, by whose id echoes are told from answers. An installation without the call gives none. */
async function learnTechnicalUser(parts: LiveAgentParts, signal: AbortSignal): Promise<string | undefined> {
  const key = "live-agent:technical-user";
  const known = parts.context.cache.get(key);
  if (typeof known === "string") return known === "" ? undefined : known;
  const userId = await readTechnicalUser(parts, signal);
  parts.context.cache.set(key, userId ?? "", 3_600_000);
  return userId;
}

async function readTechnicalUser(parts: LiveAgentParts, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await parts.client.getProfile(signal)).id;
  } catch (error) {
    if (!ProviderApiError.isInstance(error) || error.isRetryable) throw error;
    return undefined;
  }
}

function readProgress(request: Request): Progress | undefined {
  return progressSchema.safeParse(request.resume?.state).data;
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
