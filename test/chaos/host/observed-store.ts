import type { Commit, Store } from "@handover/runtime";
import { laneOfCommit } from "./lanes.ts";
import type { Observer } from "./observer.ts";

/** A store that tells the observer what is written, and otherwise is the one it was given. */
export function observeStore(store: Store, observer: Observer): Store {
  function keepCount(commit: Commit): void {
    for (const part of commit.parts ?? []) {
      const isOpen = part.status === "planned" || part.status === "sending" || part.status === "unclear";
      if (isOpen) observer.out.add(part.key);
      else observer.out.delete(part.key);
    }
    for (const { id, attempt, status } of commit.handovers ?? []) {
      const isStarting = status !== "ended" && (attempt.phase === "starting" || attempt.phase === "in-doubt");
      if (isStarting) observer.out.add(`start:${id}`);
      else observer.out.delete(`start:${id}`);
    }
    if ((commit.deliveries?.length ?? 0) > 0) observer.in.add(commit.conversation);
  }

  return {
    ...store,
    async commit(commit) {
      const result = await observer.commit(laneOfCommit(commit), commit.conversation, () => store.commit(commit), isAnnouncement(commit));
      if (result.status === "committed") keepCount(commit);
      return result;
    },
    async receive(deliveries) {
      const name = deliveries[0]?.references[0] ?? "";
      const result = await observer.commit("webhook", name, () => store.receive(deliveries));
      if (result.added > 0) for (const key of result.conversations) observer.in.add(key);
      return result;
    },
    async readInbox(conversation, limit) {
      const rows = await store.readInbox(conversation, limit);
      if (rows.length > 0) observer.in.add(conversation);
      else observer.in.delete(conversation);
      return rows;
    },
    async readOpenParts(handover, attempt) {
      const parts = await store.readOpenParts(handover, attempt);
      for (const part of parts) observer.out.add(part.key);
      return parts;
    },
  };
}

/** A part is about to be sent, or a ticket to be opened. */
function isAnnouncement({ parts = [], handovers = [] }: Commit): boolean {
  const isStarting = handovers.some(({ attempt }) => attempt.phase === "starting" && attempt.callUntilMs !== undefined);
  return isStarting || parts.some(({ status }) => status === "sending");
}
