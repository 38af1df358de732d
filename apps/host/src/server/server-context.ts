import type { Logger } from "@handover/core";
import type { HandoverRuntime } from "@handover/runtime";
import type { AccessGuard } from "../access/access.ts";
import type { EndpointConfiguration, HostConfiguration } from "../configuration/host-configuration.ts";
import type { EventStream, EventStreamTimes } from "./event-stream.ts";
import type { LimitedAction, LimitedLook } from "./limits.ts";
import type { ReaderCount } from "./reader-count.ts";

/** An endpoint as the routes need it. */
export interface ServedEndpoint {
  readonly configuration: EndpointConfiguration;
  readonly guard: AccessGuard;
}

/** What all routes share. */
export interface ServerContext {
  readonly configuration: HostConfiguration;
  readonly runtime: HandoverRuntime;
  readonly logger: Logger;
  readonly endpoints: ReadonlyMap<string, ServedEndpoint>;
  /** @throws Problem 429 */
  readonly limit: (action: LimitedAction | LimitedLook) => void;
  readonly streams: Set<EventStream>;
  readonly readers: ReaderCount;
  readonly streamTimes: EventStreamTimes;
  /** Resolves when what this host needs to be alive answers. */
  readonly checkHealth: () => Promise<void>;
  /** Tokens that open the operator's routes. */
  readonly operatorTokens: readonly string[];
}
