/**
 * Guarantee: a request for a key that lies in a cipher machine is made with the
 * machine, and nothing but the request leaves it. An encryption key there can
 * sign nothing: the node's signing key, of the machine or of its ring, vouches.
 */
import { join } from "node:path";
import { GatewayError } from "@lightferry/proto/errors";
import type { KeyRing } from "@lightferry/proto/keystore";
import { type Certificate, type CertificateUse, createRequest, toPem } from "@lightferry/proto/pki";
import {
  type KeyAction,
  readConfigFile,
  readField,
  readHsm,
  readOneOf,
  readString,
} from "@lightferry/proto/service";
import { openSdfProvider, type SdfProvider, type Sm2PrivateKey } from "@lightferry/proto/sm";
import { valued } from "./options.ts";
import { formerOrganisation, type RingRequest } from "./ring-requests.ts";
import { keptCertificates, openRing, type ZoneKeys } from "./zone-keys.ts";

export interface MachineRequest {
  /** A service's settings, with `hsm`. */
  readonly configPath: string;
  readonly use: CertificateUse;
  readonly organisation: string | undefined;
  /** Only this key, also when it is certified. */
  readonly keyId: string | undefined;
}

/**
 * Requests for the keys of one kind that the settings name and that are not certified.
 * @param action counts what the keys of the machine, and one of the ring that vouches, are used for.
 * @throws GatewayError `config.invalid`, `sm.hsm-*`, `key.unknown`, `key.ring-missing`, `cli.usage`
 */
export function machineRequests(
  keys: ZoneKeys,
  wish: MachineRequest,
  action: Pick<KeyAction, "counted">,
): RingRequest[] {
  const raw = readConfigFile(wish.configPath);
  if (readField(raw, "hsm") === undefined) {
    throw new GatewayError("config.invalid", { detail: `hsm: none in ${wish.configPath}` });
  }
  const demo = readOneOf(raw, "mode", ["demo", "production"]) === "demo";
  // The service's own note: a password refused there is not offered here, nor the other way.
  const refusedPath = join(readString(raw, "stateDir"), "hsm-refused");
  const machine = openSdfProvider({ ...readHsm(raw, "hsm"), refusedPath }, (provider) =>
    action.counted(provider),
  );
  const open: Pick<KeyRing, "close">[] = [];
  try {
    const held = wish.use === "encrypt" ? machine.encryptKeys : machine.signKeys;
    const keyIds = (held?.keyIds() ?? []).filter((id) => id === (wish.keyId ?? id));
    if (held === undefined || keyIds.length === 0) {
      const detail = `${wish.keyId ?? wish.use}: not among the keys of ${wish.configPath}`;
      throw new GatewayError("key.unknown", { detail });
    }
    const certificates = keptCertificates(keys);
    const certified = new Set(certificates.map(({ keyId }) => keyId));
    const signs = certificates
      .filter(({ identity }) => identity?.node === keys.node && identity.use === "sign")
      .sort((a, b) => b.notBeforeMs - a.notBeforeMs);
    return keyIds.flatMap((keyId) => {
      const key = held.privateKey(keyId);
      if (key === undefined || (wish.keyId === undefined && certified.has(keyId))) return [];
      const subject = {
        identity: { zone: keys.zone, node: keys.node, use: wish.use },
        organisation: wish.organisation ?? formerOrganisation(keys),
        demo,
      };
      const vouched = wish.use === "encrypt" ? certifiedKey(machine, keys, signs, open) : undefined;
      const der = createRequest(machine.provider, key, subject, vouched);
      return [{ use: wish.use, keyId, pem: toPem("CERTIFICATE REQUEST", der) }];
    });
  } finally {
    for (const ring of open) ring.close();
    machine.close();
  }
}

/** The newest signing key with a certificate, in the machine or in the ring; the CA judges whether it counts. */
function certifiedKey(
  machine: SdfProvider,
  keys: ZoneKeys,
  signs: readonly Certificate[],
  open: Pick<KeyRing, "close">[],
): Sm2PrivateKey {
  for (const { keyId } of signs) {
    const key = machine.signKeys?.privateKey(keyId);
    if (key !== undefined) return key;
  }
  const ring = openRing(keys, "sign");
  open.push(ring);
  for (const { keyId } of signs) {
    const key = ring.privateKey(keyId);
    if (key !== undefined) return key;
  }
  throw new GatewayError("key.unknown", {
    detail: `no certified signing key of ${keys.node} to vouch for it`,
  });
}

/** What `--hsm` is, for the help. */
export const HSM_OPTION = valued(
  "CONFIG",
  "密钥在密码机中：含 hsm 的服务配置文件",
  "the key lies in a cipher machine: settings file of a service, with hsm",
);
