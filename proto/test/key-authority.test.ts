/** Guarantee checked: a CA folder issues, revokes and comes back from its backup without ever repeating a serial or a list number. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUnlockFile, KeyRing, makeRingKey } from "@lightferry/proto/keystore";
import {
  AUTHORITY_VALIDITY_MS,
  backupAuthority,
  type CaAccess,
  type CertificateUse,
  createIssuer,
  createRequest,
  createRoot,
  installCertificate,
  issueTo,
  prepareIssuer,
  readAuthority,
  renewList,
  restoreAuthority,
  revokeAt,
  verifyCertificateSignature,
  verifyRevocationList,
} from "@lightferry/proto/pki";
import { loadProvider } from "@lightferry/proto/sm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendJournal, readJournal } from "../src/pki/authority/journal.ts";
import { assertUnusedSerial } from "../src/pki/authority/sign.ts";

const provider = loadProvider();
const fault = (code: string, detail?: RegExp) =>
  expect.objectContaining(
    detail === undefined ? { code } : { code, detail: expect.stringMatching(detail) },
  );
const DAY = 86_400_000;
const NOW = Math.floor(Date.now() / 1000) * 1000;
const organisation = "试验单位";

let folder = "";
let root: CaAccess;
let issuer: CaAccess;

function unlockAt(name: string): { file: string } {
  const file = join(folder, `${name}.unlock`);
  createUnlockFile(file).fill(0);
  return { file };
}

/** A request with a key of its own, as a node makes it. */
function request(use: CertificateUse = "sign", zone = "extranet", demo = false): Uint8Array {
  const key = provider.generateSm2();
  const identity = { zone, node: `node-${zone}`, use };
  return createRequest(provider, key, { identity, organisation, demo });
}

const term = (days = 30) => ({ notBeforeMs: NOW - 60_000, notAfterMs: NOW + days * DAY });

async function makeRoot(demo = false): Promise<void> {
  const validity = { notBeforeMs: NOW - DAY, notAfterMs: NOW + AUTHORITY_VALIDITY_MS.root };
  createRoot({ ...root, organisation, commonName: "试验根", demo, ...validity });
}

