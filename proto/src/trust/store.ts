/**
 * Guarantee: an immutable picture of what this zone trusts. Everything in it was
 * verified up to the pinned root; whether a key may be used is decided for the
 * time of its use, so that what was sealed before a revocation or an expiry can
 * still be verified years later.
 */
import { asGatewayError, GatewayError } from "../errors/index.ts";
import type { lightferry } from "../gen/index.js";
import type { Certificate, CertificateUse, RevocationList } from "../pki/index.ts";
import type { Mode } from "../registry/index.ts";
import type { SmProvider } from "../sm/index.ts";
import { Chains } from "./chains.ts";
import { directoryOf } from "./directory.ts";
import { type JudgeContext, judgeItem } from "./judge.ts";
import { ownItems } from "./own-items.ts";
import { Revocations } from "./revoked.ts";
import type { Judgement, KeyDirectory, RejectedItem, ZoneOfNode } from "./types.ts";
import { newestFirst, useFault } from "./use.ts";
import { readCertificate, readList } from "./verified.ts";

type TrustSet = lightferry.policy.v1.TrustSet.$Properties;

export interface TrustInput {
  /** DER of the pinned root, from a local file. */
  readonly root: Uint8Array;
  /** As `getTrust` gives it; nothing in it is believed. */
  readonly set: TrustSet;
  /** Production refuses demonstration certificates. */
  readonly mode: Mode;
}

export class TrustStore {
  /** Of the set: rises with every change. */
  readonly version: number;
  readonly root: Certificate;
  /** Every verified certificate, the root first, then issuing CAs, then nodes. */
  readonly certificates: readonly Certificate[];
  /** The newest verified list of each CA. */
  readonly revocationLists: readonly RevocationList[];
  /** Items of the set that are not used. */
  readonly rejected: readonly RejectedItem[];
  readonly #provider: SmProvider;
  readonly #chains: Chains;
  readonly #revocations: Revocations;
  readonly #digests: ReadonlySet<string>;
  readonly #byKeyId: ReadonlyMap<string, readonly Certificate[]>;
  readonly #lists: ReadonlyMap<string, RevocationList>;

