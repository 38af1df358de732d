import type { Availability, Json } from "@handover/core";
import { mergeOptions, requireEndpoint, whyNoHandover } from "../endpoints.ts";
import type { RuntimeContext } from "../runtime-context.ts";

/**
 * Whether a handover at an endpoint would find somebody: at the first of its connections that has people, in the order of
 * fallback. `unavailable` when none of them has, `unknown` when one of them cannot tell.
 *
 * @throws RuntimeError `ENDPOINT_NOT_FOUND`; InvalidConfigError for options
 */
export async function checkEndpoint(
  context: RuntimeContext,
  request: { readonly endpoint: string; readonly options?: Readonly<Record<string, Json>> },
): Promise<Availability> {
  const endpoint = requireEndpoint(context.endpoints, request.endpoint);
  if (!endpoint.handover || whyNoHandover(endpoint)) return { status: "unavailable" };
  const options = mergeOptions(endpoint, context.connections, request.options ? [request.options] : []);
  const asking = askInOrder(context, endpoint.handover.connections, options);
  let cancel: () => void = () => undefined;
  const limit = new Promise<Availability>((resolve) => {
    cancel = context.clock.after(context.timing.availabilityTimeoutMs, () => resolve({ status: "unknown" }));
  });
  const answer = await Promise.race([asking, limit]);
  cancel();
  return answer;
}

async function askInOrder(
  context: RuntimeContext,
  connections: readonly string[],
  options: Readonly<Record<string, Json>>,
): Promise<Availability> {
  const answers: Availability[] = [];
  for (const name of connections) {
    const answer = await context.availability.ask(context.connections.get(name), options[name] ?? {});
    if (answer.status === "available") return answer;
    answers.push(answer);
  }
  if (answers.some(({ status }) => status === "unknown")) return { status: "unknown" };
  const counts = answers.map(({ agents }) => agents);
  const isCounted = counts.every((count) => count !== undefined);
  return { status: "unavailable", ...(isCounted ? { agents: counts.reduce((sum, count) => sum + count, 0) } : {}) };
}
