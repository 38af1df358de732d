/** What the link to an Agent Assist or Copilot workspace is made of. */
export interface AgentAssistLink {
  /** Of the workspace, https; its path is kept. There is no usual value: the documented host is one for development. */
  readonly baseUrl: string;
  readonly sessionId?: string | undefined;
  readonly userId?: string | undefined;
  /** Token of the endpoint. The link is as secret as this. */
  readonly urlToken?: string | undefined;
  /** Cognigy's organisation id; never the 8x8-Tenant. */
  readonly organisationId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly configId?: string | undefined;
  /** A JWT, for workspaces that ask for one. */
  readonly auth?: string | undefined;
}

/**
 * Builds the link under which an agent sees the workspace of a conversation. Section 1.5 of the reference page. It contains the
 * endpoint's token: show it to agents only, and never log it.
 *
 * @returns nothing when the address is not https or something mandatory (session, user, token) is missing
 */
export function buildAgentAssistLink(link: AgentAssistLink): string | undefined {
  if (!URL.canParse(link.baseUrl.trim())) return undefined;
  const url = new URL(link.baseUrl.trim());
  if (url.protocol !== "https:") return undefined;
  const mandatory: readonly (readonly [string, string | undefined])[] = [
    ["sessionId", link.sessionId],
    ["userId", link.userId],
    ["URLToken", link.urlToken],
  ];
  if (mandatory.some(([, value]) => isEmpty(value))) return undefined;
  const optional: typeof mandatory = [
    ["organisationId", link.organisationId],
    ["projectId", link.projectId],
    ["configId", link.configId],
    ["auth", link.auth],
  ];
  for (const [name, value] of [...mandatory, ...optional]) if (value !== undefined && !isEmpty(value)) url.searchParams.set(name, value);
  return url.href;
}

function isEmpty(value: string | undefined): boolean {
  return value === undefined || value.trim() === "";
}
