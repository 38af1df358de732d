import type { Json } from "@handover/core";
import type { RuntimeClock, Timing } from "../options.ts";
import type { Store } from "../store/store.ts";
import { setNewest } from "../support/set-newest.ts";

/** Whether a user is there. */
export type PresenceLook =
  /** `againAtMs`: the user has just gone, and is away when still not back by then. */
  | { readonly kind: "here"; readonly againAtMs?: number }
  /** `wasHere`: this process saw the user go. */
  | { readonly kind: "away"; readonly wasHere?: true }
  /** It is not asked any more: the runtime stops. */
  | { readonly kind: "unknown" };

/** Who is there: each process knows its own readers, and asks the others. */
export interface PresenceBoard {
  /** Begins to answer other instances. */
  open(): void;
  /** Notes whether the user is there, as this process sees it. @returns whether that is a change */
  note(key: string, isPresent: boolean): boolean;
  /** Looks here, and where the store is shared on all instances. */
  look(key: string): Promise<PresenceLook>;
  /** When somebody has to look although nothing happened; `undefined` before the first `lookAt`. */
  nextLook(key: string): number | undefined;
  lookAt(key: string, atMs: number): void;
  close(): void;
}

const rememberedKeys = 100_000;
/** A question or an answer may be lost: nobody is away before so many questions were not answered. */
const questions = 2;
const longestAnswerMs = 2_000;

const askTopic = "presence:ask";
const hereTopic = "presence:here";

/** A board in memory over the store's topics. */
export function createPresenceBoard(parts: {
  readonly store: Store;
  readonly clock: RuntimeClock;
  readonly timing: Timing;
}): PresenceBoard {
  const { store, clock, timing } = parts;
  const readers = new Map<string, { readonly isPresent: boolean; readonly sinceMs: number }>();
  const looks = new Map<string, number>();
  const waiting = new Set<{ readonly key: string; settle(look: PresenceLook): void }>();
  let stopListening: (() => void)[] = [];
  let isClosed = false;

  /** What this process sees; who has just gone is here until the grace time is over. */
  function lookHere(key: string): PresenceLook {
    const reader = readers.get(key);
    if (!reader) return { kind: "away" };
    if (reader.isPresent) return { kind: "here" };
    const againAtMs = reader.sinceMs + timing.presenceGraceMs;
    return againAtMs > clock.now() ? { kind: "here", againAtMs } : { kind: "away", wasHere: true };
  }

  function answer(data: Json): void {
    const { key } = data as { readonly key: string };
    const look = lookHere(key);
    if (look.kind !== "here") return;
    const leftMs = look.againAtMs === undefined ? {} : { leftMs: look.againAtMs - clock.now() };
    store.publish(hereTopic, { key, ...leftMs });
  }

  function hear(data: Json): void {
    const { key, leftMs } = data as { readonly key: string; readonly leftMs?: number };
    const look: PresenceLook = { kind: "here", ...(leftMs === undefined ? {} : { againAtMs: clock.now() + leftMs }) };
    for (const one of [...waiting]) if (one.key === key) one.settle(look);
  }

  /** One question to all instances, and the first answer. */
  function ask(key: string): Promise<PresenceLook> {
    return new Promise((resolve) => {
      const one = {
        key,
        settle(look: PresenceLook): void {
          cancel();
          waiting.delete(one);
          resolve(look);
        },
      };
      const cancel = clock.after(Math.min(longestAnswerMs, timing.presenceGraceMs / 2), () => one.settle({ kind: "away" }));
      waiting.add(one);
      store.publish(askTopic, { key });
    });
  }

  return {
    open() {
      isClosed = false;
      if (store.isShared) stopListening = [store.subscribe(askTopic, answer), store.subscribe(hereTopic, hear)];
    },
    note(key, isPresent) {
      const before = readers.get(key)?.isPresent ?? false;
      if (before === isPresent) return false;
      setNewest(readers, key, { isPresent, sinceMs: clock.now() }, rememberedKeys);
      return true;
    },
    async look(key) {
      const own = lookHere(key);
      let found = own;
      for (let times = 0; store.isShared && found.kind === "away" && times < questions; times += 1) {
        if (isClosed) break;
        found = await ask(key);
      }
      if (isClosed) return { kind: "unknown" };
      return found.kind === "away" ? own : found;
    },
    nextLook: (key) => looks.get(key),
    lookAt: (key, atMs) => setNewest(looks, key, atMs, rememberedKeys),
    close() {
      isClosed = true;
      for (const stop of stopListening) stop();
      for (const one of [...waiting]) one.settle({ kind: "unknown" });
    },
  };
}
