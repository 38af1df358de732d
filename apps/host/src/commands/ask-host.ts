import type { ConnectionReport, ConnectionSummary } from "@handover/runtime";
import { HandoverError } from "@handover/core";
import type { StoreConfiguration } from "../configuration/host-configuration.ts";
import { readOperatorFiles, type OperatorAccess } from "../operator-file.ts";

/** A host that runs on the store, as the command line sees it. */
export interface RunningHost {
  connections(): Promise<readonly ConnectionSummary[]>;
  checkConnections(name: string | undefined): Promise<readonly ConnectionReport[]>;
}

/** A host of this machine that runs on a store, if one does. */
export async function findRunningHost(store: StoreConfiguration): Promise<RunningHost | undefined> {
  const asked = await Promise.all((await readOperatorFiles(store)).map(async (access) => ((await isAlive(access)) ? [access] : [])));
  const [access] = asked.flat();
  if (!access) return undefined;
  return {
    connections: async () => (await ask(access, "/operator/connections")) as readonly ConnectionSummary[],
    checkConnections: async (connection) =>
      (await ask(access, "/operator/check", connection === undefined ? {} : { connection })) as readonly ConnectionReport[],
  };
}

function isAlive(access: OperatorAccess): Promise<boolean> {
  return ask(access, "/operator/connections").then(
    () => true,
    () => false,
  );
}

async function ask({ url, token }: OperatorAccess, path: string, body?: object): Promise<unknown> {
  const response = await fetch(new URL(path, url), {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
    signal: AbortSignal.timeout(60_000),
    redirect: "error",
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  const { code, detail } = answer as { code?: string; detail?: string };
  throw new HandoverError({ code: code ?? "HOST_REFUSED", message: detail ?? "The running host refused." });
}
