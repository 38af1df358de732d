import type { Metric } from "@handover/runtime";

/** The text format of Prometheus: each name once with help and type, then its samples. */
export function writeMetrics(metrics: readonly Metric[]): string {
  const byName = Map.groupBy(metrics, (metric) => metric.name);
  const blocks = [...byName].map(([name, samples]) => {
    const { help, type } = samples[0] as Metric;
    const head = [`# HELP ${name} ${escape(help)}`, `# TYPE ${name} ${type}`];
    return [...head, ...samples.map((sample) => `${name}${writeLabels(sample.labels)} ${sample.value}`)].join("\n");
  });
  return `${blocks.join("\n")}\n`;
}

function writeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
