import type { HandoverError } from "@handover/core";
import { endpointOf } from "../endpoints.ts";
import { note, showNotice } from "../handover/draft.ts";
import { isInTranscript, isPassed, passEntry, settledPart } from "../handover/part-cursor.ts";
import type { PartRecord } from "../store/records.ts";
import { errorSummary } from "../support/describe-error.ts";
import { failureFields } from "../support/failure-fields.ts";
import { again, type StepResult } from "./lane.ts";
import { changeSending, type SendScope } from "./send-scope.ts";

/** A part is not tried again: what is left of its message goes with it. */
export async function giveUpPart(scope: SendScope, part: PartRecord, code: string, error?: HandoverError): Promise<StepResult> {
  scope.context.logger.error(`A message could not be delivered to the desk${error ? `: ${errorSummary(error)}` : "."}`, {
    ...failureFields(scope.context, { handover: part.handover, connection: scope.connection.name }, { code, error }),
    seq: part.seq,
  });
  const parts = await scope.context.store.readParts(part.handover, part.attempt, part.seq);
  // An echo came meanwhile: it has arrived after all.
  if (parts.find((candidate) => candidate.key === part.key)?.status === "sent") return again;
  const isUser = part.part.message.author.role === "user";
  return giveUpEntry(
    scope,
    part.seq,
    isUser,
    code,
    parts.filter((candidate) => candidate.status !== "sent"),
  );
}

/** The sender is told, and the lane goes on behind the entry. */
export async function giveUpEntry(
  scope: SendScope,
  seq: number,
  isUser: boolean,
  code: string,
  parts: readonly PartRecord[],
): Promise<StepResult> {
  const { context, conversation } = scope;
  const { messageFailed } = endpointOf(context.endpoints, conversation.endpoint).texts;
  await changeSending(scope, (draft) => {
    if (isPassed(draft.handover, { seq, isUser })) return undefined;
    draft.parts.push(...parts.map((part) => settledPart(part, "failed")));
    passEntry(draft, { seq, isUser });
    note(draft, "message-given-up", { code, seq });
    if (isUser && !isInTranscript(draft.handover, { seq, isUser })) {
      showNotice(draft, "message-failed", {
        about: seq,
        cause: { actor: "system", code },
        ...(messageFailed === "" ? {} : { text: messageFailed }),
      });
    }
    return {};
  });
  return again;
}

/** The desk has closed: parts that surely never left are taken off the lane; their entries count as undelivered. */
export async function dropParts(scope: SendScope): Promise<StepResult> {
  const { context, handover } = scope;
  const open = await context.store.readOpenParts(handover.id, handover.attempt.number);
  await changeSending(scope, (draft) => {
    draft.parts.push(...open.map((part) => settledPart(part, "failed")));
    return {};
  });
  return again;
}
