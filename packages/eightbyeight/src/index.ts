export { eightbyeightProvider as default, eightbyeightProvider } from "./eightbyeight-provider.ts";
export { buildAgentAssistLink } from "./eightbyeight-agent-assist.ts";
export type { AgentAssistLink } from "./eightbyeight-agent-assist.ts";
export type { EightbyeightOptions, EightbyeightSettings } from "./eightbyeight-settings.ts";
export type { EightbyeightState } from "./eightbyeight-state.ts";
