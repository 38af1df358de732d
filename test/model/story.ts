/** What happened, line by line, for people. */
export interface Story {
  /** A line is made only when somebody will read it. */
  tell(who: string, line: () => string): void;
  readonly lines: readonly string[];
}

/** A story; without `isWanted` nothing is kept. */
export function createStory(isWanted: boolean, now: () => number): Story {
  const lines: string[] = [];
  const startMs = now();
  return {
    tell(who, line) {
      if (isWanted) lines.push(`${String(now() - startMs).padStart(7)} ms  ${who.padEnd(9)} ${line()}`);
    },
    lines,
  };
}
