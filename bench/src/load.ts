/** One call: the `index`th of all, made by the `slot`th of those who call at the same time. */
export type Call = (index: number, slot: number) => Promise<unknown>;

/** Makes a number of calls, so many at a time. @returns how many milliseconds they took */
export async function timeCalls(count: number, inFlight: number, call: Call): Promise<number> {
  let next = 0;
  async function callOneAfterTheOther(slot: number): Promise<void> {
    while (next < count) {
      const index = next;
      next += 1;
      await call(index, slot);
    }
  }
  const beganAtMs = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, slot) => callOneAfterTheOther(slot)));
  return performance.now() - beganAtMs;
}
