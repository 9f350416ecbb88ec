/**
 * Guarantee: a service signs with the newest key whose certificate is in force
 * at the moment and whose private half it holds; so a rotation needs no
 * restart, and a revocation or denial no word.
 */
import { asGatewayError, GatewayError } from "../errors/index.ts";
import { KeyRing, type KeyUse } from "../keystore/index.ts";
import type { Certificate } from "../pki/index.ts";
import type { Sm2PrivateKey } from "../sm/index.ts";
import type { TrustStore } from "../trust/index.ts";
import { type BaseConfig, requireUnlock } from "./config.ts";
import { invalidField } from "./fields.ts";
import type { Shell } from "./shell.ts";

/** A key ring of files, or the signing keys of a cipher machine. */
export type SigningRing = Pick<KeyRing, "has" | "privateKey" | "refresh">;

export interface ActiveKey {
  /** 32 hexadecimal digits. */
  readonly keyId: string;
  /** The ring's: used at once, not kept. */
  readonly key: Sm2PrivateKey;
}

/**
 * Opens the ring of one use; the caller closes it.
 * @throws GatewayError `config.invalid`, `key.ring-missing`, `key.demo-in-production`, `sm.key-*`.
 */
export function openRing(config: BaseConfig, dir: string | undefined, use: KeyUse): KeyRing {
  if (dir === undefined) return invalidField("key ring", `no folder for ${use}`);
  return KeyRing.open({ dir, unlock: requireUnlock(config), use, mode: config.mode });
}

/**
 * Takes new files up, now and after every change of trust: a certificate comes after its key was made. A bad
 * file is told and stops no other.
 */
export function renewWithTrust(
  { log }: Pick<Shell<BaseConfig>, "log">,
  trust: { changed(listener: () => void): void },
  ring: Pick<KeyRing, "refresh">,
): void {
  const refresh = () => {
    try {
      ring.refresh();
    } catch (error) {
      const { code, detail } = asGatewayError(error);
      log.error({ code, detail }, "a key file was not taken up");
    }
  };
  trust.changed(refresh);
  refresh();
}

/**
 * The newest key of this node and use whose certificate is in force at `atMs` and whose private half lies in
 * the ring.
 * @throws GatewayError `certificate.unknown` when there is none; `sm.key-*`
 */
export function activeKey(
  { node, zone }: { readonly node: string; readonly zone: string },
  use: NonNullable<Certificate["identity"]>["use"],
  ring: Pick<KeyRing, "has" | "privateKey">,
  store: TrustStore,
  atMs: number,
): ActiveKey {
  const certificate = store.active(node, use, atMs, (keyId) => ring.has(keyId), zone);
  const key = certificate === undefined ? undefined : ring.privateKey(certificate.keyId);
  if (certificate === undefined || key === undefined) {
    throw new GatewayError("certificate.unknown", { detail: `${node}/${use}` });
  }
  return { key, keyId: certificate.keyId };
}
