/**
 * Guarantee: the demonstration CAs (演示): a root and one issuing CA for each
 * zone, in folders of their own outside the zones. They answer each request
 * once, keep their revocation lists fresh, and give every zone the same items.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createUnlockFile } from "@lightferry/proto/keystore";
import {
  AUTHORITY_VALIDITY_MS,
  type CaAccess,
  CERTIFICATE_VALIDITY_MS,
  createIssuer,
  createRoot,
  issueTo,
  parseRequest,
  readAuthority,
  readPkiItems,
  renewList,
  toPem,
} from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import type { TrustItem } from "@lightferry/proto/trust";
import { ORGANISATIONS, ZONES, type ZoneName } from "../layout.ts";
import type { Introduction } from "./introduction.ts";

/** The clocks of two networks may differ by as much (proto/SPEC.md §9). */
const BACKDATED_MS = 5 * 60 * 1000;
/** A demonstration that is started daily always has a list of the day. */
const LIST_RENEWED_AFTER_MS = 24 * 60 * 60 * 1000;

export interface DemoTrust {
  /** What every node pins. */
  readonly rootPem: string;
  readonly items: readonly TrustItem[];
}

/** The folder of a demonstration CA and the file that opens it; `zone` undefined is the root. */
export function demoCa(
  home: string,
  zone?: ZoneName,
): CaAccess & { readonly unlock: { file: string } } {
  const folder = join(home, "authority/ca");
  return { dir: join(folder, zone ?? "root"), unlock: { file: join(folder, "ca.unlock") } };
}

/** Makes the CAs that are missing, answers requests, renews lists that are a day old. */
export async function issueCertificates(
  home: string,
  introductions: readonly Introduction[],
): Promise<DemoTrust> {
  const root = demoCa(home);
  if (!existsSync(root.unlock.file)) createUnlockFile(root.unlock.file).fill(0);
  const notBeforeMs = Date.now() - BACKDATED_MS;
  if (!existsSync(root.dir)) {
    createRoot({
      ...root,
      organisation: "演示单位",
      commonName: "Lightferry 演示根 CA",
      demo: true,
      notBeforeMs,
      notAfterMs: notBeforeMs + AUTHORITY_VALIDITY_MS.root,
    });
  }
  for (const zone of ZONES) {
    const ca = demoCa(home, zone);
    if (!existsSync(ca.dir)) {
      await createIssuer({
        ...ca,
        zone,
        organisation: ORGANISATIONS[zone],
        demo: true,
        root,
        notBeforeMs,
        notAfterMs: notBeforeMs + AUTHORITY_VALIDITY_MS.issuer,
      });
    }
    for (const introduction of introductions) {
      if (introduction.zone === zone) await answer(ca, introduction.requests, notBeforeMs);
    }
  }
  const folders = [root, ...ZONES.map((zone) => demoCa(home, zone))];
  for (const ca of folders) await keepFresh(ca);
  const items = folders.flatMap(itemsOf);
  return { rootPem: toPem("CERTIFICATE", rootOf(root)), items };
}

async function answer(
  ca: CaAccess,
  requests: readonly string[],
  notBeforeMs: number,
): Promise<void> {
  const provider = loadProvider();
  const answered = new Set(
    readAuthority(ca.dir).issued.map(({ certificate }) => certificate.keyId),
  );
  for (const { der } of requests.flatMap((pem) => readPkiItems(Buffer.from(pem)))) {
    const { keyId, identity } = parseRequest(provider, der);
    if (identity === undefined || answered.has(keyId)) continue;
    const notAfterMs = notBeforeMs + CERTIFICATE_VALIDITY_MS[identity.use];
    await issueTo(ca, der, { notBeforeMs, notAfterMs });
  }
}

async function keepFresh(ca: CaAccess): Promise<void> {
  const { list } = readAuthority(ca.dir);
  if (list === undefined || list.thisUpdateMs < Date.now() - LIST_RENEWED_AFTER_MS) {
    await renewList(ca);
  }
}

function itemsOf({ dir }: CaAccess): TrustItem[] {
  const { certificate, issued, list } = readAuthority(dir);
  const certificates = [certificate, ...issued.map((entry) => entry.certificate)];
  return [
    ...certificates.flatMap((each) =>
      each === undefined || each.role === "root"
        ? []
        : [{ kind: "certificate" as const, der: each.der }],
    ),
    ...(list === undefined ? [] : [{ kind: "revocation-list" as const, der: list.der }]),
  ];
}

function rootOf({ dir }: CaAccess): Uint8Array {
  return readAuthority(dir).root?.der ?? new Uint8Array();
}
