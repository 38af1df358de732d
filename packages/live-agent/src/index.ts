export { liveAgentProvider as default, liveAgentProvider } from "./live-agent-provider.ts";
export type { LiveAgentOptions, LiveAgentSettings } from "./live-agent-settings.ts";
export type { LiveAgentState } from "./live-agent-state.ts";
