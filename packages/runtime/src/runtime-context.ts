import type { HttpDispatcher, Logger, Random } from "@handover/core";
import type { AgentProfiles } from "./agents/agent-profiles.ts";
import type { AvailabilityChecks } from "./availability/availability-checks.ts";
import type { AttachmentLinks } from "./attachments/attachment-links.ts";
import type { FileFetches } from "./attachments/fetch-desk-file.ts";
import type { Backlog } from "./backlog.ts";
import type { AccountChanges } from "./connections/account-changes.ts";
import type { ConnectionRegistry } from "./connections/connection-registry.ts";
import type { ChangeHub } from "./conversation/change-hub.ts";
import type { Endpoint } from "./endpoints.ts";
import type { HandoverRuntimeOptions, Limits, Retention, RuntimeClock, Timing } from "./options.ts";
import type { PushTries } from "./lanes/push-tries.ts";
import type { PresenceBoard } from "./presence/presence-board.ts";
import type { RedactionOptions } from "./redaction/redaction-options.ts";
import type { UserReceipts } from "./read/user-receipts.ts";
import type { QueuePolls } from "./queue/queue-polls.ts";
import type { Store } from "./store/store.ts";
import type { KeyedMutex } from "./support/mutex.ts";
import type { Metrics } from "./support/metrics.ts";
import type { ReceiptBoard } from "./receipts.ts";
import type { TypingBoard } from "./typing.ts";

/** What every part of a runtime shares. */
export interface RuntimeContext {
  readonly store: Store;
  readonly clock: RuntimeClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly timing: Timing;
  readonly limits: Limits;
  readonly retention?: Retention;
  readonly redact?: RedactionOptions;
  readonly dispatcher?: HttpDispatcher;
  readonly publicUrl?: string;
  readonly connections: ConnectionRegistry;
  readonly accountChanges: AccountChanges;
  readonly agentProfiles: AgentProfiles;
  readonly availability: AvailabilityChecks;
  readonly queuePolls: QueuePolls;
  readonly backlog: Backlog;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly metrics: Metrics;
  readonly mutex: KeyedMutex;
  readonly changes: ChangeHub;
  readonly typing: TypingBoard;
  readonly receipts: ReceiptBoard;
  readonly pushTries: PushTries;
  readonly links: AttachmentLinks;
  readonly fileFetches: FileFetches;
  readonly attachmentUrl?: HandoverRuntimeOptions["attachmentUrl"];
  readonly fetchFile?: HandoverRuntimeOptions["fetchFile"];
  readonly presence: PresenceBoard;
  readonly userReceipts: UserReceipts;
  /** Aborts when the runtime has waited long enough for what is in flight. */
  readonly stopSignal: AbortSignal;
  /** Whether something that anybody outside can cause as often as they like is to be logged once more. */
  isNews(what: string): boolean;
  /** Names this run of this process. */
  readonly bootId: string;
  /** Makes somebody look at the conversation soon. */
  nudge(key: string): void;
}
