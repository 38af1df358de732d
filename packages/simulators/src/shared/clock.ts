/** Where a simulator gets the time from. */
export interface SimulatorClock {
  /** Unix milliseconds. */
  now(): number;
  /** Calls back once after `delayMs` and returns a function that cancels it. Real timers when left out. */
  setTimer?(callback: () => void, delayMs: number): () => void;
}

export interface Clock {
  now(): number;
  setTimer(callback: () => void, delayMs: number): () => void;
}

export function createClock(clock: SimulatorClock | undefined): Clock {
  return {
    now: () => (clock ? clock.now() : Date.now()),
    setTimer: (callback, delayMs) => (clock?.setTimer ? clock.setTimer(callback, delayMs) : realTimer(callback, delayMs)),
  };
}

function realTimer(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