  private constructor(provider: SmProvider, { root, set, mode }: TrustInput) {
    const rejected: RejectedItem[] = [];
    const attempt = (item: Uint8Array, take: () => void): void => {
      try {
        take();
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const { code, detail } = asGatewayError(error);
        rejected.push({ item, code, detail });
      }
    };
    this.#provider = provider;
    this.version = set.version ?? 0;
    this.root = readCertificate(provider, root);
    this.#chains = new Chains(provider, this.root, mode);
    this.certificates = this.#takeCertificates(set.certificates ?? [], attempt);
    this.#lists = this.#takeLists(set.revocationLists ?? [], attempt);
    this.revocationLists = [...this.#lists.values()];
    this.rejected = rejected;
    this.#digests = new Set(this.certificates.map(({ digest }) => digest));
    const denied = new Set((set.denials ?? []).map(({ keyId }) => keyId ?? ""));
    this.#revocations = new Revocations(this.revocationLists, this.certificates, denied);
    const byKeyId = new Map<string, Certificate[]>();
    for (const certificate of [...this.certificates].sort(newestFirst)) {
      const same = byKeyId.get(certificate.keyId);
      if (same === undefined) byKeyId.set(certificate.keyId, [certificate]);
      else same.push(certificate);
    }
    this.#byKeyId = byKeyId;
  }

  /**
   * Verifies a set. An item that does not verify is in `rejected` and has no effect.
   * @throws GatewayError `certificate.malformed`, `certificate.untrusted`, `certificate.demo-in-production`
   * for the pinned root itself.
   */
  static build(provider: SmProvider, input: TrustInput): TrustStore {
    return new TrustStore(provider, input);
  }

  /** The newest certificate of that key. */
  certificate(keyId: string): Certificate | undefined {
    return this.#byKeyId.get(keyId)?.[0];
  }

  /** DER of that certificate and of its issuing CA, as bundles carry them; empty when unknown. */
  chain(keyId: string): Uint8Array[] {
    const certificate = this.certificate(keyId);
    if (certificate === undefined || certificate.role === "root") return [];
    const issuers = this.#chains.issuersOf(certificate).filter(({ role }) => role === "issuer");
    const [issuer] = [...issuers].sort(newestFirst);
    return issuer === undefined ? [certificate.der] : [certificate.der, issuer.der];
  }

  /**
   * The certificate a node uses: the newest of this use that is in force at `atMs`.
   * @param has whether the private key is at hand; without it every key counts.
   * @param zone of the node; without it any zone's certificate for a node of this name counts.
   */
  active(
    node: string,
    use: CertificateUse,
    atMs: number,
    has: (keyId: string) => boolean = () => true,
    zone?: string,
  ): Certificate | undefined {
    return this.certificates
      .filter(({ identity }) => identity?.node === node && identity.use === use)
      .filter((certificate) => zone === undefined || certificate.zone === zone)
      .filter(({ keyId }) => has(keyId))
      .sort(newestFirst)
      .find(
        (certificate) => useFault(this.#chains, this.#revocations, certificate, atMs) === undefined,
      );
  }

  /** The list in force of a zone's issuing CA (of the newest CA that has one); of the root without a zone. */
  revocationList(issuerZone?: string): RevocationList | undefined {
    if (issuerZone === undefined) return this.#lists.get(this.root.subjectKeyId);
    const issuers = this.certificates.filter(
      ({ role, zone }) => role === "issuer" && zone === issuerZone,
    );
    return issuers
      .sort(newestFirst)
      .map(({ subjectKeyId }) => this.#lists.get(subjectKeyId))
      .find((list) => list !== undefined);
  }

  /** Whether the certificate may be used at that time; the error's code, or undefined when it may. */
  faultOf(certificate: Certificate, usedMs: number): GatewayError["code"] | undefined {
    return useFault(this.#chains, this.#revocations, certificate, usedMs);
  }

  /**
   * The public keys of nodes.
   * @param zoneOf zone of each registered node. Programs pass their registry's: without it a CA of one
   * zone could certify a key for a node of the other.
   */
  keyDirectory(zoneOf?: ZoneOfNode): KeyDirectory {
    return directoryOf({
      provider: this.#provider,
      chains: this.#chains,
      revocations: this.#revocations,
      zoneOf,
      known: (keyId) => this.#byKeyId.get(keyId) ?? [],
      active: (node, use, atMs, zone) => this.active(node, use, atMs, undefined, zone),
    });
  }

  /** What an import would do with one item; changes nothing. @param nowMs bounds the date of a list. */
  judge(item: Uint8Array, nowMs: number): Judgement {
    return judgeItem(this.#judging(), item, nowMs);
  }

  /** What a bundle's manifest carries of this zone: lists, issuing CAs, and node certificates not yet ended. */
  ownTrustItems(zone: string, nowMs: number): Uint8Array[] {
    return ownItems(this, zone, nowMs);
  }

  #judging(): JudgeContext {
    return {
      provider: this.#provider,
      chains: this.#chains,
      hasCertificate: (digest) => this.#digests.has(digest),
      listOf: (authorityKeyId) => this.#lists.get(authorityKeyId),
    };
  }

  #takeCertificates(items: readonly Uint8Array[], attempt: Attempt): Certificate[] {
    const authorities: Certificate[] = [];
    const nodes: { readonly item: Uint8Array; readonly certificate: Certificate }[] = [];
    const seen = new Set([this.root.digest]);
    for (const item of items) {
      attempt(item, () => {
        const certificate = readCertificate(this.#provider, item);
        if (seen.has(certificate.digest)) return;
        seen.add(certificate.digest);
        if (certificate.role === "node") {
          nodes.push({ item, certificate });
        } else {
          this.#chains.add(certificate);
          authorities.push(certificate);
        }
      });
    }
    const verified: Certificate[] = [];
    for (const { item, certificate } of nodes) {
      attempt(item, () => {
        this.#chains.issuersOf(certificate);
        verified.push(certificate);
      });
    }
    return [this.root, ...authorities, ...verified];
  }

  #takeLists(items: readonly Uint8Array[], attempt: Attempt): Map<string, RevocationList> {
    const lists = new Map<string, RevocationList>();
    for (const item of items) {
      attempt(item, () => {
        const list = readList(this.#provider, item);
        this.#chains.signerOf(list);
        const before = lists.get(list.authorityKeyId);
        if (before?.digest === list.digest) return;
        if (before !== undefined && before.number >= list.number) {
          const code = before.number === list.number ? "trust.list-conflict" : "trust.stale";
          throw new GatewayError(code, { detail: `${list.issuer} ${list.number}` });
        }
        lists.set(list.authorityKeyId, list);
      });
    }
    return lists;
  }
}

type Attempt = (item: Uint8Array, take: () => void) => void;
