import type { Timing } from "@handover/runtime";

/** What the program of the host under chaos is told. */
export interface HostPlan {
  readonly configurationFile: string;
  readonly endpoint: string;
  readonly port: number;
  readonly publicUrl: string;
  readonly store:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "postgres"; readonly connectionString: string; readonly schema: string };
  readonly timing: Partial<Timing>;
  readonly botUrl: string;
  readonly botSecret: string;
  readonly pushUrl: string;
  readonly statusFile: string;
}
