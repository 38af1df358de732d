import type { Agent } from "@handover/core";
import { transact } from "../conversation/transact.ts";
import { createDraft, draftCommit } from "../handover/draft.ts";
import type { RuntimeContext } from "../runtime-context.ts";
import { errorSummary } from "../support/describe-error.ts";
import { applyAgentUpdate } from "./agent-updated.ts";

/** An agent's name came after what the agent did was shown without it. Best effort: whoever asks next has it. */
export async function applyLateProfile(
  context: RuntimeContext,
  request: { readonly key: string; readonly handover: string; readonly agent: Agent },
): Promise<void> {
  const { key, agent } = request;
  try {
    await transact(context, { key }, async ({ conversation, handover }) => {
      if (!conversation || handover?.id !== request.handover) return { result: undefined };
      const draft = createDraft(handover, context.clock.now(), conversation.lastSeq);
      await applyAgentUpdate(draft, agent, async (id) => (await context.store.findEntry(key, "runtime", id))?.seq);
      return draft.handover === handover ? { result: undefined } : { result: undefined, commit: draftCommit(draft) };
    });
  } catch (error) {
    context.logger.debug(`A late profile was dropped: ${errorSummary(error)}`);
  }
}
