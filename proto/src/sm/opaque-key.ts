/**
 * Guarantee: a private key object shows nothing. It has no enumerable property,
 * prints as `[Sm2PrivateKey]`, and refuses to be serialised.
 */
import { inspect } from "node:util";
import { GatewayError } from "../errors/index.ts";
import type { Sm2PrivateKey, Sm2PublicKey } from "./provider.ts";

const SHOWN = "[Sm2PrivateKey]";

/** What every provider's key class extends; the material sits in `#private` fields below it. */
export abstract class OpaquePrivateKey implements Sm2PrivateKey {
  abstract get publicKey(): Sm2PublicKey;
  abstract destroy(): void;

  /** @throws GatewayError `sm.key-not-serialisable`, always. */
  toJSON(): never {
    throw new GatewayError("sm.key-not-serialisable");
  }

  toString(): string {
    return SHOWN;
  }

  [inspect.custom](): string {
    return SHOWN;
  }
}

/** The error for a handle that was destroyed or belongs to another provider. */
export function unusableKey(): GatewayError {
  return new GatewayError("sm.key-invalid", {
    detail: "the private key was destroyed or belongs to another provider",
  });
}
