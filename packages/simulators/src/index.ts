export { startSimulators } from "./start-simulators.ts";
export type { Simulators, SimulatorsOptions } from "./start-simulators.ts";
export type { LiveAgentSimulator } from "./live-agent/live-agent-simulator.ts";
export type { LiveAgentSimulatorOptions } from "./live-agent/live-agent-options.ts";
export type { LiveAgentProfileName } from "./live-agent/live-agent-profile.ts";
export { ControlError } from "./shared/control-error.ts";
export type { Change, Changes } from "./shared/changes.ts";
export type { SimulatorClock } from "./shared/clock.ts";
export type { Faults } from "./shared/faults.ts";
export type { LoggedRequest } from "./shared/request-log.ts";
export type {
  ControlAgent,
  ControlConversation,
  ControlMessage,
  ControlNote,
  DeskOverview,
  VendorSimulator,
} from "./shared/vendor-simulator.ts";
export type { WebhookAttempt } from "./shared/webhook-sender.ts";
