import type { Connection } from "../connections/connection-registry.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import type { ConversationRecord, HandoverRecord, PartRecord } from "../store/records.ts";
import { changeHandover } from "./change-handover.ts";
import type { LaneScope } from "./lane.ts";

/** What a step of sending needs to know. */
export interface SendScope extends LaneScope {
  readonly conversation: ConversationRecord;
  readonly handover: HandoverRecord;
  readonly connection: Connection;
}

/** Changes the handover while it is still at the attempt that is being sent to: another one has messages of its own. */
export function changeSending(scope: SendScope, change: Parameters<typeof changeHandover>[2]): ReturnType<typeof changeHandover> {
  const { id, attempt } = scope.handover;
  return changeHandover(scope, id, (draft, conversation) =>
    draft.handover.attempt.number === attempt.number ? change(draft, conversation) : undefined,
  );
}

/** No call lasts longer than its time, whatever the clock of the instance that announced it has said. */
export function soonOver({ clock, timing }: RuntimeContext, { callUntilMs }: { readonly callUntilMs?: number }): { callUntilMs?: number } {
  return callUntilMs === undefined ? {} : { callUntilMs: Math.min(callUntilMs, clock.now() + timing.callTimeoutMs) };
}

/** A part as it is now: an echo may have come meanwhile. */
export async function storedPart(scope: SendScope, part: PartRecord): Promise<PartRecord | undefined> {
  return scope.context.store.findPart(part.handover, { key: part.key });
}
