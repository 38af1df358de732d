import type { KeyObject } from "node:crypto";
import { createHash, generateKeyPairSync } from "node:crypto";

export interface SigningKey {
  readonly id: string;
  readonly privateKey: KeyObject;
  /** As the key route shows it. */
  readonly jwk: { readonly kty: "RSA"; readonly e: string; readonly kid: string; readonly n: string };
}

export interface SigningKeys {
  current(): SigningKey;
  /** A key that this simulator signs or signed with. */
  find(id: string): SigningKey | undefined;
  rotate(): void;
}

// Making one takes long, so the simulators of a process share them. The id follows from the key: another process has others.
const pool: SigningKey[] = [];

export function createSigningKeys(): SigningKeys {
  let index = 0;
  return {
    current: () => keyAt(index),
    find: (id) => pool.slice(0, index + 1).find((key) => key.id === id),
    rotate: () => void (index += 1),
  };
}

function keyAt(index: number): SigningKey {
  const known = pool[index];
  if (known) return known;
  pool.push(createKey());
  return keyAt(index);
}

function createKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const id = createHash("sha256").update(n).digest().subarray(0, 16).toString("base64url");
  return { id, privateKey, jwk: { kty: "RSA", e, kid: id, n } };
}

/** A key that no key route knows. */
let stranger: SigningKey | undefined;

export function strangersKey(): SigningKey {
  stranger ??= createKey();
  return stranger;
}
