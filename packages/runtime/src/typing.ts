import type { RuntimeClock, Timing } from "./options.ts";
import type { TypingSignal } from "./runtime.ts";
import type { Store } from "./store/store.ts";

/** Who types in which conversation: shown at once, never stored, and never for ever. */
export interface TypingBoard {
  /** Shows a typing sign to everybody who watches, on all instances. */
  show(key: string, signal: TypingSignal): void;
  /** Takes the sign away if one was shown here: a message came, the agent left, or it is over. */
  clear(key: string): void;
  watch(key: string, listener: (signal: TypingSignal) => void): () => void;
}

/** A board over the store's topics. A sign that nobody takes away goes out by itself. */
export function createTypingBoard(parts: { readonly store: Store; readonly clock: RuntimeClock; readonly timing: Timing }): TypingBoard {
  const { store, clock, timing } = parts;
  const shown = new Map<string, { readonly signal: TypingSignal; readonly cancel: () => void }>();
  const topic = (key: string) => `typing:${key}`;

  function clear(key: string): void {
    const current = shown.get(key);
    if (!current) return;
    current.cancel();
    shown.delete(key);
    store.publish(topic(key), { author: { ...current.signal.author }, isTyping: false });
  }

  return {
    clear,
    show(key, signal) {
      shown.get(key)?.cancel();
      shown.delete(key);
      if (signal.isTyping) shown.set(key, { signal, cancel: clock.after(timing.typingExpiryMs, () => clear(key)) });
      store.publish(topic(key), { author: { ...signal.author }, isTyping: signal.isTyping });
    },
    watch: (key, listener) => store.subscribe(topic(key), (data) => listener(data as unknown as TypingSignal)),
  };
}
