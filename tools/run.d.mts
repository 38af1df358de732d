/** The command that runs the pinned pnpm, and its arguments. */
export function pnpm(...args: string[]): [command: string, args: string[]];
