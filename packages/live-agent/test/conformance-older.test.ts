import { describeProfile } from "./conformance-profile.ts";

for (const profile of ["3.16", "2.16", "1.19"] as const) await describeProfile(profile);
