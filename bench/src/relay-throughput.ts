import type { Store } from "@handover/runtime";
import type { Contender, OpenContender } from "./compare.ts";
import { openRelay, relayOne } from "./relay.ts";
import type { Direction } from "./relay.ts";
import { commitOf, conversationOf, conversationsOf, entryOf } from "./workload.ts";

/** Hands over a store on a fresh file or in a fresh schema, not yet open. */
export type WithStore = (open: (store: Store) => Promise<OpenContender>) => Contender;

/** The whole runtime: one message at a time in each of so many conversations, from the one side until it is at the other. */
export function relaying(withStore: WithStore, direction: Direction, conversations: number): Contender {
  return withStore(async (store) => {
    const relay = await openRelay(store, conversations);
    return { call: (index, slot) => relayOne(relay, direction, slot, `message ${index}`), close: () => relay.close() };
  });
}

/** The store alone, with as many writes for a message as the runtime needs, one after the other. */
export function writing(withStore: WithStore, direction: Direction, conversations: number): Contender {
  const workload = { conversations };
  const updates = direction === "user to desk" ? 2 : 1;
  return withStore(async (store) => {
    await store.open();
    await Promise.all(conversationsOf(workload).map((conversation) => store.commit(commitOf(conversation, []))));
    return {
      async call(index, slot) {
        const conversation = conversationOf(slot, workload);
        await store.commit(commitOf(conversation, [entryOf(index)]));
        for (let update = 0; update < updates; update += 1) await store.commit({ conversation, update: { botThrough: index } });
      },
      close: () => store.close(),
    };
  });
}
