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

interface Identity {
  readonly node: string;
  readonly zone: string;
}

type Use = NonNullable<Certificate["identity"]>["use"];
type HeldKeys = Pick<KeyRing, "has" | "privateKey">;

/**
 * The newest key of this node and use whose certificate is in force at `atMs` and whose private half lies in
 * the ring; undefined when there is none.
 * @throws GatewayError `sm.key-*`
 */
export function findActiveKey(
  { node, zone }: Identity,
  use: Use,
  ring: HeldKeys,
  store: TrustStore,
  atMs: number,
): ActiveKey | undefined {
  const keyId = store.active(node, use, atMs, (id) => ring.has(id), zone)?.keyId;
  const key = keyId === undefined ? undefined : ring.privateKey(keyId);
  return keyId === undefined || key === undefined ? undefined : { key, keyId };
}

/** As {@link findActiveKey}. @throws GatewayError `certificate.unknown` when there is none; `sm.key-*` */
export function activeKey(
  identity: Identity,
  use: Use,
  ring: HeldKeys,
  store: TrustStore,
  atMs: number,
): ActiveKey {
  const found = findActiveKey(identity, use, ring, store, atMs);
  if (found !== undefined) return found;
  throw new GatewayError("certificate.unknown", { detail: `${identity.node}/${use}` });
}
