import type { ConnectionReport } from "@handover/runtime";
import type { SettingOrigin } from "../configuration/host-configuration.ts";
import type { ConfigurationProblem } from "../configuration/problem.ts";

const noWebhook = "none: set publicUrl in the configuration, or this provider takes no webhooks";

/** What `handover check` found. `webhookUrl` is there when it was asked for, `null` where there is none. */
export interface CheckReport {
  readonly isOk: boolean;
  /** `store`: where the data is, without user and password. */
  readonly configuration: { readonly file: string; readonly problems: readonly ConfigurationProblem[]; readonly store?: string };
  readonly connections: readonly (ConnectionReport & {
    readonly settings: readonly SettingOrigin[];
    readonly webhookUrl?: string | null;
  })[];
}

export function printReport(report: CheckReport, output: { readonly isJson: boolean; readonly print: (line: string) => void }): void {
  if (output.isJson) {
    output.print(JSON.stringify(report, null, 2));
    return;
  }
  output.print(`${report.configuration.file}: ok`);
  for (const { connection, provider, findings, settings, webhookUrl } of report.connections) {
    output.print(`${connection} (${provider})`);
    for (const { level, code, message } of findings) output.print(`  ${level.padEnd(8)} ${message} [${code}]`);
    if (findings.length === 0) output.print("  ok       this provider has no check of its own");
    for (const origin of settings) output.print(`  setting  ${describeOrigin(origin)}`);
    if (webhookUrl !== undefined) output.print(`  webhook  ${webhookUrl ?? noWebhook}`);
  }
  if (report.configuration.store !== undefined) output.print(`store: ${report.configuration.store}`);
}

function describeOrigin({ setting, from, variables, value }: SettingOrigin): string {
  const source = { file: "the file", environment: `the environment (${variables.join(", ")})`, provisioned: "handover provision" }[from];
  return `${setting} = ${value ?? "********"}, from ${source}`;
}