async function makeIssuer(): Promise<void> {
  const validity = { notBeforeMs: NOW - DAY / 2, notAfterMs: NOW + AUTHORITY_VALIDITY_MS.issuer };
  await createIssuer({ ...issuer, organisation, zone: "extranet", demo: false, root, ...validity });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lf-ca-"));
  root = { dir: join(folder, "ca", "root"), unlock: unlockAt("root") };
  issuer = { dir: join(folder, "ca", "extranet"), unlock: unlockAt("issuer") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a certification authority", () => {
  it("is made with key, certificate, journal and list 1; the issuing one verifies to the root", async () => {
    await makeRoot();
    await makeIssuer();
    const [rootState, issuerState] = [readAuthority(root.dir), readAuthority(issuer.dir)];
    expect(readdirSync(issuer.dir).sort()).toEqual([
      "ca.key.json",
      "certificate.der",
      "index.jsonl",
      "list-000001.der",
      "root.der",
    ]);
    const rootCertificate = rootState.certificate;
    const certificate = issuerState.certificate;
    if (rootCertificate === undefined || certificate === undefined) expect.fail("certified");
    expect(verifyCertificateSignature(provider, certificate, rootCertificate)).toBe(true);
    expect(certificate).toMatchObject({ role: "issuer", zone: "extranet", demo: false });
    for (const [state, ca] of [
      [rootState, rootCertificate],
      [issuerState, certificate],
    ] as const) {
      if (state.list === undefined) expect.fail("listed");
      expect(verifyRevocationList(provider, state.list, ca)).toBe(true);
      expect(state.list).toMatchObject({ number: 1, entries: [] });
    }
    expect(rootState.issued.map((one) => one.certificate.digest)).toEqual([certificate.digest]);
    expect(existsSync(join(issuer.dir, "lock"))).toBe(false);
    await expect(makeRoot()).rejects.toThrow(fault("key.ca-exists"));
    expect(readAuthority(root.dir).keyId).toBe(rootState.keyId);
  });

  it("issues what was asked for, once a key, journalled before it is handed out", async () => {
    await makeRoot();
    await makeIssuer();
    const asked = request();
    const certificate = await issueTo(issuer, asked, term());
    expect(certificate.identity).toEqual({ zone: "extranet", node: "node-extranet", use: "sign" });
    const { issued, certificate: own } = readAuthority(issuer.dir);
    if (own === undefined) expect.fail("certified");
    expect(verifyCertificateSignature(provider, certificate, own)).toBe(true);
    expect(issued.map((one) => Buffer.from(one.certificate.der))).toEqual([
      Buffer.from(certificate.der),
    ]);
    await expect(issueTo(issuer, asked, term())).rejects.toThrow(
      fault("key.ca-issuance-refused", /has a certificate already/),
    );
    await expect(issueTo(issuer, request("sign", "business"), term())).rejects.toThrow(
      fault("certificate.wrong-zone"),
    );
    await expect(issueTo(issuer, request("sign", "extranet", true), term())).rejects.toThrow(
      fault("request.invalid"),
    );
    await expect(issueTo(issuer, request(), term(9999))).rejects.toThrow(fault("request.invalid"));
    await expect(issueTo(root, request(), term())).rejects.toThrow(fault("request.invalid"));
    expect(() => assertUnusedSerial(readAuthority(issuer.dir), certificate.serial)).toThrow(
      fault("key.ca-issuance-refused", /used before/),
    );
    expect(() => assertUnusedSerial(readAuthority(issuer.dir), own.serial)).toThrow(
      fault("key.ca-issuance-refused"),
    );
    expect(readAuthority(issuer.dir).issued).toHaveLength(1);
  });

  it("revokes by serial, key or certificate; each list has the next number and all that is revoked", async () => {
    await makeRoot();
    await makeIssuer();
    const [a, b, c] = [
      await issueTo(issuer, request("sign"), term()),
      await issueTo(issuer, request("encrypt"), term()),
      await issueTo(issuer, request("audit"), term()),
    ];
    const first = await revokeAt(
      issuer,
      { serial: a.serial },
      { reason: "superseded", nowMs: NOW },
    );
    expect(first).toMatchObject({
      number: 2,
      entries: [{ serial: a.serial, reason: "superseded", revokedMs: NOW }],
    });
    const since = NOW - 3_600_000;
    const second = await revokeAt(
      issuer,
      { keyId: b.keyId },
      { reason: "keyCompromise", revokedMs: since, nowMs: NOW },
    );
    expect(second.number).toBe(3);
    expect(second.entries).toContainEqual({
      serial: b.serial,
      reason: "keyCompromise",
      revokedMs: since,
    });
    expect(second.entries).toHaveLength(2);
    expect((await revokeAt(issuer, { certificate: c.der }, { reason: "unspecified" })).number).toBe(
      4,
    );
    expect((await renewList(issuer)).number).toBe(5);
    const state = readAuthority(issuer.dir);
    expect(state.list?.number).toBe(5);
    expect(state.list?.entries).toHaveLength(3);
    expect(state.issued.map((one) => one.revoked?.reason)).toEqual([
      "superseded",
      "keyCompromise",
      "unspecified",
    ]);
    await expect(
      revokeAt(issuer, { serial: a.serial }, { reason: "cessationOfOperation" }),
    ).rejects.toThrow(fault("key.ca-already-revoked"));
    const worse = await revokeAt(issuer, { serial: a.serial }, { reason: "keyCompromise" });
    expect(worse.entries).toContainEqual({
      serial: a.serial,
      reason: "keyCompromise",
      revokedMs: NOW,
    });
    await expect(revokeAt(issuer, { serial: "42" }, { reason: "unspecified" })).rejects.toThrow(
      fault("key.ca-serial-unknown"),
    );
    const foreign = readAuthority(root.dir).certificate;
    if (foreign === undefined) expect.fail("certified");
    await expect(
      revokeAt(issuer, { certificate: foreign.der }, { reason: "unspecified" }),
    ).rejects.toThrow(fault("key.ca-serial-unknown"));
  });

  it("asks its root by request where the root is not at hand", async () => {
    await makeRoot();
    const zone = "business";
    const asked = prepareIssuer({ ...issuer, organisation, zone, demo: false });
    await expect(issueTo(issuer, request("sign", zone), term())).rejects.toThrow(
      fault("key.ca-missing", /not answered/),
    );
    const certificate = await issueTo(root, asked, term(1000));
    const rootCertificate = readAuthority(root.dir).certificate;
    if (rootCertificate === undefined) expect.fail("certified");
    const other = { dir: join(folder, "other"), unlock: issuer.unlock };
    prepareIssuer({ ...other, organisation, zone, demo: false });
    const answer = { certificate: certificate.der, root: rootCertificate.der };
    await expect(installCertificate(other, answer)).rejects.toThrow(fault("certificate.untrusted"));
    await expect(
      installCertificate(issuer, { certificate: certificate.der, root: certificate.der }),
    ).rejects.toThrow(fault("certificate.untrusted"));
    await installCertificate(issuer, answer);
    await expect(installCertificate(issuer, answer)).rejects.toThrow(fault("key.ca-exists"));
    expect((await issueTo(issuer, request("sign", zone), term())).zone).toBe(zone);
  });

  it("refuses a demonstration folder's opener, two commands at once and a folder that is none", async () => {
    await makeRoot();
    await expect(renewList({ ...root, unlock: issuer.unlock })).rejects.toThrow(
      fault("sm.key-locked"),
    );
    writeFileSync(join(root.dir, "lock"), "1\n");
    await expect(renewList(root)).rejects.toThrow(fault("key.ca-busy"));
    expect(readAuthority(root.dir).list?.number).toBe(1);
    await expect(renewList(issuer)).rejects.toThrow(fault("key.ca-missing"));
    expect(() => readAuthority(issuer.dir)).toThrow(fault("key.ca-missing"));
  });
});

