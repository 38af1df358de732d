import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "@handover/core";
import type { Store } from "../store/store.ts";
import { randomId, systemRandom } from "../support/system-random.ts";

/**
 * The secret that a connection's webhook URL ends in when its configuration names none: made at the first boot, or now, and
 * kept in the store. For hosts that need the URL before there is a runtime; the store must be open.
 */
export async function readWebhookSecret(store: Store, connection: string, random: Random = systemRandom): Promise<string> {
  const secret = await store.claimMemory("webhook-secret", connection, randomId(random));
  return secret as string;
}

/** Whether a text is one of the secrets, in a time that does not depend on how much of it is right. */
export function matchesSecret(secrets: readonly string[], candidate: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const given = digest(candidate);
  return secrets.map((secret) => timingSafeEqual(digest(secret), given)).includes(true);
}
