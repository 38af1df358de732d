import { ConversationGoneError, type Call, type Handover, type Json, type QueueStatus } from "@handover/core";
import { withoutEmpty } from "@handover/provider-utils";
import type { LiveAgentOptions } from "./live-agent-settings.ts";
import type { LiveAgentParts } from "./live-agent-start.ts";
import { isTerminal, type LiveAgentState } from "./live-agent-state.ts";

type LiveAgentHandover = Handover<LiveAgentOptions, LiveAgentState>;
type Numbers = Pick<QueueStatus, "position" | "estimatedWaitMs">;
type Source = "details" | "conversation" | "list";

const sourceKey = "live-agent:queue-source";
/** A server that is upgraded is asked again. */
const sourceLifetimeMs = 600_000;
const validForMs = 10_000;
const pageSize = 25;
const mostPages = 8;

/**
 * Where waiting handovers stand: Live Agent says so since 4.78, but not under which name, so the likely ones are tried in turn;
 * elsewhere their place among the conversations that nobody has. Section 3.8 of the reference page.
 */
export async function getQueueStatuses(
  parts: LiveAgentParts,
  handovers: readonly LiveAgentHandover[],
  call: Call,
): Promise<ReadonlyMap<string, QueueStatus>> {
  const waiting = handovers.filter(({ state }) => !isTerminal(state.status));
  const known = parts.context.cache.get(sourceKey) as Source | undefined;
  for (const source of known === undefined ? (["details", "conversation"] as const) : known === "list" ? [] : [known]) {
    const found = await askEach(parts, source, waiting, call);
    if (found.size === 0) continue;
    parts.context.cache.set(sourceKey, source, sourceLifetimeMs);
    return toStatuses(found);
  }
  // Conversations that have left the queue are not a sign that the server knows none.
  if (known !== undefined && known !== "list") return new Map();
  if (waiting.length > 0) parts.context.cache.set(sourceKey, "list", sourceLifetimeMs);
  return toStatuses(await findInLists(parts, waiting, call));
}

async function askEach(
  { client }: LiveAgentParts,
  source: "details" | "conversation",
  handovers: readonly LiveAgentHandover[],
  call: Call,
): Promise<Map<string, Numbers>> {
  const ask = source === "details" ? client.getQueueDetails : client.getRawConversation;
  const found = new Map<string, Numbers>();
  for (const { id, state } of handovers) {
    const numbers = readNumbers(await ask(state.conversationId, call.signal).catch(nothingIfGone), source);
    if (numbers) found.set(id, numbers);
  }
  return found;
}

/** Shapes are not documented: plain, or within one of these objects (inferred). */
function readNumbers(answer: Json | undefined, source: "details" | "conversation"): Numbers | undefined {
  if (!isObject(answer)) return undefined;
  const inner = [answer["queue_details"], answer["payload"], answer["data"]].find(isObject);
  const names =
    source === "details" ? ["position", "queue_position"] : inner ? ["position", "queue_position"] : ["queue_position", "position"];
  const from = inner ?? answer;
  const position = firstNumber(from, names, 1);
  const estimatedWaitMs = firstNumber(from, ["estimated_wait_time", "estimatedWaitTime", "estimated_waiting_time"], 0);
  if (position === undefined && estimatedWaitMs === undefined) return undefined;
  return withoutEmpty({ position, estimatedWaitMs });
}

function firstNumber(from: Readonly<Record<string, Json | undefined>>, names: readonly string[], least: number): number | undefined {
  const values = names.map((name) => from[name]).map((value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value));
  return values.find((value): value is number => typeof value === "number" && Number.isFinite(value) && value >= least);
}

/** By inbox, because each has a queue of its own. */
async function findInLists(parts: LiveAgentParts, handovers: readonly LiveAgentHandover[], call: Call): Promise<Map<string, Numbers>> {
  const found = new Map<string, Numbers>();
  for (const [inboxId, waiting] of groupByInbox(parts, handovers)) {
    const positions = await readPositions(parts, inboxId, new Set(waiting.map(({ state }) => state.conversationId)), call);
    for (const { id, state } of waiting) {
      const position = positions.get(state.conversationId);
      if (position !== undefined) found.set(id, { position });
    }
  }
  return found;
}

async function readPositions(
  { client }: LiveAgentParts,
  inboxId: string | undefined,
  wanted: ReadonlySet<string>,
  call: Call,
): Promise<Map<string, number>> {
  const positions = new Map<string, number>();
  let read = 0;
  let waiting = 0;
  for (let page = 1; page <= mostPages; page += 1) {
    const { conversations, unassignedCount } = await client.listUnassigned(inboxId, page, call.signal);
    conversations.forEach(({ id }, index) => {
      if (wanted.has(id) && !positions.has(id)) positions.set(id, read + index + 1);
    });
    read += conversations.length;
    if (positions.size === wanted.size || conversations.length < pageSize || read >= (unassignedCount ?? Infinity)) return positions;
    waiting = unassignedCount ?? 0;
  }
  // Behind all that was read: nobody is further back than the last.
  for (const id of wanted) if (!positions.has(id) && waiting > 0) positions.set(id, waiting);
  return positions;
}

function groupByInbox(parts: LiveAgentParts, handovers: readonly LiveAgentHandover[]): Map<string | undefined, LiveAgentHandover[]> {
  const groups = new Map<string | undefined, LiveAgentHandover[]>();
  for (const handover of handovers) {
    const inboxId = handover.state.inbox ?? handover.options.inboxId ?? parts.settings.inboxId;
    groups.set(inboxId, [...(groups.get(inboxId) ?? []), handover]);
  }
  return groups;
}

function toStatuses(found: ReadonlyMap<string, Numbers>): ReadonlyMap<string, QueueStatus> {
  return new Map([...found].map(([id, numbers]) => [id, { ...numbers, validForMs }]));
}

function nothingIfGone(error: unknown): undefined {
  if (!ConversationGoneError.isInstance(error)) throw error;
}

function isObject(value: Json | undefined): value is Record<string, Json | undefined> & Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
