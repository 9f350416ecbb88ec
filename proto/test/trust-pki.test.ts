/** Guarantee checked: the test PKI is a real one: its keys, certificates, lists and rings fit each other. */
import { existsSync, readFileSync } from "node:fs";
import type { BundleKeys } from "@lightferry/proto/bundle";
import { KeyRing, ringKeyIds } from "@lightferry/proto/keystore";
import { CERTIFICATE_USES, readPkiItems } from "@lightferry/proto/pki";
import { type TestPki, testPki } from "@lightferry/proto/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("test PKI", () => {
  let pki: TestPki;
  beforeAll(async () => {
    pki = await testPki({ zones: { alpha: "gw-a", beta: "gw-b" } });
  });
  afterAll(() => pki.cleanup());

  it("builds a store with nothing rejected", () => {
    expect(pki.store.rejected).toEqual([]);
    expect(pki.store.certificates).toHaveLength(1 + 2 + 2 * CERTIFICATE_USES.length);
    expect(pki.store.revocationLists).toHaveLength(3);
  });

  it.each(CERTIFICATE_USES.filter((use) => use !== "encrypt"))("has a %s key", (use) => {
    const keyId = pki.keyId("gw-a", use);
    const directory = pki.store.keyDirectory();
    const publicKey = directory[`${use}Key`]("gw-a", keyId);
    expect(publicKey).toEqual(pki.key("gw-a", use).publicKey);
    expect(pki.store.chain(keyId)).toHaveLength(2);
    expect(existsSync(`${pki.ringDir("gw-a", use)}/${keyId}.key.json`)).toBe(true);
  });

  it("has an encryption key in a ring", () => {
    const found = pki.store.keyDirectory().encryptKey("gw-b");
    const ring = KeyRing.open({
      dir: pki.ringDir("gw-b", "encrypt"),
      unlock: { file: pki.unlockPath("gw-b", "encrypt") },
      use: "node-encrypt",
      mode: "demo",
    });
    expect(ring.keyIds()).toEqual([found?.keyId]);
    ring.close();
  });

  it("is what bundles ask for keys", () => {
    const keys: BundleKeys = pki.store.keyDirectory();
    const usage = { presented: [], usedMs: Date.now() };
    expect(keys.signKey("gw-a", pki.keyId("gw-a", "sign"), usage)).toBeDefined();
    expect(keys.policyKey("gw-a", "00".repeat(16), usage)).toBeUndefined();
  });

  it("goes on: rotates into the ring, revokes by the next list", () => {
    const before = pki.keyId("gw-b", "sign");
    const future = Date.now() + 60_000;
    const next = pki.rotate("gw-b", "sign", { notBeforeMs: future });
    expect(ringKeyIds(pki.ringDir("gw-b", "sign"))).toEqual([before, next].sort());
    expect(pki.keyId("gw-b", "sign")).toBe(before);
    expect(pki.keyId("gw-b", "sign", future)).toBe(next);
    const { version } = pki.store;
    const number = pki.store.revocationList("beta")?.number ?? 0;
    const list = pki.revoke(before, "keyCompromise");
    expect(list).toEqual(pki.list("beta"));
    expect(pki.store.revocationList("beta")?.number).toBe(number + 1);
    expect(pki.store.version).toBeGreaterThan(version);
    expect(() => pki.store.keyDirectory().signKey("gw-b", before)).toThrow(/certificate.revoked/);
    pki.revoke(pki.issuer("alpha").certificate.keyId, "cACompromise");
    expect(pki.store.active("gw-a", "sign", Date.now())).toBeUndefined();
  });

  it("pins its root by file", () => {
    expect(readPkiItems(readFileSync(pki.rootPath))).toEqual([
      { label: "CERTIFICATE", der: pki.root },
    ]);
  });
});
