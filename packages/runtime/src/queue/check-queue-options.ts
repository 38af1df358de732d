import { InvalidConfigError } from "@handover/core";
import { findQueueIssues, type QueueOptions } from "./queue-options.ts";

/** Checks what a request or a bot says about the queue. @throws InvalidConfigError */
export function checkQueueOptions(options: QueueOptions | undefined): void {
  const issues = findQueueIssues({ ...options });
  if (issues.length > 0) throw new InvalidConfigError({ subject: "What a handover says about its queue", issues });
}
