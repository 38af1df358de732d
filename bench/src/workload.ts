import type { Commit, NewEntry } from "@handover/runtime";

/** What is written: one message of a user for each commit, to so many conversations, whose order has nothing to do with their age. */
export interface Workload {
  readonly conversations: number;
}

const text =
  "Good morning, the parcel that I ordered last Tuesday has still not come, and the page that should show where it is has not " +
  "changed for three days. Could you please find out what happened to it?";

/** A prime: every conversation has its turn. */
const stride = 7919;

export function conversationsOf({ conversations }: Workload): readonly string[] {
  return Array.from({ length: conversations }, (_, index) => `web/${index}`);
}

export function conversationOf(index: number, { conversations }: Workload): string {
  return `web/${(index * stride) % conversations}`;
}

/** The entry that `receiveMessage` makes of a user's message. */
export function entryOf(index: number): NewEntry {
  return {
    id: `message-${index}`,
    source: "user",
    kind: "message",
    at: new Date().toISOString(),
    author: { role: "user" },
    audience: ["user", "bot", "desk"],
    text,
  };
}

/** The commit that `receiveMessage` makes. */
export function commitOf(conversation: string, entries: readonly NewEntry[]): Commit {
  return { conversation, create: { endpoint: "web", conversation: conversation.slice("web/".length) }, append: entries };
}
