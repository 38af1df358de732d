import type { User } from "@handover/core";
import type { EndpointConfiguration } from "../configuration/host-configuration.ts";
import { Problem } from "../server/problem.ts";
import { readAccessCookie } from "./access-cookie.ts";
import { createTokenVerifier, TokenRefusedError, type VerifiedToken } from "./signed-tokens.ts";

/** What a request brings along to prove itself. */
export interface Credentials {
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
}

/** Somebody who may read and write the conversation. */
export interface Visitor {
  /** Only with signed access. */
  readonly user?: User;
  /** When the visitor has to prove it again, in Unix milliseconds. */
  readonly expiresAtMs?: number;
}

/** Decides who may use the conversations of one endpoint. */
export interface AccessGuard {
  readonly kind: "open" | "signed";
  /** @throws Problem 401 without a good token; 404 for a conversation that is not the visitor's, whether it exists or not */
  check(conversation: string, credentials: Credentials): Promise<Visitor>;
  /** The token of the `Authorization` header, checked, for the exchange into a cookie. */
  exchange(conversation: string, credentials: Credentials): Promise<{ readonly token: string; readonly expiresAtSeconds: number }>;
}

export function createAccessGuard(endpoint: EndpointConfiguration): AccessGuard {
  const { signed } = endpoint.access;
  return signed ? createSignedGuard(endpoint.token, createTokenVerifier(signed)) : openGuard;
}

const openGuard: AccessGuard = {
  kind: "open",
  check: async () => ({}),
  exchange: async () => {
    throw new Problem({ status: 404, code: "ACCESS_IS_OPEN", detail: "This endpoint needs no token: use the conversation as it is." });
  },
};

function createSignedGuard(endpoint: string, verify: (token: string) => Promise<VerifiedToken>): AccessGuard {
  const verifyFor = async (conversation: string, token: string | undefined): Promise<VerifiedToken> => {
    if (token === undefined) throw unauthorized("Send the token of your app as Authorization: Bearer, or exchange it at .../access first.");
    const verified = await verify(token).catch((error: unknown) => {
      throw toProblem(error);
    });
    if (verified.conversation !== conversation) throw conversationNotFound();
    return verified;
  };
  return {
    kind: "signed",
    async check(conversation, { authorization, cookie }) {
      const token = authorization === undefined ? readAccessCookie(cookie, { endpoint, conversation }) : bearer(authorization);
      const { user, expiresAtSeconds } = await verifyFor(conversation, token);
      return { user, expiresAtMs: expiresAtSeconds * 1000 };
    },
    async exchange(conversation, { authorization }) {
      const token = authorization === undefined ? undefined : bearer(authorization);
      const { expiresAtSeconds } = await verifyFor(conversation, token);
      return { token: token ?? "", expiresAtSeconds };
    },
  };
}

function bearer(authorization: string): string {
  const match = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(authorization);
  if (!match?.[1]) throw unauthorized("The Authorization header must be: Bearer <token>.");
  return match[1];
}

function toProblem(error: unknown): unknown {
  if (!(error instanceof TokenRefusedError)) return error;
  if (error.reason === "expired") return unauthorized("The token has expired. Get a new one from your app.", "TOKEN_EXPIRED");
  if (error.reason === "invalid") return unauthorized("The token cannot be used: signature or claims (conversation, sub, exp) are wrong.");
  const detail = "The keys that verify tokens cannot be fetched now. Try again later.";
  return new Problem({ status: 503, code: "KEYS_UNAVAILABLE", detail, headers: { "retry-after": "5" } });
}

function unauthorized(detail: string, code = "TOKEN_REQUIRED"): Problem {
  return new Problem({ status: 401, code, detail, headers: { "www-authenticate": "Bearer" } });
}

function conversationNotFound(): Problem {
  return new Problem({
    status: 404,
    code: "CONVERSATION_NOT_FOUND",
    detail: "No such conversation. The token must name the one in the URL.",
  });
}
