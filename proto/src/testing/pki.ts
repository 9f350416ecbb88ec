/**
 * Guarantee: a throw-away root, an issuing CA and five certified keys for each
 * zone, made by the same code as real ones, with key rings on disk as services
 * read them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatewayError } from "../errors/index.ts";
import type { lightferry } from "../gen/index.js";
import {
  createUnlockFile,
  type KeyUse,
  loadKeyFile,
  makeRingKey,
  ringKeyPath,
} from "../keystore/index.ts";
import {
  CERTIFICATE_USES,
  type CertificateUse,
  createRequest,
  type Issuer,
  issueCertificate,
  issueRevocationList,
  parseCertificate,
  parseRequest,
  type RevocationReason,
  type RevokedEntry,
  selfSignRoot,
  toPem,
} from "../pki/index.ts";
import type { Mode } from "../registry/index.ts";
import { loadProvider, type Sm2PrivateKey } from "../sm/index.ts";
import { TrustStore } from "../trust/store.ts";

/** Wide enough for tests with a clock of their own, from 1970 to 2100. */
const WIDE_BEGIN_MS = 0;
const WIDE_END_MS = Date.UTC(2100, 0, 1);
const LIST_LIFE_MS = 30 * 24 * 60 * 60 * 1000;

const KEY_FILE_USES = {
  sign: "node-sign",
  encrypt: "node-encrypt",
  policy: "policy-sign",
  audit: "audit-sign",
  ferry: "ferry-sign",
} as const satisfies Record<CertificateUse, KeyUse>;

export interface TestPkiOptions {
  /** The node of each zone. */
  readonly zones: Readonly<Record<string, string>>;
  /** Without it "demo": demonstration certificates and keys. */
  readonly mode?: Mode;
  /** Validity of every certificate; without it 1970 to 2100. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

interface ZoneAuthority {
  readonly issuer: Issuer;
  number: number;
  entries: RevokedEntry[];
  list: Uint8Array;
}

/** Everything in it is of the moment: `rotate`, `revoke` and `publish` change `items`, `set` and `store`. */
export class TestPki {
  /** Temporary folder: `root.pem`, `<zone>/keys/<use>/<keyId>.key.json`, `<zone>/keys/<use>.unlock`. */
  readonly dir: string;
  /** PEM of the root, as services pin it. */
  readonly rootPath: string;
  readonly root: Uint8Array;
  readonly mode: Mode;
  readonly #validity: { readonly notBeforeMs: number; readonly notAfterMs: number };
  readonly #zoneOfNode = new Map<string, string>();
  /** By zone; the root's under "". */
  readonly #authorities = new Map<string, ZoneAuthority>();
  readonly #certificates: Uint8Array[] = [];
  /** By node and use, in the order of issue. */
  readonly #keys = new Map<string, { readonly keyId: string; readonly key: Sm2PrivateKey }[]>();
  /** Of the PKI that this one is a copy of: other copies have them too. */
  readonly #borrowed = new Set<Sm2PrivateKey>();
  #version = 0;
  #store: TrustStore | undefined;

