// @ts-check
// How far the user has read: what was on the screen of a page that can be seen, told rarely and never backwards.

/** @import { ReadSignalModule } from "./chat-types.d.ts" */

const atMostEveryMs = 1_000;

/** @type {ReadSignalModule["createReadSignal"]} */
export function createReadSignal({ post, isVisible, clock, everyMs = atMostEveryMs }) {
  const stopped = new AbortController();
  let seenSeq = 0;
  let toldSeq = 0;
  let isWaiting = false;

  function tell() {
    if (stopped.signal.aborted || isWaiting || seenSeq <= toldSeq || !isVisible()) return;
    toldSeq = seenSeq;
    post(toldSeq);
    isWaiting = true;
    void clock.wait(everyMs, stopped.signal).then(() => {
      isWaiting = false;
      tell();
    });
  }

  return {
    seen(seq) {
      seenSeq = Math.max(seenSeq, seq);
      tell();
    },
    visibilityChanged: tell,
    stop: () => stopped.abort(),
  };
}