describe("the journal of an authority", () => {
  const journal = () => join(root.dir, "index.jsonl");

  it("cuts off a line that a power failure cut short, and refuses every other change", async () => {
    await makeRoot();
    await renewList(root);
    const good = readFileSync(journal(), "utf8");
    appendFileSync(journal(), '{"line":5,"atMs":17');
    expect((await renewList(root)).number).toBe(3);
    const lines = good.trimEnd().split("\n");
    expect(readJournal(journal()).entries).toHaveLength(lines.length + 1);
    const altered = [
      lines.slice(1),
      [...lines.slice(0, 1), ...lines.slice(2)],
      [...lines, lines.at(-1) ?? ""],
      lines.map((line, at) => (at === 1 ? line.replace('"atMs":1', '"atMs":2') : line)),
      [...lines, "{"],
      [...lines, "null"],
    ];
    for (const text of altered) {
      writeFileSync(journal(), `${text.join("\n")}\n`);
      await expect(renewList(root)).rejects.toThrow(fault("key.ca-damaged"));
    }
  });

  it("refuses a serial or list number said twice, and to grow over what changed under it", async () => {
    await makeRoot();
    const state = readJournal(journal());
    const issued = { event: "issued", serial: "11", keyId: "", der: "" } as const;
    const once = appendJournal(journal(), state, issued, NOW);
    appendJournal(journal(), once, issued, NOW);
    expect(() => readJournal(journal())).toThrow(fault("key.ca-damaged", /line 5/));
    truncateSync(journal(), once.length);
    appendJournal(journal(), once, { event: "listed", number: 1, digest: "" }, NOW);
    expect(() => readJournal(journal())).toThrow(fault("key.ca-damaged", /line 5/));
    truncateSync(journal(), 10);
    expect(() => appendJournal(journal(), once, issued, NOW)).toThrow(fault("key.ca-damaged"));
  });

  it("put back as it was before a revocation stops the authority: a list never takes one back", async () => {
    await makeRoot();
    await makeIssuer();
    const { serial } = await issueTo(issuer, request(), term());
    const journalled = join(issuer.dir, "index.jsonl");
    const before = readFileSync(journalled);
    await revokeAt(issuer, { serial }, { reason: "keyCompromise" });
    expect(readAuthority(issuer.dir).list?.entries).toHaveLength(1);
    // Whole lines, an unbroken chain, and one revocation fewer.
    writeFileSync(journalled, before);
    expect(() => readAuthority(issuer.dir)).toThrow(fault("key.ca-damaged", new RegExp(serial)));
    await expect(renewList(issuer)).rejects.toThrow(fault("key.ca-damaged"));
    await expect(issueTo(issuer, request(), term())).rejects.toThrow(fault("key.ca-damaged"));
  });

  it("keeps a list's number used although its file or its line was lost", async () => {
    await makeRoot();
    await renewList(root);
    writeFileSync(join(root.dir, "list-000007.der"), "cut short");
    expect((await renewList(root)).number).toBe(8);
    rmSync(join(root.dir, "list-000008.der"));
    expect(() => readAuthority(root.dir)).toThrow(fault("key.ca-damaged", /list-000008/));
  });
});