  private constructor(dir: string, options: TestPkiOptions, original?: TestPki) {
    this.dir = dir;
    this.rootPath = join(dir, "root.pem");
    this.mode = options.mode ?? "demo";
    this.#validity = {
      notBeforeMs: options.notBeforeMs ?? WIDE_BEGIN_MS,
      notAfterMs: options.notAfterMs ?? WIDE_END_MS,
    };
    if (original !== undefined) {
      this.root = original.root;
      this.#resume(original);
      return;
    }
    const provider = loadProvider();
    const rootKey = provider.generateSm2();
    const demo = this.#demo;
    const naming = { organisation: "test", commonName: "test root", demo };
    this.root = selfSignRoot(provider, rootKey, { ...naming, ...this.#validity });
    writeFileSync(this.rootPath, toPem("CERTIFICATE", this.root));
    const root = { certificate: parseCertificate(this.root), key: rootKey };
    this.#addAuthority("", root);
    for (const [zone, node] of Object.entries(options.zones)) {
      const key = provider.generateSm2();
      const subject = { zone, ca: true, organisation: "test", demo } as const;
      const request = createRequest(provider, key, subject);
      const der = issueCertificate(provider, root, request, this.#validity);
      this.#certificates.push(der);
      this.#addAuthority(zone, { certificate: parseCertificate(der), key });
      this.#zoneOfNode.set(node, zone);
      for (const use of CERTIFICATE_USES) {
        createUnlockFile(this.#makeFolder(node, use)).fill(0);
        this.rotate(node, use, this.#validity);
      }
    }
  }

  static async make(options: TestPkiOptions, within: string = tmpdir()): Promise<TestPki> {
    return new TestPki(await mkdtemp(join(within, "lf-pki-")), options);
  }

  /** Its like as it is now, in a folder of its own; what happens to one from now on does not happen to the other. */
  async copy(): Promise<TestPki> {
    const options = {
      zones: Object.fromEntries(this.#nodes()),
      mode: this.mode,
      ...this.#validity,
    };
    const dir = await mkdtemp(join(tmpdir(), "lf-pki-"));
    await cp(this.dir, dir, { recursive: true });
    return new TestPki(dir, options, this);
  }

  /** DER of the root, issuing CAs, node certificates and the newest lists. */
  get items(): Uint8Array[] {
    return [this.root, ...this.#certificates, ...this.#lists()];
  }

  get set(): lightferry.policy.v1.TrustSet.$Properties {
    return {
      version: this.#version,
      certificates: [this.root, ...this.#certificates],
      revocationLists: this.#lists(),
      denials: [],
    };
  }

  get store(): TrustStore {
    this.#store ??= TrustStore.build(loadProvider(), {
      root: this.root,
      set: this.set,
      mode: this.mode,
    });
    return this.#store;
  }

  ringDir(node: string, use: CertificateUse): string {
    return join(this.dir, this.#zone(node), "keys", use);
  }

  unlockPath(node: string, use: CertificateUse): string {
    return `${this.ringDir(node, use)}.unlock`;
  }

  /** The key in force at that time, without it now; when none is, the one issued last. */
  keyId(node: string, use: CertificateUse, atMs: number = Date.now()): string {
    const active = this.store.active(node, use, atMs)?.keyId;
    return active ?? this.#issued(node, use).at(-1)?.keyId ?? "";
  }

  key(node: string, use: CertificateUse, atMs?: number): Sm2PrivateKey {
    const keyId = this.keyId(node, use, atMs);
    const found = this.#issued(node, use).find((entry) => entry.keyId === keyId);
    if (found === undefined) throw new GatewayError("certificate.unknown", { detail: node });
    return found.key;
  }

  /** The CA of a zone, or the root without one. */
  issuer(zone = ""): Issuer {
    return this.#authority(zone).issuer;
  }

  /** Makes a further key in the ring and certifies it. @returns its key id. */
  rotate(
    node: string,
    use: CertificateUse,
    validity: { readonly notBeforeMs: number; readonly notAfterMs?: number },
  ): string {
    const provider = loadProvider();
    const zone = this.#zone(node);
    const unlock = { file: this.unlockPath(node, use) };
    const fileUse = KEY_FILE_USES[use];
    const dir = this.ringDir(node, use);
    const { keyId } = makeRingKey(dir, unlock, fileUse, { demo: this.#demo });
    const { key } = loadKeyFile(ringKeyPath(dir, keyId), unlock, fileUse);
    const identity = { zone, node, use };
    const subject = { identity, organisation: "test", demo: this.#demo };
    const request = createRequest(provider, key, subject);
    const notAfterMs = validity.notAfterMs ?? this.#validity.notAfterMs;
    this.#certificates.push(
      issueCertificate(provider, this.issuer(zone), request, { ...validity, notAfterMs }),
    );
    this.#keys.set(`${node}/${use}`, [...this.#issued(node, use), { keyId, key }]);
    this.#changed();
    return keyId;
  }

  /** Certifies a key that lies elsewhere, in a cipher machine. @returns its key id. */
  certify(
    request: Uint8Array,
    validity: { readonly notBeforeMs: number; readonly notAfterMs?: number },
  ): string {
    const provider = loadProvider();
    const vouchers = this.store.certificates;
    const { zone, keyId } = parseRequest(provider, request, vouchers);
    const notAfterMs = validity.notAfterMs ?? this.#validity.notAfterMs;
    const whole = { ...validity, notAfterMs };
    const der = issueCertificate(provider, this.issuer(zone), request, whole, vouchers);
    this.#certificates.push(der);
    this.#changed();
    return keyId;
  }

  /** Puts a node's key, or an issuing CA's, on the list of its CA. @returns DER of the new list. */
  revoke(keyId: string, reason: RevocationReason, revokedMs: number = Date.now()): Uint8Array {
    const certificate = this.store.certificate(keyId);
    if (certificate === undefined) {
      throw new GatewayError("certificate.unknown", { detail: keyId });
    }
    const zone = certificate.role === "node" ? (certificate.zone ?? "") : "";
    const authority = this.#authority(zone);
    authority.entries = [...authority.entries, { serial: certificate.serial, revokedMs, reason }];
    return this.publish(zone);
  }

  /** Signs the next list of a zone's CA, or of the root without a zone. */
  publish(
    zone = "",
    times: { readonly thisUpdateMs?: number; readonly nextUpdateMs?: number } = {},
  ): Uint8Array {
    const authority = this.#authority(zone);
    authority.number += 1;
    const thisUpdateMs = times.thisUpdateMs ?? Date.now();
    authority.list = issueRevocationList(loadProvider(), authority.issuer, {
      number: authority.number,
      thisUpdateMs,
      nextUpdateMs: times.nextUpdateMs ?? thisUpdateMs + LIST_LIFE_MS,
      entries: authority.entries,
    });
    this.#changed();
    return authority.list;
  }

  /** DER of the newest list of a zone's CA, or of the root without a zone. */
  list(zone = ""): Uint8Array {
    return this.#authority(zone).list;
  }

  async cleanup(): Promise<void> {
    for (const key of this.#allKeys()) if (!this.#borrowed.has(key)) key.destroy();
    await rm(this.dir, { recursive: true, force: true });
  }

  get #demo(): boolean {
    return this.mode === "demo";
  }

  #nodes(): [zone: string, node: string][] {
    return [...this.#zoneOfNode].map(([node, zone]) => [zone, node]);
  }

  #allKeys(): Sm2PrivateKey[] {
    const issued = [...this.#keys.values()].flat().map(({ key }) => key);
    return [...issued, ...[...this.#authorities.values()].map(({ issuer }) => issuer.key)];
  }

  /** Goes on from where the other one is; its files are here already. */
  #resume(original: TestPki): void {
    for (const [zone, node] of original.#nodes()) this.#zoneOfNode.set(node, zone);
    for (const [zone, authority] of original.#authorities) {
      this.#authorities.set(zone, { ...authority });
    }
    this.#certificates.push(...original.#certificates);
    for (const [use, issued] of original.#keys) this.#keys.set(use, issued);
    for (const key of original.#allKeys()) this.#borrowed.add(key);
    this.#version = original.#version;
    this.#store = original.#store;
  }

  #changed(): void {
    this.#version += 1;
    this.#store = undefined;
  }

  #lists(): Uint8Array[] {
    return [...this.#authorities.values()].map(({ list }) => list);
  }

  #issued(node: string, use: CertificateUse) {
    return this.#keys.get(`${node}/${use}`) ?? [];
  }

  #zone(node: string): string {
    const zone = this.#zoneOfNode.get(node);
    if (zone === undefined) throw new GatewayError("certificate.unknown", { detail: node });
    return zone;
  }

  #authority(zone: string): ZoneAuthority {
    const authority = this.#authorities.get(zone);
    if (authority === undefined) throw new GatewayError("certificate.unknown", { detail: zone });
    return authority;
  }

  #addAuthority(name: string, issuer: Issuer): void {
    const list = new Uint8Array();
    this.#authorities.set(name, { issuer, number: 0, entries: [], list });
    this.publish(name);
  }

  /** Makes the folder of a ring; returns where its unlock file goes. */
  #makeFolder(node: string, use: CertificateUse): string {
    mkdirSync(this.ringDir(node, use), { recursive: true, mode: 0o700 });
    return this.unlockPath(node, use);
  }
}

/** @returns a PKI in a temporary folder; `cleanup()` removes it. */
export function testPki(options: TestPkiOptions): Promise<TestPki> {
  return TestPki.make(options);
}
