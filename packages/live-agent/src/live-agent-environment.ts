import { normaliseBaseUrl } from "./live-agent-base-url.ts";

/** The environment variables of the pre-configured account, under Cognigy's own names. Section 1.2 of the reference page. */
export const featureVariable = "FEATURE_USE_COGNIGY_LIVE_AGENT";
export const baseUrlVariable = "COGNIGY_LIVE_AGENT_API_BASE_URL_WITH_PROTOCOL";
export const platformTokenVariable = "COGNIGY_LIVE_AGENT_PLATFORM_TOKEN";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says about the pre-configured installation. */
export type PlatformEnvironment =
  | { readonly isReady: true; readonly baseUrl: string; readonly platformToken: string }
  | { readonly isReady: false; readonly problem: string };

/** Reads the three variables; the problem names those that are missing or wrong, and no value. */
export function readPlatformEnvironment(environment: Environment = process.env): PlatformEnvironment {
  const value = (name: string): string => environment[name]?.trim() ?? "";
  const missing = [baseUrlVariable, platformTokenVariable].filter((name) => value(name) === "");
  const isOn = value(featureVariable) === "true";
  const cures = [...(isOn ? [] : [`${featureVariable}=true`]), ...missing];
  if (cures.length > 0) return refuse(`needs the environment: set ${cures.join(", ")} (as on the side of Live Agent), or switch it off`);
  const { baseUrl, problem } = normaliseBaseUrl(value(baseUrlVariable));
  if (problem !== undefined) return refuse(`needs the environment: ${baseUrlVariable} ${problem}`);
  return { isReady: true, baseUrl, platformToken: value(platformTokenVariable) };
}

function refuse(problem: string): PlatformEnvironment {
  return { isReady: false, problem };
}
