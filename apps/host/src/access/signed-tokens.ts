import type { User } from "@handover/core";
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { SignedAccess } from "../configuration/configuration-schema.ts";

/** What a token of the host app proves. */
export interface VerifiedToken {
  readonly conversation: string;
  readonly user: User;
  readonly expiresAtSeconds: number;
}

/** A token that proves nothing, or keys that cannot be had now. */
export class TokenRefusedError extends Error {
  readonly reason: "invalid" | "expired" | "keys-unavailable";

  constructor(reason: "invalid" | "expired" | "keys-unavailable", cause?: unknown) {
    super(`token ${reason}`, { cause });
    this.reason = reason;
  }
}

const claimsSchema = z.object({
  conversation: z.string().min(1),
  sub: z.string().min(1).max(256),
  exp: z.number(),
  name: z.string().max(256).optional(),
  email: z.string().max(320).optional(),
});

const clockToleranceSeconds = 5;

// Only asymmetric ones: with a public key as HMAC secret anybody could sign.
const publicKeyAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

/** Verifies the tokens of one endpoint. The verifier throws `TokenRefusedError`. */
export function createTokenVerifier(access: SignedAccess): (token: string) => Promise<VerifiedToken> {
  const options = {
    algorithms: access.secret === undefined ? publicKeyAlgorithms : ["HS256"],
    requiredClaims: ["conversation", "sub", "exp"],
    clockTolerance: clockToleranceSeconds,
    ...(access.issuer === undefined ? {} : { issuer: access.issuer }),
    ...(access.audience === undefined ? {} : { audience: access.audience }),
  };
  const key = access.secret === undefined ? remoteKeys(access.jwksUrl ?? "") : new TextEncoder().encode(access.secret);
  return async (token) => {
    try {
      const { payload } = typeof key === "function" ? await jwtVerify(token, key, options) : await jwtVerify(token, key, options);
      return toVerified(payload);
    } catch (error) {
      throw new TokenRefusedError(reasonOf(error), error);
    }
  };
}

function remoteKeys(url: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(url), { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 });
}

function toVerified(payload: JWTPayload): VerifiedToken {
  const claims = claimsSchema.parse(payload);
  const { sub, name, email } = claims;
  const user: User = {
    id: sub,
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    isVerified: true,
  };
  return { conversation: claims.conversation, user, expiresAtSeconds: claims.exp };
}

function reasonOf(error: unknown): "invalid" | "expired" | "keys-unavailable" {
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return "invalid";
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return "keys-unavailable";
  if (error instanceof errors.JOSEError) return error.code === "ERR_JOSE_GENERIC" ? "keys-unavailable" : "invalid";
  return error instanceof TypeError ? "keys-unavailable" : "invalid";
}
