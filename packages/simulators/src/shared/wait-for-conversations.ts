import { waitForChange, type Changes } from "./changes.ts";
import type { ControlConversation, VendorSimulator } from "./vendor-simulator.ts";

const defaultTimeoutMs = 5000;

/** The `waitFor` of a simulator. */
export function createWaitFor(changes: Changes, list: () => readonly ControlConversation[]): VendorSimulator["waitFor"] {
  return (predicate, { timeoutMs = defaultTimeoutMs } = {}) => {
    const look = (): readonly ControlConversation[] | undefined => {
      const conversations = list();
      return predicate(conversations) ? conversations : undefined;
    };
    return waitForChange(changes, look, timeoutMs);
  };
}
