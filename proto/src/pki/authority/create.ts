/**
 * Guarantee: a root or issuing CA comes into being with its key sealed, its
 * certificate verified against the root, its journal begun and list number 1
 * signed. An issuing CA can be made where its root is not: it asks by request.
 */
import { join } from "node:path";
import { GatewayError } from "../../errors/index.ts";
import {
  createSecretFile,
  loadKeyFile,
  readKeyInfo,
  sealKey,
  type UnlockSource,
} from "../../keystore/index.ts";
import { constantTimeEqual, loadProvider, type Sm2PrivateKey } from "../../sm/index.ts";
import { parseCertificate } from "../certificate.ts";
import { selfSignRoot } from "../issue.ts";
import { createRequest } from "../request.ts";
import type { Certificate, Validity } from "../types.ts";
import { verifyCertificateSignature } from "../verify.ts";
import {
  buildFolder,
  CERTIFICATE_FILE,
  exclusively,
  JOURNAL_FILE,
  KEY_FILE,
  ROOT_FILE,
} from "./folder.ts";
import { appendJournal, parseJournal } from "./journal.ts";
import { readAuthority } from "./read.ts";
import { type CaAccess, firstList, issueTo, providerOf, renewList } from "./sign.ts";

/** Who a CA belongs to. */
export interface CaSubject {
  readonly organisation: string;
  readonly demo: boolean;
}

/** A fresh key, sealed into the folder, and the first line of its journal; the caller destroys the handle. */
function makeKey(dir: string, unlock: UnlockSource, demo: boolean, nowMs: number): Sm2PrivateKey {
  const key = loadProvider().generateSm2();
  const { info, bytes } = sealKey(key, unlock, "ca-sign", demo);
  createSecretFile(join(dir, KEY_FILE), bytes);
  const path = join(dir, JOURNAL_FILE);
  const event = { event: "created", keyId: info.keyId } as const;
  appendJournal(path, parseJournal(path, new Uint8Array(0)), event, nowMs);
  return key;
}

function certify(dir: string, certificate: Certificate, nowMs: number): void {
  const { journal } = readAuthority(dir);
  const der = Buffer.from(certificate.der).toString("base64");
  appendJournal(
    join(dir, JOURNAL_FILE),
    journal,
    { event: "certified", serial: certificate.serial, der },
    nowMs,
  );
  // The certificate last: only with it does the CA sign.
  createSecretFile(join(dir, CERTIFICATE_FILE), certificate.der);
}

/**
 * Makes a root CA in a new folder: the one thing every gateway pins. Keep it offline.
 * @throws GatewayError `key.ca-exists`, `key.passphrase-weak`, `request.invalid`, `sm.key-locked`
 */
export function createRoot(
  options: CaAccess & CaSubject & Validity & { readonly commonName: string },
): Certificate {
  const nowMs = Date.now();
  const provider = providerOf(options);
  buildFolder(options.dir, (dir) => {
    const key = makeKey(dir, options.unlock, options.demo, nowMs);
    try {
      const certificate = parseCertificate(selfSignRoot(provider, key, options));
      createSecretFile(join(dir, ROOT_FILE), certificate.der);
      certify(dir, certificate, nowMs);
      firstList(dir, { certificate, key }, nowMs, provider);
    } finally {
      key.destroy();
    }
  });
  return needed(options.dir);
}

function needed(dir: string): Certificate {
  const { certificate } = readAuthority(dir);
  if (certificate === undefined) throw new GatewayError("key.ca-missing", { detail: dir });
  return certificate;
}

/**
 * Makes an issuing CA's folder without a certificate.
 * @returns its request for the root, PKCS#10 DER; ask again with {@link requestOf}.
 * @throws GatewayError as {@link createRoot}
 */
export function prepareIssuer(
  options: CaAccess & CaSubject & { readonly zone: string },
): Uint8Array {
  let request: Uint8Array | undefined;
  buildFolder(options.dir, (dir) => {
    const key = makeKey(dir, options.unlock, options.demo, Date.now());
    try {
      request = asked(options, key, options, options.demo);
    } finally {
      key.destroy();
    }
  });
  return request ?? requestOf(options, options);
}

interface Asking {
  readonly organisation: string;
  readonly zone: string;
}

function asked(
  ca: CaAccess,
  key: Sm2PrivateKey,
  { organisation, zone }: Asking,
  demo: boolean,
): Uint8Array {
  return createRequest(providerOf(ca), key, { organisation, zone, ca: true, demo });
}

/**
 * The request of an issuing CA.
 * @throws GatewayError `request.invalid`, `sm.key-locked`, `sm.key-invalid` without a CA's key.
 */
export function requestOf(ca: CaAccess, subject: Asking): Uint8Array {
  const { key, demo } = loadKeyFile(join(ca.dir, KEY_FILE), ca.unlock, "ca-sign");
  try {
    return asked(ca, key, subject, demo);
  } finally {
    key.destroy();
  }
}

/**
 * Puts the root's answer into an issuing CA's folder and signs its first list.
 * @throws GatewayError `key.ca-exists` when it has one, `certificate.untrusted` when the root did not issue
 * it or it is for another key
 */
export async function installCertificate(
  ca: CaAccess,
  answer: { readonly certificate: Uint8Array; readonly root: Uint8Array },
): Promise<Certificate> {
  const certificate = parseCertificate(answer.certificate);
  const root = parseCertificate(answer.root);
  await exclusively(ca.dir, () => {
    if (readAuthority(ca.dir).certificate !== undefined) {
      throw new GatewayError("key.ca-exists", { detail: `${ca.dir} has its certificate` });
    }
    const { publicKey } = readKeyInfo(join(ca.dir, KEY_FILE));
    const provider = loadProvider();
    if (
      certificate.role !== "issuer" ||
      !constantTimeEqual(certificate.publicKey, publicKey) ||
      !verifyCertificateSignature(provider, root, root) ||
      !verifyCertificateSignature(provider, certificate, root)
    ) {
      throw new GatewayError("certificate.untrusted", {
        detail: `${certificate.subject}: not this CA's certificate from that root`,
      });
    }
    createSecretFile(join(ca.dir, ROOT_FILE), root.der);
    certify(ca.dir, certificate, Date.now());
  });
  await renewList(ca);
  return certificate;
}

/**
 * Makes an issuing CA for one zone where its root is at hand.
 * @throws GatewayError as {@link createRoot} and {@link issueTo}
 */
export async function createIssuer(
  options: CaAccess & CaSubject & Validity & { readonly zone: string; readonly root: CaAccess },
): Promise<Certificate> {
  const root = needed(options.root.dir);
  const request = prepareIssuer(options);
  const certificate = await issueTo(options.root, request, options);
  return installCertificate(options, { certificate: certificate.der, root: root.der });
}
