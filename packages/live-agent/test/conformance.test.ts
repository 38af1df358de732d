import { describeProfile } from "./conformance-profile.ts";

for (const profile of ["live-agent", "4.15", "4.2"] as const) await describeProfile(profile);
