export { startSimulators } from "./start-simulators.ts";
export type { Simulators, SimulatorsOptions } from "./start-simulators.ts";
export type { EightbyeightBehaviour } from "./eightbyeight/eightbyeight-behaviour.ts";
export type { EightbyeightFile, EightbyeightLine } from "./eightbyeight/eightbyeight-control-input.ts";
export type { EightbyeightSimulatorOptions } from "./eightbyeight/eightbyeight-options.ts";
export type { EightbyeightSimulator } from "./eightbyeight/eightbyeight-simulator.ts";
export type { LiveAgentBehaviour } from "./live-agent/live-agent-behaviour.ts";
export type { LiveAgentAuthor } from "./live-agent/live-agent-control-actions.ts";
export type { LiveAgentFile, LiveAgentLine } from "./live-agent/live-agent-control-input.ts";
export type { LiveAgentInboxSettings, LiveAgentStaff } from "./live-agent/live-agent-control-settings.ts";
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
  ControlAttachment,
  ControlConversation,
  ControlMessage,
  ControlNote,
  DeskOverview,
  VendorSimulator,
} from "./shared/vendor-simulator.ts";
export type { WebhookAttempt } from "./shared/webhook-sender.ts";
