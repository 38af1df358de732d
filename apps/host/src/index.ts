export { startHost } from "./host.ts";
export type { Host, HostOptions } from "./host.ts";
export { loadConfiguration } from "./configuration/load-configuration.ts";
export type { LoadOptions } from "./configuration/load-configuration.ts";
export type { HostConfiguration } from "./configuration/host-configuration.ts";
export { ConfigurationError } from "./configuration/problem.ts";
export type { ConfigurationProblem } from "./configuration/problem.ts";
export { createDemoBot } from "./bots/demo-bot.ts";
export { createHttpBot, signBody } from "./bots/http-bot.ts";
