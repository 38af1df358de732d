import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "@handover/core";
import type { Store } from "../store/store.ts";
import { randomId } from "../support/system-random.ts";

/** The secret that was made for a connection at the first boot, or is made now. */
export async function generatedSecret(store: Store, random: Random, connection: string): Promise<string> {
  const secret = await store.claimMemory("webhook-secret", connection, randomId(random));
  return secret as string;
}

/** Whether a text is one of the secrets, in a time that does not depend on how much of it is right. */
export function matchesSecret(secrets: readonly string[], candidate: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const given = digest(candidate);
  return secrets.map((secret) => timingSafeEqual(digest(secret), given)).includes(true);
}