describe("an authority's backup", () => {
  it("comes back from two of three shares and signs on; list numbers leap ahead", async () => {
    await makeRoot();
    const before = readAuthority(root.dir);
    const { bytes, shareLines } = await backupAuthority(root, { k: 2, n: 3 });
    const shares = [2, 0].map((at) => ({ name: `${at}`, text: shareLines[at] ?? "" }));
    const unlock = unlockAt("new");
    await expect(restoreAuthority({ ...root, unlock }, bytes, { shares })).rejects.toThrow(
      fault("key.backup-conflict"),
    );
    expect(readAuthority(root.dir)).toEqual(before);
    // What the root signed after its backup is unknown to it afterwards.
    const late = await createIssuer({
      ...{ ...issuer, organisation, zone: "extranet", demo: false, root },
      ...{ notBeforeMs: NOW, notAfterMs: NOW + 100 * DAY },
    });
    rmSync(root.dir, { recursive: true });
    const restored = await restoreAuthority({ dir: root.dir, unlock }, bytes, { shares });
    expect(restored).toMatchObject({ keyId: before.keyId, certificate: before.certificate });
    expect(restored.nextNumber).toBe(1002);
    const list = await renewList({ dir: root.dir, unlock });
    if (before.certificate === undefined) expect.fail("certified");
    expect(list.number).toBe(1002);
    expect(verifyRevocationList(provider, list, before.certificate)).toBe(true);
    const revoked = await revokeAt(
      { dir: root.dir, unlock },
      { certificate: late.der },
      { reason: "cACompromise" },
    );
    expect(revoked.entries.map((entry) => entry.serial)).toEqual([late.serial]);
  });

  it("is refused when it is not an authority's", async () => {
    const dir = join(folder, "ring");
    const { keyId } = makeRingKey(dir, issuer.unlock, "node-sign", { demo: false });
    const ring = KeyRing.open({ dir, unlock: issuer.unlock, use: "node-sign", mode: "production" });
    const key = ring.privateKey(keyId);
    if (key === undefined) expect.fail("in the ring");
    const { sealBackup } = await import("@lightferry/proto/keystore");
    const { bytes, shareLines } = await sealBackup(
      {
        ...{ kind: "zone", subject: "extranet", createdMs: NOW, files: [] },
        keys: [{ ring: "sign", use: "node-sign", demo: false, key }],
      },
      { k: 2, n: 2 },
    );
    const shares = shareLines.map((text, at) => ({ name: `${at}`, text }));
    await expect(restoreAuthority(root, bytes, { shares })).rejects.toThrow(
      fault("key.backup-invalid", /not the backup of a CA/),
    );
    expect(existsSync(root.dir)).toBe(false);
  });
});
